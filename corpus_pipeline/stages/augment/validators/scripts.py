"""Which scripts a text is written in, once code, formulas and addresses are taken out of it."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Final

from corpus_pipeline.lazy_patterns import lazily

# (name, weight of one character in letters, ranges); a syllable or ideograph says as much as a few letters
_SCRIPTS: Final[tuple[tuple[str, float, str], ...]] = (
    ("latin", 1.0, "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"),
    ("han", 3.0, "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"),
    ("kana", 2.0, "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"),
    ("hangul", 2.0, "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f"),
    ("cyrillic", 1.0, "\u0400-\u052f"),
    ("greek", 1.0, "\u0370-\u03ff\u1f00-\u1fff"),
    ("arabic", 1.2, "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff"),
    ("hebrew", 1.2, "\u0590-\u05ff"),
    ("devanagari", 1.0, "\u0900-\u097f"),
    ("bengali", 1.0, "\u0980-\u09ff"),
    ("gurmukhi", 1.0, "\u0a00-\u0a7f"),
    ("gujarati", 1.0, "\u0a80-\u0aff"),
    ("tamil", 1.0, "\u0b80-\u0bff"),
    ("telugu", 1.0, "\u0c00-\u0c7f"),
    ("kannada", 1.0, "\u0c80-\u0cff"),
    ("malayalam", 1.0, "\u0d00-\u0d7f"),
    ("thai", 1.0, "\u0e00-\u0e7f"),
    ("lao", 1.0, "\u0e80-\u0eff"),
    ("myanmar", 1.0, "\u1000-\u109f"),
    ("georgian", 1.0, "\u10a0-\u10ff"),
    ("armenian", 1.0, "\u0530-\u058f"),
    ("ethiopic", 2.0, "\u1200-\u137f"),
    ("khmer", 1.0, "\u1780-\u17ff"),
)
_PATTERNS: Final = tuple((name, weight, lazily(f"[{ranges}]+")) for name, weight, ranges in _SCRIPTS)
_NO_ASCII_LETTERS: Final = bytes(code for code in range(128) if not chr(code).isalpha())
_WIDE: Final = lazily(
    "[\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]"
)

FENCED_CODE: Final = lazily(r"^([ \t]*)(```+|~~~+)[^\n]*\n(.*?)^[ \t]*\2[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE_CODE: Final = lazily(r"(?<!`)`([^`\n]{1,200})`(?!`)")
_NO_LANGUAGE: Final = lazily(
    r"https?://\S+|\S+@\S+\.\S+|<[^<>\n]{1,200}>|\\\(.{1,300}?\\\)|\\\[.{1,1000}?\\\]|\$(?=\S)[^$\n]{1,300}(?<=\S)\$(?!\w)"
    r"|\\[A-Za-z]+|(?<![^\W\d])[A-Za-z_]*\d[A-Za-z_\d]*|[A-Za-z]+_[A-Za-z_]*|(?<![^\W\d_])[A-Za-z](?![^\W\d_])",
    re.DOTALL,
)


def without_fences(text: str) -> str:
    """The text without fenced code."""
    return FENCED_CODE.sub(" ", text) if "```" in text or "~~~" in text else text


def without_inline_code(text: str) -> str:
    """The text without inline code."""
    return INLINE_CODE.sub(" ", text) if "`" in text else text


@lru_cache(maxsize=64)  # several validators look at the same texts one after another
def prose(text: str) -> str:
    """The text without fenced and inline code, formulas, tags, addresses and identifiers."""
    return _NO_LANGUAGE.sub(" ", without_inline_code(without_fences(text)))


def letters_of(text: str) -> int:
    """The sum of `script_weights`."""
    if text.isascii():
        return len(text.encode("ascii").translate(None, _NO_ASCII_LETTERS))
    return sum(script_weights(text).values())


def script_weights(text: str) -> Counter[str]:
    """How much of a text is in each script, in letters (see the weights above). The counter may be shared: read it only."""
    return _weights_of_short(text) if len(text) <= _SHORT else _weights(text)


_SHORT: Final = 2000  # characters of a text of which the weights are kept


@lru_cache(maxsize=512)  # several validators look at the same texts and sentences one after another
def _weights_of_short(text: str) -> Counter[str]:
    return _weights(text)


def _weights(text: str) -> Counter[str]:
    weights: Counter[str] = Counter()
    if text.isascii():
        if letters := letters_of(text):  # the common case
            weights["latin"] = letters
        return weights
    for name, weight, pattern in _PATTERNS:
        size = sum(map(len, pattern.findall(text)))
        if size:
            weights[name] = round(size * weight)
    return weights


def weight_of(text: str) -> int:
    """The length of a text in letters: wide characters count as three, so that languages compare."""
    return len(text) if text.isascii() else len(text) + 2 * len(_WIDE.findall(text))
