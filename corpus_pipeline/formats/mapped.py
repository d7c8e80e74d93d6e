"""Any other record, by the column mapping of a recipe: our field -> where it lies in the record.

A place is a key, a path (`data.q`, `turns[0].text`), or a Jinja template when several places make one text
(`{{ title }}\\n\\n{{ data.q }}`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from corpus_pipeline.errors import LineRejected, UnknownName, UsageError
from corpus_pipeline.formats.base import MEDIA_KEYS, Format, Loss, NotExportable, Parsed, Record, Written, wrong_shape
from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.message_lists import messages_at
from corpus_pipeline.formats.messages import Message
from corpus_pipeline.formats.own_keys import rewritten
from corpus_pipeline.formats.paths import found_at, parse_path
from corpus_pipeline.formats.reading import Decoded
from corpus_pipeline.formats.shape import AS_JSON, Path
from corpus_pipeline.formats.sketch import OWN_WORD, Sketch, joined_texts
from corpus_pipeline.model import TEXT_FIELDS, Conversation
from corpus_pipeline.templates import PromptTemplate, TemplateFault, keys_in

MAPPED = "mapped"
NAMED = ("images", "videos", "audios", "id", "score")  # values that follow the row under these names
TEXTS = ("system", "prompt", "context", "response", "reasoning", "chosen", "rejected")
FIELDS = (*TEXTS, "input", "history", "label", "tools", "messages", *NAMED)
_WORDS_OF_LABELS = {
    "true": True, "yes": True, "good": True, "1": True, "1.0": True, "+1": True, "chosen": True, "desirable": True,
    "false": False, "no": False, "bad": False, "0": False, "0.0": False, "-1": False, "rejected": False, "undesirable": False,
}  # fmt: skip


def mapped(columns: Mapping[str, str]) -> Format:
    """The format of a recipe's `ingest.columns`, such as `{"prompt": "inquiry", "response": "data.reply"}`.

    Fields: `FIELDS`; context and input are one. Raises UnknownName and UsageError.
    """
    for field in columns:
        if field not in FIELDS:
            raise UnknownName("column field", field, FIELDS)
    _require_enough(columns)
    if set(columns) <= set(TEXT_FIELDS) and not any(_is_elsewhere(place) for place in columns.values()):
        shown = ", ".join(f"{field} from '{key}'" for field, key in columns.items())
        return FlatFormat(MAPPED, f"Columns of the recipe: {shown}", Columns(**columns), joins=_joins(columns))
    return Mapped(columns)


def _is_elsewhere(place: str) -> bool:
    return any(mark in place for mark in ".[{")


def _require_enough(columns: Mapping[str, str]) -> None:
    plain = [place for place in columns.values() if "{{" not in place and "{%" not in place]
    if len(set(plain)) < len(plain):
        raise UsageError("ingest.columns: each field needs a key of its own.")
    if "context" in columns and "input" in columns:
        raise UsageError("ingest.columns: context and input are the same; name one of them.")
    if "messages" in columns:
        beside = {"prompt", "context", "input", "history", "response", "reasoning"} & set(columns)
        if beside:
            raise UsageError(f"ingest.columns: {sorted(beside)[0]} is inside the messages; messages stands without it.")
    elif not {"prompt", "response", "chosen"} & set(columns):
        raise UsageError("ingest.columns: name at least the key of prompt or of response.")
    if "chosen" in columns and "response" in columns:
        raise UsageError("ingest.columns: chosen is the response of a pair; name one of them.")
    if "chosen" in columns and "rejected" not in columns:
        raise UsageError("ingest.columns: chosen needs rejected.")


def _joins(columns: Mapping[str, str]) -> bool:
    """Whether trainers put the columns together as they are: a text alone, or what a `completion` completes."""
    answer = columns.get("response")
    return answer is None or "prompt" not in columns or answer.rpartition(".")[2] == "completion"


class Mapped(Format):
    """Fields by paths and templates."""

    name = MAPPED
    media = MEDIA_KEYS
    loses = frozenset(Loss)

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = dict(columns)
        self.description = "Columns of the recipe: " + ", ".join(f"{f} from '{place}'" for f, place in columns.items())
        self.keys = tuple(columns.values())
        self.joins = _joins(columns)
        self._places = {field: _place(field, place) for field, place in columns.items()}

    def parse(self, record: Record) -> Parsed:
        return _Reading(record, self._places, self.columns).parsed()

    def write(self, conversation: Conversation) -> Written:
        """The record of a changed conversation under its own keys. Raises NotExportable."""
        if any("{{" in place for place in self.columns.values()):
            raise NotExportable("no_writer", "a text that a template put together was changed; name an export format")
        return rewritten(conversation)


class Found(NamedTuple):
    """What a field is in a record: its path (none when a template made it), its value, the top-level keys that it took."""

    path: Path
    value: Any
    keys: frozenset[str]


Place = Callable[[Record], Found | None]


def _place(field: str, place: str) -> Place:
    """A function from a record to (path, value, keys that it read); None when there is nothing. Raises UsageError."""
    if "{{" in place or "{%" in place:
        if field not in TEXTS and field != "input":
            raise UsageError(f"ingest.columns.{field}: only texts are made by a template.")
        template = PromptTemplate(place, dotted=True)
        names = keys_in(place, "record")

        def rendered(record: Record) -> Found | None:
            try:
                text = template.render({**record, "record": record})
            except TemplateFault as error:
                wrong_shape(f"the template of {field} cannot be rendered: {error}")
            return Found((), text, names)

        return rendered
    parse_path(place)

    def looked_up(record: Record) -> Found | None:
        found = found_at(record, place)
        return None if found is None else Found(*found, frozenset({str(found[0][0])}))

    return looked_up


class _Reading:
    """One record while it is read."""

    def __init__(self, record: Record, places: Mapping[str, Place], columns: Mapping[str, str]) -> None:
        self.record, self.columns = record, columns
        self.sketch = Sketch(record)
        self.found = {field: place(record) for field, place in places.items()}
        self.made: list[tuple[int, str]] = []  # (number of the message, part)

    def parsed(self) -> Parsed:
        self._tools()
        self._history()
        self._system()
        self._prompt()
        self._messages()
        self._answer()
        self._label()
        for item in self.found.values():
            if item is not None:
                self.sketch.known |= item.keys
        self.sketch.known -= {name for name in NAMED if (item := self.found.get(name)) and item.path == (name,)}
        named = {
            name: item.path
            for name in NAMED
            if (item := self.found.get(name)) is not None and item.path not in ((), (name,))
        }
        return self.sketch.finish(made=self.made, named=named)

    def _missing(self, field: str) -> LineRejected:
        keys = ", ".join(map(repr, self.record))
        try:
            wrong_shape(f"'{self.columns[field]}' ({field}) is missing; the keys that are there: {keys}"[:400])
        except LineRejected as error:
            return error

    def _decoded(self, field: str, role: str) -> Decoded | None:
        """The text of a field as a message; None when it is null. Raises LineRejected for what is no text."""
        if field not in self.columns:
            return None
        item = self.found[field]
        if item is None:
            raise self._missing(field)
        path, value, _ = item
        if value is None:
            return None
        if not path:
            return Decoded(Message(role, value), ())
        texts = value if isinstance(value, list) else [value]
        if isinstance(value, list) and value and all(isinstance(one, str) for one in texts):
            return joined_texts(role, [((*path, at), one) for at, one in enumerate(texts)])
        found = self.sketch.text_of(value, path)
        if found is None:
            wrong_shape(f"'{self.columns[field]}' ({field}) is not text")
        return found._replace(message=found.message._replace(role=role))

    def _add(self, decoded: Decoded) -> None:
        self.sketch.messages.append(decoded)
        if not decoded.parts:
            self.made.append((len(self.sketch.messages) - 1, "text"))

    def _tools(self) -> None:
        item = self.found.get("tools")
        if item is None or not item.path or item.value in (None, "", []):
            return
        if not self.sketch.call_tools(item.value, item.path):
            wrong_shape(f"'{self.columns['tools']}' (tools) holds no list of tools")

    def _history(self) -> None:
        item = self.found.get("history")
        if item is not None and item.path and item.value:
            found = messages_at(self.sketch, item.value, item.path)
            if found is None:
                wrong_shape(f"'{self.columns['history']}' (history) holds no earlier messages")
            self.sketch.messages += found

    def _system(self) -> None:
        item = self.found.get("system")
        if item is None or not item.value:
            return
        decoded = self._decoded("system", "system")
        if decoded is not None:
            self.sketch.messages.insert(0, decoded)
            if not decoded.parts:
                self.made = [(0, "text"), *((number + 1, part) for number, part in self.made)]

    def _prompt(self) -> None:
        prompt = self._decoded("prompt", "user")
        context_field = "context" if "context" in self.columns else "input"
        item = self.found.get(context_field)
        context = self._decoded(context_field, "user") if item is not None and item.value else None
        if prompt is None:
            if context is not None:
                self._add(context)
            return
        if context is None:
            self._add(prompt)
        elif not _is_text(prompt) or not _is_text(context):
            self._add(Decoded(Message("user", f"{prompt.message.text}\n{context.message.text}"), ()))
        else:
            self._add(_behind(prompt, context))

    def _messages(self) -> None:
        if "messages" not in self.columns:
            return
        item = self.found["messages"]
        if item is None:
            raise self._missing("messages")
        path, value, _ = item
        found = messages_at(self.sketch, value, path) if path else None
        if found is None:
            wrong_shape(f"'{self.columns['messages']}' (messages) is not a list of messages")
        self.sketch.messages += found

    def _answer(self) -> None:
        if "chosen" in self.columns or "rejected" in self.columns:
            self._pair()
        answer = self._decoded("response", "assistant")
        if answer is not None:
            self._add(answer)
            item = self.found.get("reasoning")
            thought = self._decoded("reasoning", "assistant") if item is not None and item.value else None
            if thought is not None:
                number = len(self.sketch.messages) - 1
                last = self.sketch.messages[number]
                parts = tuple(part._replace(name="reasoning") for part in thought.parts)
                message = last.message._replace(reasoning=thought.message.text)
                self.sketch.messages[number] = last._replace(message=message, parts=(*last.parts, *parts))
                if not thought.parts:
                    self.made.append((number, "reasoning"))
        if "rejected" in self.columns and "chosen" not in self.columns:
            self._lost()

    def _pair(self) -> None:
        if "chosen" not in self.columns:
            return
        won = self._side("chosen")
        if not won[0].parts:
            self._add(won[0])
        elif any(item.message.role == "user" for item in won):
            self.sketch.messages = won
            self.made = []
        else:
            self.sketch.messages += won
        self._lost()

    def _lost(self) -> None:
        lost = self._side("rejected")
        if not self.sketch.ends_with_answer:
            wrong_shape("there is an answer that lost and none that won")
        item = self.found["rejected"]
        if lost and not lost[0].parts:
            number = len(self.sketch.messages) - 1
            last = self.sketch.messages[number]
            self.sketch.messages[number] = last._replace(message=last.message._replace(rejected=lost[0].message.text))
            self.made.append((number, "rejected"))
            return
        self.sketch.lose(lost, None if item is None else item.value)

    def _side(self, field: str) -> list[Decoded]:
        item = self.found.get(field)
        if item is None:
            raise self._missing(field)
        path, value, _ = item
        if not path:
            if not value:
                wrong_shape(f"the template of {field} makes no text of this record")
            return [Decoded(Message("assistant", value), ())]
        found = messages_at(self.sketch, value, path) if isinstance(value, list | dict) else None
        one = self.sketch.text_of(value, path) if found is None else None
        if found is None and one is None:
            wrong_shape(f"'{self.columns[field]}' ({field}) is neither a text nor messages")
        return found or ([one] if one is not None else [])

    def _label(self) -> None:
        item = self.found.get("label")
        if "label" not in self.columns:
            return
        if item is None or not item.path:
            raise self._missing("label")
        path, value, _ = item
        if isinstance(value, bool):
            self.sketch.mark(value, path)
            return
        good = _WORDS_OF_LABELS.get(str(value).strip().lower())
        if good is None:
            wrong_shape(f"'{self.columns['label']}' (label) is {value!r:.40}, which is neither good nor bad")
        self.sketch.mark(good, path, "int" if type(value) is int and value in (0, 1) else OWN_WORD)


def _is_text(item: Decoded) -> bool:
    """Whether a message is a text that lies in the record as such."""
    return bool(item.parts) and all(part.how != AS_JSON for part in item.parts)


def _behind(prompt: Decoded, context: Decoded) -> Decoded:
    """A message of a question and, on further lines, what belongs to it."""
    first = (prompt.message.text or "").count("\n") + 1
    before = [
        part._replace(how=(0, first) if part.how is None else (part.how[0], part.how[1] or first))
        for part in prompt.parts
    ]
    after = [
        part._replace(
            how=(first, None) if part.how is None else (part.how[0] + first, part.how[1] and part.how[1] + first)
        )
        for part in context.parts
    ]
    text = f"{prompt.message.text}\n{context.message.text}"
    return Decoded(Message("user", text), (*before, *after))
