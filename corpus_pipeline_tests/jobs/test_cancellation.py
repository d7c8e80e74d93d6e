"""Signals: one asks for a stop at the next boundary, and none is lost on the way."""

from __future__ import annotations

import signal

import pytest

from corpus_pipeline.jobs.cancellation import StopSignal, on_signals, signals_noted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_does_what_it_always_did(number: signal.Signals) -> None:
    stop = StopSignal()
    came = []
    before = signal.signal(number, lambda *_: came.append(number))
    try:
        with on_signals(stop):
            signal.raise_signal(number)
            assert (stop.is_set(), stop.reason, came) == (True, number.name, [])
            signal.raise_signal(number)
            assert came == [number]
        assert signal.getsignal(number) is not signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_signal_that_somebody_else_swallows_is_noted() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with signals_noted() as noted:
            assert not noted()
            signal.raise_signal(signal.SIGTERM)
            assert noted()
            assert noted()
        with signals_noted() as noted:
            assert not noted()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_waiting_ends_with_the_stop() -> None:
    stop = StopSignal()
    assert not stop.wait(0.01)
    stop.set("enough")
    stop.set("more")
    assert stop.wait(100)
    assert stop.reason == "enough"
