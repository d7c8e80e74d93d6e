"""The text of a recipe: YAML with the line of each value, and faults said so that they can be found and mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from corpus_pipeline.errors import UnknownName, UsageError

Place = tuple[str | int, ...]  # the keys and numbers that lead to a value
_SHOWN = 60  # characters of a wrong value that a message repeats
_MOST_CHARACTERS = 1 << 20
_MOST_DEEP = 64
_MOST_VALUES = 100_000  # with aliases written out: a few lines of them can stand for billions


class Text(NamedTuple):
    """What a YAML text holds. lines: the first line of each value's key, 1 is the first; an alias has that of its anchor."""

    origin: str
    body: Any
    lines: dict[Place, int]

    def where(self, place: Place) -> str:
        """`FILE, line N` of a value, or of the nearest one around it that the text holds."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.origin}, line {self.lines[place]}" if place else self.origin


class _Loader(yaml.SafeLoader):
    """Refuses brackets that nest deeper than those of any recipe: the scanner's time grows with the square of their depth."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level >= _MOST_DEEP:
            raise yaml.YAMLError(f"brackets nest more than {_MOST_DEEP} deep")
        super().fetch_flow_collection_start(token)


def read(text: str, origin: str) -> Text:
    """Raises UsageError for what is no YAML, and for a key that comes twice: the first one would not count."""
    if len(text) > _MOST_CHARACTERS:
        raise UsageError(f"{origin}: has {len(text):,} characters; a recipe has at most {_MOST_CHARACTERS:,}.")
    loader = _Loader("")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        lines: dict[Place, int] = {}
        if root is not None:
            if _values(root, {}) > _MOST_VALUES:
                raise UsageError(f"{origin}: has more than {_MOST_VALUES:,} values when its aliases are written out.")
            _walk(root, (), origin, lines, set())
        return Text(origin, None if root is None else loader.construct_document(root), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = origin if mark is None else f"{origin}, line {mark.line + 1}, column {mark.column + 1}"
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise UsageError(f"{where}: not valid YAML: {what}. `corpus recipe new` writes one to compare with.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{origin}: not valid YAML: {error}. `corpus recipe new` writes one to compare with."
        ) from error
    finally:
        loader.dispose()


def _values(node: yaml.Node, known: dict[int, float]) -> float:
    """How many values a node stands for with its aliases written out; without end where it holds itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")  # until all below it is counted
        below: tuple[yaml.Node, ...] = ()
        if isinstance(node, yaml.SequenceNode):
            below = tuple(node.value)
        elif isinstance(node, yaml.MappingNode):
            below = tuple(part for pair in node.value for part in pair)
        known[id(node)] = 1 + sum(_values(part, known) for part in below)
    return known[id(node)]


def _walk(node: yaml.Node, place: Place, origin: str, lines: dict[Place, int], seen: set[int]) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in seen:  # an alias; following each one again could take for ever
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*place, index), origin, lines, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            line = key.start_mark.line + 1
            if below in lines:
                raise UsageError(
                    f"{origin}, line {line}: {_dotted(below)} comes twice, first in line {lines[below]}. Keep one of them."
                )
            lines[below] = line
            _walk(value, below, origin, lines, seen)


@contextmanager
def below(*place: str | int) -> Iterator[None]:
    """Say of a fault that is raised inside where in the recipe it lies."""
    try:
        yield
    except UsageError as fault:
        fault.place = (*place, *fault.place)
        raise


@contextmanager
def located(text: Text) -> Iterator[None]:
    """Say of a fault that is raised inside in which line it lies."""
    try:
        yield
    except UsageError as fault:
        raise UsageError(f"{text.where(fault.place)}: {fault}") from fault


class Fault(NamedTuple):
    """What is wrong at a place."""

    place: Place
    message: str


def faults(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """What validation found, in words of a recipe."""
    return [Fault(found["loc"], f"{_dotted(found['loc'])}: {_said(found, model)}") for found in error.errors()]


def _said(found: ErrorDetails, model: type[BaseModel]) -> str:
    given: Any = found["input"]
    match found["type"]:
        case "extra_forbidden" | "invalid_key":
            section = _section(model, found["loc"][:-1])
            return str(UnknownName("key", str(found["loc"][-1]), section.model_fields if section else ()))
        case "missing":
            return "is missing"
        case "model_type" | "model_attributes_type" | "dict_type":
            section = _section(model, found["loc"])
            keys = f" ({', '.join(section.model_fields)})" if section else ""
            return (
                f"is empty: leave it out, or give it keys{keys}"
                if given is None
                else f"needs keys{keys}, {_got(given)}"
            )
        case "tuple_type":
            return f"needs a list, such as [{given}], {_got(given)}" if isinstance(given, str) else "needs a list"
        case "string_pattern_mismatch":
            return f"needs the form {found['ctx']['pattern']}, {_got(given)}"
        case "int_from_float":
            return f"needs a whole number, {_got(given)}"
        case "int_parsing" | "float_parsing" | "int_type" | "float_type":
            return f"needs a number, {_got(given)}"
    message = found["msg"].removeprefix("Value error, ").replace("Input should be", "needs to be")
    return f"{message}, {_got(given)}" if found["type"] != "value_error" else message


def _got(given: Any) -> str:
    shown = "nothing" if given is None else repr(given)
    return f"got {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'}"


def _section(kind: Any, place: Place) -> type[BaseModel] | None:
    """The model of the section at a place below another one."""
    for part in place:
        section = _model(kind)
        if section is None:
            kind = (get_args(kind) or (None,))[-1]  # of a mapping
        elif part in section.model_fields:
            kind = section.model_fields[str(part)].annotation
        else:
            return None
    return _model(kind)


def _model(kind: Any) -> type[BaseModel] | None:
    """A section, also one that may be left out (`First | None`)."""
    kinds = [kind] if isinstance(kind, type) else get_args(kind)
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)


def _dotted(place: Place) -> str:
    return ".".join(map(str, place)) or "recipe"
