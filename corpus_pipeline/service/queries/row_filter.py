"""Row filters: which condition has a meaning at which stage, with its words. One table for command, pages and Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from corpus_pipeline import plugins
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.states import RowState, Stage
from corpus_pipeline.store.row_queries import Filter
from corpus_pipeline.store.row_values import Wanted

PENDING = "pending"
REJECTED = "rejected"
_TRUTH = ("true", "false")
MAX_SEARCH = 200  # characters of a text that is searched for


class Condition(NamedTuple):
    """Where a condition has a meaning, and its words: None for free text. more: names that it may have, too."""

    meaning: str
    words: Mapping[Stage, tuple[str, ...] | None]
    more: Callable[[], Sequence[str]] = tuple


def rule_names() -> list[str]:
    """The cleaning rules that there are, built in and of plugins."""
    from corpus_pipeline.stages.clean.rules import BUILT_IN  # imported late: it takes a while
    from corpus_pipeline.stages.clean.rules.base import Rule

    return [*BUILT_IN, *plugins.usable(plugins.Group.RULES, Rule, BUILT_IN)]


_VERDICT = (RowState.KEPT.value, RowState.DROPPED.value)
_BEFORE_EXPORT = (Stage.INGEST, Stage.CLEAN)
_MADE = (Stage.AUGMENT, Stage.EXPORT)

CONDITIONS: dict[str, Condition] = {
    "state": Condition(
        "verdict of cleaning; pending: none yet; rejected: a line that is no row. At clean: kept rows unless said otherwise",
        {Stage.INGEST: (*_VERDICT, PENDING, REJECTED), Stage.CLEAN: _VERDICT},
    ),
    "reason": Condition("why cleaning dropped the row, or a line was rejected", dict.fromkeys(_BEFORE_EXPORT)),
    "changed": Condition(
        "whether a rule changed a text of the row, or the name of a rule that changed something in it",
        dict.fromkeys(_BEFORE_EXPORT, _TRUTH),
        rule_names,
    ),
    "tag": Condition("a word that a rule or a task tagged the row with", dict.fromkeys(_BEFORE_EXPORT)),
    "value": Condition(
        "what a task says of the row: TASK.FIELD>=4, or with <= > < = !=",
        dict.fromkeys((Stage.INGEST, Stage.CLEAN, Stage.AUGMENT, Stage.EXPORT)),
    ),
    "strategy": Condition("the strategy that made the row", dict.fromkeys(_MADE)),
    "empty": Condition("whether a row that a strategy made has no answer", dict.fromkeys(_MADE, _TRUTH)),
    "exportable": Condition("whether the export format can hold the row", {Stage.EXPORT: _TRUTH}),
}


def parse(stage: Stage, where: Mapping[str, str], search: str | None = None) -> Filter:
    """The filter of KEY=VALUE pairs at a stage.

    Raises UnknownName for a key or a word that does not exist, UsageError that names the stages for a key without a
    meaning at this one and for two conditions that no row can meet.
    """
    words = {key: _word(stage, key, value) for key, value in where.items()}
    made = Filter(
        stage,
        state=words.get("state"),
        reason=words.get("reason"),
        changed=_truth_or_name(words.get("changed")),
        tag=words.get("tag"),
        value=words.get("value"),
        strategy=words.get("strategy"),
        empty=_truth(words.get("empty")),
        exportable=_truth(words.get("exportable")),
        search=search[:MAX_SEARCH] if search else None,
    )
    if made.value is not None:
        Wanted.parse(made.value)
    if made.reason is not None and made.state not in (None, RowState.DROPPED.value, REJECTED):
        raise UsageError(f"reason says why a row was dropped: no row has a reason and state={made.state}")
    return made


def pairs(wanted: Filter) -> dict[str, str]:
    """The KEY=VALUE pairs of a filter, as `parse` reads them; its search text is left out."""
    found = {key: getattr(wanted, key) for key in CONDITIONS}
    return {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in found.items()
        if value is not None
    }


def _word(stage: Stage, key: str, value: str) -> str:
    condition = CONDITIONS.get(key)
    if condition is None:
        raise UnknownName("row condition", key, CONDITIONS)
    if stage not in condition.words:
        stages = " and ".join(stage.value for stage in condition.words)
        raise UsageError(f"{key} has no meaning for rows of stage {stage.value}; it has one at {stages}")
    known = condition.words[stage]
    if known is not None and value.lower() not in known:
        more = condition.more()
        if value not in more:
            raise UnknownName(f"value of {key}", value, [*known, *more])
        return value
    return value if known is None else value.lower()


def _truth_or_name(word: str | None) -> bool | str | None:
    return _truth(word) if word in _TRUTH else word


def _truth(word: str | None) -> bool | None:
    return None if word is None else word == "true"
