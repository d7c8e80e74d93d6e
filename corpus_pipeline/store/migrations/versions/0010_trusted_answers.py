"""Who refused an answer and why, what is remarkable of new rows, and what people say of them"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, LongText, Moment, now_ms

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("failed_samples", sa.Column("validator", sa.String(length=64), nullable=True))
    op.add_column("failed_samples", sa.Column("evidence", LongText, nullable=True))
    op.add_column("augmented_rows", sa.Column("notes", LongText, nullable=True))
    op.add_column("augmented_rows", sa.Column("repeats", LongText, nullable=True))
    op.create_table(
        "review_verdicts",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("sample_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("note", LongText, nullable=True),
        sa.Column("at", Moment, nullable=False, server_default=now_ms()),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_review_verdicts_task_id_tasks")),
        sa.PrimaryKeyConstraint(
            "task_id", "conversation_id", "strategy", "sample_index", "who", name=op.f("pk_review_verdicts")
        ),
        sa.CheckConstraint("verdict IN ('good', 'bad')", name=op.f("ck_review_verdicts_verdict")),
        **TABLE_OPTIONS,
    )
