"""The labelled answers: made of the items and wordings, the same in every run. `python -m corpus_pipeline_tests.augment.answers.making`
prints them as JSON lines.

Each has a label, a kind, a language and a part: `tune` is what validators may be looked at with, `held` is held out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from corpus_pipeline_tests.augment.answers.items import ITEMS
from corpus_pipeline_tests.augment.answers.wordings import (
    ADDED,
    ECHOES,
    FOREIGN,
    NO_REFUSALS,
    POLITE,
    REFUSALS,
    SHORT,
    SUMS,
    TASK_TALK,
)

LANGUAGES = ("en", "de", "fr", "es", "zh", "ru")
NAMES = {"zh": ["小梅", "阿丽", "佳佳"], "ru": ["Таня", "Вера", "Нина"]}
_LATIN_NAMES = ["Tessa", "Milena", "Odile", "Ximena", "Greta", "Paola"]
_TRANSLATED = {"en": "de", "de": "fr", "fr": "es", "es": "en", "zh": "en", "ru": "de"}
_LEFTOVERS = ("<|im_end|>", "[/INST]", "<end_of_turn>", "<|eot_id|>", "</think>", "<think>hm")


class Labelled(NamedTuple):
    """One answer of a model to a row, and whether it may become a row."""

    label: str
    kind: str
    language: str
    part: str
    strategy: str
    target: str | None
    asked: str
    known: str
    answer: str


def labelled() -> list[Labelled]:
    """All of them, in a fixed order."""
    return [one for language in LANGUAGES for make in _MAKERS for one in make(language)]


def _part(number: int) -> str:
    return "held" if number % 2 else "tune"


def _response(
    language: str, kind: str, number: int, asked: str, known: str, answer: str, label: str = "bad"
) -> Labelled:
    return Labelled(label, kind, language, _part(number), "response_regeneration", None, asked, known, answer)


def _prompt(
    language: str, kind: str, number: int, asked: str, known: str, reworded: str, label: str = "bad"
) -> Labelled:
    said = json.dumps({"prompt": reworded}, ensure_ascii=False)
    return Labelled(label, kind, language, _part(number), "paraphrase", None, asked, known, said)


def _translation(
    language: str,
    kind: str,
    number: int,
    target: str,
    source: tuple[str, str],
    made: tuple[str, str],
    label: str = "bad",
) -> Labelled:
    said = json.dumps({"prompt": made[0], "response": made[1]}, ensure_ascii=False)
    return Labelled(label, kind, language, _part(number), "translation", target, *source, said)


def good_answers(language: str) -> Iterator[Labelled]:
    """Right answers in other words, and questions in other words."""
    for number, item in enumerate(ITEMS[language]):
        yield _response(language, "answer in other words", number, item.asked, item.answer, item.again, "good")
        yield _response(language, "answer in other words", number + 1, item.asked, item.again, item.answer, "good")
        yield _prompt(language, "question in other words", number, item.asked, item.answer, item.reworded, "good")
        yield _prompt(language, "question in other words", number + 1, item.reworded, item.again, item.asked, "good")


def good_translations(language: str) -> Iterator[Labelled]:
    """The same item in another language."""
    target = _TRANSLATED[language]
    for number, (item, other) in enumerate(zip(ITEMS[language], ITEMS[target], strict=True)):
        source, made = (item.asked, item.answer), (other.asked, other.answer)
        yield _translation(language, "translation", number, target, source, made, "good")
    for number, (asked, answer, _) in enumerate(SHORT):
        for target in LANGUAGES:
            if target != language:
                source, made = (asked[language], answer[language]), (asked[target], answer[target])
                yield _translation(language, "translation of a short answer", number, target, source, made, "good")


def good_no(language: str) -> Iterator[Labelled]:
    """Answers that say no or sorry, and are right."""
    for number, (asked, known, again) in enumerate(NO_REFUSALS[language]):
        yield _response(language, "says no and is right", number, asked, known, again, "good")


class Sum(NamedTuple):
    """A sum in words."""

    name: str
    a: int
    b: int
    asked: str
    known: str


def _sums(language: str, count: int) -> list[Sum]:
    chance = random.Random(f"sums {language}")
    question, answer, _, _ = SUMS[language]
    found = []
    for number in range(count):
        a, b = chance.randrange(13, 90), chance.randrange(13, 90)
        b += 1 if a == b else 0
        names = NAMES.get(language, _LATIN_NAMES)
        values = {"name": names[number % len(names)], "a": a, "b": b, "c": a + b}
        found.append(Sum(values["name"], a, b, question.format(**values), answer.format(**values)))  # type: ignore[arg-type]
    return found


def _said(text: str, one: Sum, *, a: int | None = None, b: int | None = None, c: int | None = None) -> str:
    a, b = one.a if a is None else a, one.b if b is None else b
    return text.format(name=one.name, a=a, b=b, c=one.a + one.b if c is None else c)


def sums(language: str) -> Iterator[Labelled]:
    """Sums reworded and answered rightly; with numbers added, changed, dropped or swapped; with another result."""
    _, _, rewordings, answers = SUMS[language]
    for number, one in enumerate(_sums(language, 6)):
        reworded, again = rewordings[number % len(rewordings)], answers[number % len(answers)]
        good, wrong = _said(reworded, one), one.a + 7
        yield _prompt(language, "sum in other words", number, one.asked, one.known, good, "good")
        yield _response(language, "same result in other words", number, one.asked, one.known, _said(again, one), "good")
        if number < 4:
            added = ADDED[language][number % 2].format(q=good, n=one.b + 9)
            yield _prompt(language, "number added", number, one.asked, one.known, added)
            yield _prompt(language, "number changed", number, one.asked, one.known, _said(reworded, one, a=wrong))
            yield _prompt(
                language, "numbers swapped", number, one.asked, one.known, _said(reworded, one, a=one.b, b=one.a)
            )
            off = _said(again, one, c=one.a + one.b + (10, 1, -10, 9)[number])
            yield _response(language, "another result", number, one.asked, one.known, off)
        if number < 2:
            fewer = good.replace(str(one.b), {"zh": "一些", "ru": "несколько"}.get(language, "")).replace("  ", " ")
            yield _prompt(language, "number dropped", number, one.asked, one.known, fewer)


def refusals(language: str) -> Iterator[Labelled]:
    """Refusals in the language of the row, and English ones elsewhere."""
    items = ITEMS[language]
    for number, said in enumerate(REFUSALS[language]):
        item = items[number % len(items)]
        yield _response(language, "refusal", number, item.asked, item.answer, said)
    if language != "en":
        for number, said in enumerate(REFUSALS["en"][:2]):
            yield _response(language, "refusal", number, items[number].asked, items[number].answer, said)


def foreign(language: str) -> Iterator[Labelled]:
    """Answers in another language, whole and in half of the text, and translations that were not done."""
    chance = random.Random(f"foreign {language}")
    others = [entry for entry in FOREIGN if entry[0] != language]
    chance.shuffle(others)
    items, target = ITEMS[language], _TRANSLATED[language]
    for number in range(6):
        item, sentence = items[number], others[number][1]
        yield _response(language, "another language", number, item.asked, item.answer, sentence)
        if number < 4:
            yield _response(
                language, "half in another language", number, item.asked, item.answer, f"{item.again} {sentence}"
            )
    third = next(code for code in LANGUAGES if code not in (language, target))
    for number in range(4):
        item, other, wrong = items[number], ITEMS[target][number], ITEMS[third][number]
        made = (other.asked, item.again if number % 2 else wrong.answer)
        yield _translation(language, "translation not done", number, target, (item.asked, item.answer), made)
    for number, (asked, answer, contradicts) in enumerate(SHORT):
        if contradicts[target]:
            made = (asked[target], contradicts[target])
            yield _translation(
                language, "translation says another thing", number, target, (asked[language], answer[language]), made
            )


def cut(language: str) -> Iterator[Labelled]:
    """Texts that end in the middle of a sentence, of code, or behind an open bracket."""
    for number, item in enumerate(ITEMS[language][:6]):
        keep = int(len(item.again) * (0.55 + 0.05 * number))
        while keep > 8 and not item.again[keep - 1].isalpha():
            keep -= 1
        yield _response(language, "cut", number, item.asked, item.answer, item.again[:keep])
    for number, item in enumerate(ITEMS[language][6:8]):
        code = f"{item.again}\n```python\ndef step(n):\n    return n +"
        yield _response(language, "cut", number, item.asked, item.answer, code)
        yield _response(
            language,
            "cut",
            number + 1,
            item.asked,
            item.answer,
            f"{item.again[:-1]} ({item.answer[: len(item.answer) // 2].rstrip()}",
        )


def _keys(chance: random.Random) -> str:
    row = chance.choice(["asdfghjkl;", "qwertyuiop[", "zxcvbnm,./"])
    return "".join(chance.choice(row) for _ in range(70))


def _consonants(chance: random.Random) -> str:
    return " ".join(
        "".join(chance.choice("bcdfghjklmnpqrstvwxz") for _ in range(chance.randrange(3, 9))) for _ in range(14)
    )


def _signs(chance: random.Random) -> str:
    return "".join(chance.choice("@#$%^&*~+=<>{}[]?!/;:") for _ in range(60))


def noise(language: str) -> Iterator[Labelled]:
    """No language: keys struck at random, consonants, signs, lost characters, shuffled words."""
    chance = random.Random(f"noise {language}")
    makers = (_keys, _consonants, _signs)
    for number in range(6):
        item = ITEMS[language][number]
        made = makers[number % 3](chance)
        yield _response(language, "noise", number, item.asked, item.answer, made)
    lost = ITEMS[language][6]
    damaged = "".join("\ufffd" if at % 5 == 2 else char for at, char in enumerate(lost.again))
    yield _response(language, "noise", 0, lost.asked, lost.answer, damaged)
    if language in ("en", "de", "fr", "es"):
        for number, item in enumerate(ITEMS[language][7:9]):
            words = (item.answer + " " + item.again + " " + item.asked).split()
            chance.shuffle(words)
            yield _response(language, "noise", number, item.asked, item.answer, " ".join(words))


def echoes(language: str) -> Iterator[Labelled]:
    """The question again, as an answer or as a rewording."""
    for number, wrap in enumerate(ECHOES[language]):
        item = ITEMS[language][number]
        yield _response(language, "echo", number, item.asked, item.answer, wrap.format(item.asked))
    for number, wrap in enumerate(POLITE[language]):
        item = ITEMS[language][number + 4]
        yield _prompt(language, "echo", number, item.asked, item.answer, wrap.format(item.asked))


def task_talk(language: str) -> Iterator[Labelled]:
    """Right answers with talk about the task around them."""
    for number, wrap in enumerate(TASK_TALK[language]):
        item = ITEMS[language][number % len(ITEMS[language])]
        yield _response(language, "talk about the task", number, item.asked, item.answer, wrap.format(item.again))


def other_rows(language: str) -> Iterator[Labelled]:
    """The answer to another row, and answers where a question in other words was asked for."""
    items = ITEMS[language]
    for number in range(6):
        item, other = items[number], items[(number + 3) % len(items)]
        yield _response(language, "another row's answer", number, item.asked, item.answer, other.answer)
    for number in range(4):
        item = items[number + 4]
        yield _prompt(language, "answers instead of asking", number, item.asked, item.answer, item.again)


def left_overs(language: str) -> Iterator[Labelled]:
    """Tokens of templates and thinking that leaked."""
    for number in range(3):
        item = ITEMS[language][number]
        token = _LEFTOVERS[(number + 2 * LANGUAGES.index(language)) % len(_LEFTOVERS)]
        said = f"{item.again[:-1]} {token} {item.again[-12:]}"
        yield _response(language, "template token", number, item.asked, item.answer, said)


_MAKERS = (
    good_answers, good_translations, good_no, sums, refusals, foreign, cut, noise, echoes, task_talk, other_rows, left_overs,
)  # fmt: skip


def as_row(one: Labelled) -> dict[str, Any]:
    """A JSON object."""
    return one._asdict()


def of_part(part: str | None, every: Sequence[Labelled] | None = None) -> list[Labelled]:
    """The answers of a part; None: all of them."""
    return [one for one in (labelled() if every is None else every) if part is None or one.part == part]


def main() -> None:
    """Print the set."""
    for one in labelled():
        print(json.dumps(as_row(one), ensure_ascii=False))


if __name__ == "__main__":
    main()
