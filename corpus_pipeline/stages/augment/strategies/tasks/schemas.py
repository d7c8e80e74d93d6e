"""JSON schemas of answers: what is wrong with one before anything is asked, and how an answer is read by it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment import foreign_schemas

_MAX_DEPTH: Final = 20
# (lower bound, upper bound, the types that they bind)
_BOUNDS: Final = (
    ("minimum", "maximum", ("integer", "number")),
    ("minLength", "maxLength", ("string",)),
    ("minItems", "maxItems", ("array",)),
    ("minProperties", "maxProperties", ("object",)),
)


def object_schema(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object: `fields` itself where it is one, else an object of these fields, all of them required."""
    if fields.get("type") == "object" and isinstance(fields.get("properties"), Mapping):
        schema = dict(fields)
        schema.setdefault("required", list(fields["properties"]))
        schema.setdefault("additionalProperties", False)
        return schema
    return {
        "type": "object",
        "properties": dict(fields),
        "required": list(fields),
        "additionalProperties": False,
    }


def fault_of(schema: Any) -> str | None:
    """Why no answer can fit a schema, or why it is no schema; None when nothing speaks against it.

    What needs a solver (patterns that exclude each other) is not found here: the first answers show it.
    """
    error = foreign_schemas.fault(schema)
    if error is not None:
        place = ".".join(map(str, error.absolute_path))
        return f"{place + ': ' if place else ''}not a JSON schema: {error.message}"
    if _has_reference(schema):
        return "references ($ref) are not followed: write the schema out"
    return _contradiction(schema, "", 0)


