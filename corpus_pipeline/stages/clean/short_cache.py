"""What was found for texts that come again, such as the shapes of records."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST: Final = (
    32_768  # characters; longer ones hold media: no two rows have the same, and thousands would fill the memory
)
_KEPT: Final = 8192


def short_cache(function: F) -> F:
    """As `lru_cache`, of calls whose first argument is a text that is not long; all arguments are given by place."""
    known = lru_cache(maxsize=_KEPT)(function)

    @wraps(function)
    def call(text: str, *more: Hashable) -> Any:
        return function(text, *more) if len(text) > _LONGEST else known(text, *more)

    return cast(F, call)
