"""Row text inside fences that it cannot forge, and the two ends of a prompt that no template can lose.

The format is the contract of `prompts/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from corpus_pipeline.model import Turn

FENCE_DIGITS: Final = 32
NUL_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"  # providers and databases refuse NUL


def fence_for(texts: Iterable[str]) -> str:
    """A token that occurs in none of the texts, the same for the same texts.

    It is a hash of all of them, so a text would have to contain its own hash; should one do so, the hash is hashed.
    """
    held = list(texts)
    digest = hashlib.sha256(json.dumps(held).encode("ascii")).hexdigest()
    while any(digest[:FENCE_DIGITS] in text.lower() for text in held):
        digest = hashlib.sha256(digest.encode("ascii")).hexdigest()
    return digest[:FENCE_DIGITS]


def fenced(sections: Mapping[str, str | None]) -> dict[str, str]:
    """Each section as a fenced block; a section that is None or "" becomes ""."""
    texts = {name: (text or "").replace("\0", NUL_REPLACEMENT) for name, text in sections.items()}
    fence = fence_for(texts.values())
    return {
        name: f"[[begin {name} {fence}]]\n{text}\n[[end {name} {fence}]]" if text else ""
        for name, text in texts.items()
    }


def header(task: str, step: str, lines: Mapping[str, str]) -> str:
    """The lines that begin a system message, with the empty line that ends them."""
    return "".join(f"{key}: {value}\n" for key, value in {"Task": task, "Step": step, **lines}.items()) + "\n"


def output_line(keys: Sequence[str]) -> str:
    """The last line of a user message: a text is wanted, or a JSON object with these keys."""
    return f"Output: json {', '.join(keys)}" if keys else "Output: text"


def messages_as_lines(turns: Iterable[Turn]) -> str:
    """Earlier turns as one JSON object a line; JSON keeps a text from posing as another speaker."""
    lines = []
    for turn in turns:
        for role, text in (("user", turn.prompt), ("assistant", turn.response)):
            if text:
                lines.append(json.dumps({"role": role, "content": text}, ensure_ascii=False))
    return "\n".join(lines)
