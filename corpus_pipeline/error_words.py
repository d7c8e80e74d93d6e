"""What may be said of an error no one foresaw: its kind and its place. Its message may quote the text of a row."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

from corpus_pipeline.errors import CorpusError

_PACKAGE = Path(__file__).parent


def in_words(error: BaseException) -> str:
    """An error for a status, an event or a log.

    Our own errors are written for people, and those of the system name a file and a reason; of any other one its kind and
    place are all that is said.

    >>> in_words(CorpusError("no such file; add it first"))
    'no such file; add it first'
    >>> in_words(ValueError("'Jane Doe, 12 Elm St' is no number"))
    'ValueError'
    """
    if isinstance(error, CorpusError):
        return str(error)
    if isinstance(error, OSError):
        return " ".join(f"{type(error).__name__}: {_of_the_system(error)}".split())
    said = getattr(error, "without_values", None)  # of the database: the backend has named it
    where = place(error)
    return f"{type(error).__name__}{f': {said}' if said else ''}{f' at {where}' if where else ''}"


def place(error: BaseException) -> str:
    """Where an error was raised, and where in this package: `recipe.py:12`. Empty for one that was never raised."""
    way = traceback.extract_tb(error.__traceback__)
    if not way:
        return ""
    own = [step for step in way if _PACKAGE in Path(step.filename).parents]
    last = own[-1] if own else way[-1]
    name = Path(last.filename)
    return f"{name.relative_to(_PACKAGE.parent) if own else name.name}:{last.lineno}"


def steps(trace: TracebackType | None) -> str:
    """The way to an error, without what it says: files, lines and the program's own text."""
    return "".join(traceback.format_tb(trace))


def _of_the_system(error: OSError) -> str:
    if error.strerror is None:
        return str(error.errno or "")
    return f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