def _has_reference(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return "$ref" in schema or "$dynamicRef" in schema or any(_has_reference(part) for part in schema.values())
    return isinstance(schema, list) and any(_has_reference(part) for part in schema)


def _contradiction(schema: Any, place: str, depth: int) -> str | None:
    """Why no value fits this part of a schema, None when one may."""
    where = f"{place}: " if place else ""
    if schema is False:
        return f"{where}no value is allowed"
    if schema is True or depth > _MAX_DEPTH:
        return None
    types = _types(schema)
    if not types:
        return f"{where}no type is allowed"
    if schema.get("not") in (True, {}):
        return f"{where}`not` leaves no value"
    if (together := _with_all_of(schema, types)) is not None and not together:
        return f"{where}the parts of `allOf` have no type in common"
    return (
        _no_choice(schema, where)
        or _crossed_bounds(schema, types, where)
        or _impossible_object(schema, types, place, depth)
        or _impossible_items(schema, types, place, depth)
        or _impossible_parts(schema, place, depth)
    )


def _with_all_of(schema: Mapping[str, Any], types: tuple[str, ...]) -> set[str] | None:
    """The types that a schema and the parts of its `allOf` have in common; None without such parts."""
    parts = [part for part in schema.get("allOf", ()) if isinstance(part, Mapping)]
    if not parts:
        return None
    sets = [_widened(types), *(_widened(_types(part)) for part in parts)]
    return set.intersection(*sets)


def _widened(types: tuple[str, ...]) -> set[str]:
    """With the integers that are numbers, too."""
    return {*types, *(("integer",) if "number" in types else ())}


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    said = schema.get("type", ("string", "number", "integer", "boolean", "null", "array", "object"))
    return (said,) if isinstance(said, str) else tuple(said)


def _no_choice(schema: Mapping[str, Any], where: str) -> str | None:
    for word in ("enum", "const"):
        if word not in schema:
            continue
        values = schema["enum"] if word == "enum" else [schema["const"]]
        if all(foreign_schemas.misfit(value, schema) for value in values):
            return f"{where}none of the values of `{word}` fits the rest of it"
    return None


def _crossed_bounds(schema: Mapping[str, Any], types: tuple[str, ...], where: str) -> str | None:
    for low, high, bound in _BOUNDS:
        crossed = low in schema and high in schema and schema[low] > schema[high]
        if crossed and all(kind in bound for kind in types):
            return f"{where}{low} {schema[low]} is above {high} {schema[high]}"
    open_low, open_high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    above, below = _higher(open_low, schema.get("minimum")), _lower(open_high, schema.get("maximum"))
    if above is not None and below is not None and all(kind in ("integer", "number") for kind in types):
        is_open = open_low == above or open_high == below
        if above > below or (above == below and is_open):
            return f"{where}no number lies between {above} and {below}"
        step = schema.get("multipleOf", 1 if types == ("integer",) else None)
        if (
            step is not None
            and math.isfinite(above)
            and math.isfinite(below)
            and not _has_multiple(step, above, below, open_low == above, open_high == below)
        ):
            return f"{where}no {'integer' if step == 1 else f'multiple of {step}'} lies between {above} and {below}"
    return None


def _has_multiple(step: float, low: float, high: float, low_is_open: bool, high_is_open: bool) -> bool:
    """Whether a multiple of `step` lies between two bounds; a bound that is open does not count itself."""
    width, first = Fraction(str(step)), Fraction(str(low))
    least = -(-first // width) * width
    if low_is_open and least == first:
        least += width
    last = Fraction(str(high))
    return least < last or (least == last and not high_is_open)


def _higher(*numbers: float | None) -> float | None:
    return max((number for number in numbers if number is not None), default=None)


def _lower(*numbers: float | None) -> float | None:
    return min((number for number in numbers if number is not None), default=None)


def _impossible_object(schema: Mapping[str, Any], types: tuple[str, ...], place: str, depth: int) -> str | None:
    if types != ("object",):
        return None
    properties, required = schema.get("properties", {}), schema.get("required", [])
    is_closed = schema.get("additionalProperties", True) is False and "patternProperties" not in schema
    for name in required:
        if is_closed and name not in properties:
            return f"{place + ': ' if place else ''}{name} is required, but not allowed by `properties`"
        fault = _contradiction(properties.get(name, True), f"{place}.{name}".lstrip("."), depth + 1)
        if fault is not None:
            return fault
    return None


def _impossible_items(schema: Mapping[str, Any], types: tuple[str, ...], place: str, depth: int) -> str | None:
    if types != ("array",) or schema.get("minItems", 0) == 0 or "items" not in schema or "prefixItems" in schema:
        return None
    items = schema["items"]
    values = items.get("enum") if isinstance(items, Mapping) else None
    if schema.get("uniqueItems") is True and isinstance(values, list) and len(values) < schema["minItems"]:
        return (
            f"{place + ': ' if place else ''}{len(values)} values for {schema['minItems']} items that are all different"
        )
    return _contradiction(items, f"{place}.items".lstrip("."), depth + 1)


def _impossible_parts(schema: Mapping[str, Any], place: str, depth: int) -> str | None:
    for part in schema.get("allOf", ()):
        fault = _contradiction(part, place, depth + 1)
        if fault is not None:
            return fault
    for word in ("anyOf", "oneOf"):
        faults = [_contradiction(part, place, depth + 1) for part in schema.get(word, ())]
        if faults and all(faults):
            return faults[0]
    return None


def fitted(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value with texts read as the numbers and truth values that the schema wants in their place."""
    types = _types(schema) if "type" in schema else ()
    if isinstance(value, str) and types and "string" not in types:
        return _read(_without_scale(value.strip(), schema), types, value)
    if isinstance(value, float) and "integer" in types and "number" not in types and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        own = schema.get("properties", {})
        return {
            key: fitted(part, own[key]) if isinstance(own.get(key), Mapping) else part for key, part in value.items()
        }
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [fitted(part, schema["items"]) for part in value]
    return value


_OF_A_SCALE: Final = lazily(r"(-?\d+)\s*(?:/|out of)\s*(\d+)")


def _without_scale(text: str, schema: Mapping[str, Any]) -> str:
    """A score that says its scale, such as 4/5, without it, where the schema ends there, too."""
    found, values = _OF_A_SCALE.fullmatch(text), schema.get("enum")
    most = (
        max(values)
        if isinstance(values, list) and values and all(type(v) is int for v in values)
        else schema.get("maximum")
    )
    return found[1] if found is not None and type(most) in (int, float) and int(found[2]) == most else text


def _read(text: str, types: Iterable[str], otherwise: Any) -> Any:
    if "boolean" in types and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "null" in types and text.lower() in ("null", "none", ""):
        return None
    try:
        return int(text) if "integer" in types else float(text) if "number" in types else otherwise
    except ValueError:
        return otherwise
