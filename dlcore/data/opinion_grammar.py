"""Sentences that praise or complain, made by a small grammar of our own, in English and Chinese.

The grammar knows what decides: a negation turns the word that follows; an intensifier does not; of two clauses joined
by “but” the second has the last word, whichever the first was. Every word occurs in both kinds of sentences, so that
who only counts words does poorly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COUNT = 4000


@dataclass(frozen=True)
class Grammar:
    """One language's words, and how its clauses and sentences are put together (``str.format``)."""

    topics: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]  # things, words that praise, or not
    plain: tuple[str, ...]  # clauses: {thing}, {word}
    strong: tuple[str, ...]
    negated: tuple[str, ...]  # these turn the word
    single: tuple[str, ...]  # sentences: {clause}
    joined: tuple[str, ...]  # {first}, {second}: the second decides


ENGLISH = Grammar(
    topics=(
        (("the film", "the story", "the ending", "the music", "the acting", "the first half", "the dialogue",
          "the camera work", "this sequel", "the main actor", "the plot", "the joke with the dog"),
         ("good", "great", "funny", "moving", "clever", "beautiful", "exciting", "fresh", "convincing", "charming"),
         ("bad", "boring", "dull", "silly", "slow", "ugly", "predictable", "tired", "noisy", "awful")),
    ),
    plain=("{thing} is {word}", "{thing} was {word}", "i found {thing} {word}", "{thing} felt {word}"),
    strong=("{thing} is very {word}", "{thing} was really {word}", "i found {thing} quite {word}",
            "{thing} is so {word}", "{thing} was extremely {word}"),
    negated=("{thing} is not {word}", "{thing} was not {word} at all", "{thing} is never {word}",
             "{thing} isn't {word}", "{thing} was hardly {word}", "i did not find {thing} {word}",
             "{thing} is not very {word}", "nobody would call {thing} {word}"),
    single=("{clause} .", "{clause} !", "i must say , {clause} .", "all in all {clause} ."),
    joined=("{first} , but {second} .", "although {first} , {second} .", "{first} ; still , {second} .",
            "{first} , and yet {second} ."),
)  # fmt: skip
CHINESE = Grammar(
    topics=(
        (("这道菜", "味道", "汤", "饺子", "面条", "烤鸭", "米饭", "凉菜"),
         ("好", "好吃", "新鲜", "地道", "可口", "讲究", "棒"), ("差", "难吃", "油腻", "奇怪", "糟糕", "咸", "硬")),
        (("送餐", "服务", "包装", "老板的态度", "这家店"),
         ("好", "用心", "靠谱", "讲究", "热情", "棒"), ("差", "马虎", "敷衍", "糟糕", "随便", "慢")),
    ),
    plain=("{thing}让我觉得{word}", "我觉得{thing}{word}", "{thing}算是{word}", "{thing}挺{word}"),
    strong=("{thing}非常{word}", "{thing}真的很{word}", "{thing}特别{word}", "{thing}太{word}了"),
    negated=("{thing}不{word}", "{thing}一点也不{word}", "{thing}并不{word}", "{thing}不算{word}",
             "我不觉得{thing}{word}", "{thing}没有那么{word}", "没人会说{thing}{word}"),
    single=("{clause}。", "{clause}！", "总的来说，{clause}。", "说实话，{clause}。"),
    joined=("{first}，但是{second}。", "虽然{first}，{second}。", "{first}，不过{second}。", "{first}，可{second}。"),
)  # fmt: skip
GRAMMARS = {"en": ENGLISH, "zh": CHINESE}


def sentences(language: str, count: int = COUNT, seed: int = 0) -> list[tuple[str, int]]:
    """Different sentences, each with 1 where it praises and 0 where it complains, half of each (give or take one)."""
    rng, grammar, made = np.random.default_rng(seed), GRAMMARS[language], {}
    while len(made) < count:
        praises = len(made) % 2
        made.setdefault(_sentence(grammar, bool(praises), rng), praises)
    return list(made.items())


def kind_words(language: str) -> dict[str, int]:
    """The tokens of words that praise (1) and of those that do not (−1); in Chinese the characters of one kind only."""
    sides: tuple[set[str], set[str]] = (set(), set())
    for _things, good, bad in GRAMMARS[language].topics:
        for side, words in zip(sides, (good, bad), strict=True):
            side.update("".join(words) if language == "zh" else words)
    return {**dict.fromkeys(sides[0] - sides[1], 1), **dict.fromkeys(sides[1] - sides[0], -1)}


def _sentence(grammar: Grammar, praises: bool, rng: np.random.Generator) -> str:
    clause = _clause(grammar, praises, rng)
    if rng.random() < 0.4:
        return _pick(grammar.single, rng).format(clause=clause)
    other = _clause(grammar, bool(rng.random() < 0.3) == praises, rng)  # more often the two do not agree
    return _pick(grammar.joined, rng).format(first=other, second=clause)


def _clause(grammar: Grammar, praises: bool, rng: np.random.Generator) -> str:
    """A clause that praises or complains; half of them by turning the opposite word."""
    turned = rng.random() < 0.5
    kinds = grammar.negated if turned else _pick((grammar.plain, grammar.strong), rng)
    things, good, bad = _pick(grammar.topics, rng)
    word = _pick(good if praises != turned else bad, rng)
    return _pick(kinds, rng).format(thing=_pick(things, rng), word=word)


def _pick(options, rng: np.random.Generator):
    return options[int(rng.integers(len(options)))]
