"""Which process works a run, and its sign of life"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, Moment, Name, now_ms

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_workers",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("host", sa.String(length=48), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("file_name", Name, nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("started_at", Moment, server_default=now_ms(), nullable=False),
        sa.Column("beat_at", Moment, server_default=now_ms(), nullable=False),
        sa.Column("ttl_ms", sa.Integer(), nullable=False),
        sa.Column("missed_at", Moment, nullable=True),
        sa.CheckConstraint("stage IN ('ingest', 'clean', 'augment', 'export')", name=op.f("ck_run_workers_stage")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_workers")),
        **TABLE_OPTIONS,
    )
