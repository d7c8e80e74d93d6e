"""Rows: texts, verdicts, what was made of them, and the lines that became none."""

from __future__ import annotations

from typing import Any, NotRequired, final

from typing_extensions import TypedDict

from corpus_pipeline.service.records.base import Removal, Source, TurnTexts
from corpus_pipeline.service.records.calls import AskedCall, Call, FailedSample


class RuleChange(TypedDict):
    """What one rule did to one field. turn: from 1; 0 is the whole conversation."""

    rule: str
    version: int
    turn: int
    field: str
    count: int
    detail: str


class RuleTag(TypedDict):
    """What a rule found in a row that it left as it was."""

    word: str
    rule: str
    turn: int
    field: str


class Verdict(TypedDict):
    """What cleaning decided. distance: bits; similarities: from 0 to 1."""

    state: str
    reason: str | None
    changed: bool
    changes: list[RuleChange]
    tags: NotRequired[list[RuleTag]]
    duplicate_of: NotRequired[int]
    distance: NotRequired[int | None]
    question_similarity: NotRequired[float | None]
    answer_similarity: NotRequired[float | None]


class CleanedRow(Verdict):
    """A verdict, with the turns where a rule changed them."""

    turns: NotRequired[list[TurnTexts]]


class VerdictFacts(TypedDict, total=False):
    """What cleaning says of a row beside its state; each key only where it applies."""

    reason: str | None
    changed: bool
    changes: list[RuleChange]
    tags: list[RuleTag]
    duplicate_of: int
    distance: int | None
    question_similarity: float | None
    answer_similarity: float | None


class RowFacts(VerdictFacts, total=False):
    """What is known of a row at a stage beside its texts; each key only where it applies."""

    deleted: bool
    state: str
    empty: bool
    values: dict[str, Any]
    exportable: bool
    detail: str
    losses: list[str]


@final
class ListedRow(RowFacts):
    """A row as `corpus rows` lists it. parent, strategy, sample: of one that a strategy made."""

    row: str
    number: int
    line: int
    turns: list[TurnTexts]
    parent: NotRequired[str]
    strategy: NotRequired[str]
    sample: NotRequired[int]


class UnreadBytes(TypedDict):
    """What became no conversation, and where it stands. raw_base64: its bytes where no text can hold them."""

    line: int
    byte_offset: int
    bytes: int
    reason: str
    detail: str
    raw: str
    raw_base64: NotRequired[str]


class RejectedLine(UnreadBytes):
    """A line that became no conversation."""

    row: int


@final
class ListedReject(UnreadBytes):
    """A rejected line among the rows of a file: `row` is its address."""

    row: str
    number: int
    state: str


class RejectedRow(TypedDict):
    """`corpus show` of a line that became no conversation."""

    row: str
    rejected: RejectedLine


class MadeRow(TypedDict):
    """A row that a strategy made. model, prompt_version, at: on the page of a row."""

    row: str
    strategy: str
    sample: int
    turns: list[TurnTexts]
    model: NotRequired[str]
    prompt_version: NotRequired[str]
    at: NotRequired[int]


class TaskValue(TypedDict):
    """A value that a task says of a row."""

    strategy: str
    sample: int
    name: str
    value: Any
    tag: str | None


class ExportedAs(TypedDict):
    """A line of an export that holds the row, or one made from it."""

    export: str
    export_id: int
    line: int
    strategy: str | None
    sample: int | None
    superseded: bool


class RowHistory(TypedDict):
    """One row with its history. What is not there yet has no key."""

    row: str
    line: int
    turns: list[TurnTexts]
    deleted: NotRequired[bool]
    purged: NotRequired[Removal]
    cleaned: NotRequired[CleanedRow]
    augmented: NotRequired[list[MadeRow]]
    values: NotRequired[list[TaskValue]]
    calls: NotRequired[list[Call]]
    exported: NotRequired[list[ExportedAs]]


class RowPlace(TypedDict):
    """A row of any dataset file."""

    name: str
    number: int
    row: str


class Twin(RowPlace):
    """A row that repeats the same row, and how like it is."""

    kind: str
    distance: int | None
    question_similarity: float | None
    answer_similarity: float | None


class RowDuplicates(TypedDict):
    """What a row repeats, and what repeats the same row. more: whether there are others."""

    keeper: RowPlace | None
    kind: str | None
    distance: int | None
    question_similarity: float | None
    answer_similarity: float | None
    twins: list[Twin]
    more: bool


