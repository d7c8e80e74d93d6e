"""Where free text lies that may quote a row, and taking the words of purged rows out of it.

Every column of text is in one of these classes; a test refuses a new one that is in none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, column, create_engine, event, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from corpus_pipeline.store.own_words import own_words
from corpus_pipeline.store.row_words import PURGED_WORDS, RowWords
from corpus_pipeline.store.schema import (
    answers,
    audit_log,
    cleaned_turns,
    conversations,
    dataset_files,
    failed_samples,
    llm_attempts,
    metadata,
    prompts,
    recipes,
    rejects,
    row_tags,
    row_values,
    spending,
    turns,
)
from corpus_pipeline.store.statement_parts import parts

# free texts of everybody: each is compared with what the purged rows say
SCRUBBED: Final[dict[str, tuple[str, ...]]] = {
    "audit_log": ("subject", "detail"),
    "completion_reports": ("body",),
    "cursor_events": ("reason",),
    "execution_cursors": ("status_reason", "position"),
    "pause_flags": ("reason",),
    "provider_batches": ("detail", "provider_status"),
    "provider_facts": ("said", "value"),
    "provider_workers": ("trouble",),
    "purged_rows": ("reason",),
    "webhook_events": ("body", "error"),
}
# of the calls for a purged row, what others said; the rest of the ledger stays as it is
OF_CALLS: Final = (
    "model_answered",
    "outcome",
    "provider_request_id",
    "response_id",
    "service_tier",
    "remark",
    "sent",
)
# what was written to have work done: only what tells the row goes, and not while a file is worked by it (`instructions`)
INSTRUCTIONS: Final = frozenset({"recipes.body", "prompts.body"})
# deleted or emptied with its row
GO_WITH_THE_ROW: Final = frozenset(
    {
        "turns", "conversations", "cleaned_rows", "cleaned_turns", "row_tags", "duplicates", "kept_rows", "work_items",
        "augmented_rows", "augmented_turns", "failed_samples", "answers", "rejects", "review_verdicts", "row_values",
    }
)  # fmt: skip
# where things lie, and what names exports: never changed, for work hangs on it
STAYS: Final = frozenset(
    {
        "dataset_files.path", "dataset_files.columns", "exports.uri", "exports.target",
        "exports.variants", "exports.manifest", "export_chunks.conversation_ids", "export_chunks.variants",
        "webhook_events.url",
    }
)  # fmt: skip

# where other rows are looked at, turns at each place, letters of a text
_SEEKS, _TURNS, _MOST_LETTERS = 40, 50, 20_000
_LOGS = (".out", ".err", ".log")  # what steps of Dagster print, and its servers
# of Dagster: tables, columns and keys of JSON that it finds its own things by
_ITS_OWN: Final = frozenset(
    {
        "alembic_version", "secondary_indexes", "instance_info", "daemon_heartbeats", "snapshots",
        "__class__", "__enum__", "__set__", "event_type_value", "dagster_event_type", "step_key", "asset_key", "run_id",
        "pipeline_name", "job_name", "partition", "status", "mode", "selector_id", "repository_origin_id", "backfill_id",
        "job_snapshot_id", "execution_plan_snapshot_id", "asset_partition", "action_type", "job_type", "origin_id",
        "step_handle", "node_handle", "logging_tags", "solid_name", "path", "level",
    }
)  # fmt: skip
_MANY = 20  # texts that one piece of a row is in


def words_of(
    connection: Connection, own_tasks: Sequence[int], ids: Sequence[int], bad: Iterable[tuple[int, int]]
) -> RowWords:
    """What some rows, their cleaned form, the answers to them and some rejected lines (file, number) say. Before they go."""
    texts = list[str]()
    for part in parts(ids):
        texts += _texts(connection, turns, _data(turns), turns.c.conversation_id.in_(part))
        texts += _texts(connection, cleaned_turns, _data(cleaned_turns), cleaned_turns.c.conversation_id.in_(part))
        texts += _texts(connection, conversations, [conversations.c.tools], conversations.c.id.in_(part))
        of_row = failed_samples.c.conversation_id.in_(part)
        texts += _texts(connection, failed_samples, [failed_samples.c.answer], of_row)
        asked = select(llm_attempts.c.id).where(
            llm_attempts.c.task_id.in_(own_tasks), llm_attempts.c.conversation_id.in_(part)
        )
        said = [answers.c.text, answers.c.reasoning, answers.c.refusal]
        texts += _texts(connection, answers, said, answers.c.attempt_id.in_(asked))
    for file_id, number in bad:
        own = (rejects.c.file_id == file_id) & (rejects.c.row_identifier == number)
        texts += [
            raw.decode("utf-8", "replace") for raw in connection.execute(select(rejects.c.raw).where(own)).scalars()
        ]
    return RowWords(texts, _others(connection, set(ids)), _names(connection), own_words())


def _others(connection: Connection, ids: Set[int]) -> Iterator[list[str]]:
    """The texts of other rows, from all over the corpus: what they say as well is no quote of these."""
    low, high = connection.execute(select(func.min(turns.c.conversation_id), func.max(turns.c.conversation_id))).one()
    after = -1
    for step in range(_SEEKS if high is not None else 0):
        start = max(after + 1, low + (high - low) * step // _SEEKS)
        query = select(turns.c.conversation_id, *_data(turns)).where(turns.c.conversation_id >= start)
        by_row = dict[int, list[str]]()
        for identifier, *row in connection.execute(query.order_by(turns.c.conversation_id).limit(_TURNS)):
            by_row.setdefault(identifier, []).extend(text[:_MOST_LETTERS] for text in row if text)
        after = max(by_row, default=after)
        yield from (row for identifier, row in by_row.items() if identifier not in ids)


def _names(connection: Connection) -> set[str]:
    """What files, recipes, tasks, models and people are called."""
    columns = (
        dataset_files.c.name, dataset_files.c.consumer, recipes.c.name, prompts.c.strategy, spending.c.model,
        audit_log.c.who, row_values.c.name, row_tags.c.tag,
    )  # fmt: skip
    return {name for one in columns for name in connection.execute(select(one).distinct()).scalars() if name}


def _data(table: Table) -> list[Column]:
    return [one for one in table.columns if one.name.startswith("data_") and isinstance(one.type, String)]


def _texts(connection: Connection, table: Table, columns: Sequence[Column], where: object) -> Iterator[str]:
    for row in connection.execute(select(*columns).select_from(table).where(where)):  # type: ignore[arg-type]
        yield from (value for value in row if value)


def scrub(connection: Connection, words: RowWords, own_tasks: Sequence[int], ids: Sequence[int]) -> int:
    """Take the words out of every free text of the corpus; returns how many were changed."""
    if not words:
        return 0
    changed = 0
    for name, columns in SCRUBBED.items():
        table = metadata.tables[name]
        keys = list(table.primary_key)
        changed += sum(_scrub_column(connection, table, keys, table.c[one], words, None) for one in columns)
    for part in parts(ids):
        own = llm_attempts.c.task_id.in_(own_tasks) & llm_attempts.c.conversation_id.in_(part)
        for one in OF_CALLS:
            changed += _scrub_column(connection, llm_attempts, [llm_attempts.c.id], llm_attempts.c[one], words, own)
    return changed


def _scrub_column(
    connection: Connection, table: Table, keys: Sequence[Column], text: Column, words: RowWords, where: object
) -> int:
    out_of = cache(words.out_of)  # reasons repeat
    query = select(*keys, text).where(text.is_not(None))
    if where is not None:
        query = query.where(where)  # type: ignore[arg-type]
    found = []
    for row in connection.execute(query):
        after = out_of(str(row[-1]))
        if after != row[-1]:
            found.append((row[:-1], after))
    length = getattr(text.type, "length", None)
    for key, after in found:
        own = [one == value for one, value in zip(keys, key, strict=True)]
        connection.execute(update(table).where(*own).values({text.name: after[:length]}))
    return len(found)


def _scrub_tables(connection: Connection, words: RowWords) -> int:
    found, changed = MetaData(), 0
    found.reflect(connection)
    rowid: Column = column("rowid")  # type: ignore[assignment]
    for table in found.sorted_tables:
        texts = [
            one
            for one in table.columns
            if isinstance(one.type, String) and not one.primary_key and one.name not in _ITS_OWN
        ]
        for one in texts if table.name not in _ITS_OWN else ():
            own = words.among(_machinery(connection, table, one, words), _ITS_OWN)
            changed += _scrub_column(connection, table, [rowid], one, own, None)
    return changed


def _machinery(connection: Connection, table: Table, text: Column, words: RowWords) -> set[str]:
    """Short pieces that many of its texts have: what the other program says itself."""
    seen, rows = Counter[str](), 0
    for value in connection.execute(select(text).where(text.is_not(None))).scalars():
        rows += 1
        seen.update(words.short_quotes(str(value)))
    return {piece for piece, times in seen.items() if times >= _MANY and times > rows / 20}


def scrub_file(path: Path, words: RowWords) -> int:
    """Take the words out of every text of a SQLite database of others (Dagster's storage); returns how many were changed.

    Raises SQLAlchemyError for a file that cannot be read or is busy.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _overwrite(connection: object, _record: object) -> None:
        connection.execute("PRAGMA secure_delete=ON")  # type: ignore[attr-defined]

    try:
        with engine.begin() as connection:
            changed = _scrub_tables(connection, words)
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.rollback()  # a checkpoint is refused inside a transaction
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return changed
    finally:
        engine.dispose()


def scrub_log(path: Path, words: RowWords) -> int:
    """Write over each line of a log that quotes the rows; returns how many there were. Raises OSError.

    No line changes its length: whoever still writes at the end of the file goes on writing there.
    """
    mark, changed = PURGED_WORDS.encode(), 0
    with path.open("r+b") as file:
        at = 0
        for line in iter(file.readline, b""):
            after, text = file.tell(), line.rstrip(b"\r\n")
            if words.are_in(text.decode("utf-8", "replace")):
                file.seek(at)
                file.write(mark[: len(text)].ljust(len(text)))
                file.seek(after)
                changed += 1
            at = after
    return changed


def scrub_folder(folder: Path, words: RowWords) -> tuple[int, list[str]]:
    """Take the words out of every SQLite database and every log of a step below a folder. Returns how many texts were
    changed, and what could not be.
    """
    changed, left = 0, list[str]()
    for path in sorted(folder.rglob("*")) if words else ():
        if path.suffix in _LOGS and path.is_file() and not path.is_symlink():
            try:
                changed += scrub_log(path, words)
            except OSError as error:
                left.append(f"{path}: {error.strerror}")
    for path in sorted(folder.rglob("*.db")) if words else ():
        try:
            changed += scrub_file(path, words)
        except SQLAlchemyError:
            left.append(
                f"{path}: it could not be written, and may quote the rows. Stop `corpus ui` and delete the runs of the file in"
                " Dagster: dagster run delete RUN"
            )
    return changed, left
