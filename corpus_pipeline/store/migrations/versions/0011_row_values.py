"""Values that tasks make beside rows: scores, labels, fields, tags"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, LongText, Name

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("augmented_rows", sa.Column("makes", sa.String(length=16), server_default="row", nullable=False))
    op.create_table(
        "row_values",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("strategy", Name, nullable=False),
        sa.Column("sample_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", Name, nullable=False),
        sa.Column("value", LongText, nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("word", sa.String(length=64), nullable=True),
        sa.Column("tag", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_row_values_task_id")),
        sa.PrimaryKeyConstraint(
            "task_id", "conversation_id", "strategy", "sample_index", "name", name=op.f("pk_row_values")
        ),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_row_values_word", "row_values", ["task_id", "strategy", "name", "word"], unique=False)
    op.create_index("ix_row_values_number", "row_values", ["task_id", "strategy", "name", "number"], unique=False)
    op.create_index("ix_row_values_tag", "row_values", ["task_id", "tag"], unique=False)
