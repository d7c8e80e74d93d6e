"""Dataset files that were taken out again"""

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_files", sa.Column("removed_at", Moment, nullable=True))
    op.add_column("dataset_files", sa.Column("emptied_at", Moment, nullable=True))
