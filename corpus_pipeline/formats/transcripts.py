"""Conversations that are one text with the speakers' names in it: `USER: ... ASSISTANT: ...` and the like."""

from __future__ import annotations

from corpus_pipeline.formats.messages import Message
from corpus_pipeline.formats.reading import Decoded, Part
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.formats.sketch import Sketch
from corpus_pipeline.formats.tagged_calls import call_in
from corpus_pipeline.lazy_patterns import lazily

# a name at the begin or behind a blank line, then a colon; or the control tokens of ChatML
_SPEAKER = lazily(
    r"(?:\A\s*|\n\s*\n)"
    r"(?P<name>SYSTEM|USER|ASSISTANT|FUNCTION RESPONSE|TOOL|System|Human|User|Assistant|AI|Bot|GPT)\s*:[ \t]*"
)
_CHATML = lazily(r"\s*<\|im_start\|>(?P<name>\w+)\n")
_END = lazily(r"\s*(?:<\|endoftext\|>|<\|im_end\|>)?\s*\Z")
_ROLES = {"functionresponse": "tool", "tool": "tool", "system": "system", "user": "user", "human": "user"}


def read_transcript(sketch: Sketch, text: str, path: Path, *, is_open: bool = False) -> list[Decoded] | None:
    """The messages of a text; None when it is no conversation of at least a question and an answer.

    is_open: its last word is the name of the assistant, whose answer stands elsewhere.
    """
    marker = _CHATML if text.lstrip().startswith("<|im_start|>") else _SPEAKER
    heads = list(marker.finditer(text))
    if is_open and not text.rstrip().endswith(":"):
        return None
    if len(heads) < 2 or heads[0].start() != 0:
        return None
    pieces: list[str] = []
    found: list[Decoded] = []
    for at, head in enumerate(heads):
        end = heads[at + 1].start() if at + 1 < len(heads) else len(text)
        body = text[head.end() : end]
        tail = _END.search(body)
        said = body[: tail.start()] if tail is not None else body
        role = _ROLES.get(head["name"].replace(" ", "").lower(), "assistant")
        pieces.append(head[0])
        found.append(_message(role, said, pieces, path))
        pieces.append(body[len(said) :])
    roles = {item.message.role for item in found}
    if not {"user", "assistant"} <= roles:
        return None
    if is_open and found[-1].message == Message("assistant", ""):
        found.pop()  # here the answer goes on
    sketch.pieces(path, pieces)
    return found


def _message(role: str, said: str, pieces: list[str], path: Path) -> Decoded:
    call = call_in(said) if role == "assistant" else None
    if call is None:
        pieces.append(said)
        return Decoded(Message(role, said), (Part((*path, len(pieces) - 1), "text"),))
    before = said[: call.start].rstrip()
    parts = (Part((*path, len(pieces)), "text"),) if before else ()
    pieces += [before, said[len(before) :]]
    return Decoded(Message("assistant", before or None, tool_calls=call.calls), parts)
