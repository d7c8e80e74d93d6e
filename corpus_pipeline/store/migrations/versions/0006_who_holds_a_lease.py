"""Since when a lease is held, and what a heartbeat adds to it"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leases", sa.Column("acquired_at", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("leases", sa.Column("ttl_ms", sa.BigInteger(), server_default="30000", nullable=False))
