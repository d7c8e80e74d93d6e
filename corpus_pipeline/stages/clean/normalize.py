"""The normal form of a conversation: what two rows must share to count as exact duplicates.

Everything that would be exported counts: roles, texts and their borders, reasoning, weights, labels, chosen and
rejected answers, tools, calls with their arguments, and the rest of the record (`record_rest`). Only form does not:
Unicode composition and width, typographic quotes, and in prose the amount of white space and letter case. A text with
any sign of code keeps both; a single word keeps its case (`True` and `TRUE` are two labels).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.record_rest import canonical

# ASCII separators become blanks within a text: no text can imitate a border
_BORDERS = str.maketrans(dict.fromkeys("\x1c\x1d\x1e\x1f", " "))
_BORDER_BYTES = bytes(32 if c in b"\x1c\x1d\x1e\x1f" else c for c in range(256))
_BLANKS = bytes(32 if c in b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f" else c for c in range(256))
_TURN, _TEXT, _FRAME = b"\x1e", b"\x1f", b"\x1d"
_FIELDS = (b"s", b"p", b"t", b"r", b"j")
_MARKS_IN_A_ROW = 30
# characters of which plain prose is made; one other ASCII character, and the text may be code
_PROSE = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t\n\r.,:!?'\"()-"
_INDENTED = lazily(r"\n[ \t]")
_TRAILING = lazily(r"(?<![ \t\r])[ \t\r]+\n")  # from where a run begins, so that a long one is read once
_QUOTES = str.maketrans("‘’‚‛´“”„‟«»", '\'\'\'\'\'""""""')
_FULL_WIDTH = lazily(r"[\u3000\uff01-\uff5e]")
_HALF_WIDTH = lazily("[\uff61-\uffdc\uffe0-\uffee]+")  # Katakana, Hangul and signs; marks join their letter
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def frame_of(turns: Sequence[Turn], tools: str | None = None, rest: bytes = b"") -> bytes:
    """All that counts of a conversation but the wording of its texts: what near-duplicates must have in common.

    rest: `record_rest.rest_of` its shape.
    """
    parts: list[bytes] = []
    names: dict[str, str] = {}
    for system, prompt, reasoning, response, rejected, weight, extra in turns:
        there = (
            (system is not None)
            | (prompt is not None) << 1
            | (reasoning is not None) << 2
            | (response is not None) << 3
            | (rejected is not None) << 4
        )
        parts.append(b"%c" % (64 + there))
        if weight is not None:
            parts.append(b"w%r" % float(weight))
        if extra:
            parts.append(canonical(_content_of(extra, names)))
    if tools is not None:
        parts += (_FRAME, _canonical_text(tools))
    if rest:
        parts += (_FRAME, b"+", rest)
    return b"".join(parts)


def normalized(turns: Sequence[Turn], frame: bytes) -> bytes:
    """The normal form as UTF-8 (lone surrogates included); a text that is not there differs from an empty one."""
    parts: list[bytes] = [frame]
    for turn in turns:
        parts.append(_TURN)
        for mark, text in zip(_FIELDS, turn[:5], strict=True):
            if text is not None:
                parts += (_TEXT, mark, _normal_text(text))
    return b"".join(parts)


def content_hash(turns: Sequence[Turn], frame: bytes) -> bytes:
    """sha256 (32 bytes) of the normal form."""
    return hashlib.sha256(normalized(turns, frame)).digest()


def text_for_fingerprint(turns: Sequence[Turn]) -> str:
    """All texts in reading order, joined by a line feed."""
    return "\n".join(text for turn in turns for text in turn[:5] if text)


@cache
def _too_many_marks() -> re.Pattern[str]:
    """More non-starters (marks that reorder) in a row than any script uses, by Unicode's Stream-Safe Text Format."""
    marks = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
    return re.compile(f"([{marks}]{{{_MARKS_IN_A_ROW}}})[{marks}]+")


def compose(text: str) -> str:
    """`text` in NFC (Unicode Standard Annex 15).

    Sorting marks takes quadratic time, so that a long run of them could stop a job: of more than 30 in a row (section
    13 of the annex) the rest is cut off, unless they are in order already.
    """
    if unicodedata.is_normalized("NFC", text):
        return text
    if len(text) > _MARKS_IN_A_ROW:
        text = _too_many_marks().sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def plain_characters(text: str) -> str:
    """`text` composed, with plain quotes and the usual width of letters, digits and punctuation."""
    if text.isascii():
        return text
    text = compose(text)
    if _FULL_WIDTH.search(text):
        text = text.translate(_NARROW)
    if _HALF_WIDTH.search(text):
        text = _HALF_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return text.translate(_QUOTES)


def _normal_text(text: str) -> bytes:
    if text.isascii():
        body = text.encode()
        if body.translate(None, _PROSE) or not _is_prose(text):
            return _kept_form(text)
        body = body.translate(_BLANKS)
        body = body.lower() if b" " in body.strip(b" ") else body
    else:
        text = plain_characters(text)
        ascii_part = text.encode("ascii", "ignore")
        if ascii_part.translate(None, _PROSE) or not _is_prose(text):
            return _kept_form(text)
        words = text.split()
        folded = " ".join(words) if len(words) < 2 else " ".join(words).casefold()
        body = compose(folded).encode("utf-8", "surrogatepass").translate(_BLANKS)
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return body.strip(b" ")


def _is_prose(text: str) -> bool:
    return "\n" not in text or _INDENTED.search(text) is None


def _kept_form(text: str) -> bytes:
    """A text that may be code: only blanks at the ends of lines and empty lines around it are no content."""
    if " \n" in text or "\r" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    return text.rstrip().lstrip("\n").encode("utf-8", "surrogatepass").translate(_BORDER_BYTES)


def _content_of(extra: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The content of `Turn.extra`: ids of calls become their places, arguments as JSON text become values."""
    if "tool_calls" not in extra and "tool_call_id" not in extra:
        return extra
    found = dict(extra)
    calls = found.get("tool_calls")
    if isinstance(calls, list):
        found["tool_calls"] = [_call(call, names) for call in calls]
    if isinstance(found.get("tool_call_id"), str):
        found["tool_call_id"] = names.setdefault(found["tool_call_id"], f"call {len(names)}")
    return found


def _call(call: Any, names: dict[str, str]) -> Any:
    if not isinstance(call, dict):
        return call
    found = dict(call)
    if isinstance(found.get("id"), str):
        found["id"] = names.setdefault(found["id"], f"call {len(names)}")
    for holder in ("function", None):
        inner = found.get(holder) if holder else found
        if isinstance(inner, dict) and isinstance(inner.get("arguments"), str):
            changed = {**inner, "arguments": _value(inner["arguments"])}
            found = {**found, holder: changed} if holder else changed
    return found


def _value(text: str) -> Any:
    """The value of a JSON text; the text itself when orjson might round it or it is none."""
    if len(text) > 15 and re.search(r"\d{15}", text):
        return text
    try:
        return [orjson.loads(text)]
    except ValueError:
        return text


def _canonical_text(text: str) -> bytes:
    """Tool definitions with sorted keys, so that their layout does not count; as they are when they are not JSON."""
    import json

    try:
        return canonical(json.loads(text))
    except (ValueError, RecursionError):
        return text.encode("utf-8", "surrogatepass").translate(_BORDER_BYTES)
