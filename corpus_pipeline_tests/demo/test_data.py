"""The sample corpus shows what the product does: every reject, rule and kind of duplicate that was planted is found."""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from corpus_pipeline import recipe
from corpus_pipeline.formats import export_line
from corpus_pipeline.jobs.clean.corpus_scope import rule_of
from corpus_pipeline.model import Change, Cleaned, Conversation, FileId, Reject, conversation_id, split_id
from corpus_pipeline.stages.clean.dedup.duplicates import Rows, find
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import fingerprints
from corpus_pipeline.stages.clean.dedup.verification import wording_of
from corpus_pipeline.stages.clean.normalize import text_for_fingerprint
from corpus_pipeline.stages.clean.rule_pass import clean_batch
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.worker import row_texts
from corpus_pipeline.stages.ingest.conversations import read_batches
from corpus_pipeline.stages.ingest.parse import parse_record
from corpus_pipeline.stages.ingest.records import RecordReader
from corpus_pipeline.stages.ingest.sniff import Sniffed, sniff
from corpus_pipeline.states import DuplicateKind, RejectReason, RowState

RECIPE = recipe.parse(recipe.bundled("demo"))
# (format, conversations) in the order in which `corpus demo` adds the files: by name
FILES = {
    "assistant.jsonl": ("openai_sft", 12),
    "chinese.jsonl": ("instruction_response", 11),
    "forum_dump.jsonl.gz": ("prompt_response", 26),
    "maths.jsonl": ("question_answer", 12),
    "recipes_alpaca.json": ("alpaca", 11),
    "thinking.jsonl": ("reasoning_content", 8),
    "tools_sharegpt.jsonl": ("sharegpt", 9),
    "yet_again.jsonl": ("trl_prompt_completion", 11),
}
FORUM = "forum_dump.jsonl.gz"


class File(NamedTuple):
    sniffed: Sniffed
    conversations: list[Conversation]
    rejects: list[Reject]
    blanks: int
    verdicts: list[Cleaned]

    def reasons(self) -> Counter[str]:
        return Counter(verdict.reason for verdict in self.verdicts if verdict.reason is not None)


def read(number: int, path: Path) -> File:
    sniffed = sniff(path)
    batches = list(read_batches(sniffed.source, sniffed.format))
    conversations = [one for batch in batches for one in batch.conversations]
    named = [(conversation_id(FileId(number), one.row_identifier), one) for one in conversations]
    return File(
        sniffed,
        conversations,
        [reject for batch in batches for reject in batch.rejects],
        sum(batch.blanks for batch in batches),
        clean_batch(named, build(RECIPE.clean.rules), record_keys=frozenset(RECIPE.clean.dedup.record_keys)),
    )


@pytest.fixture(scope="module")
def corpus() -> dict[str, File]:
    with resources.as_file(resources.files("corpus_pipeline") / "demo" / "data") as folder:
        paths = sorted(path for path in folder.iterdir() if path.suffix != ".md")
        return {path.name: read(number, path) for number, path in enumerate(paths, 1)}


def test_every_file_is_detected_and_read_as_meant(corpus: dict[str, File]) -> None:
    assert {name: (file.sniffed.format.name, len(file.conversations)) for name, file in corpus.items()} == FILES
    assert 60 <= sum(len(file.conversations) for file in corpus.values()) <= 100


def test_only_the_forum_dump_is_broken_and_each_broken_line_has_its_reason(corpus: dict[str, File]) -> None:
    assert [name for name, file in corpus.items() if file.rejects or file.blanks or file.sniffed.bom] == [FORUM]
    forum = corpus[FORUM]
    # TOO_LONG would take a line of 16 MiB; OVERSIZED_NUMBER is of old databases: every number keeps its text now
    absent = {RejectReason.TOO_LONG, RejectReason.OVERSIZED_NUMBER}
    assert sorted(reject.reason for reject in forum.rejects) == sorted(set(RejectReason) - absent)
    assert (forum.blanks, forum.sniffed.bom) == (1, True)


