"""A stop reaches every kind of wait, once and twice, from signals and from tasks; none is lost on the way."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable

import pytest

from corpus_pipeline.cancellation import StopSignal, on_signals, signals_noted
from corpus_pipeline.errors import Stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_does_what_it_always_did(number: signal.Signals) -> None:
    stop = StopSignal()
    came = []
    before = signal.signal(number, lambda *_: came.append(number))
    try:
        with on_signals(stop, grace_seconds=7.0):
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


def test_work_that_heeds_urgency_is_told_by_the_second_signal_and_ended_by_the_third() -> None:
    stop = StopSignal()
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(1))
    try:
        stop.heeds_urgency = True
        with on_signals(stop, grace_seconds=7.0, patient=True):
            signal.raise_signal(signal.SIGINT)
            assert (stop.is_urgent, stop.grace_seconds) == (False, None)
            signal.raise_signal(signal.SIGINT)
            assert (stop.is_urgent, came) == (True, [])
            signal.raise_signal(signal.SIGINT)
            assert came == [1]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_termination_has_a_grace_also_where_ctrl_c_has_none() -> None:
    stop = StopSignal()
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with on_signals(stop, grace_seconds=7.0, patient=True):
            signal.raise_signal(signal.SIGTERM)
        assert stop.grace_seconds == 7.0
    finally:
        signal.signal(signal.SIGTERM, before)


async def _future() -> None:
    await asyncio.get_running_loop().create_future()


async def _task() -> None:
    await asyncio.create_task(asyncio.sleep(1000))


async def _wait() -> None:
    await asyncio.wait([asyncio.create_task(asyncio.sleep(1000))])


async def _shielded() -> None:
    await asyncio.shield(asyncio.create_task(asyncio.sleep(1000)))


async def _event() -> None:
    await asyncio.Event().wait()


async def _thread() -> None:
    await asyncio.to_thread(threading.Event().wait, 0.2)


WAITS = (_future, _task, _wait, _shielded, _event, _thread)


@pytest.mark.parametrize("from_thread", [False, True])
def test_a_stop_ends_every_kind_of_wait_and_wakes_all_who_wait(from_thread: bool) -> None:
    async def main() -> list[object]:
        stop = StopSignal()

        async def one(wait: Callable[[], Awaitable[None]]) -> None:
            with stop.interruptible():
                await wait()

        tasks = [asyncio.create_task(one(wait)) for wait in WAITS for _ in range(3)]
        await asyncio.sleep(0.01)
        if from_thread:
            await asyncio.to_thread(stop.set, "the test")
        else:
            stop.set("the test")
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert not any(task.cancelling() for task in tasks)
        with pytest.raises(Stopped):
            await stop.sleep(1000)
        return list(found)

    assert {type(end) for end in asyncio.run(main())} == {Stopped}


def test_one_who_is_interrupted_does_not_take_the_shared_future_along() -> None:
    async def main() -> tuple[type, int]:
        stop = StopSignal()
        shared: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def interrupted() -> None:
            with stop.interruptible():
                await asyncio.wait([shared])

        async def other() -> int:
            await asyncio.wait([shared])
            return shared.result()

        first, second = asyncio.create_task(interrupted()), asyncio.create_task(other())
        await asyncio.sleep(0)
        stop.set()
        await asyncio.wait([first])
        shared.set_result(3)
        return type(first.exception()), await second

    assert asyncio.run(main()) == (Stopped, 3)


def test_a_cancellation_from_outside_stays_one() -> None:
    async def main() -> bool:
        stop = StopSignal()
        task = asyncio.create_task(stop.sleep(1000))
        await asyncio.sleep(0)
        task.cancel()
        stop.set()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())


def test_the_one_who_sets_the_stop_is_told_at_the_end_of_its_own_block() -> None:
    async def main() -> str:
        stop = StopSignal()
        try:
            with stop.interruptible():
                stop.set()
                await asyncio.sleep(0)
        except Stopped:
            await asyncio.sleep(0)  # nothing of the cancellation is left behind
            return "stopped"
        return "not stopped"

    assert asyncio.run(main()) == "stopped"
