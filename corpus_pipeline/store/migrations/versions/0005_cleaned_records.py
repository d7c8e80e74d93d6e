"""Tool definitions and shapes of records as they go out, where a rule changed them"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import LongText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cleaned_rows", sa.Column("tools", LongText, nullable=True))
    op.add_column("cleaned_rows", sa.Column("shape", LongText, nullable=True))
