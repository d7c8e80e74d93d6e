"""The whole relational schema, one SQLAlchemy Core definition for SQLite, PostgreSQL, MySQL and MariaDB.

How to read it:
  dataset_files -> conversations -> turns                      what came in; written once by ingest, never changed
  purged_rows                                                  what was removed by request, and is kept out
  tasks = dataset file x recipe version                        all below belongs to a task
  cleaned_rows (+ cleaned_turns where changed, row_tags where a rule left a tag), duplicates
                                                               written by clean, read by augment and export
  work_items, augmented_rows, augmented_turns, row_values, failed_samples  written by augment
  llm_attempts (the ledger), answers                           one row per HTTP attempt; what arrived
  budgets, spending                                            money spent and reserved; sums of the ledger
  provider_batches, provider_workers                           provider batches; who calls whom
  exports, export_chunks                                       which row is at which line of which file
  execution_cursors, leases, cursor_events, pause_flags        how far, who may write, what happened, what is to stop
  start_requests                                               what people asked to start
  run_workers                                                  which process works a run, and its sign of life
A stage writes other tables than it reads. Times are milliseconds UTC by the database's clock, money is nano-dollars.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
)

from corpus_pipeline.states import (
    AttemptState,
    BatchState,
    BudgetScope,
    DeliveryState,
    DuplicateKind,
    FailedState,
    FileState,
    ItemState,
    RejectReason,
    ReviewVerdict,
    RowState,
    Stage,
    Status,
)
from corpus_pipeline.store.types import (
    TABLE_OPTIONS,
    Hash,
    HexHash,
    Key,
    LongBlob,
    LongText,
    Moment,
    Money,
    Name,
    now_ms,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Column | CheckConstraint | UniqueConstraint | Index) -> Table:
    return Table(name, metadata, *parts, **TABLE_OPTIONS)


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({values})", name=column)


def _data_columns() -> list[Column]:
    """The text of a turn; the same columns wherever turns are kept. NULL: there is no such message."""
    return [
        Column("data_system", LongText),
        Column("data_prompt", LongText),
        Column("data_reasoning", LongText),
        Column("data_response", LongText),
        Column("data_rejected", LongText),
        Column("data_weight", Double),
        Column("data_extra", LongText),  # JSON: roles, names, tool calls
    ]


DATA_COLUMNS = tuple(column.name for column in _data_columns())


def _task() -> Column:
    return Column("task_id", Integer, ForeignKey("tasks.id"), primary_key=True, autoincrement=False)


def _stage() -> Column:
    return Column("stage", String(16), primary_key=True)


recipes = _table(
    "recipes",
    Column("id", Integer, primary_key=True),
    Column("name", Name, nullable=False),
    Column("version", HexHash, nullable=False),  # hash of the meaning
    Column("body", LongText, nullable=False),  # YAML with every default written out
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    UniqueConstraint("name", "version"),
)

dataset_files = _table(
    "dataset_files",
    Column("id", Integer, primary_key=True),
    Column("name", Name, nullable=False),  # the partition key
    Column("version", Integer, nullable=False),  # a replaced file gets the next one; the highest is current
    Column("path", LongText, nullable=False),
    Column("sha256", HexHash, nullable=False),  # of the bytes on disk
    Column("bytes", BigInteger, nullable=False),
    Column("container", String(16), nullable=False),  # jsonl | json | parquet
    Column("compression", String(16), nullable=False),  # none | gzip
    Column("format", Name, nullable=False),
    Column("columns", LongText, nullable=False),  # JSON: the column mapping, {} for a known format
    Column("consumer", Name, nullable=False),
    Column("recipe_id", Integer, ForeignKey("recipes.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("lines", BigInteger),  # physical lines (elements of an array) = conversations + rejects + blanks
    Column("conversations", BigInteger),
    Column("rejects", BigInteger),
    Column("blanks", BigInteger),
    Column("registered_at", Moment, nullable=False, server_default=now_ms()),
    Column("ingested_at", Moment),
    Column("superseded_at", Moment),
    Column("removed_at", Moment),  # taken out again by somebody; superseded, too
    Column("emptied_at", Moment),  # when nothing that was made from it was left
    UniqueConstraint("name", "version"),
    Index("ix_dataset_files_sha256", "sha256"),
    _one_of("state", FileState),
)

tasks = _table(
    "tasks",
    Column("id", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("dataset_files.id"), nullable=False),
    Column("recipe_id", Integer, ForeignKey("recipes.id"), nullable=False),
    # raised by everything that changes what an export would hold, so that an export knows that it is one snapshot
    Column("content_version", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    UniqueConstraint("file_id", "recipe_id"),
)

conversations = _table(
    "conversations",
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # file_id * 2**32 + row_identifier
    Column("turns", Integer, nullable=False),
    Column("shape", LongText, nullable=False),
    Column("tools", LongText),
    Column("source_line", BigInteger, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("source_bytes", BigInteger, nullable=False),
    Column("is_deleted", Boolean, nullable=False, server_default=false()),
    CheckConstraint("turns > 0", name="turns"),
)

turns = _table(
    "turns",
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("turn_taking", Integer, primary_key=True, autoincrement=False),
    *_data_columns(),
    CheckConstraint("turn_taking > 0", name="turn_taking"),
)

rejects = _table(
    "rejects",
    Column("file_id", Integer, ForeignKey("dataset_files.id"), primary_key=True, autoincrement=False),
    Column("row_identifier", BigInteger, primary_key=True, autoincrement=False),
    Column("source_line", BigInteger, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("source_bytes", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", LongText, nullable=False),
    Column("raw", LongBlob, nullable=False),
    _one_of("reason", RejectReason),
)

purged_rows = _table(
    "purged_rows",
    # a row that must never come back, of whatever dataset file has these bytes; it says where the row was, not what it said
    Column("sha256", HexHash, primary_key=True),
    Column("row_identifier", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", LongText, nullable=False),
    Column("purged_by", String(128), nullable=False),
    Column("purged_at", Moment, nullable=False, server_default=now_ms()),
)

kept_rows = _table(
    "kept_rows",
    # a row that a person keeps, whatever cleaning says of it, under any recipe
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kept_by", String(128), nullable=False),
    Column("kept_at", Moment, nullable=False, server_default=now_ms()),
    Column("reason", LongText, nullable=False),
    # whether it goes out as its source brought it; otherwise rules still change it
    Column("unchanged", Boolean, nullable=False, server_default=false()),
)

cleaned_rows = _table(
    "cleaned_rows",
    _task(),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("changed", Boolean, nullable=False),  # cleaned_turns hold the turns; otherwise the raw turns do
    Column("changes", LongText),  # JSON [[rule, version, turn, field, count, detail], ...]
    Column("content_hash", Hash, nullable=False),
    Column("fingerprint", BigInteger),  # 64-bit SimHash as a signed integer; NULL: too few features
    Column("signature", LongBlob),  # what verifies a near duplicate, beside the fingerprint
    Column("characters", Integer, nullable=False),
    Column("language", String(8)),
    Column("tools", LongText),  # as they go out, when a rule changed them; NULL: as they came in
    Column("shape", LongText),  # likewise
    CheckConstraint("state = 'kept' OR reason <> ''", name="reason"),
    _one_of("state", RowState),
)

cleaned_turns = _table(
    "cleaned_turns",
    _task(),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("turn_taking", Integer, primary_key=True, autoincrement=False),
    *_data_columns(),
)

row_tags = _table(
    "row_tags",
    _task(),
    # by tag first: the rows of a tag are one range of the key
    Column("tag", String(64), primary_key=True),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", String(64), nullable=False),
    Column("turn_taking", Integer, nullable=False),  # 0: the conversation as a whole
    Column("field", String(32), nullable=False),
    Index("ix_row_tags_row", "task_id", "conversation_id"),
)

duplicates = _table(
    "duplicates",
    _task(),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("nearest", BigInteger, nullable=False),  # the lowest row that it repeats, itself a duplicate perhaps
    Column("duplicate_of", BigInteger, nullable=False),  # where that leads to: the row that is kept
    Column("kind", String(16), nullable=False),
    Column("distance", Integer, nullable=False),
    Column("question_similarity", Double),  # 0..1, of the prompt side to that of `nearest`; NULL: not measured
    Column("answer_similarity", Double),
    CheckConstraint("kind = 'same_prompt' OR nearest < conversation_id", name="keeper_is_lower"),
    Index("ix_duplicates_duplicate_of", "duplicate_of"),  # a kept row shows what repeats it
    _one_of("kind", DuplicateKind),
)

prompts = _table(
    "prompts",
    Column("version", HexHash, primary_key=True),
    Column("strategy", Name, nullable=False),
    Column("body", LongText, nullable=False),  # JSON: templates, parameters, schema
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
)


def _item_columns() -> list[Column]:
    return [
        _task(),
        Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
        Column("strategy", Name, primary_key=True),
        Column("sample_index", Integer, primary_key=True, autoincrement=False),
    ]


work_items = _table(
    "work_items",
    *_item_columns(),
    Column("state", String(16), nullable=False),
    Column("reason", LongText),
    Column("reused", Boolean, nullable=False, server_default=false()),  # made of answers that were already paid
    _one_of("state", ItemState),
)

augmented_rows = _table(
    "augmented_rows",
    *_item_columns(),
    Column("prompt_version", HexHash, nullable=False),
    Column("request_key", HexHash, nullable=False),  # of the last request
    Column("model", String(128), nullable=False),
    Column("source_hash", Hash, nullable=False),  # content_hash of the row that was asked about
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Column("notes", LongText),  # JSON: {"tags": [...], "changes": {rule: places}}; null when there is nothing to say
    Column("repeats", LongText),  # JSON: the row of the file that it nearly repeats
    Column("makes", String(16), nullable=False, server_default="row"),  # values: beside the row; it has no turns then
)

review_verdicts = _table(
    "review_verdicts",
    *_item_columns(),
    Column("who", String(128), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("note", LongText),
    Column("at", Moment, nullable=False, server_default=now_ms()),
    _one_of("verdict", ReviewVerdict),
)

row_values = _table(
    "row_values",
    *_item_columns(),
    Column("name", Name, primary_key=True),
    Column("value", LongText, nullable=False),  # JSON
    Column("number", Double),  # where it is one
    Column("word", String(64)),  # where it is a short text
    Column("tag", String(64)),  # the word that the row is tagged with because of it
    Index("ix_row_values_word", "task_id", "strategy", "name", "word"),
    Index("ix_row_values_number", "task_id", "strategy", "name", "number"),
    Index("ix_row_values_tag", "task_id", "tag"),
)

augmented_turns = _table(
    "augmented_turns",
    *_item_columns(),
    Column("turn_taking", Integer, primary_key=True, autoincrement=False),
    *_data_columns(),
)

llm_attempts = _table(
    "llm_attempts",
    Column("id", String(32), primary_key=True),  # made by us before the call and sent with it
    Column("request_key", HexHash, nullable=False),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("conversation_id", BigInteger, nullable=False),
    Column("strategy", Name, nullable=False),
    Column("sample_index", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("consumer", Name, nullable=False),
    Column("prompt_version", HexHash, nullable=False),
    Column("model", String(128), nullable=False),
    Column("model_answered", String(128)),
    Column("state", String(16), nullable=False),
    Column("outcome", String(64)),  # reason word of an error, or the finish reason
    Column("http_status", Integer),
    Column("input_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cached_tokens", BigInteger, nullable=False, server_default="0"),
    Column("output_tokens", BigInteger, nullable=False, server_default="0"),
    Column("reasoning_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cache_write_tokens", BigInteger, nullable=False, server_default="0"),
    Column("estimated", Boolean, nullable=False, server_default=false()),
    Column("input_price", Money, nullable=False),  # micro-dollars per million tokens
    Column("cached_price", Money, nullable=False),
    Column("output_price", Money, nullable=False),
    Column("cache_write_price", Money, nullable=False, server_default="0"),
    Column("reserved", Money, nullable=False),  # upper bound, set with the intent
    Column("cost", Money, nullable=False, server_default="0"),
    Column("latency_ms", BigInteger),
    Column("provider_request_id", String(128)),
    Column("response_id", String(128)),  # of the body
    Column("service_tier", String(32)),  # as the provider says it
    Column("remark", LongText),  # which of the provider's numbers did not agree
    Column("batch_id", Integer, ForeignKey("provider_batches.id")),
    Column("epoch", BigInteger, nullable=False),
    Column("run_id", String(64)),  # the Dagster run
    Column("sent", LongText),  # JSON: how the request was put, where it was not as by default
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Column("settled_at", Moment),
    Index("ix_llm_attempts_task_id_conversation_id", "task_id", "conversation_id"),
    Index("ix_llm_attempts_task_id_state", "task_id", "state"),
    Index("ix_llm_attempts_batch_id", "batch_id"),
    Index("ix_llm_attempts_request_key", "request_key"),
    _one_of("state", AttemptState),
)

answers = _table(
    "answers",
    Column("attempt_id", String(32), ForeignKey("llm_attempts.id"), primary_key=True),
    Column("request_key", HexHash, nullable=False),
    Column("text", LongText, nullable=False),
    Column("reasoning", LongText),
    Column("refusal", LongText),
    Column("finish_reason", String(32), nullable=False),
    Column("model", String(128), nullable=False),
    Column("rejected", String(32)),  # reason word once it was found unusable; such an answer is never used again
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Index("ix_answers_request_key", "request_key"),
)

budgets = _table(
    "budgets",
    # what is spent and reserved; the limits are the recipe's. A conditional UPDATE keeps the sum below them
    Column("scope", String(16), primary_key=True),
    Column("subject", Name, primary_key=True),
    Column("spent", Money, nullable=False, server_default="0"),
    Column("reserved", Money, nullable=False, server_default="0"),
    CheckConstraint("spent >= 0 AND reserved >= 0", name="amounts"),
    _one_of("scope", BudgetScope),
)

spending = _table(
    "spending",
    # sums of settled ledger rows, changed with them; anyone who asks about money need not read the ledger
    _task(),
    Column("day", String(10), primary_key=True),  # ISO date, UTC, on which the call was begun
    Column("consumer", Name, primary_key=True),
    Column("strategy", Name, primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("answered", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("retried", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cost", Money, nullable=False),
    Column("unknown_cost", Money, nullable=False, server_default="0"),  # the part of it for calls of unknown outcome
)

provider_batches = _table(
    "provider_batches",
    Column("id", Integer, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("chunk_key", HexHash, nullable=False),  # sha256 of the input file; goes with the batch as metadata
    Column("model", String(128), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("provider_id", String(128)),
    Column("input_file_id", String(128)),  # once it is uploaded: the batch is found again by it
    Column("provider_status", String(32)),
    Column("detail", LongText),  # why the provider refused it
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Column("sent_at", Moment),
    Column("taken_at", Moment),
    Index("ix_provider_batches_task_id_state", "task_id", "state"),
    _one_of("state", BatchState),
)

provider_workers = _table(
    "provider_workers",
    # one row for each process that calls a provider now: what it learnt of the limits, for the others
    Column("origin", String(255), primary_key=True),  # https://host:port
    Column("owner", String(128), primary_key=True),
    Column("concurrency", Double),  # for all together; NULL: never throttled
    Column("hold_ms", BigInteger, nullable=False),
    Column("requests_per_minute", Double),
    Column("tokens_per_minute", Double),
    Column("task_id", Integer),
    Column("trouble", LongText),  # JSON: what is wrong at the provider now, since when and until when
    Column("updated_at", Moment, nullable=False, server_default=now_ms()),
)

provider_facts = _table(
    "provider_facts",
    # what the answers of an endpoint taught about requests for one model: kept, so that each run knows it from the start
    Column("origin", String(255), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", String(255), nullable=False),
    Column("said", LongText, nullable=False),  # the provider's words
    Column("learnt_at", Moment, nullable=False, server_default=now_ms()),
)

webhook_events = _table(
    "webhook_events",
    Column("id", Key, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("url", LongText, nullable=False),
    Column("event", String(16), nullable=False),
    Column("body", LongText, nullable=False),  # JSON, signed as it stands here
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", LongText),
    Column("due_at", Moment, nullable=False, server_default=now_ms()),
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Index("ix_webhook_events_state_due_at", "state", "due_at"),
    _one_of("stage", Stage),
    _one_of("state", DeliveryState),
)

failed_samples = _table(
    "failed_samples",
    Column("id", Key, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("conversation_id", BigInteger, nullable=False),
    Column("strategy", Name, nullable=False),
    Column("sample_index", Integer, nullable=False),
    Column("request_key", HexHash),
    Column("reason", String(32), nullable=False),
    Column("error", LongText, nullable=False),
    Column("prompt", LongText),  # JSON: the messages as sent
    Column("answer", LongText),  # raw
    Column("model", String(128)),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Moment, nullable=False, server_default=now_ms()),
    Column("last_at", Moment, nullable=False, server_default=now_ms()),
    Column("state", String(16), nullable=False),
    Column("state_by", String(128)),
    Column("state_reason", LongText),
    Column("overrides", LongText),  # JSON: another model or limit for the replay
    Column("validator", String(64)),  # who refused the answer; null where no one did
    Column("evidence", LongText),  # JSON: the passages of the answer that show it
    UniqueConstraint("task_id", "stage", "conversation_id", "strategy", "sample_index"),
    Index("ix_failed_samples_state", "state"),
    _one_of("state", FailedState),
    _one_of("stage", Stage),
)

execution_cursors = _table(
    "execution_cursors",
    _task(),
    _stage(),
    Column("task_type", Name, primary_key=True),
    Column("current_file_id", Integer, ForeignKey("dataset_files.id"), nullable=False),
    Column("current_offset", BigInteger, nullable=False, server_default="0"),  # finished rows, a prefix of the read
    Column("last_id", BigInteger, nullable=False, server_default="0"),  # key of the last finished row: where to seek
    Column("end_id", BigInteger),  # key of the last row to read, fixed when the stage starts
    Column("total_rows", BigInteger),
    Column("processed_rows", BigInteger, nullable=False, server_default="0"),
    Column("dropped_rows", BigInteger, nullable=False, server_default="0"),
    Column("failed_rows", BigInteger, nullable=False, server_default="0"),
    Column("position", LongText),  # JSON that only the stage understands: byte offset, spool mark
    Column("status", String(16), nullable=False),
    Column("status_reason", LongText),
    Column("run_id", String(64)),  # the Dagster run that worked last
    Column("active_ms", BigInteger, nullable=False, server_default="0"),  # wall time of work, without pauses
    Column("started_at", Moment),
    Column("updated_at", Moment, nullable=False, server_default=now_ms()),
    Column("finished_at", Moment),
    CheckConstraint("current_offset >= 0 AND processed_rows >= 0", name="counts"),
    CheckConstraint(
        "last_id = 0 OR (last_id >= current_file_id * 4294967296 AND last_id < (current_file_id + 1) * 4294967296)",
        name="offset_is_of_this_file",
    ),
    _one_of("stage", Stage),
    _one_of("status", Status),
)

leases = _table(
    "leases",
    _task(),
    _stage(),
    Column("owner", String(128), nullable=False),
    Column("epoch", BigInteger, nullable=False),  # rises by one with each new holder
    Column("seq", BigInteger, nullable=False),  # rises by one with each committed write: tells whether a commit arrived
    Column("expires_at", Moment, nullable=False),  # 0: released
    Column("acquired_at", Moment, nullable=False, server_default="0"),
    Column("ttl_ms", BigInteger, nullable=False, server_default="30000"),  # what a heartbeat adds
    _one_of("stage", Stage),
)

cursor_events = _table(
    "cursor_events",
    Column("id", Key, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("task_type", Name),
    Column("epoch", BigInteger),
    Column("from_status", String(16)),
    Column("to_status", String(16)),
    Column("current_offset", BigInteger),
    Column("who", String(128)),
    Column("reason", LongText),
    Column("run_id", String(64)),
    Column("at", Moment, nullable=False, server_default=now_ms()),
    Column("worker", String(128)),  # host, process and version of a lease's holder; NULL where it was a person
    Index("ix_cursor_events_task_id_stage", "task_id", "stage"),
)

pause_flags = _table(
    "pause_flags",
    Column("id", Integer, primary_key=True),
    Column("stage", String(16)),  # NULL: every stage
    Column("file_name", Name),  # NULL: every dataset file
    Column("reason", LongText, nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("requested_at", Moment, nullable=False, server_default=now_ms()),
    Column("cleared_by", String(128)),
    Column("cleared_at", Moment),  # NULL: the flag is set
    Index("ix_pause_flags_cleared_at", "cleared_at"),
    _one_of("stage", Stage),
)

start_requests = _table(
    "start_requests",
    Column("id", Integer, primary_key=True),
    Column("file_name", Name, nullable=False),
    Column("stage", String(16), nullable=False),  # the last one that is wanted
    Column("requested_by", String(128), nullable=False),
    Column("requested_at", Moment, nullable=False, server_default=now_ms()),
    Column("taken_at", Moment),  # NULL: not started yet
    Column("run_id", String(64)),  # NULL where there was nothing left to do
    Index("ix_start_requests_taken_at", "taken_at"),
    _one_of("stage", Stage),
)

run_workers = _table(
    "run_workers",
    Column("run_id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False),  # '': a run that is seen before its process has said its name
    Column("host", String(48), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(32), nullable=False),  # of this program
    Column("file_name", Name),
    Column("stage", String(16)),  # what it works now
    Column("started_at", Moment, nullable=False, server_default=now_ms()),
    Column("beat_at", Moment, nullable=False, server_default=now_ms()),
    Column("ttl_ms", Integer, nullable=False),  # after so long without a beat it counts as gone
    Column("missed_at", Moment),  # when somebody first saw that it was
    _one_of("stage", Stage),
)

completion_reports = _table(
    "completion_reports",
    Column("id", Key, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("body", LongText, nullable=False),  # JSON
    Column("run_id", String(64)),
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Index("ix_completion_reports_task_id_stage", "task_id", "stage"),
    _one_of("stage", Stage),
)

exports = _table(
    "exports",
    Column("id", Integer, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("uri", LongText, nullable=False),
    Column("target", LongText, nullable=False),  # the folder or bucket prefix that it went to
    Column("sha256", HexHash, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("variants", LongText, nullable=False),  # JSON [[strategy, sample_index], ...]; 1 is the first
    Column("manifest", LongText, nullable=False),
    Column("content_version", BigInteger, nullable=False),
    Column("run_id", String(64)),
    Column("created_at", Moment, nullable=False, server_default=now_ms()),
    Column("superseded_at", Moment),
    Column("purged_at", Moment),  # rows that it holds were purged since: anyone who has a copy should drop it
    Index("ix_exports_task_id", "task_id"),
)

export_chunks = _table(
    "export_chunks",
    # while an export is being written its chunks belong to the task alone; publishing gives them the export's id
    _task(),
    Column("export_id", Integer, primary_key=True, autoincrement=False),  # 0: being written
    Column("first_line", BigInteger, primary_key=True, autoincrement=False),  # 1-based
    Column("lines", Integer, nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("conversation_ids", LongBlob, nullable=False),  # int64 little-endian, one a line
    Column("variants", LongBlob, nullable=False),  # int16 little-endian: 0 the cleaned row, else exports.variants
)

audit_log = _table(
    "audit_log",
    Column("id", Key, primary_key=True),
    Column("at", Moment, nullable=False, server_default=now_ms()),
    Column("who", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("detail", LongText, nullable=False),  # JSON
    Index("ix_audit_log_subject", "subject"),
)
