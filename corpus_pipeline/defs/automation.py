"""Automation: which stages Dagster starts by itself, when they are missing or what they are made from has changed."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from corpus_pipeline.defs.names import Names
from corpus_pipeline.defs.resources import opened
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import pauses

AUTOMATION_TAG = "dagster/from_automation_condition"


class NotPaused(dg.AutomationCondition):
    """No pause flag covers a stage of these dataset files: a run would only be refused. What was asked for meanwhile begins
    when the flag is cleared.

    settings: asked at each evaluation for the corpus, whose flags these are.
    """

    def __init__(self, stage: Stage, settings: Callable[[], Settings]) -> None:
        self._stage, self._settings = stage, settings

    @property
    def name(self) -> str:
        return "not paused"

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        """Those of the candidates that may begin; the database is asked only when there are any."""
        ahead = context.candidate_subset
        names = ahead.expensively_compute_partition_keys()
        if names:
            with opened(self._settings()) as corpus:
                flags = corpus.store.fetch(pauses.active)
            free = {name for name in names if not any(flag.covers(name, self._stage) for flag in flags)}
            ahead = ahead.compute_intersection_with_partition_keys(free)
        return dg.AutomationResult(context, ahead)


class BuildsOnWhatIsDone(dg.AutomationCondition):
    """The stage before is done in the corpus, whatever Dagster remembers: of a file that was removed and came back under its
    name it remembers materializations of rows that are gone.

    settings: asked at each evaluation for the corpus.
    """

    def __init__(self, stage: Stage, settings: Callable[[], Settings]) -> None:
        self._before, self._settings = list(Stage)[: list(Stage).index(stage)], settings

    @property
    def name(self) -> str:
        return "the stage before is done"

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        """Those of the candidates whose stages before are done; the database is asked only when there are any."""
        ahead = context.candidate_subset
        names = ahead.expensively_compute_partition_keys() if self._before else set()
        if names:
            with opened(self._settings()) as corpus:
                known = {file.name for file in corpus.files()} & set(names)
                built = {name for name in known if not corpus.incomplete_stages(name, self._before[-1])}
            ahead = ahead.compute_intersection_with_partition_keys(built)
        return dg.AutomationResult(context, ahead)


def condition(
    stage: Stage, outside: list[dg.AssetKey], settings: Callable[[], Settings]
) -> dg.AutomationCondition | None:
    """The condition of a stage; None where a person starts it (see CORPUS_AUTOMATE). outside: the external assets, which are
    never missing. settings: of the corpus."""
    if stage not in Settings.from_env().automate:
        return None
    asked = dg.AutomationCondition.newly_missing() | dg.AutomationCondition.any_deps_updated()
    ready = ~dg.AutomationCondition.any_deps_missing().ignore(dg.AssetSelection.assets(*outside))
    passed = dg.AutomationCondition.all_deps_blocking_checks_passed()
    free = ~dg.AutomationCondition.in_progress()
    # or is begun by the same run
    built = BuildsOnWhatIsDone(stage, settings) | dg.AutomationCondition.any_deps_match(
        dg.AutomationCondition.will_be_requested()
    )
    may = NotPaused(stage, settings)
    return (asked.since_last_handled() & ready & passed & free & may & built).with_label(f"{stage} by itself")


def sensors(names: Names) -> list[dg.AutomationConditionSensorDefinition]:
    """What asks the conditions of a corpus, where there are any."""
    if not Settings.from_env().automate:
        return []
    return [
        dg.AutomationConditionSensorDefinition(
            name=names.unique("automation"),
            target=dg.AssetSelection.assets(*names.keys),
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=30,
            use_user_code_server=True,  # the flags are in the database of the corpus
        )
    ]
