"""OpenLineage events of runs, assets and checks, by the package dagster-openlineage: to the server of OPENLINEAGE_URL."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator
from typing import Any

import dagster as dg

log = logging.getLogger(__name__)

URL_VARIABLE = "OPENLINEAGE_URL"
_PACKAGE = "dagster_openlineage"
_EVENTS = 500  # a tick


def sensors() -> list[dg.SensorDefinition]:
    """The sensor that sends them, where an address is set and the package is installed."""
    if not os.environ.get(URL_VARIABLE):
        return []
    if importlib.util.find_spec(_PACKAGE) is None:
        log.warning("%s is set, but no event is sent: install corpus-pipeline[openlineage]", URL_VARIABLE)
        return []
    from dagster_openlineage import openlineage_sensor

    logging.getLogger(_PACKAGE).setLevel(logging.ERROR)  # it warns of what is not done here
    tail = openlineage_sensor(include_asset_events=True, record_filter_limit=_EVENTS)

    @dg.sensor(
        name="openlineage",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends what happened since the last tick to OPENLINEAGE_URL.",
    )
    def openlineage(context: dg.SensorEvaluationContext) -> Iterator[Any]:
        """One tick of the package's own sensor, which is off until somebody turns it on."""
        yield from tail(context)

    return [openlineage]
