"""The graph of tasks: which ones read what others make, in which order they work, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.recipe_yaml import below

if TYPE_CHECKING:
    from corpus_pipeline.stages.augment.strategies.base import Strategy


def require_sound(strategies: Sequence[Strategy]) -> None:
    """Raises UnknownName for a task or a field that nothing makes, UsageError for a cycle, with the place in the recipe."""
    known = {strategy.label: strategy for strategy in strategies}
    for index, strategy in enumerate(strategies):
        for name, wanted in strategy.task_inputs.items():
            with below(index, strategy.name, "inputs", name):
                if wanted.task not in known:
                    raise UnknownName("task", wanted.task, known)
                if wanted.field not in known[wanted.task].fields:
                    raise UnknownName(f"field of {wanted.task}", wanted.field, known[wanted.task].fields)
    try:
        levels(known)
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        index = next(at for at, strategy in enumerate(strategies) if strategy.label == circle[0])
        with below(index, strategies[index].name, "inputs"):
            raise UsageError(f"tasks wait for each other in a circle: {' -> '.join(circle)}") from error


def levels(strategies: Mapping[str, Strategy]) -> list[list[str]]:
    """Labels in groups: what a group reads is made by groups before it. Within one, the order of the recipe.

    What reads no other task is in the first one. Raises CycleError.
    """
    sorter = TopologicalSorter(
        {
            label: [wanted.task for wanted in strategy.task_inputs.values() if wanted.task in strategies]
            for label, strategy in strategies.items()
        }
    )
    sorter.prepare()
    order = {label: at for at, label in enumerate(strategies)}
    found = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=order.__getitem__)
        found.append(ready)
        sorter.done(*ready)
    return found
