"""On which host, by which process and version a stage was worked"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cursor_events", sa.Column("worker", sa.String(length=128), nullable=True))
