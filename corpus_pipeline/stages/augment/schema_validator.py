"""The validator behind `foreign_schemas`.

Nothing of one is fetched, its expressions take time linear in the text (RE2), and one that leads in circles fits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import re2
import referencing
import referencing.exceptions
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

_CIRCLES = "its schema leads in circles, or refers to what is not in it"


@lru_cache(maxsize=1000)
def _expression(pattern: str) -> Any:
    """An expression of RE2; None for one that RE2 does not have, such as a look-ahead."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def _matches(pattern: str, text: str) -> bool | None:
    """Whether an expression is found in a text; None when it is none of RE2."""
    expression = _expression(pattern)
    return None if expression is None else bool(expression.search(text.encode("utf-8", "replace").decode()))


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and _matches(pattern, instance) is not True:
        why = "does not match" if _expression(pattern) else "cannot be held to an expression that RE2 does not have,"
        yield ValidationError(f"{instance!r} {why} {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    for pattern, own in patterns.items() if isinstance(instance, dict) else ():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(value, own, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    further = [
        name
        for name in instance
        if name not in schema.get("properties", {}) and not any(_matches(pattern, name) for pattern in patterns)
    ]
    if allowed is False and further:
        yield ValidationError(f"additional properties are not allowed: {', '.join(map(repr, further))[:200]}")
    for name in further if isinstance(allowed, dict) else ():
        yield from validator.descend(instance[name], allowed, path=name)


def _unevaluated_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Names by expressions would be looked for by the library's own: with these, what is left over is not looked at."""
    if "patternProperties" not in str(validator.schema) and "patternProperties" not in str(schema):
        yield from Draft202012Validator.VALIDATORS["unevaluatedProperties"](validator, allowed, instance, schema) or ()


_Validator = extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _unevaluated_properties,
    },
)
_REGISTRY: referencing.Registry[Any] = referencing.Registry()  # which fetches nothing


def fault(schema: Any) -> SchemaError | None:
    """Why something is no schema; None when it is one."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return error
    except RecursionError:
        return SchemaError("it is nested too deeply")
    return None


def misfit(value: Any, schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a value, by its schema; None when it fits."""
    try:
        errors = sorted(_Validator(schema, registry=_REGISTRY).iter_errors(value), key=lambda e: list(map(str, e.path)))
    except (RecursionError, referencing.exceptions.Unresolvable):
        return _CIRCLES
    if not errors:
        return None
    place = ".".join(map(str, errors[0].absolute_path))
    return f"{place + ': ' if place else ''}{errors[0].message}"[:300]
