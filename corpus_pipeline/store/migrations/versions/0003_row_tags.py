"""Tags of rules on rows"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "row_tags",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("turn_taking", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_row_tags_task_id")),
        sa.PrimaryKeyConstraint("task_id", "tag", "conversation_id", name=op.f("pk_row_tags")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_row_tags_row", "row_tags", ["task_id", "conversation_id"], unique=False)
