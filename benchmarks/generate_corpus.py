"""Write a seeded corpus of question/answer conversations with planted duplicates, and the truth about them beside it.

    python benchmarks/generate_corpus.py 100000 --seed 1 --out /tmp/corpus.jsonl [--zh-share 0.1]

Of all rows about 20 % are near-duplicates (an earlier row with 1-3 random word edits: replace, delete, insert, swap
with the neighbour) and about 5 % exact ones (some differ only in case or white space). Lengths are lognormal between 40
and 4000 characters, about 600 on average. The text is made from word lists and sentence patterns of our own; every row
has a subject of its own, and no distinct row equals another. Everything streams; memory grows by some 100 bytes per
row.

OUT.truth.tsv has one line per row: line (1-based), kind (distinct, near, exact), original (line, 0 for distinct),
edits, characters, language.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from corpus_words import (
    ENGLISH,
    ENGLISH_PATTERNS,
    ENGLISH_QUESTIONS,
    ENGLISH_SHORT,
    ZH,
    ZH_PATTERNS,
    ZH_QUESTIONS,
    ZH_SHORT,
)

NEAR_SHARE = 0.20
EXACT_SHARE = 0.05
SHORTEST, LONGEST = 40, 4000
POOL = 20_000  # originals that may be copied; older ones are replaced at random, so copies lie near and far
SUBJECT_WORDS = 12  # content words per class that a row prefers: what it is about


class Row(NamedTuple):
    question: str
    answer: str
    kind: str
    original: int
    edits: int
    language: str

    @property
    def characters(self) -> int:
        return len(self.question) + len(self.answer)


class Language:
    """Sentences of one language: patterns whose capital letters are slots for words of a class."""

    def __init__(
        self, words: dict[str, list[str]], patterns: list[str], short: list[str], questions: list[str], joiner: str
    ) -> None:
        self.words, self.joiner = words, joiner
        self.patterns = [self._split(pattern) for pattern in patterns]
        self.short = [self._split(pattern) for pattern in short]
        self.questions = [self._split(pattern) for pattern in questions]
        # Zipf: the word of rank r is drawn in proportion to 1 / (r + 5)
        self.weights = {slot: list(accumulate(1 / (rank + 5) for rank in range(len(of)))) for slot, of in words.items()}

    def _split(self, pattern: str) -> list[tuple[str, str]]:
        """(slot, what follows it) or ("", literal) for each part of a pattern."""
        parts = []
        for part in pattern.split(" "):
            is_slot = (part[0] in self.words or part[0] == "M") and not part[1:2].isalpha()
            parts.append((part[0], part[1:]) if is_slot else ("", part))
        return parts

    def subject(self, random_: random.Random) -> dict[str, list[str]]:
        """The words that one row is about: a small choice of each class, any rank alike."""
        return {slot: random_.choices(of, k=SUBJECT_WORDS) for slot, of in self.words.items()}

    def word(self, random_: random.Random, slot: str, subject: dict[str, list[str]]) -> str:
        if slot == "M":
            return str(int(math.exp(random_.random() * 9)) + 1)
        if random_.random() < 0.6:
            return subject[slot][int(random_.random() * SUBJECT_WORDS)]
        return random_.choices(self.words[slot], cum_weights=self.weights[slot])[0]

    def sentence(
        self, random_: random.Random, patterns: list[list[tuple[str, str]]], subject: dict[str, list[str]]
    ) -> str:
        pattern = patterns[int(random_.random() * len(patterns))]
        text = self.joiner.join([self.word(random_, slot, subject) + rest if slot else rest for slot, rest in pattern])
        return text[0].upper() + text[1:]

    def conversation(self, random_: random.Random) -> tuple[str, str]:
        """(question, answer) of about a lognormal length."""
        wanted = min(max(random_.lognormvariate(5.9, 0.95), SHORTEST), LONGEST - 150)
        wanted = wanted if self.joiner else wanted / 3  # one Chinese character says about three letters
        subject = self.subject(random_)
        question = self.sentence(random_, self.questions, subject)
        short = wanted < (160 if self.joiner else 45)
        answer = self.sentence(random_, self.short if short else self.patterns, subject)
        length = len(question) + len(answer)
        sentences = [answer]
        while not short and length < wanted:
            sentences.append(self.sentence(random_, self.patterns, subject))
            length += len(sentences[-1]) + 1
        if random_.random() < 0.3 and len(sentences) > 6:  # paragraphs
            middle = len(sentences) // 2
            sentences[middle] = "\n\n" + sentences[middle]
        return question, (" " if self.joiner else "").join(sentences)

    def edited(self, random_: random.Random, text: str, edits: int) -> str:
        """The text with exactly `edits` word edits (character edits without a joiner)."""
        units = text.split(self.joiner) if self.joiner else list(text)
        for _ in range(edits):
            place = random_.randrange(len(units))
            kind = random_.choice(("replace", "delete", "insert", "swap"))
            slot = random_.choice([slot for slot in self.words])
            new = random_.choice(self.words[slot])
            new = new if self.joiner else random_.choice(new)
            if kind == "replace":
                units[place] = new
            elif kind == "insert":
                units.insert(place, new)
            elif kind == "delete" and len(units) > 1:
                del units[place]
            elif len(units) > 1:
                place = min(place, len(units) - 2)
                units[place], units[place + 1] = units[place + 1], units[place]
        return self.joiner.join(units)


def _respaced(random_: random.Random, text: str) -> str:
    """The same content in other case or white space."""
    choice = random_.randrange(3)
    if choice == 0:
        return text.upper()
    if choice == 1:
        return "  " + text.replace(". ", ".  ") + " \n"
    return text.lower()


def rows(count: int, seed: int, zh_share: float) -> Iterator[Row]:
    """`count` rows in file order; the same for the same arguments."""
    random_ = random.Random(seed)
    english = Language(ENGLISH, ENGLISH_PATTERNS, ENGLISH_SHORT, ENGLISH_QUESTIONS, " ")
    chinese = Language(ZH, ZH_PATTERNS, ZH_SHORT, ZH_QUESTIONS, "")
    seen: set[int] = set()
    pool: list[tuple[int, Row]] = []
    for line in range(1, count + 1):
        draw = random_.random()
        if pool and draw < NEAR_SHARE + EXACT_SHARE:
            original, row = pool[random_.randrange(len(pool))]
            if draw < EXACT_SHARE:
                question, answer = row.question, row.answer
                if random_.random() < 0.5:
                    question, answer = _respaced(random_, question), _respaced(random_, answer)
                yield Row(question, answer, "exact", original, 0, row.language)
                continue
            copy = _near_copy(random_, english if row.language == "en" else chinese, row, original, seen)
            if copy is not None:
                yield copy
                continue
        language, name = (chinese, "zh") if random_.random() < zh_share else (english, "en")
        question, answer = language.conversation(random_)
        while _key(question, answer) in seen:
            question, answer = language.conversation(random_)
        seen.add(_key(question, answer))
        row = Row(question, answer, "distinct", 0, 0, name)
        if len(pool) < POOL:
            pool.append((line, row))
        else:
            pool[random_.randrange(POOL)] = (line, row)
        yield row


def _near_copy(random_: random.Random, language: Language, row: Row, original: int, seen: set[int]) -> Row | None:
    """A copy with 1-3 edits that equals no row before it; None when the edits undid each other."""
    edits = random_.randint(1, 3)
    in_question = sum(random_.random() < len(row.question) / row.characters for _ in range(edits))
    question = language.edited(random_, row.question, in_question) if in_question else row.question
    answer = language.edited(random_, row.answer, edits - in_question) if edits > in_question else row.answer
    if _key(question, answer) in seen:
        return None
    seen.add(_key(question, answer))
    return Row(question, answer, "near", original, edits, row.language)


def _key(question: str, answer: str) -> int:
    content = " ".join(f"{question} {answer}".lower().split())
    return int.from_bytes(hashlib.blake2b(content.encode(), digest_size=8).digest(), "big")


def write(count: int, seed: int, out: Path, zh_share: float = 0.0) -> Path:
    """The corpus to `out` and the truth beside it, whose path is returned."""
    truth = out.with_name(out.name + ".truth.tsv")
    with out.open("w", encoding="utf-8") as corpus, truth.open("w", encoding="utf-8") as facts:
        facts.write("line\tkind\toriginal\tedits\tcharacters\tlanguage\n")
        for line, row in enumerate(rows(count, seed, zh_share), 1):
            corpus.write(json.dumps({"question": row.question, "answer": row.answer}, ensure_ascii=False) + "\n")
            facts.write(f"{line}\t{row.kind}\t{row.original}\t{row.edits}\t{row.characters}\t{row.language}\n")
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--zh-share", type=float, default=0.0, help="share of Chinese rows, 0..1")
    asked = parser.parse_args()
    print(asked.out, write(asked.rows, asked.seed, asked.out, asked.zh_share))


if __name__ == "__main__":
    main()
