"""The walk over a whole record: every string at every place, known or unknown, keys and numbers included.

What a record is made of when it goes out again: the texts of its turns, what stands beside them (calls, ids, names,
refusals, losing answers), the definitions of its tools, and its shape, which holds every key that the format does not
know. A stand-in keeps the type: texts stay texts, numbers numbers, JSON in a string stays JSON. Where a value names
something (ids, names), different data get different stand-ins and equal ones the same, so that results still find
their calls.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from corpus_pipeline.formats import jsontext, media_types
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.personal_data.scanner import masked, signs_of
from corpus_pipeline.stages.clean.personal_data.spans import Detector, Source
from corpus_pipeline.stages.clean.personal_data.stand_ins import SameType, StandIn, label
from corpus_pipeline.stages.clean.short_cache import short_cache

TOOLS, RECORD = "tools", "record"

# whose values name something: one stand-in each, of letters that every provider accepts in an id or a name
_NAMES: Final = frozenset(
    (
        "id",
        "name",
        "tool_call_id",
        "call_id",
        "system_name",
        "prompt_name",
        "response_name",
        "tool_name",
        "function_name",
    )
)
_VALUES: Final = frozenset(("arguments", "parameters", "input", "args", "kwargs"))  # below these a name is a value
# keys that say nothing of what lies under them
_PLAIN_KEYS: Final = frozenset(
    "text content value message messages prompt response input output instruction question answer system query chosen rejected"
    " completion body description data title default contact".split()
)
_LITERAL: Final = lazily(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
_COLON: Final = lazily(r"\s*:")


class Record(NamedTuple):
    """What of a conversation can go out."""

    turns: tuple[Turn, ...]
    tools: str | None
    shape: str | None


class Found(NamedTuple):
    """A datum's kind and place; `turn` is 1-based, 0 beside the turns. Never the datum itself."""

    turn: int
    place: str
    kind: str


def may_hold(shape: str | None, tools: str | None, turns: tuple[Turn, ...]) -> bool:
    """Whether anything beside the texts may hold personal data: yes too often, never no too often."""
    if (shape is not None and _text_may_hold(shape)) or (tools is not None and _text_may_hold(tools)):
        return True
    return any(turn.extra is not None and _json_may_hold(jsontext.dumps(turn.extra)) for turn in turns)


@short_cache
def _text_may_hold(text: str) -> bool:
    return _json_may_hold(text)


def _json_may_hold(text: str) -> bool:
    return signs_of(text) > 0 or ("\\" in text and ("\\u" in text or "\\/" in text))


