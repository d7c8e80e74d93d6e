"""How like its keeper a duplicate is, by question and by answer, and duplicates of one prompt"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("duplicates") as table:
        table.add_column(sa.Column("question_similarity", sa.Double(), nullable=True))
        table.add_column(sa.Column("answer_similarity", sa.Double(), nullable=True))
        table.drop_constraint(op.f("ck_duplicates_kind"), type_="check")
        table.drop_constraint(op.f("ck_duplicates_keeper_is_lower"), type_="check")
        table.create_check_constraint(op.f("ck_duplicates_kind"), "kind IN ('exact', 'near', 'same_prompt')")
        # keep_longest may keep a higher row of the same prompt
        table.create_check_constraint(
            op.f("ck_duplicates_keeper_is_lower"),
            "kind = 'same_prompt' OR nearest < conversation_id",
        )
