"""The shape of a record: its JSON without the texts, from which the record comes back key for key.

`{"record": ..., "turns": n, "slots": [[path, turn, field, how?], ...], "extra": [...], "joined"?: [...], "marks"?: {...},
"made"?: [...], "named"?: {...}, "kept"?: [...]}`

- record: the record as it was read, with null at every slot; all that is not understood stays here, untouched.
- turns: how many turns the conversation had.
- slots: what goes where. `path` are keys and indexes from the top; `turn` is 1-based, 0 is the conversation itself.
  `field` is one of `model.TEXT_FIELDS`, `weight`, `tools` (the JSON value), `tools_text` (the JSON text as a string),
  a key of `Turn.extra`, or `calls_text`, `call` and `call_arguments` (parts of extra's tool_calls). `how` says which part
  or in which notation: [first, last] lines of a text, "json" for a text that stands there as a JSON value, the notation of
  a weight or a label, the style of a call (see `formats.calls`), the number of the call whose arguments it is.
- joined: paths of texts that hold several slots and what stands between them; `record` has a list of the pieces there.
- extra: names of the top-level keys that the format does not know; they follow the row into any other format.
- marks: by turn, what `Turn.extra` holds beside the slots (roles).
- made: [turn, field, digest] of texts that a template made of the record: while they are what it made, the record comes
  back.
- named: what a recipe calls values that are no texts (images, id, score), and their paths: they follow the row under these
  names.
- kept: losses (see `formats.base.Loss`) if the row leaves this shape, because only `record` holds these things.

Records of the same kind have the same shape text, so that it is stored once and its line template is built once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.calls import call_value, calls_text
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import TEXT_FIELDS, Conversation, Turn

Path = tuple[str | int, ...]

_TEXT_INDEX = {name: index for index, name in enumerate(TEXT_FIELDS)}
_WEIGHT_INDEX = Turn._fields.index("weight")
_PRESENCE = _WEIGHT_INDEX + 1
# slots that are a view of another key of Turn.extra
_EXTRA_KEY_OF_SLOT = dict.fromkeys(("calls_text", "call", "function_call", "call_arguments"), "tool_calls")
AS_JSON = "json"  # how a text is written that was found as a JSON value


class Slot(NamedTuple):
    """One value of the record that lies in a turn."""

    path: Path
    turn: int
    field: str
    how: Any = None


class Template(NamedTuple):
    """A shape, ready to be filled."""

    pieces: tuple[bytes, ...]  # fragments at even places, b"" for the slots at odd places
    slots: tuple[Slot, ...]
    texts: tuple[tuple[int, int, int], ...] | None  # (piece, turn index, field index) when every slot is a whole text
    absent: tuple[tuple[bool, ...], ...]  # per turn: which of the text fields and the weight are None
    extra_keys: tuple[frozenset[str], ...]  # per turn: keys of Turn.extra that slots take
    marks: tuple[dict[str, Any], ...]  # per turn: what else Turn.extra must hold
    has_tools: bool
    made: tuple[tuple[int, int, str], ...] = ()  # (turn index, field index, digest) of texts that a template made
    inner: frozenset[int] = frozenset()  # the slots, by their place in `slots`, that are pieces of a longer text


class Carried(NamedTuple):
    """What of a shape goes along into another format."""

    extra: dict[str, Any]  # unknown top-level keys with their values
    kept: tuple[str, ...]  # losses on leaving the shape
    media: tuple[str, ...] = ()  # kinds of parts that only the shape holds: image_url, input_audio, ...


def make(
    record: dict[str, Any],
    slots: Sequence[Slot],
    turns: Sequence[Turn],
    extra: Iterable[str] = (),
    kept: Iterable[str] = (),
    joined: Iterable[Path] = (),
    *,
    made: Iterable[tuple[int, str]] = (),
    named: Mapping[str, Path] | None = None,
) -> str:
    """The shape text of a record whose values at `slots` went to `turns`. The record is not changed.

    joined: paths at which it holds a list of pieces where the record as it was read has one text. made: (turn, field) of texts
    that lie nowhere in the record. named: paths of values by the names that a recipe gives them.
    """
    shape: dict[str, Any] = {
        "record": _blanked(record, slots),
        "turns": len(turns),
        "slots": [slot[:3] if slot.how is None else slot for slot in slots],
        "extra": list(extra),
    }
    pieces = [list(path) for path in joined]
    if pieces:
        shape["joined"] = pieces
    marks = _marks(turns, slots)
    if marks:
        shape["marks"] = marks
    texts = [[turn, field, _digest(getattr(turns[turn - 1], field))] for turn, field in made]
    if texts:
        shape["made"] = texts
    if named:
        shape["named"] = {name: list(path) for name, path in named.items()}
    lost = sorted(set(kept))
    if lost:
        shape["kept"] = lost
    return jsontext.dumps(shape)


def render(conversation: Conversation) -> dict[str, Any] | None:
    """The record of a conversation in the format it came in; None when its turns do not fit its shape any more."""
    line = render_line(conversation)
    return None if line is None else jsontext.loads(line.decode("utf-8"))


def render_line(conversation: Conversation) -> bytes | None:
    """As `render`, as one line of compact UTF-8 JSON without its line end."""
    template = line_template(conversation.shape)
    turns = conversation.turns
    if not _fits(template, conversation):
        return None
    pieces = list(template.pieces)
    if template.texts is not None:
        for piece, turn, field in template.texts:
            pieces[piece] = orjson.dumps(turns[turn][field])
        return b"".join(pieces)
    for number, slot in enumerate(template.slots):
        filled = _fill(slot, conversation)
        if filled is None:
            return None
        pieces[2 * number + 1] = filled[1:-1] if number in template.inner else filled
    return b"".join(pieces)


@lru_cache(maxsize=4096)
def line_template(shape: str) -> Template:
    """The template of a shape text."""
    body = jsontext.loads(shape)
    count: int = body["turns"]
    slots = tuple(Slot(tuple(slot[0]), *slot[1:]) for slot in body["slots"])
    pieces, order, inside = _fragments(body["record"], slots, [tuple(path) for path in body.get("joined", ())])
    ordered = tuple(slots[index] for index in order)
    plain = not inside and all(slot.field in _TEXT_INDEX and slot.how is None for slot in ordered)
    absent = [[True] * _PRESENCE for _ in range(count)]
    keys: list[set[str]] = [set() for _ in range(count)]
    for slot in slots:
        if slot.turn == 0:
            continue
        if slot.field in _TEXT_INDEX:
            absent[slot.turn - 1][_TEXT_INDEX[slot.field]] = False
        elif slot.field == "weight":
            absent[slot.turn - 1][_WEIGHT_INDEX] = False
        else:
            keys[slot.turn - 1].add(_EXTRA_KEY_OF_SLOT.get(slot.field, slot.field))
    marks = body.get("marks", {})
    made = tuple((turn - 1, _TEXT_INDEX[field], digest) for turn, field, digest in body.get("made", ()))
    for turn, field, _ in made:
        absent[turn][field] = False
    return Template(
        pieces=pieces,
        slots=ordered,
        texts=tuple((2 * n + 1, s.turn - 1, _TEXT_INDEX[s.field]) for n, s in enumerate(ordered)) if plain else None,
        absent=tuple(tuple(flags) for flags in absent),
        extra_keys=tuple(frozenset(names) for names in keys),
        marks=tuple(marks.get(str(turn + 1), {}) for turn in range(count)),
        has_tools=any(slot.turn == 0 for slot in slots),
        made=made,
        inner=inside,
    )


@lru_cache(maxsize=4096)
def carried(shape: str) -> Carried:
    """What of a shape goes along when its row is written in another way. Treat it as read-only."""
    body = jsontext.loads(shape)
    extra, kept = {key: body["record"][key] for key in body["extra"]}, tuple(body.get("kept", ()))
    own = {key: value for key, value in body["record"].items() if key not in extra}
    for name, path in body.get("named", {}).items():
        extra[name] = _at(body["record"], path)
    return Carried(extra, kept, tuple(sorted(set(_media_parts(own)))))


def _at(node: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        node = node[step]
    return node


_MEDIA = lazily(r"image|audio|video|file")


def count_media(shape: str) -> tuple[int, ...]:
    """How many parts of each kind of medium a shape holds."""
    body = jsontext.loads(shape)
    own = {key: value for key, value in body["record"].items() if key not in body["extra"]}
    kinds = list(_media_parts(own))
    return tuple(kinds.count(kind) for kind in sorted(set(kinds)))


def has_media(content: list[Any]) -> bool:
    """Whether a list of content parts holds pictures and the like."""
    return any(True for _ in _media_parts(content))


_GEMINI_MEDIA = ("inlineData", "inline_data", "fileData", "file_data")


def _media_parts(value: Any) -> Iterator[str]:
    """The types of the content parts of a record that are pictures and the like."""
    if isinstance(value, list):
        for item in value:
            kind = item.get("type") if isinstance(item, dict) else None
            if isinstance(kind, str) and _MEDIA.search(kind):
                yield kind
            elif isinstance(item, dict) and kind is None:
                yield from (key for key in _GEMINI_MEDIA if isinstance(item.get(key), dict))
            yield from _media_parts(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("tools", "tool_calls"):  # their schemas speak of images without holding one
                yield from _media_parts(inner)


def _blanked(record: dict[str, Any], slots: Sequence[Slot]) -> dict[str, Any]:
    root = dict(record)
    copies: dict[Path, Any] = {}
    for slot in slots:
        node: Any = root
        for depth, step in enumerate(slot.path[:-1], start=1):
            prefix = slot.path[:depth]
            child = copies.get(prefix)
            if child is None:
                child = node[step].copy()
                copies[prefix] = child
                node[step] = child
            node = child
        node[slot.path[-1]] = None
    return root


def _marks(turns: Sequence[Turn], slots: Sequence[Slot]) -> dict[str, Any]:
    marks = {}
    for number, turn in enumerate(turns, start=1):
        if turn.extra:
            taken = {_EXTRA_KEY_OF_SLOT.get(slot.field, slot.field) for slot in slots if slot.turn == number}
            rest = {key: value for key, value in turn.extra.items() if key not in taken}
            if rest:
                marks[str(number)] = rest
    return marks


def _fragments(
    record: dict[str, Any], slots: Sequence[Slot], joined: Sequence[Path]
) -> tuple[tuple[bytes, ...], list[int], frozenset[int]]:
    """The record's JSON cut at its slots, the numbers of the slots in the order in which they occur, and which of these are
    pieces of a longer text.
    """
    token = b"slot"
    whole = jsontext.encode(record)
    while token in whole:
        token += b"_"
    for index, slot in enumerate(slots):
        node: Any = record
        for step in slot.path[:-1]:
            node = node[step]
        is_piece = slot.path[:-1] in joined
        node[slot.path[-1]] = f"{token.decode()}{index}" + (";" if is_piece else "")
    for path in joined:
        node = record
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = "".join(node[path[-1]])
    head, *rest = re.split(b'"%b([0-9]+)"|%b([0-9]+);' % (token, token), jsontext.encode(record))
    pieces, order, inside = [head], list[int](), set[int]()
    for alone, within, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if alone is None:
            inside.add(len(order))
        order.append(int(within if alone is None else alone))
        pieces += [b"", after]
    return tuple(pieces), order, frozenset(inside)


def _fits(template: Template, conversation: Conversation) -> bool:
    turns = conversation.turns
    if len(turns) != len(template.absent) or (conversation.tools is not None) is not template.has_tools:
        return False
    for index, turn in enumerate(turns):
        if tuple([value is None for value in turn[:_PRESENCE]]) != template.absent[index]:
            return False
        extra = turn.extra
        keys, marks = template.extra_keys[index], template.marks[index]
        if extra:
            if len(extra) != len(keys) + len(marks) or not all(key in extra for key in keys):
                return False
            if any(extra.get(key) != value for key, value in marks.items()):
                return False
        elif keys or marks:
            return False
    return all(_digest(str(turns[turn][field])) == digest for turn, field, digest in template.made)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _fill(slot: Slot, conversation: Conversation) -> bytes | None:
    """The JSON of one slot; None when the turn has no such part any more."""
    if slot.turn == 0:
        tools = conversation.tools or "null"
        return orjson.dumps(tools) if slot.field == "tools_text" else tools.encode("utf-8")
    turn = conversation.turns[slot.turn - 1]
    if slot.field in _TEXT_INDEX:
        value = getattr(turn, slot.field)
        if slot.how == AS_JSON:
            return _as_json(value)
        return orjson.dumps(value) if slot.how is None else _lines(value, slot.how)
    if slot.field == "weight":
        return _weight(turn.weight or 0.0, slot.how)
    extra = turn.extra or {}
    if slot.field == "calls_text":
        text = calls_text(extra["tool_calls"], slot.how)
        return None if text is None else orjson.dumps(text)
    if slot.field == "call":
        return call_value(extra["tool_calls"], *slot.how)
    if slot.field == "call_arguments":
        return _arguments(extra["tool_calls"], slot.how)
    if slot.field == "label" and slot.how == "int":
        return str(int(extra["label"])).encode()
    if slot.field == "function_call":
        return jsontext.encode(extra["tool_calls"][0]["function"])
    return jsontext.encode(extra[slot.field])


def _as_json(text: str) -> bytes | None:
    try:
        return jsontext.encode(jsontext.loads(text))
    except (ValueError, RecursionError):
        return None


def _arguments(found: Sequence[Any], index: int) -> bytes | None:
    if index >= len(found):
        return None
    return jsontext.encode(found[index]["function"]["arguments"])


def _lines(text: str, span: Sequence[int | None]) -> bytes | None:
    lines = text.split("\n")
    first, last = span
    if first is None or len(lines) <= first or (last is not None and len(lines) < last):
        return None
    return orjson.dumps("\n".join(lines[first:last]))


def _weight(weight: float, notation: str | None) -> bytes:
    if notation == "bool" and weight in (0, 1):
        return b"true" if weight else b"false"
    if notation == "int" and weight == int(weight):
        return str(int(weight)).encode()
    return jsontext.encode(weight)
