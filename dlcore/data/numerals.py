"""Numbers of 0 to 99,999 in words, in English and Chinese: two hundred and five, 二百零五."""

from __future__ import annotations

from collections.abc import Callable

MOST = 99_999
SHOWN = 205  # the example of the lesson
SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
DIGITS = "零一二三四五六七八九"
UNITS = ((10_000, "万"), (1_000, "千"), (100, "百"), (10, "十"))

Form = Callable[[int], str]


def english(n: int, link: str = " and ", hyphen: str = "-") -> str:
    """In words; ``link`` stands before the last two digits: "two hundred and five", or "two hundred five"."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        tens, ones = divmod(n, 10)
        return TENS[tens] + (hyphen + SMALL[ones] if ones else "")
    size, word = (1000, "thousand") if n >= 1000 else (100, "hundred")
    many, rest = divmod(n, size)
    said = f"{english(many, link, hyphen)} {word}"
    return said + (link if rest < 100 else " ") + english(rest, link, hyphen) if rest else said


def chinese(n: int, two: str = "二") -> str:
    """In characters, a gap of any length filled by one 零: 二百零五, 一万零三; ``two`` before 百, 千, 万: 二 or 两."""
    if n < 10:
        return DIGITS[n]
    said, gap = "", False
    for size, unit in UNITS:
        digit, n = divmod(n, size)
        if digit:
            one_of_ten = size == 10 and digit == 1 and not said  # 十五, but 一百一十五
            name = two if digit == 2 and size > 10 else DIGITS[digit]
            said += ("零" if gap else "") + ("" if one_of_ten else name) + unit
        gap = bool(said) and not digit
    return said + ("零" if gap and n else "") + (DIGITS[n] if n else "")


ENGLISH: tuple[Form, ...] = (english, lambda n: english(n, " "), lambda n: english(n, hyphen=" "))
CHINESE: tuple[Form, ...] = (chinese, lambda n: chinese(n, "两"))
