"""Which rows go out by what tasks say of them, and how many stay behind for which reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from corpus_pipeline.recipe import Selection
from corpus_pipeline.stages.export.selection import CLEANED

Values = Mapping[tuple[str, int], Mapping[str, Any]]  # by task and sample: field to value


class Candidate(NamedTuple):
    """A row that may go out: the source row itself (origin CLEANED), or a sample that a strategy made of it."""

    origin: str
    sample: int


def staying(
    candidates: Sequence[Candidate], values: Values, rules: Sequence[Selection], samples: Mapping[str, int]
) -> dict[Candidate, str]:
    """The candidates of one source row that stay behind, each with the value because of which it does (TASK.FIELD).

    samples: how many each task makes: with several, sample n speaks of sample n; with one, it speaks of all.
    """
    stays: dict[Candidate, str] = {}
    for rule in rules:
        among = [one for one in candidates if one not in stays and rule.rows in ("all", one.origin)]
        said = {one: _value(rule, values, one, samples) for one in among}
        passed = [one for one in among if _passes(rule, said[one])]
        if rule.best is not None:
            passed.sort(key=lambda one: (-_number(said[one], float("-inf")), one.sample))
            passed = passed[: rule.best]
        stays |= {one: rule.value for one in among if one not in passed}
    return stays


def _value(rule: Selection, values: Values, one: Candidate, samples: Mapping[str, int]) -> Any:
    task, field = rule.value.split(".", 1)
    sample = one.sample if one.origin != CLEANED and one.sample < samples.get(task, 1) else 0
    return values.get((task, sample), {}).get(field)


def _passes(rule: Selection, value: Any) -> bool:
    if value is None:
        return rule.without_value == "go"
    number = _number(value, None)
    if rule.at_least is not None and (number is None or number < rule.at_least):
        return False
    if rule.at_most is not None and (number is None or number > rule.at_most):
        return False
    word = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else None
    if rule.one_of is not None and word not in rule.one_of:
        return False
    return rule.none_of is None or word not in rule.none_of


def _number(value: Any, otherwise: Any) -> Any:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