class Masker:
    """Masks one record; make one for each, for it remembers the stand-ins of the ids."""

    def __init__(
        self,
        kinds: Collection[str],
        *,
        same_type: bool = False,
        unscanned: Collection[str] = (),
        names: Detector | None = None,
    ) -> None:
        self.found: Counter[Found] = Counter()
        self._kinds = kinds
        self._names = names  # what finds names, which no first look can see
        self._unscanned = frozenset(unscanned)
        self._stand_in: StandIn = SameType() if same_type else label
        self._identifier = _Numbered("{0}_{1}")
        self._of_keys: StandIn = SameType() if same_type else _Numbered("[{0}_{1}]")
        self._turn, self._place = 0, ""

    def __call__(self, record: Record) -> Record:
        """The record with stand-ins; parts without any datum are the same objects as before."""
        turns = tuple([self._turn_masked(number, turn) for number, turn in enumerate(record.turns, 1)])
        self._turn, self._place = 0, TOOLS
        tools = record.tools
        if tools is not None and (self._names is not None or _text_may_hold(tools)):
            tools = self._json_text(tools) if _is_json(tools) else self._text(tools, "")
        self._place = RECORD
        shape = record.shape
        if shape is not None and (self._names is not None or _text_may_hold(shape)):
            shape = self._shape_masked(shape)
        return Record(turns if turns != record.turns else record.turns, tools, shape)

    def _turn_masked(self, number: int, turn: Turn) -> Turn:
        self._turn = number
        better: dict[str, Any] = {}
        for field, text in turn.texts():
            self._place = field
            fixed = self._text(text, "")
            if fixed != text:
                better[field] = fixed
        if turn.extra is not None and (self._names is not None or _json_may_hold(jsontext.dumps(turn.extra))):
            extra = self._extra_masked(turn.extra)
            if extra != turn.extra:
                better["extra"] = extra
        return turn._replace(**better) if better else turn

    def _extra_masked(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        masked_extra = {}
        for key, value in extra.items():
            self._place = key
            masked_extra[key] = self._value(value, key, names=True)
        return masked_extra

    def _shape_masked(self, shape: str) -> str:
        body = jsontext.loads(shape)
        renamed: dict[str, str] = {}
        record = {
            key if key in self._unscanned else self._key(key, body["record"], renamed): value
            if key in self._unscanned
            else self._value(value, key, names=True, strict=True)
            for key, value in body["record"].items()
        }
        changed = {**body, "record": record}
        if renamed:
            changed["slots"] = [[[renamed.get(step, step) for step in slot[0]], *slot[1:]] for slot in body["slots"]]
            changed["extra"] = [renamed.get(key, key) for key in body["extra"]]
            if "joined" in body:
                changed["joined"] = [[renamed.get(step, step) for step in path] for path in body["joined"]]
        if "marks" in body:
            changed["marks"] = self._marks_masked(body["marks"])
        return shape if changed == body else jsontext.dumps(changed)

    def _marks_masked(self, marks: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """As the turns' own extra, which they must equal; they are counted there."""
        before = self.found.copy()
        fixed = {number: self._extra_masked(extra) for number, extra in marks.items()}
        self.found, self._place = before, RECORD
        return fixed

    def _value(self, value: Any, key: str, *, names: bool, strict: bool = False) -> Any:
        """A JSON value with every string, number and key of it looked at."""
        if isinstance(value, str):
            if media_types.is_encoded(value):  # what looks like a number in it is chance, and a stand-in would break it
                return value
            if names and key in _NAMES:
                return self._text(value, "", strict=True, stand_in=self._identifier)
            if value[:1] in ("{", "[", " ", "\n") and _is_json(value):
                return self._json_text(value, names=names and key not in _VALUES, strict=strict)
            return self._text(value, key, strict=strict)
        if isinstance(value, dict):
            inner = names and key not in _VALUES
            return {
                self._key(name, value): self._value(part, name, names=inner, strict=strict)
                for name, part in value.items()
            }
        if isinstance(value, list):
            return [self._value(part, key, names=names, strict=strict) for part in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(value, key)
        return value

    def _number(self, value: int, key: str) -> int:
        """A number stays a number: zero."""
        text = str(value)
        return value if self._text(text, key) == text else 0

    def _key(self, key: str, siblings: Collection[str], renamed: dict[str, str] | None = None) -> str:
        fixed = self._text(key, "", stand_in=self._of_keys)
        while fixed != key and fixed in siblings:
            fixed += "_"
        if fixed != key and renamed is not None:
            renamed[key] = fixed
        return fixed

    def _text(self, text: str, key: str, *, strict: bool = False, stand_in: StandIn | None = None) -> str:
        counts: Counter[str] = Counter()
        name = "" if key in _PLAIN_KEYS else key
        fixed = masked(Source(text, name, strict), self._kinds, stand_in or self._stand_in, counts, self._names)
        for kind, count in counts.items():
            self.found[Found(self._turn, self._place, kind)] += count
        return fixed

    def _json_text(self, text: str, *, names: bool = True, strict: bool = False) -> str:
        """A JSON text, which stays one: only the literals that hold data change, byte for byte."""
        parts: list[str] = []
        position, key = 0, ""
        for literal, is_key in _literals(text):
            said = literal.group()
            before = json.loads(said)
            after: Any = before
            if is_key:
                after, key = self._key(before, ()), before
            elif isinstance(before, str | int):
                after = self._value(before, key, names=names, strict=strict)
            if after != before:
                parts += (text[position : literal.start()], json.dumps(after, ensure_ascii=False))
                position = literal.end()
        return "".join(parts) + text[position:] if parts else text


class _Numbered:
    """Stand-ins of ids, names and keys: `EMAIL_1`, the same for the same datum, another for another."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, datum: str) -> str:
        number = 1 + sum(known == kind for known, _ in self._known)
        return self._known.setdefault((kind, datum), self._form.format(kind.upper(), number))


def _literals(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """(literal, whether it is a key) of every string and number of a JSON text."""
    for match in _LITERAL.finditer(text):
        yield match, text[match.start()] == '"' and _COLON.match(text, match.end()) is not None


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
