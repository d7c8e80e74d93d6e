"""A reference from one task to a field of another."""

from __future__ import annotations

from typing import NamedTuple


class TaskField(NamedTuple):
    """A field that another task makes."""

    task: str
    field: str
