"""The computing part of the rule pass: from rows as they are stored to verdicts as they are stored. Pure, and free of SQL.

It works on plain tuples of plain values from end to end: they pass between processes and into the database as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import orjson

from corpus_pipeline.formats import jsontext
from corpus_pipeline.model import Cleaned, TaskId, Turn
from corpus_pipeline.recipe import CleanSection
from corpus_pipeline.stages.clean.dedup.form_noise import prepared
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.dedup.signatures import SHORT_COLUMNS, SIGNATURE_COLUMNS, class_keys
from corpus_pipeline.stages.clean.dedup.simhash import RowTexts, fingerprints
from corpus_pipeline.stages.clean.dedup.verification import wording_of
from corpus_pipeline.stages.clean.rule_pass import clean_turns
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.unchanged import unchanged
from corpus_pipeline.states import RowState

Values = tuple[Any, ...]

_SLICES = 4  # of a page, so that all processes are busy with the first one already
_WORDS = {state: state.value for state in RowState}


class Page(NamedTuple):
    """Rows as they are stored, in id order.

    heads: (id, tools, is_deleted, shape) of each row; turns: (id, values of `turn_columns.DATA_COLUMNS`) of their turns;
    said: what tasks said of rows before, by `TASK.FIELD`, as far as rules read it.
    """

    heads: Sequence[Values]
    turns: Sequence[Values]
    said: dict[int, dict[str, Any]] | None = None

    @property
    def last_id(self) -> int:
        """The id of the last row."""
        return int(self.heads[-1][0])

    def slices(self, number: int = _SLICES) -> Iterator[Page]:
        """The same rows in about `number` parts."""
        size = -(-len(self.heads) // number)
        begun = 0
        for start in range(0, len(self.heads), size):
            heads = self.heads[start : start + size]
            last, end = heads[-1][0], begun
            while end < len(self.turns) and self.turns[end][0] <= last:
                end += 1
            said = None if self.said is None else {one[0]: self.said[one[0]] for one in heads if one[0] in self.said}
            yield Page(heads, self.turns[begun:end], said)
            begun = end


class Verdicts(NamedTuple):
    """What the database is to hold of some rows.

    rows: values of `cleaned.ROW_COLUMNS`, of rows that are not deleted; turns: values of `cleaned.TURN_COLUMNS`, of the
    rows that a rule changed; dropped: how many of the rows a rule dropped; tags: values of `cleaned.TAG_COLUMNS`.
    """

    rows: list[Values]
    turns: list[Values]
    dropped: int
    tags: list[Values]


class CleanWorker:
    """What turns rows into verdicts with fingerprints."""

    def __init__(
        self,
        section: CleanSection,
        task_id: TaskId,
        joined: bool = False,
        keep: frozenset[int] = frozenset(),
        keep_unchanged: frozenset[int] = frozenset(),
    ) -> None:
        self._task_id = task_id
        self._joined = joined  # the format of the rows joins their texts
        self._keep = keep  # ids of rows that a person keeps whatever a rule says
        self._unchanged = keep_unchanged  # those of them that no rule may change
        self._rules = build(section.rules)
        dedup = section.dedup
        self._scheme = scheme_named(dedup.features, dedup.params) if dedup.near else None
        self._long_part = dedup.long_part
        self._record_keys = frozenset(dedup.record_keys)

    def __call__(
        self, heads: Sequence[Values], turns: Sequence[Values], said: dict[int, dict[str, Any]] | None = None
    ) -> Verdicts:
        """The verdicts on the rows of a page, in their order."""
        found, texts = list[Cleaned](), list[RowTexts]()
        dropped = 0
        for (identifier, tools, deleted, shape), own in zip(heads, _turns_of_each(turns), strict=True):
            if deleted:
                continue
            clean = partial(
                clean_turns,
                identifier,
                own,
                tools,
                joined=self._joined,
                shape=shape,
                keep=identifier in self._keep,
                record_keys=self._record_keys,
                values={} if said is None else said.get(identifier, {}),
            )
            verdict = unchanged(clean, self._rules) if identifier in self._unchanged else clean(self._rules)
            found.append(verdict)
            if verdict.state is RowState.KEPT:
                texts.append(row_texts(verdict.turns or own, verdict.frame))
            else:
                dropped += 1
        rows = [self._row(verdict, *marks) for verdict, marks in zip(found, self._marks(found, texts), strict=True)]
        changed = [
            (self._task_id, verdict.conversation_id, number, *turn[:6], _extra(turn))
            for verdict in found
            if verdict.turns is not None
            for number, turn in enumerate(verdict.turns, 1)
        ]
        # one entry for a tag of a row: the first place where it was found
        tags = [
            (self._task_id, verdict.conversation_id, tag)
            for verdict in found
            if verdict.tags
            for tag in {tag.word: tag for tag in reversed(verdict.tags)}.values()
        ]
        tagged = [(task, tag.word, identifier, tag.rule, tag.turn, tag.field) for task, identifier, tag in tags]
        return Verdicts(rows, changed, dropped, tagged)

    def _marks(self, found: list[Cleaned], texts: list[RowTexts]) -> Iterator[tuple[int | None, bytes | None]]:
        """(fingerprint as a signed number, signature) of each row; dropped ones and those without a token have none."""
        if self._scheme is None:
            yield from [(None, None)] * len(found)
            return
        prints = fingerprints(texts, self._scheme, self._long_part)
        width, short = 4 * SIGNATURE_COLUMNS, 4 * SHORT_COLUMNS
        signatures = prints.signatures.astype("<u4", copy=False).tobytes()
        ends = np.where(class_keys(prints.signatures) > 0, width, short).tolist()
        values, enough_of = prints.values.view("int64").tolist(), prints.enough.tolist()
        kept = iter(zip(values, enough_of, ends, strict=True))
        start = 0
        for verdict in found:
            if verdict.state is not RowState.KEPT:
                yield None, None
                continue
            value, enough, end = next(kept)
            yield (value, signatures[start : start + end]) if enough else (None, None)
            start += width

    def _row(self, verdict: Cleaned, fingerprint: int | None, signature: bytes | None) -> Values:
        identifier, state, reason, changes, turns, content_hash, _, characters, language, _, tools, shape, _ = verdict
        return (
            self._task_id,
            identifier,
            _WORDS[state],
            reason,
            0 if turns is None else 1,
            orjson.dumps([tuple(change) for change in changes]).decode() if changes else None,
            content_hash,
            fingerprint,
            signature,
            characters,
            language,
            tools,
            shape,
        )


def row_texts(turns: Sequence[Turn], frame: bytes) -> RowTexts:
    """What the fingerprint of a conversation is made of."""
    return RowTexts([(side, prepared(text)) for side, text in wording_of(turns)], _frame_key(frame))


@lru_cache(maxsize=4096)
def _frame_key(frame: bytes) -> int:
    """A hash of a frame of 64 bits."""
    return int.from_bytes(hashlib.blake2b(frame, digest_size=8).digest(), "little")


def _turns_of_each(rows: Sequence[Values]) -> Iterator[tuple[Turn, ...]]:
    """The turns of each conversation. Every conversation has one at least."""
    for _, group in groupby(rows, itemgetter(0)):
        yield tuple([_turn(row) for row in group])


def _turn(row: Values) -> Turn:
    if row[7] is None:
        return Turn._make(row[1:])
    return Turn._make((*row[1:7], jsontext.loads(row[7])))


def _extra(turn: Turn) -> str | None:
    return None if turn.extra is None else jsontext.dumps(turn.extra)


def joined(parts: Iterable[Values]) -> Verdicts:
    """The verdicts on the parts of a page as those on the page."""
    rows, turns, dropped, tags = list[Values](), list[Values](), 0, list[Values]()
    for part in parts:
        rows += part[0]
        turns += part[1]
        dropped += part[2]
        tags += part[3]
    return Verdicts(rows, turns, dropped, tags)
