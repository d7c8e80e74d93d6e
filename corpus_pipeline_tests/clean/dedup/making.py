"""Rows for the tests of duplicates: conversations of one exchange, prepared as the clean stage prepares them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from corpus_pipeline.model import FileId, Turn, conversation_id
from corpus_pipeline.stages.clean.dedup.duplicates import Rows, Rule, find
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import fingerprints
from corpus_pipeline.stages.clean.dedup.verification import Wording, wording_of
from corpus_pipeline.stages.clean.normalize import content_hash, frame_of
from corpus_pipeline.stages.clean.worker import row_texts

DEFAULT = scheme_named("default")
LONG_PART = 40


class Made(NamedTuple):
    """Rows and their texts by id."""

    rows: Rows
    texts: dict[int, Wording]

    def wording(self, ids: Sequence[int]) -> Mapping[int, Wording]:
        """The texts of some rows, as the store gives them."""
        return {identifier: self.texts[identifier] for identifier in ids}


def pair(prompt: str, response: str) -> tuple[Turn, ...]:
    """A conversation of one question and one answer."""
    return (Turn(prompt=prompt, response=response),)


def made(conversations: Sequence[tuple[Turn, ...]], ids: Sequence[int] | None = None) -> Made:
    """The rows of some conversations; ids: 1, 2, ... unless given."""
    frames = [frame_of(turns) for turns in conversations]
    prints = fingerprints(
        [row_texts(turns, frame) for turns, frame in zip(conversations, frames, strict=True)], DEFAULT, LONG_PART
    )
    numbers = list(range(1, len(conversations) + 1)) if ids is None else list(ids)
    digests = b"".join(content_hash(turns, frame) for turns, frame in zip(conversations, frames, strict=True))
    rows = Rows(
        np.array(numbers, np.int64),
        np.frombuffer(digests, np.uint8).reshape(-1, 32),
        prints.values,
        prints.enough,
        prints.signatures,
    )
    return Made(rows, {number: wording_of(turns) for number, turns in zip(numbers, conversations, strict=True)})


def dropped(conversations: Sequence[tuple[Turn, ...]], rule: Rule | None = None) -> dict[int, int]:
    """The keeper of each row, counted from 1, that is a duplicate."""
    some = made(conversations)
    found = find(some.rows, rule or Rule(), some.wording)
    return dict(zip(found.ids.tolist(), found.duplicate_of.tolist(), strict=True))


def ids_of(files: Sequence[int]) -> list[int]:
    """Ids of rows of some files, ascending."""
    return [conversation_id(FileId(file), number + 1) for number, file in enumerate(files)]


def edited_pairs(seed: int, rows: int, words: int) -> list[tuple[Turn, ...]]:
    """Conversations of which many are copies, reworded forms and edits of earlier ones, long and short ones mixed."""
    chooser = random.Random(seed)
    vocabulary = [f"w{chr(97 + number % 26)}{number}x" for number in range(words)]
    made_so_far: list[tuple[list[str], list[str]]] = []
    for _ in range(rows):
        sides = [chooser.choices(vocabulary, k=chooser.choice((3, 12, 60, 90))) for _ in range(2)]
        if made_so_far and chooser.random() < 0.7:
            sides = [list(side) for side in chooser.choice(made_so_far)]
            for _ in range(chooser.randint(0, 3)):
                side = chooser.choice(sides)
                side[chooser.randrange(len(side))] = chooser.choice(vocabulary)
        made_so_far.append((sides[0], sides[1]))
    texts = [(" ".join(question), " ".join(answer)) for question, answer in made_so_far]
    return [pair(_formed(question, chooser), _formed(answer, chooser)) for question, answer in texts]


def _formed(text: str, chooser: random.Random) -> str:
    return chooser.choice((text, text, text.upper(), f"  {text}\n", f"**{text}**", f"{text}."))