class WorkItem(TypedDict):
    """What became of one thing that was to be made of a row."""

    strategy: str
    sample_index: int
    state: str
    reason: str | None
    reused: bool


class Keeping(Removal):
    """Who keeps a row. unchanged: as its source brought it."""

    unchanged: bool


class RowStory(TypedDict):
    """The page of a row: its history, its neighbours (row numbers), duplicates, failed samples, and each call with its
    prompt."""

    row: str
    line: int
    turns: list[TurnTexts]
    name: str
    file_version: int | None
    number: int
    format: str
    byte_offset: int
    tools: Any
    source: Source
    previous: int | None
    next: int | None
    deleted: NotRequired[bool]
    purged: NotRequired[Removal]
    cleaned: NotRequired[CleanedRow]
    augmented: NotRequired[list[MadeRow]]
    values: NotRequired[list[TaskValue]]
    calls: NotRequired[list[AskedCall]]
    exported: NotRequired[list[ExportedAs]]
    duplicates: NotRequired[RowDuplicates]
    kept_anyway: NotRequired[Keeping]
    failed: NotRequired[list[FailedSample]]
    items: NotRequired[list[WorkItem]]


class FlatRow(TypedDict):
    """A row in one line: its first prompt and its last response. row: its number; turns: how many."""

    row: int
    turns: int
    prompt: str | None
    response: str | None
    changed: NotRequired[bool]
    strategy: NotRequired[str]


class KeptRow(TypedDict):
    """A row that a person keeps although cleaning would drop or change it. unchanged: as its source brought it."""

    row: str
    number: int
    by: str
    at: int
    reason: str
    unchanged: bool


class TextDifference(TypedDict):
    """A stretch that differs, with the text that both share around it."""

    turn: int
    field: str
    before: str
    kept: str
    dropped: str
    behind: str


class DuplicatePair(TypedDict):
    """A row that was dropped as a duplicate, beside its keeper."""

    row: str
    row_file: str
    row_number: int
    keeper: str
    keeper_file: str
    keeper_number: int
    kind: str
    distance: int | None
    question_similarity: float | None
    answer_similarity: float | None
    differences: list[TextDifference]
    turns: list[TurnTexts]
    keeper_turns: list[TurnTexts]


class DuplicatePage(TypedDict):
    """Duplicates of a dataset file, page by page. next_after: None at the end; decided: whether cleaning is finished, so that
    none is missing because the next run decides again."""

    name: str
    sort: str
    duplicates: list[DuplicatePair]
    next_after: int | None
    decided: bool


class RuleDifference(TypedDict):
    """A stretch that a rule changes."""

    turn: int
    field: str
    before: str
    old: str
    new: str
    behind: str


class RuleExample(TypedDict):
    """A row as a rule changes, tags or drops it."""

    row: str
    effect: str
    words: list[str]
    differences: NotRequired[list[RuleDifference]]
    detail: NotRequired[str]
    text: NotRequired[str]


class RulePreview(TypedDict):
    """What one rule would do: rows by effect, places changed, rows by word."""

    rule: str
    dropped: int
    changed: int
    tagged: int
    places: int
    reasons: dict[str, int]
    fields: dict[str, int]
    tags: dict[str, int]
    examples: list[RuleExample]


class FilePreview(TypedDict):
    """What the rules of a recipe would do to the first rows of a file. file_rows: None while it is not ingested."""

    name: str
    recipe: str
    rows: int
    file_rows: int | None
    kept: int
    dropped: int
    changed: int
    tagged: int
    rules: list[RulePreview]


class ReviewRow(TypedDict):
    """A new row to judge: the exchange before and after."""

    row: str
    model: str
    strategy: str
    before: dict[str, str | None]
    after: dict[str, str | None]


class ReviewState(TypedDict):
    """Where the review of a dataset file stands. low, high: the interval of the defect rate; wanted: rows to judge in all."""

    name: str
    max_defects: float
    confidence: float
    decides: bool
    rows: int
    judged: int
    bad: int
    decision: str
    low: float
    high: float
    wanted: int
    sample: list[ReviewRow]


class JudgeAgreement(TypedDict):
    """How a judge model agrees with people: (share, low, high) each. kappa: agreement beyond chance."""

    name: str
    judge: str
    rows: int
    passes_good: tuple[float, float, float]
    refuses_bad: tuple[float, float, float]
    agree: tuple[float, float, float]
    kappa: float | None
