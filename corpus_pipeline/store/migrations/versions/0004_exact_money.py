"""Money in nano-dollars; cache writes, service tiers and what providers contradict themselves in; the share of the unknown.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from corpus_pipeline.store.types import LongText

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FACTOR = 1000
_ATTEMPTS = sa.table(
    "llm_attempts",
    *(
        sa.column(name)
        for name in ("task_id", "consumer", "strategy", "model", "state", "created_at", "cost", "reserved")
    ),
    sa.column("input_price"),
    sa.column("cache_write_price"),
)
_KEY = ("task_id", "day", "consumer", "strategy", "model")
_SPENDING = sa.table("spending", *(sa.column(name) for name in (*_KEY, "cost", "unknown_cost")))
_BUDGETS = sa.table("budgets", sa.column("spent"), sa.column("reserved"))


def upgrade() -> None:
    _add_columns()
    a, s, b = _ATTEMPTS.c, _SPENDING.c, _BUDGETS.c
    op.execute(
        _ATTEMPTS.update().values(cost=a.cost * _FACTOR, reserved=a.reserved * _FACTOR, cache_write_price=a.input_price)
    )
    op.execute(_SPENDING.update().values(cost=s.cost * _FACTOR))
    op.execute(_BUDGETS.update().values(spent=b.spent * _FACTOR, reserved=b.reserved * _FACTOR))
    _sum_up_unknown()


def _add_columns() -> None:
    for column in (
        sa.Column("cache_write_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cache_write_price", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("response_id", sa.String(128)),
        sa.Column("service_tier", sa.String(32)),
        sa.Column("remark", LongText),
    ):
        op.add_column("llm_attempts", column)
    for name in ("cache_write_tokens", "unknown_cost"):
        op.add_column("spending", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))


def _sum_up_unknown() -> None:
    connection, a, s = op.get_bind(), _ATTEMPTS.c, _SPENDING.c
    columns = (a.task_id, a.created_at, a.consumer, a.strategy, a.model, a.cost)
    sums: Counter[tuple[object, ...]] = Counter()
    for task_id, created_at, *rest, cost in connection.execute(sa.select(*columns).where(a.state == "unknown")):
        sums[task_id, _day(created_at), *rest] += int(cost)
    for key, cost in sums.items():
        same = [s[name] == value for name, value in zip(_KEY, key, strict=True)]
        connection.execute(_SPENDING.update().where(*same).values(unknown_cost=cost))


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).date().isoformat()


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was made before the upgrade")
