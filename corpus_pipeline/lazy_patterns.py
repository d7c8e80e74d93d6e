"""Regular expressions of modules that compile when they are first used.

Hundreds of them stand in the modules of rules and validators, and a process asks only a few: compiling all of them took a
quarter of the time in which a command starts.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, Final, cast

_METHODS: Final = ("search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn")


class LazyPattern:
    """What `lazily` gives: after the first use its methods are those of the compiled pattern."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self.pattern, self._flags = pattern, flags

    @property
    def compiled(self) -> re.Pattern[Any]:
        """What it stands for: the `re` of its matches, which is not this object."""
        return re.compile(self.pattern, self._flags)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = self.compiled
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return lazily, (self.pattern, self._flags)


def lazily(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern as `re.compile` gives it, compiled when one of its methods is first called.

    A wrong one raises re.error there, not here; a test compiles those of all modules.
    """
    return cast("re.Pattern[AnyStr]", LazyPattern(pattern, flags))
