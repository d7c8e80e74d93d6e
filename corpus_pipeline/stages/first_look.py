"""A first look: automata of re2 that let nearly all texts go before slow patterns are asked. Yes too often, never no.

re2 reads a text once, whatever the pattern, but lacks assertions and back references and reads classes as ASCII:
`wider` turns a pattern of `re` into one that matches wherever it does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import re2

_BEYOND: Final = r"\x{80}-\x{10ffff}"
_CLASSES: Final = {
    r"\d": f"[0-9{_BEYOND}]",
    r"\w": f"[0-9A-Za-z_{_BEYOND}]",
    r"\s": rf"[\x00-\x20{_BEYOND}]",
    r"\A": "",
    r"\Z": "",
}
_PARTS: Final = re.compile(
    r"\(\?<?[!=]|\(\?P=\w+\)|\(\?P<\w+>|\(\?:|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}[?+]?|[()]|[?*+][?+]?|[^\\\[()?*+{}]+|[{}]"
)


def wider(pattern: str, *, borders: bool = False) -> str:
    """A pattern for re2 that matches wherever `pattern` does, a pattern of `re` without groups of flags.

    borders: keep `\\b`, which re2 knows between ASCII letters only; for texts in ASCII.
    """
    pattern = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), pattern)
    parts: list[str] = []
    left = 0  # parentheses of a lookaround that are still open
    for token in _PARTS.findall(pattern):
        if left:
            left += token.startswith("(") and not token.startswith("(?P=")
            left -= token == ")"
        elif re.fullmatch(r"\(\?<?[!=]", token):
            left = 1
        elif token.startswith("(?P="):
            parts.append(".*")
        elif token.startswith("(?P<"):
            parts.append("(?:")
        elif token == r"\b":
            parts.append(token if borders else "")
        elif token in _CLASSES:
            parts.append(_CLASSES[token])
        elif token.startswith("["):
            parts.append("." if token.startswith("[^") or re.search(r"\\[wWdDsS]", token) else token)
        elif token[0] == "\\":
            parts.append("." if token[1] in "WDSB" else token)
        elif re.fullmatch(r"\{\d*,\d*\}[?+]?|[?*+][?+]|\{\d+\}[?+]", token):
            parts.append("*" if token[0] == "{" else token[0])
        else:
            parts.append(re.sub(r"[$^]", "", token) if token[0] not in "{}" else token)
    return "".join(parts)


def _options(ignore_case: bool) -> re2.Options:
    options = re2.Options()
    options.never_capture, options.dot_nl, options.log_errors = True, True, False
    options.case_sensitive = not ignore_case
    return options


class Screened:
    """A pattern of `re` behind its automaton: where the automaton finds nothing, `search` does not ask the pattern."""

    def __init__(self, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self.compiled = re.compile(pattern, flags)
        options = _options(bool(flags & re.IGNORECASE))
        self._of_any = re2.compile(wider(pattern), options)
        self._of_ascii = re2.compile(wider(pattern, borders=True), options)

    def search(self, text: str) -> re.Match[str] | None:
        """As that of `re.Pattern`."""
        automaton = self._of_ascii if text.isascii() else self._of_any
        if automaton.search(text.encode("utf-8", "replace")) is None:
            return None
        return self.compiled.search(text)


class Which:
    """Which of many patterns may match a text. (Not `re2.Set`: out of memory, it says that nothing matches.)"""

    def __init__(self, patterns: Sequence[str]) -> None:
        wide = [wider(pattern) for pattern in patterns]
        self._any = re2.compile("|".join(f"(?:{pattern})" for pattern in wide), _options(False))
        self._each = [re2.compile(pattern, _options(False)) for pattern in wide]

    def __call__(self, text: str) -> list[int]:
        """The places of the patterns, ascending."""
        data = text.encode("utf-8", "replace")
        if self._any.search(data) is None:
            return []
        return [place for place, automaton in enumerate(self._each) if automaton.search(data) is not None]
