"""Text of others made fit to be shown: nothing in it can steer a terminal, forge a line or turn the direction of writing."""

from __future__ import annotations

import re
from typing import Final

_ESC = "\x1b"
# sequences as a whole, so that no rest such as "]0;title" stays: CSI, OSC and other strings, two-character escapes
_SEQUENCES: Final = re.compile(
    rf"(?:{_ESC}\[|\x9b)[0-?]*[ -/]*[@-~]"
    rf"|(?:{_ESC}[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|{_ESC}\\|\x9c)?"
    rf"|{_ESC}[ -/]*[0-~]?"
)
# C0 and C1 controls but tab and line end, marks that turn the direction of writing, and what no encoding can hold
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")


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
