"""The first schema"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, Key, LongBlob, LongText, now_ms

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("detail", LongText, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"], unique=False)
    op.create_table(
        "budgets",
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("scope IN ('task', 'consumer', 'day')", name=op.f("ck_budgets_scope")),
        sa.CheckConstraint("spent >= 0 AND reserved >= 0", name=op.f("ck_budgets_amounts")),
        sa.PrimaryKeyConstraint("scope", "subject", name=op.f("pk_budgets")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("shape", LongText, nullable=False),
        sa.Column("tools", LongText, nullable=True),
        sa.Column("source_line", sa.BigInteger(), nullable=False),
        sa.Column("source_offset", sa.BigInteger(), nullable=False),
        sa.Column("source_bytes", sa.BigInteger(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("turns > 0", name=op.f("ck_conversations_turns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "pause_flags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("file_name", sa.String(length=64), nullable=True),
        sa.Column("reason", LongText, nullable=False),
        sa.Column("requested_by", sa.String(length=128), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("cleared_by", sa.String(length=128), nullable=True),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_pause_flags_stage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause_flags")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_pause_flags_cleared_at", "pause_flags", ["cleared_at"], unique=False)
    op.create_table(
        "prompts",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_prompts")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "provider_workers",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("concurrency", sa.Double(), nullable=True),
        sa.Column("hold_ms", sa.BigInteger(), nullable=False),
        sa.Column("requests_per_minute", sa.Double(), nullable=True),
        sa.Column("tokens_per_minute", sa.Double(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "owner", name=op.f("pk_provider_workers")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "purged_rows",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("row_identifier", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", LongText, nullable=False),
        sa.Column("purged_by", sa.String(length=128), nullable=False),
        sa.Column("purged_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "row_identifier", name=op.f("pk_purged_rows")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "recipes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipes")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_recipes_name_version")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "turns",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("turn_taking", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data_system", LongText, nullable=True),
        sa.Column("data_prompt", LongText, nullable=True),
        sa.Column("data_reasoning", LongText, nullable=True),
        sa.Column("data_response", LongText, nullable=True),
        sa.Column("data_rejected", LongText, nullable=True),
        sa.Column("data_weight", sa.Double(), nullable=True),
        sa.Column("data_extra", LongText, nullable=True),
        sa.CheckConstraint("turn_taking > 0", name=op.f("ck_turns_turn_taking")),
        sa.PrimaryKeyConstraint("conversation_id", "turn_taking", name=op.f("pk_turns")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "dataset_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("path", LongText, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("container", sa.String(length=16), nullable=False),
        sa.Column("compression", sa.String(length=16), nullable=False),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("columns", LongText, nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("recipe_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=True),
        sa.Column("conversations", sa.BigInteger(), nullable=True),
        sa.Column("rejects", sa.BigInteger(), nullable=True),
        sa.Column("blanks", sa.BigInteger(), nullable=True),
        sa.Column("registered_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("ingested_at", sa.BigInteger(), nullable=True),
        sa.Column("superseded_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('registered', 'ingested')", name=op.f("ck_dataset_files_state")),
        sa.ForeignKeyConstraint(["recipe_id"], ["recipes.id"], name=op.f("fk_dataset_files_recipe_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_files")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_dataset_files_name_version")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_dataset_files_sha256", "dataset_files", ["sha256"], unique=False)
    op.create_table(
        "rejects",
        sa.Column("file_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_identifier", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_line", sa.BigInteger(), nullable=False),
        sa.Column("source_offset", sa.BigInteger(), nullable=False),
        sa.Column("source_bytes", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", LongText, nullable=False),
        sa.Column("raw", LongBlob, nullable=False),
        sa.CheckConstraint(
            "reason IN ('broken_json', 'invalid_utf8', 'lone_surrogate', 'non_finite_number', 'oversized_number', 'duplicate_key', 'too_deep', 'too_long', 'not_an_object', 'wrong_shape')",
            name=op.f("ck_rejects_reason"),
        ),
        sa.ForeignKeyConstraint(["file_id"], ["dataset_files.id"], name=op.f("fk_rejects_file_id")),
        sa.PrimaryKeyConstraint("file_id", "row_identifier", name=op.f("pk_rejects")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("recipe_id", sa.Integer(), nullable=False),
        sa.Column("content_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["dataset_files.id"], name=op.f("fk_tasks_file_id")),
        sa.ForeignKeyConstraint(["recipe_id"], ["recipes.id"], name=op.f("fk_tasks_recipe_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("file_id", "recipe_id", name=op.f("uq_tasks_file_id_recipe_id")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "augmented_rows",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("sample_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prompt_version", sa.String(length=64), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column(
            "source_hash",
            sa.LargeBinary(length=32)
            .with_variant(sa.VARBINARY(length=32), "mariadb")
            .with_variant(sa.VARBINARY(length=32), "mysql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_augmented_rows_task_id")),
        sa.PrimaryKeyConstraint(
            "task_id", "conversation_id", "strategy", "sample_index", name=op.f("pk_augmented_rows")
        ),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "augmented_turns",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("sample_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("turn_taking", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data_system", LongText, nullable=True),
        sa.Column("data_prompt", LongText, nullable=True),
        sa.Column("data_reasoning", LongText, nullable=True),
        sa.Column("data_response", LongText, nullable=True),
        sa.Column("data_rejected", LongText, nullable=True),
        sa.Column("data_weight", sa.Double(), nullable=True),
        sa.Column("data_extra", LongText, nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_augmented_turns_task_id")),
        sa.PrimaryKeyConstraint(
            "task_id", "conversation_id", "strategy", "sample_index", "turn_taking", name=op.f("pk_augmented_turns")
        ),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "cleaned_rows",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("changes", LongText, nullable=True),
        sa.Column(
            "content_hash",
            sa.LargeBinary(length=32)
            .with_variant(sa.VARBINARY(length=32), "mariadb")
            .with_variant(sa.VARBINARY(length=32), "mysql"),
            nullable=False,
        ),
        sa.Column("fingerprint", sa.BigInteger(), nullable=True),
        sa.Column("signature", LongBlob, nullable=True),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.CheckConstraint("state = 'kept' OR reason <> ''", name=op.f("ck_cleaned_rows_reason")),
        sa.CheckConstraint("state IN ('kept', 'dropped')", name=op.f("ck_cleaned_rows_state")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_cleaned_rows_task_id")),
        sa.PrimaryKeyConstraint("task_id", "conversation_id", name=op.f("pk_cleaned_rows")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "cleaned_turns",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("turn_taking", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data_system", LongText, nullable=True),
        sa.Column("data_prompt", LongText, nullable=True),
        sa.Column("data_reasoning", LongText, nullable=True),
        sa.Column("data_response", LongText, nullable=True),
        sa.Column("data_rejected", LongText, nullable=True),
        sa.Column("data_weight", sa.Double(), nullable=True),
        sa.Column("data_extra", LongText, nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_cleaned_turns_task_id")),
        sa.PrimaryKeyConstraint("task_id", "conversation_id", "turn_taking", name=op.f("pk_cleaned_turns")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "completion_reports",
        sa.Column("id", Key, nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.CheckConstraint(
            "stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_completion_reports_stage")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_completion_reports_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completion_reports")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_completion_reports_task_id_stage", "completion_reports", ["task_id", "stage"], unique=False)
    op.create_table(
        "cursor_events",
        sa.Column("id", Key, nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("task_type", sa.String(length=64), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=True),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=16), nullable=True),
        sa.Column("current_offset", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.String(length=128), nullable=True),
        sa.Column("reason", LongText, nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_cursor_events_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cursor_events")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_cursor_events_task_id_stage", "cursor_events", ["task_id", "stage"], unique=False)
    op.create_table(
        "duplicates",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("nearest", sa.BigInteger(), nullable=False),
        sa.Column("duplicate_of", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('exact', 'near')", name=op.f("ck_duplicates_kind")),
        sa.CheckConstraint(
            "nearest < conversation_id AND duplicate_of <= nearest", name=op.f("ck_duplicates_keeper_is_lower")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_duplicates_task_id")),
        sa.PrimaryKeyConstraint("task_id", "conversation_id", name=op.f("pk_duplicates")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_duplicates_duplicate_of", "duplicates", ["duplicate_of"], unique=False)
    op.create_table(
        "execution_cursors",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("task_type", sa.String(length=64), nullable=False),
        sa.Column("current_file_id", sa.Integer(), nullable=False),
        sa.Column("current_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("end_id", sa.BigInteger(), nullable=True),
        sa.Column("total_rows", sa.BigInteger(), nullable=True),
        sa.Column("processed_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("dropped_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("position", LongText, nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_reason", LongText, nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("active_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_execution_cursors_stage")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'pausing', 'paused', 'interrupted', 'blocked', 'failed', 'done')",
            name=op.f("ck_execution_cursors_status"),
        ),
        sa.CheckConstraint("current_offset >= 0 AND processed_rows >= 0", name=op.f("ck_execution_cursors_counts")),
        sa.CheckConstraint(
            "last_id = 0 OR (last_id >= current_file_id * 4294967296 AND last_id < (current_file_id + 1) * 4294967296)",
            name=op.f("ck_execution_cursors_offset_is_of_this_file"),
        ),
        sa.ForeignKeyConstraint(
            ["current_file_id"], ["dataset_files.id"], name=op.f("fk_execution_cursors_current_file_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_execution_cursors_task_id")),
        sa.PrimaryKeyConstraint("task_id", "stage", "task_type", name=op.f("pk_execution_cursors")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "export_chunks",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("export_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_ids", LongBlob, nullable=False),
        sa.Column("variants", LongBlob, nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_export_chunks_task_id")),
        sa.PrimaryKeyConstraint("task_id", "export_id", "first_line", name=op.f("pk_export_chunks")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("uri", LongText, nullable=False),
        sa.Column("target", LongText, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("variants", LongText, nullable=False),
        sa.Column("manifest", LongText, nullable=False),
        sa.Column("content_version", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger(), nullable=True),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_exports_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_exports_task_id", "exports", ["task_id"], unique=False)
    op.create_table(
        "failed_samples",
        sa.Column("id", Key, nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("sample_index", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("error", LongText, nullable=False),
        sa.Column("prompt", LongText, nullable=True),
        sa.Column("answer", LongText, nullable=True),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_by", sa.String(length=128), nullable=True),
        sa.Column("state_reason", LongText, nullable=True),
        sa.Column("overrides", LongText, nullable=True),
        sa.CheckConstraint("stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_failed_samples_stage")),
        sa.CheckConstraint(
            "state IN ('open', 'replayed', 'resolved', 'dismissed')", name=op.f("ck_failed_samples_state")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_failed_samples_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_samples")),
        sa.UniqueConstraint(
            "task_id",
            "stage",
            "conversation_id",
            "strategy",
            "sample_index",
            name=op.f("uq_failed_samples_task_id_stage_conversation_id_strategy_sample_index"),
        ),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_failed_samples_state", "failed_samples", ["state"], unique=False)
    op.create_table(
        "leases",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_leases_stage")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_leases_task_id")),
        sa.PrimaryKeyConstraint("task_id", "stage", name=op.f("pk_leases")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "provider_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("chunk_key", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("provider_id", sa.String(length=128), nullable=True),
        sa.Column("provider_status", sa.String(length=32), nullable=True),
        sa.Column("detail", LongText, nullable=True),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'sent', 'taken')", name=op.f("ck_provider_batches_state")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_provider_batches_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_batches")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_provider_batches_task_id_state", "provider_batches", ["task_id", "state"], unique=False)
    op.create_table(
        "webhook_events",
        sa.Column("id", Key, nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("url", LongText, nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", LongText, nullable=True),
        sa.Column("due_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.CheckConstraint("stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_webhook_events_stage")),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name=op.f("ck_webhook_events_state")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_webhook_events_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_webhook_events_state_due_at", "webhook_events", ["state", "due_at"], unique=False)
    op.create_table(
        "work_items",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("sample_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", LongText, nullable=True),
        sa.Column("reused", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("state IN ('done', 'failed', 'skipped')", name=op.f("ck_work_items_state")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_work_items_task_id")),
        sa.PrimaryKeyConstraint("task_id", "conversation_id", "strategy", "sample_index", name=op.f("pk_work_items")),
        **TABLE_OPTIONS,
    )
    op.create_table(
        "llm_attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("sample_index", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("prompt_version", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("model_answered", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("estimated", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("input_price", sa.BigInteger(), nullable=False),
        sa.Column("cached_price", sa.BigInteger(), nullable=False),
        sa.Column("output_price", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_ms", sa.BigInteger(), nullable=True),
        sa.Column("provider_request_id", sa.String(length=128), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('intent', 'answered', 'error', 'unknown')", name=op.f("ck_llm_attempts_state")),
        sa.ForeignKeyConstraint(["batch_id"], ["provider_batches.id"], name=op.f("fk_llm_attempts_batch_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_llm_attempts_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_attempts")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_llm_attempts_batch_id", "llm_attempts", ["batch_id"], unique=False)
    op.create_index(
        "ix_llm_attempts_task_id_conversation_id", "llm_attempts", ["task_id", "conversation_id"], unique=False
    )
    op.create_index("ix_llm_attempts_task_id_state", "llm_attempts", ["task_id", "state"], unique=False)
    op.create_table(
        "answers",
        sa.Column("attempt_id", sa.String(length=32), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("text", LongText, nullable=False),
        sa.Column("reasoning", LongText, nullable=True),
        sa.Column("refusal", LongText, nullable=True),
        sa.Column("finish_reason", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("rejected", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["llm_attempts.id"], name=op.f("fk_answers_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_answers")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_answers_request_key", "answers", ["request_key"], unique=False)
