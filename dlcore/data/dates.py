"""Days of 1950 to 2049 as people write them, in English and Chinese, and as ISO 8601 wants them: 2021-05-03.

Two rules make every form unambiguous. A year of two digits lies between 1950 and 2049; and with nothing but points
between the numbers, the day comes first unless four digits do. "3/5/2021" is March to some and May to others: it is
not among the forms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

FIRST, LAST = date(1950, 1, 1), date(2049, 12, 31)
SHOWN = date(2021, 5, 3)  # the example of the lesson
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NTH = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth",
    "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first",
)  # fmt: skip
DIGITS = "〇一二三四五六七八九"

Form = Callable[[date], str]


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th … 11th, 12th, 13th … 21st."""
    ending = "th" if 10 < n % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def hanzi(n: int) -> str:
    """A number of 1 to 99 in Chinese: 三, 十, 十二, 二十, 三十一."""
    tens, ones = divmod(n, 10)
    return ("" if tens < 2 else DIGITS[tens]) + ("十" if tens else "") + (DIGITS[ones] if ones else "")


def hanzi_year(year: int | str, zero: str = "〇") -> str:
    """A year digit by digit: 二〇二一, or 二零二一."""
    return "".join(DIGITS[int(digit)] for digit in str(year)).replace("〇", zero)


def _month(day: date) -> str:
    return MONTHS[day.month - 1]


def _weekday_in_chinese(day: date) -> str:
    return "一二三四五六日"[day.weekday()]


ENGLISH: tuple[Form, ...] = (
    lambda d: f"{d.day} {_month(d)} {d.year}",
    lambda d: f"{_month(d)} {d.day}, {d.year}",
    lambda d: f"{_month(d)[:3]} {d.day}, {d.year}",
    lambda d: f"the {ordinal(d.day)} of {_month(d)} {d.year}",
    lambda d: f"{_month(d)} the {ordinal(d.day)}, '{d:%y}",
    lambda d: f"{DAYS[d.weekday()]}, {d.day} {_month(d)} {d.year}",
    lambda d: f"the {NTH[d.day - 1]} of {_month(d)}, {d.year}",
    lambda d: f"{d.day}-{_month(d)[:3]}-{d:%y}",
    lambda d: f"{d:%d.%m}.{d.year}",
    lambda d: f"{d.day}.{d.month}.{d:%y}",
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year} {_month(d)} {d.day}",
)
CHINESE: tuple[Form, ...] = (
    lambda d: f"{d.year}年{d.month}月{d.day}日",
    lambda d: f"{d.year}年{d.month}月{d.day}号",
    lambda d: f"{d:%y}年{d.month}月{d.day}日",
    lambda d: f"{d.year}年{d.month}月{d.day}日，星期{_weekday_in_chinese(d)}",
    lambda d: f"{hanzi_year(d.year)}年{hanzi(d.month)}月{hanzi(d.day)}日",
    lambda d: f"{hanzi_year(d.year, '零')}年{hanzi(d.month)}月{hanzi(d.day)}号",
    lambda d: f"{hanzi_year(f'{d:%y}', '零')}年{hanzi(d.month)}月{hanzi(d.day)}日",
)


def number_of(day: date) -> int:
    """Days since the first: the day's number, 0 to ``count() - 1``."""
    return (day - FIRST).days


def day_of(number: int) -> date:
    """The inverse of ``number_of``."""
    return date.fromordinal(FIRST.toordinal() + int(number))


def count() -> int:
    """How many days there are."""
    return number_of(LAST) + 1
