"""The limits in virtual time: who calls when, who waits, and who is told to give up."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.errors import Stopped
from corpus_pipeline.llm.failures import CallFailed, CallRejected, Failure, Reason
from corpus_pipeline.llm.limits import Limiter, ProviderDown
from corpus_pipeline.llm.throttling import Breaker, Concurrency, Pace
from corpus_pipeline_tests.llm.conftest import virtually


def failed(reason: Reason, retry_after: float | None = None) -> CallFailed:
    return CallFailed(Failure(reason, "x", retry_after=retry_after))


async def one(limiter: Limiter, seconds: float, error: Exception | None = None, tokens: int = 100) -> None:
    async with limiter.slot(tokens):
        await asyncio.sleep(seconds)
        if error is not None:
            raise error


async def quietly(limiter: Limiter, seconds: float, error: Exception | None = None) -> None:
    with suppress(CallFailed, CallRejected):
        await one(limiter, seconds, error)


def clock() -> float:
    return asyncio.get_running_loop().time()


def test_never_more_calls_at_once_than_allowed() -> None:
    async def main() -> tuple[int, float]:
        limiter, most = Limiter(5), 0

        async def watched() -> None:
            nonlocal most
            async with limiter.slot(1):
                most = max(most, limiter.in_flight)
                await asyncio.sleep(1.0)

        await asyncio.gather(*(watched() for _ in range(23)))
        return most, clock()

    assert virtually(main()) == (5, 5.0)


@given(st.integers(1, 600), st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), max_size=80))
def test_in_no_minute_more_than_the_allowance(per_minute: int, asked: list[tuple[float, int]]) -> None:
    pace, now, sent = Pace(per_minute), 0.0, []
    for pause, amount in asked:
        now += pause
        wait = pace.wait(amount, now)
        while wait > 0:
            now += wait
            wait = pace.wait(amount, now)
        pace.take(amount, now)
        sent.append((now, amount))
    for start, _ in sent:
        minute = [amount for at, amount in sent if start <= at < start + 60]
        # one request may overshoot by its own size
        assert sum(minute) <= per_minute + max(minute) + 1


def test_a_rate_is_kept_to_and_used_up() -> None:
    async def main() -> float:
        limiter = Limiter(50, requests_per_minute=120)
        await asyncio.gather(*(one(limiter, 0.1) for _ in range(240)))
        return clock()

    assert 110 < virtually(main()) < 130


def test_tokens_are_limited_too_and_corrected_when_known() -> None:
    async def main(used: int | None) -> float:
        limiter = Limiter(50, tokens_per_minute=6000)
        for _ in range(20):
            async with limiter.slot(600) as slot:
                if used is not None:
                    slot.used(used)
        return clock()

    assert 100 < virtually(main(None)) < 130
    assert 15 < virtually(main(100)) < 25


def test_limits_are_learnt_from_headers_and_never_above_the_recipe() -> None:
    async def main(asked: int | None, told: str) -> float:
        limiter = Limiter(50, requests_per_minute=asked)
        limiter.observe({"x-ratelimit-limit-requests": told, "x-ratelimit-remaining-requests": "1"})
        await asyncio.gather(*(one(limiter, 0.0) for _ in range(120)))
        return clock()

    assert 100 < virtually(main(None, "60")) < 140
    assert 100 < virtually(main(60, "6000")) < 140
    assert virtually(main(None, "nonsense")) == 0.0


def test_single_429s_do_not_shrink_the_window() -> None:
    async def main() -> int:
        limiter, rng = Limiter(50), random.Random(1)
        for _ in range(40):
            errors = [failed(Reason.RATE_LIMITED, 1.0) if rng.random() < 0.10 else None for _ in range(50)]
            await asyncio.gather(*(quietly(limiter, 0.1, error) for error in errors))
        return limiter.concurrency

    assert virtually(main()) >= 45


def test_a_storm_of_429s_shrinks_the_window_and_slows_the_calls_and_it_recovers() -> None:
    async def main() -> tuple[int, float, int]:
        limiter = Limiter(50)
        for _ in range(10):
            await asyncio.gather(*(quietly(limiter, 0.1, failed(Reason.RATE_LIMITED, 2.0)) for _ in range(50)))
        small, slow = limiter.concurrency, clock()
        for _ in range(60):
            await asyncio.gather(*(quietly(limiter, 0.1) for _ in range(50)))
        return small, slow, limiter.concurrency

    small, slow, again = virtually(main())
    assert small <= 5 and again == 50
    assert slow > 60  # 500 calls in ten rounds of 0.1 s would have taken 1 s


def test_a_provider_that_is_down_gets_single_probes_and_then_the_task_stops() -> None:
    calls: list[float] = []

    async def worker(limiter: Limiter) -> None:
        while True:
            async with limiter.slot(1):
                calls.append(clock())
                await asyncio.sleep(0.1)
                raise failed(Reason.SERVER_ERROR)

    async def stubborn(limiter: Limiter) -> str:
        while True:
            try:
                await worker(limiter)
            except CallFailed:
                await asyncio.sleep(0.5)
            except ProviderDown as down:
                return str(down)

    async def main() -> list[str]:
        limiter = Limiter(20, patience_seconds=300)
        return await asyncio.gather(*(stubborn(limiter) for _ in range(20)))

    said = virtually(main())
    assert len(calls) < 20 + 15  # the window that was open, then probes
    assert all("300 s" in text and "server_error" in text for text in said)
    assert calls[-1] + 60 > 290


def test_one_success_closes_the_breaker() -> None:
    async def main() -> tuple[bool, bool, float]:
        limiter = Limiter(20)
        await asyncio.gather(*(quietly(limiter, 0.1, failed(Reason.DROPPED)) for _ in range(20)))
        down = limiter.provider_down
        await one(limiter, 0.1)
        began = clock()
        await asyncio.gather(*(one(limiter, 0.1) for _ in range(20)))
        return down, limiter.provider_down, clock() - began

    down, still, seconds = virtually(main())
    assert down and not still and seconds == pytest.approx(0.1)


def test_requests_that_are_refused_show_that_the_provider_lives() -> None:
    async def main() -> bool:
        limiter = Limiter(5)
        error = CallRejected(Failure(Reason.CONTENT_POLICY, "x"))
        for _ in range(40):
            await quietly(limiter, 0.1, error)
        return limiter.provider_down

    assert virtually(main()) is False


def test_stop_reaches_those_who_wait_at_once_and_lets_the_others_finish() -> None:
    async def main() -> tuple[list[str], float, int]:
        limiter, stop = Limiter(2), StopSignal()
        ends: list[str] = []

        async def call() -> None:
            try:
                async with limiter.slot(1, stop):
                    await asyncio.sleep(10.0)
                    ends.append("answered")
            except Stopped:
                ends.append(f"stopped at {clock():.0f}")

        tasks = [asyncio.create_task(call()) for _ in range(5)]
        await asyncio.sleep(3.0)
        stop.set()
        await asyncio.gather(*tasks)
        with pytest.raises(Stopped):
            await stop.sleep(100.0)
        return ends, clock(), limiter.in_flight

    assert virtually(main()) == (["stopped at 3"] * 3 + ["answered"] * 2, 10.0, 0)


def test_a_cancelled_wait_leaves_no_slot_behind() -> None:
    async def main() -> int:
        limiter = Limiter(1)
        holder = asyncio.create_task(one(limiter, 5.0))
        await asyncio.sleep(1)
        waiting = [asyncio.create_task(one(limiter, 5.0)) for _ in range(3)]
        await asyncio.sleep(1)
        waiting[0].cancel()
        holder.cancel()  # grants the slot to waiting[1] in the same turn in which it is cancelled
        waiting[1].cancel()
        await asyncio.gather(holder, *waiting, return_exceptions=True)
        return limiter.in_flight

    assert virtually(main()) == 0


def test_a_waiting_call_holds_no_slot() -> None:
    async def main() -> float:
        limiter = Limiter(1)

        async def retrying() -> None:
            await quietly(limiter, 0.1, failed(Reason.RATE_LIMITED, 60.0))
            await asyncio.sleep(60.0)
            await one(limiter, 0.1)

        task = asyncio.create_task(retrying())
        await asyncio.sleep(0.2)
        for _ in range(10):
            await one(limiter, 1.0)
        done = clock()
        await task
        return done

    assert virtually(main()) == pytest.approx(10.2)


def test_processes_share_the_limits() -> None:
    async def main() -> tuple[int, float, int]:
        first, second = Limiter(50, requests_per_minute=600), Limiter(50, requests_per_minute=600)
        for limiter in (first, second):
            limiter.set_workers(2)
        for _ in range(10):
            await asyncio.gather(*(quietly(first, 0.1, failed(Reason.RATE_LIMITED)) for _ in range(25)))
        shrunk = first.export_state()
        second.import_state(shrunk, age_seconds=1.0)
        began, careful = clock(), second.concurrency
        await asyncio.gather(*(one(second, 0.0) for _ in range(300)))
        return careful, clock() - began, first.concurrency

    limited, seconds, own = virtually(main())
    assert limited == own <= 4
    assert 50 < seconds < 70  # half of 600 a minute


def test_a_hold_reaches_the_other_processes() -> None:
    async def main() -> float:
        first, second = Limiter(10), Limiter(10)
        for _ in range(2):
            await asyncio.gather(*(quietly(first, 0.1, failed(Reason.RATE_LIMITED, 40.0)) for _ in range(10)))
        state, at = first.export_state(), clock()
        await asyncio.sleep(10)
        second.import_state(state, age_seconds=10.0)
        await one(second, 0.0)
        return clock() - at

    assert 30 < virtually(main()) <= 41


@given(st.lists(st.booleans(), max_size=400), st.integers(1, 60))
def test_concurrency_stays_within_its_bounds(throttled: list[bool], most: int) -> None:
    concurrency = Concurrency(most)
    for one_of_them in throttled:
        assert concurrency.record(one_of_them, 3.0) in (0.0, 3.0)
        assert 1 <= concurrency.limit <= most


@given(st.lists(st.booleans(), max_size=200))
def test_the_breaker_is_shut_after_any_success(results: list[bool]) -> None:
    breaker = Breaker(1e9)
    for number, good in enumerate(results):
        if good:
            breaker.succeeded()
            assert not breaker.is_open
        else:
            breaker.failed(float(number), "x", probe=breaker.is_open)
    tail = len(results) - 1 - max((n for n, good in enumerate(results) if good), default=-1)
    assert breaker.is_open == (tail >= Breaker.FAILURES)
