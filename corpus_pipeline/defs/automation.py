"""Automation: which stages Dagster starts by itself, when they are missing or what they are made from has changed."""

from __future__ import annotations

import dagster as dg

from corpus_pipeline.defs.names import Names
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

AUTOMATION_TAG = "dagster/from_automation_condition"


def condition(stage: Stage, outside: list[dg.AssetKey]) -> dg.AutomationCondition | None:
    """The condition of a stage; None where a person starts it (see CORPUS_AUTOMATE). outside: the external assets, which are
    never missing."""
    if stage not in Settings.from_env().automate:
        return None
    asked = dg.AutomationCondition.newly_missing() | dg.AutomationCondition.any_deps_updated()
    ready = ~dg.AutomationCondition.any_deps_missing().ignore(dg.AssetSelection.assets(*outside))
    passed = dg.AutomationCondition.all_deps_blocking_checks_passed()
    free = ~dg.AutomationCondition.in_progress()
    return (asked.since_last_handled() & ready & passed & free).with_label(f"{stage} by itself")


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
        )
    ]
