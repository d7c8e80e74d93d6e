"""Text of others made fit to be shown: nothing in it can steer a terminal, forge a line or turn the direction of writing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO, cast

_ESC = "\x1b"
# sequences as a whole, so that no rest such as "]0;title" stays: CSI, OSC and other strings, two-character escapes
_SEQUENCES: Final = re.compile(
    rf"(?:{_ESC}\[|\x9b)[0-?]*[ -/]*[@-~]"
    rf"|(?:{_ESC}[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|{_ESC}\\|\x9c)?"
    rf"|{_ESC}[ -/]*[0-~]?"
)
# what JSON leaves as it is and a terminal obeys, or shows as another text than it is: DEL, C1, marks of direction
_RAW_IN_JSON: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# C0 and C1 controls but tab and line end, marks that turn the direction of writing, and what no encoding can hold
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")


def plain(text: str) -> str:
    """`text` without terminal control sequences, controls and lone surrogates; tabs and line ends stay.

    >>> plain("quota \\x1b]0;owned\\x07gone\\x9b31m!")
    'quota gone!'
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("\ufffd", _SEQUENCES.sub("", text))


def printable(text: str) -> str:
    """`text` with every character that is not printable shown as its escape: for data, in which nothing is to be hidden."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in text)


def plain_json(document: bytes) -> bytes:
    """The same JSON with what a terminal would obey as escapes: who reads it gets the same values.

    >>> plain_json('"\x9b31m"'.encode())
    b'"\\\\u009b31m"'
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    return _RAW_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", document.decode()).encode()


class Filtered:
    """A text stream through which nothing but plain text gets to a terminal: from logs, warnings, tracebacks, click.

    own: the stream behind it, for sequences of our own around words that are printable already. hide: takes secrets out.
    """

    def __init__(self, own: TextIO, hide: Callable[[str], str] | None = None) -> None:
        self.own, self._hide = own, hide

    def write(self, text: str) -> int:
        self.own.write(plain(text if self._hide is None else self._hide(text)))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __iter__(self) -> Iterator[str]:
        return iter(self.own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


def behind_filter(stream: TextIO) -> TextIO:
    """The stream behind the filter; itself when there is none."""
    return stream.own if isinstance(stream, Filtered) else stream


@contextmanager
def filtered_streams(hide: Callable[[str], str] | None = None) -> Iterator[None]:
    """While it lasts, stdout and stderr of this process pass plain text only; what got hold of them then keeps the filter.

    hide: takes secrets out of what goes to stderr. Stdout has data, which stays as it is.
    """
    out, err = sys.stdout, sys.stderr
    sys.stdout = cast(TextIO, out if isinstance(out, Filtered) else Filtered(out))
    sys.stderr = cast(TextIO, err if isinstance(err, Filtered) else Filtered(err, hide))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
