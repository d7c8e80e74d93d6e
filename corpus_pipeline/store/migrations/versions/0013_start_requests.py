"""Requests of people to start what is unfinished of a dataset file"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, Moment, Name, now_ms

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "start_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_name", Name, nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("requested_by", sa.String(length=128), nullable=False),
        sa.Column("requested_at", Moment, server_default=now_ms(), nullable=False),
        sa.Column("taken_at", Moment, nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.CheckConstraint("stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_start_requests_stage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_start_requests")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_start_requests_taken_at", "start_requests", ["taken_at"], unique=False)
