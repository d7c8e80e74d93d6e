"""Rows that a person keeps as their source brought them"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("kept_rows", sa.Column("unchanged", sa.Boolean(), server_default=sa.false(), nullable=False))
