"""The id of a provider batch's input file, by which the batch is found again.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("provider_batches", sa.Column("input_file_id", sa.String(128)))
