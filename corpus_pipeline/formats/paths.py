"""Paths into a record as a recipe writes them: `data.q`, `turns[0].text`, `turns[-1].text`, or a key as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corpus_pipeline.errors import UsageError
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.lazy_patterns import lazily

_STEP = lazily(r"\[(-?[0-9]{1,6})\]|\.?([^.\[\]]+)")
_MOST_DEPTH = 4


def parse_path(text: str) -> Path:
    """The steps of a path. Raises UsageError."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (match[2] is not None and steps and text[at] != "."):
            raise UsageError(f"{text!r} is no path: write data.q or turns[0].text")
        steps.append(int(match[1]) if match[1] is not None else match[2])
        at = match.end()
    if not steps or isinstance(steps[0], int):
        raise UsageError(f"{text!r} is no path: it begins with a key")
    return tuple(steps)


def found_at(record: Mapping[str, Any], text: str) -> tuple[Path, Any] | None:
    """Where a path leads in a record, and what is there; None when there is nothing. A key that is spelt like the path
    goes first.
    """
    if text in record:
        return (text,), record[text]
    node: Any = record
    path: list[str | int] = []
    for step in parse_path(text):
        if isinstance(step, int):
            if not isinstance(node, list) or not -len(node) <= step < len(node):
                return None
            step %= len(node)
        elif not isinstance(node, dict) or step not in node:
            return None
        node = node[step]
        path.append(step)
    return tuple(path), node


def shown(path: Sequence[str | int]) -> str:
    """A path as a recipe writes it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[str, Any]]:
    """The paths of a record that a recipe may name, with what is there; of a list the first element stands for all."""
    if isinstance(value, dict) and value and len(path) < _MOST_DEPTH:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict | list) and len(path) < _MOST_DEPTH:
        yield from leaves(value[0], (*path, 0))
    elif path:
        yield shown(path), value
