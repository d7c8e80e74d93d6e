"""Patterns that are tried on every text and hardly ever match: what cannot match is let go in one step, by re2."""

from __future__ import annotations

import re
from collections.abc import Iterable

import re2

_MEMORY = 96 << 20  # bytes that the automaton may take; with 32 that of refusals forgot its states and began anew
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?<?[!=]|\(\?P?<?:?|\(|\)|[^\\\[()]+")
_DOTLESS = str.maketrans("\u0130\u0131", "ii")  # `re` takes them for an i where case is ignored, re2 does not


class MayMatch:
    """One automaton for many patterns: `search` says that none of them matches a text, or that one may.

    ignore_case: as `re.IGNORECASE`. A pattern may be tried on a part of the text: what it says of its ends does not count.
    """

    def __init__(self, patterns: Iterable[str], *, ignore_case: bool = False) -> None:
        options = re2.Options()
        options.max_mem, options.log_errors, options.dot_nl, options.never_capture = _MEMORY, False, True, True
        options.case_sensitive = not ignore_case
        self._ignore_case = ignore_case
        self._automaton = re2.compile("|".join(map(self._wider, patterns)), options)

    def search(self, text: str) -> bool:
        """Whether one of the patterns may match."""
        folded = text.translate(_DOTLESS) if self._ignore_case and not text.isascii() else text
        return self._automaton.search(folded.encode("utf-8", "replace")) is not None

    def _wider(self, pattern: str) -> str:
        """A pattern for re2 that matches wherever `pattern` does: assertions go, which re2 lacks or reads as ASCII, and what
        stands for any letter stands for any character, any number of times, which keeps the automaton small."""
        parts: list[str] = []
        left = 0  # parentheses of a lookaround that are still open
        for token in _TOKEN.findall(pattern.translate(_DOTLESS) if self._ignore_case else pattern):
            if left:
                left += token.startswith("(") - (token == ")")
            elif re.fullmatch(r"\(\?<?[!=]", token):
                left = 1
            elif _is_any(token):
                parts.append(".")
            elif token not in (r"\b", r"\B", r"\A", r"\Z"):
                parts.append(token if token[0] in "\\[" else token.replace("$", ""))
        return re.sub(r"\{\d*,\d+\}\??", "*", "".join(parts))


def _is_any(token: str) -> bool:
    """Whether a part of a pattern stands for letters, blanks or digits of any script, or for all but a few characters."""
    if token[0] == "[":
        return token.startswith("[^") or re.search(r"\\[wWsSdD]", token) is not None
    return re.fullmatch(r"\\[wWsSdD]", token) is not None
