"""The normal form of a conversation: what two rows must share to count as exact duplicates.

Case, Unicode composition and the amount of whitespace do not count; roles, the borders of turns, tools and tool calls
do, so that text moved from the prompt to the answer makes another conversation.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from corpus_pipeline.model import Turn

# ASCII whitespace, and the separators below, become blanks within a text: no text can imitate a border.
_BLANKS = bytes(32 if c in b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f" else c for c in range(256))
_TURN, _EXTRA, _TOOLS = b"\x1e", b"\x1c", b"\x1d"
_SYSTEM, _PROMPT, _REASONING, _RESPONSE, _REJECTED = b"\x1fs", b"\x1fp", b"\x1ft", b"\x1fr", b"\x1fj"
_MARKS_IN_A_ROW = 30


def normalized(turns: Sequence[Turn], tools: str | None = None) -> bytes:
    """The normal form as UTF-8 (lone surrogates included).

    Each text is NFC, case-folded, and its whitespace collapsed to single blanks; a text that is not there differs from
    an empty one. Weights do not count: they say how a text is trained on, not what it is.
    """
    parts: list[bytes] = []
    for system, prompt, reasoning, response, rejected, _, extra in turns:
        parts.append(_TURN)
        if system is not None:
            parts += (_SYSTEM, _normal_text(system))
        if prompt is not None:
            parts += (_PROMPT, _normal_text(prompt))
        if reasoning is not None:
            parts += (_REASONING, _normal_text(reasoning))
        if response is not None:
            parts += (_RESPONSE, _normal_text(response))
        if rejected is not None:
            parts += (_REJECTED, _normal_text(rejected))
        if extra:
            parts += (_EXTRA, _canonical(extra))
    if tools is not None:
        parts += (_TOOLS, _canonical_json(tools))
    return b"".join(parts)


def content_hash(turns: Sequence[Turn], tools: str | None = None) -> bytes:
    """sha256 (32 bytes) of the normal form."""
    return hashlib.sha256(normalized(turns, tools)).digest()


def text_for_fingerprint(turns: Sequence[Turn]) -> str:
    """All texts in reading order, joined by a line feed: what near-duplicates are compared by."""
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


def _normal_text(text: str) -> bytes:
    if text.isascii():
        body = text.lower().encode().translate(_BLANKS)
    else:
        folded = compose(text.casefold())
        body = " ".join(folded.split()).encode("utf-8", "surrogatepass").translate(_BLANKS)
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return body.strip(b" ")


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def _canonical_json(text: str) -> bytes:
    """Tool definitions with sorted keys, so that their layout does not count; as they are when they are not JSON."""
    try:
        return _canonical(json.loads(text))
    except (ValueError, RecursionError):
        return _normal_text(text)