def test_every_conversation_comes_back_key_for_key(corpus: dict[str, File]) -> None:
    assert corpus
    for file in corpus.values():
        with RecordReader(file.sniffed.source) as reader:
            raw = {record.row_identifier: record.raw for record in reader.records()}
        assert file.conversations
        for conversation in file.conversations:
            line, losses = export_line(conversation, file.sniffed.format, file.sniffed.format)
            assert parse_record(line) == parse_record(raw[conversation.row_identifier])
            assert losses == ()


def test_every_default_rule_has_something_to_do(corpus: dict[str, File]) -> None:
    changes = [change for file in corpus.values() for verdict in file.verdicts for change in verdict.changes]
    assert {change.rule for change in changes} == {rule.name for rule in build(RECIPE.clean.rules)}
    assert masked(changes) == {"email", "phone", "secret"}


def masked(changes: list[Change]) -> set[str]:
    return {change.detail for change in changes if change.rule == "personal_data"}


def test_rows_are_dropped_for_the_planted_reasons_and_no_others(corpus: dict[str, File]) -> None:
    assert {name: dict(file.reasons()) for name, file in corpus.items() if file.reasons()} == {
        "assistant.jsonl": {"dangling_prompt": 1},
        "tools_sharegpt.jsonl": {"orphan_tool_result": 1},
        FORUM: {
            "empty_prompt": 1,
            "empty_response": 1,
            "trivial_response": 1,
            "lost_characters": 1,
            "looping_response": 1,
            "refusal": 2,
            "too_long": 1,
        },
    }


def test_the_dirt_is_gone_from_the_rows_that_are_kept(corpus: dict[str, File]) -> None:
    kept = "\n".join(
        text_for_fingerprint(verdict.turns or one.turns)
        for file in corpus.values()
        for one, verdict in zip(file.conversations, file.verdicts, strict=True)
        if verdict.state is RowState.KEPT
    )
    assert re.findall(r"<[a-z/|]|&[a-z]+;|[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffd\u200b\u2028]|Ã|â€|锛", kept) == []
    assert re.findall(r"555-|sk-|nowhere|15400000123", kept) == []
    for repaired in ("à la santé de mémoire", "如果挂正了还是慢", r"\frac{1}{12} of an hour", "weißen Tischdecke"):
        assert repaired in kept


def test_the_planted_duplicates_are_found_over_all_files_and_nothing_else_is_merged(corpus: dict[str, File]) -> None:
    dedup = RECIPE.clean.dedup
    assert dedup.scope == "corpus"
    kept = [
        (verdict, verdict.turns or one.turns)
        for file in corpus.values()
        for one, verdict in zip(file.conversations, file.verdicts, strict=True)
        if verdict.state is RowState.KEPT
    ]
    scheme = scheme_named(dedup.features, dedup.params)
    made = fingerprints([row_texts(turns, verdict.frame) for verdict, turns in kept], scheme, dedup.long_part)
    assert made.enough.all()
    texts = {int(verdict.conversation_id): wording_of(turns) for verdict, turns in kept}
    rows = Rows(
        np.array(list(texts), np.int64),
        np.frombuffer(b"".join(verdict.content_hash for verdict, _ in kept), np.uint8).reshape(-1, 32),
        made.values,
        made.enough,
        made.signatures,
    )
    found = find(rows, rule_of(dedup), lambda ids: {one: texts[one] for one in ids}).records()
    names = list(corpus)

    def place(identifier: int) -> tuple[str, int]:
        file, row = split_id(identifier)
        return names[file - 1], row

    # words that may turn a meaning (more or less), a question asked otherwise, an answer of a line: other rows
    assert [(one.kind, *place(one.conversation_id), *place(one.duplicate_of)) for one in found] == [
        (DuplicateKind.EXACT, FORUM, 25, FORUM, 4),  # once its HTML is gone
        (DuplicateKind.EXACT, FORUM, 26, FORUM, 8),  # but for case and blanks
        (DuplicateKind.EXACT, "yet_again.jsonl", 1, "maths.jsonl", 3),
        (DuplicateKind.EXACT, "yet_again.jsonl", 3, "chinese.jsonl", 2),
        (DuplicateKind.EXACT, "yet_again.jsonl", 5, "assistant.jsonl", 2),
        (DuplicateKind.EXACT, "yet_again.jsonl", 8, "yet_again.jsonl", 7),
        (DuplicateKind.NEAR, "yet_again.jsonl", 9, "yet_again.jsonl", 7),
    ]
