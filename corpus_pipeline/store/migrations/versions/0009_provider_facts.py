"""What endpoints taught, how requests were put, and what is wrong at a provider"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import TABLE_OPTIONS, LongText, Moment, now_ms

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_facts",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("said", LongText, nullable=False),
        sa.Column("learnt_at", Moment, nullable=False, server_default=now_ms()),
        sa.PrimaryKeyConstraint("origin", "model", "kind", "name", name=op.f("pk_provider_facts")),
        **TABLE_OPTIONS,
    )
    op.add_column("llm_attempts", sa.Column("sent", LongText, nullable=True))
    op.add_column("provider_workers", sa.Column("task_id", sa.Integer(), nullable=True))
    op.add_column("provider_workers", sa.Column("trouble", LongText, nullable=True))
