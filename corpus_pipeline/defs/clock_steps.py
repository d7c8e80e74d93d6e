"""Clocks that are set back: what Dagster would not look at again until the clock has come to where it was.

Its sensors keep the moment of their last look in its storage and wait from there; its queue and its watch over backfills and
runs wait within the process of the daemon. The storage is mended here, the daemon is started again by its seat.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import dagster as dg

from corpus_pipeline.defs.dagster_internals import SensorInstigatorData

_LEAST_SECONDS = 5.0  # sensors look every five seconds or less often: less than that costs at most one look


class ClockWatch:
    """Tells when the clock was set back since the last look.

    ahead: how far the clock of the day is ahead of one that only runs forward, in seconds.
    """

    def __init__(self, ahead: Callable[[], float] = lambda: time.time() - time.monotonic()) -> None:
        self._ahead = ahead
        self._was = ahead()

    def was_set_back(self) -> bool:
        """Whether it was, by more than a sensor would notice."""
        before, self._was = self._was, self._ahead()
        return self._was < before - _LEAST_SECONDS


def forget_looks_ahead(instance: dg.DagsterInstance) -> int:
    """Take looks of sensors at a time that has not come for looks of now; returns how many sensors had one."""
    number, now = 0, time.time()
    for state in instance.all_instigator_state():
        data = state.instigator_data
        if not isinstance(data, SensorInstigatorData):
            continue
        mended = data._replace(
            **{name: now for name, at in data._asdict().items() if name.endswith("_timestamp") and at and at > now}
        )
        if mended != data:
            instance.update_instigator_state(state.with_data(mended))
            number += 1
    return number
