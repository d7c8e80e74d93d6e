"""Rows that a person keeps although cleaning would drop them"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, LongText, now_ms

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_rows",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kept_by", sa.String(length=128), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), server_default=now_ms(), nullable=False),
        sa.Column("reason", LongText, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_kept_rows")),
        **TABLE_OPTIONS,
    )
