"""The limits of one provider in this process: who may call now, who waits, and when it is hopeless.

    async with limiter.slot(tokens, stop):
        answer = await client.complete(...)

A slot is held while a call is on the wire and at no other time: backoff and Retry-After are waited out outside, with
`StopSignal.sleep`. The slot learns from the exception that leaves it. All times are the event loop's clock.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from types import TracebackType
from typing import NamedTuple, TypedDict

from corpus_pipeline.cancellation import StopSignal, stopped
from corpus_pipeline.errors import ParkSample, Paused
from corpus_pipeline.llm.failures import CallFailed, Failure, Reason
from corpus_pipeline.llm.throttling import Breaker, Concurrency, Pace, told
from corpus_pipeline.llm.trouble import MIN_SECONDS, Trouble

_SENT_AWAY = 4  # this many in a row are no noise; two, before anything was answered


class ProviderDown(Paused):
    """The provider failed every call for longer than the time limit: the task is paused, no sample is to blame."""


class SharedState(TypedDict):
    """What processes tell each other, through the database. Durations in seconds, so that clocks need not agree.

    concurrency: calls at once that the provider bore, all processes together; None when it never sent many away.
    """

    concurrency: float | None
    hold_seconds: float
    requests_per_minute: float | None
    tokens_per_minute: float | None


class _Waiter(NamedTuple):
    granted: asyncio.Future[bool]  # the result: whether the call is the probe of an open breaker
    tokens: int


class Limiter:
    """concurrency: calls at once, at most. The two rates: from the recipe, or None to learn them from headers.

    patience_seconds: how long a provider that is down is waited for before `slot` raises ProviderDown. ahead: how many
    more may hold a slot before they are on the wire, to get ready while the calls before them end (see `Slot.on_wire`).
    """

    def __init__(
        self,
        concurrency: int,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        patience_seconds: float = 600.0,
        ahead: int = 0,
        name: str = "the provider",
    ) -> None:
        self.name = name
        self._most = concurrency
        self._ahead = ahead
        self._asked = (requests_per_minute, tokens_per_minute)
        self._concurrency = Concurrency(concurrency)
        self._requests = Pace(requests_per_minute)
        self._tokens = Pace(tokens_per_minute)
        self._breaker = Breaker(patience_seconds)
        self._hold_until = 0.0
        self._held_since, self._hold_words = 0.0, ""
        self._answered, self._sent_away = False, 0
        self._workers = 1
        self._waiters: deque[_Waiter] = deque()
        self._ready: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.has_alternative: Callable[[], bool] | None = None  # whether those who wait could ask elsewhere
        self.in_flight = 0  # slots that are held
        self.on_wire = 0  # of which calls

    @property
    def provider_down(self) -> bool:
        """While this holds, a failure says nothing about its sample and should spend none of its retries."""
        return self._breaker.is_open

    @property
    def has_given_up(self) -> bool:
        """Whether it was down for longer than the time limit."""
        return self._breaker.gave_up(_now())

    @property
    def room(self) -> int:
        """Calls that could leave at once, beside those that wait already; negative when more wait than may call."""
        return self._concurrency.limit - self.in_flight - len(self._waiters)

    @property
    def is_usable(self) -> bool:
        """Whether it makes sense to ask here when there is another choice: it is not down, and the wait is short."""
        now = _now()
        return self._breaker.wait(now) <= 0 and self._hold_until - now < MIN_SECONDS

    def trouble(self) -> Trouble | None:
        """What is wrong now; None when calls flow."""
        now, clock = _now(), time.time()
        if (down := self._breaker.opened_at) is not None:
            until = clock + self._breaker.patience - (now - down)
            words = self._breaker.last_failure
            return Trouble("does not answer", self.name, clock - (now - down), until, words)
        if self._hold_until - now >= MIN_SECONDS:
            since = clock - (now - self._held_since)
            return Trouble("asks to wait", self.name, since, clock + self._hold_until - now, self._hold_words)
        return None

    @property
    def has_room(self) -> bool:
        """Whether one more call could leave at once, beside those that are ready to."""
        return self.on_wire + len(self._ready) < self._concurrency.limit

    @property
    def concurrency(self) -> int:
        """Calls at once that are allowed at present."""
        return self._concurrency.limit

    @property
    def has_rate(self) -> bool:
        """Whether there is a limit of requests or of tokens in a minute, asked for or learnt."""
        return self._requests.per_minute is not None or self._tokens.per_minute is not None

    def slot(
        self, tokens: int, stop: StopSignal | None = None, *, first: bool = False, sample: Hashable = None
    ) -> Slot:
        """The right to one call of about this many tokens, input and output together; use with `async with`.

        first: before those that wait already, for who has waited for another attempt: else the last calls of a run would
        be the retries, one after another. sample: whom the call is about: one that fails again and again says little of
        the provider.
        Raises Stopped when `stop` is set first, ProviderDown when the breaker gave up.
        """
        return Slot(self, tokens, stop or StopSignal(), first, sample)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from the headers of a response; give this to `ModelClient(observe=...)`."""
        now = _now()
        for pace, asked, what in (
            (self._requests, self._asked[0], "requests"),
            (self._tokens, self._asked[1], "tokens"),
        ):
            limit, remaining = told(headers, what)
            if limit is not None and limit > 0:
                wanted = limit if asked is None else min(limit, float(asked))
                pace.learn(max(1.0, wanted / self._workers), remaining, now)

    def set_workers(self, workers: int) -> None:
        """How many processes share the provider: each takes its part of the rates and of the concurrency."""
        workers = max(1, workers)
        if workers == self._workers:
            return
        now = _now()
        for pace in (self._requests, self._tokens):
            if pace.per_minute is not None:
                pace.learn(max(1.0, pace.per_minute * self._workers / workers), None, now)
        self._concurrency.resize(max(1, self._most // workers))
        self._workers = workers
        self._pump()

    def export_state(self) -> SharedState:
        """For the other processes: what this one learnt, as of now, for the provider as a whole."""
        rates = [None if p.per_minute is None else p.per_minute * self._workers for p in (self._requests, self._tokens)]
        return SharedState(
            concurrency=self._concurrency.level * self._workers if self._concurrency.is_lowered else None,
            hold_seconds=max(0.0, self._hold_until - _now()),
            requests_per_minute=rates[0],
            tokens_per_minute=rates[1],
        )

    def import_state(self, state: SharedState, *, age_seconds: float) -> None:
        """Heed what another process wrote this many seconds ago, where it is more careful than we are."""
        now = _now()
        if state["concurrency"] is not None:
            self._concurrency.level = min(self._concurrency.level, max(1.0, state["concurrency"] / self._workers))
        self._hold_until = max(self._hold_until, now + state["hold_seconds"] - age_seconds)
        for pace, rate in ((self._requests, state["requests_per_minute"]), (self._tokens, state["tokens_per_minute"])):
            if rate is not None and (pace.per_minute is None or rate / self._workers < pace.per_minute):
                pace.learn(max(1.0, rate / self._workers), None, now)
        self._pump()

    # for Slot

    async def acquire(self, tokens: int, stop: StopSignal, first: bool) -> bool:
        """Wait for a slot; whether the call is a probe."""
        if stop.is_set():
            raise stopped()
        waiter = _Waiter(asyncio.get_running_loop().create_future(), tokens)
        if first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        self._pump()
        try:
            with stop.interruptible():
                await waiter.granted
        except BaseException:
            self._forget(waiter)
            raise
        return waiter.granted.result()

    def enter_at_once(self) -> bool:
        """Where no one may be ahead, a slot is a call."""
        if self._ahead == 0:
            self.on_wire += 1
        return self._ahead == 0

    async def enter(self, stop: StopSignal) -> None:
        """Wait until a call may leave: for one that ends, or for a hold that began since the slot was given."""
        if stop.is_set():
            raise stopped()
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._ready.append(turn)
        self._pump()
        try:
            with stop.interruptible():
                await turn
        except BaseException:
            if turn in self._ready:
                self._ready.remove(turn)
                turn.cancel()
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                self.on_wire -= 1
                self._pump()
            raise

    def release(
        self,
        error: BaseException | None,
        tokens: int,
        used: int | None,
        probe: bool,
        *,
        called: bool = True,
        sample: Hashable = None,
    ) -> None:
        """A call is over, with this outcome; `called`: whether it was on the wire at all (see `enter`)."""
        self.in_flight -= 1
        now = _now()
        if called:
            self.on_wire -= 1
        else:
            self._tokens.take(-tokens, now)
            self._requests.take(-1, now)
        if used is not None:
            self._tokens.take(used - tokens, now)
        if error is None or isinstance(error, ParkSample):
            self._breaker.succeeded()  # whatever the provider thinks of the sample, it is there
            self._hold(self._concurrency.record(False, None), now)
            self._answered, self._sent_away = True, 0
        elif isinstance(error, CallFailed):
            failure = error.failure
            throttled = failure.reason is Reason.RATE_LIMITED
            if throttled:
                self._hold_words = failure.message[:200]
            self._hold(self._concurrency.record(throttled, failure.retry_after), now)
            if throttled:
                self._throttled(failure, now)
            if failure.reason is Reason.BROKEN_BODY or (throttled and probe):
                self._breaker.succeeded()  # it is there, whatever it sends
            elif not throttled:
                said = f"{failure.reason}: {failure.message[:200]}"
                self._breaker.failed(now, said, probe=probe, sample=sample if _may_be_the_sample(failure) else None)
                if self._breaker.is_open and self.has_alternative is not None and self.has_alternative():
                    self.turn_away(said)
        self._pump()

    def _throttled(self, failure: Failure, now: float) -> None:
        """A wait that the provider names is for all calls when several in a row were sent away; one alone is noise."""
        self._sent_away += 1
        if failure.retry_after is not None and self._sent_away >= (_SENT_AWAY if self._answered else 2):
            self._hold(failure.retry_after, now)

    def _hold(self, seconds: float, now: float) -> None:
        if seconds > 0:
            if self._hold_until <= now:
                self._held_since = now
            self._hold_until = max(self._hold_until, now + seconds)

    def _forget(self, waiter: _Waiter) -> None:
        """The one who waited went away: out of the line, or, when it was its turn already, the slot back."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            waiter.granted.cancel()
        elif waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.exception() is None:
            self.in_flight -= 1
            self._tokens.take(-waiter.tokens, _now())
            self._requests.take(-1, _now())
        self._pump()

    def _pump(self) -> None:
        """Let in everybody who may call now; set the clock for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held = self._hold_until - _now()
        if held > 0 and self._ready:
            self._timer = asyncio.get_running_loop().call_later(held, self._pump)
            return
        while self._ready and self.on_wire < self._concurrency.limit:
            turn = self._ready.popleft()
            if not turn.done():
                self.on_wire += 1
                turn.set_result(True)
        while self._waiters:
            now = _now()
            if self._breaker.gave_up(now):
                self.turn_away(
                    f"the provider has not answered one call for {self._breaker.patience:.0f} s"
                    f" (last: {self._breaker.last_failure}). No sample is to blame; `corpus run` goes on when it is back."
                )
                return
            if self.in_flight >= self._concurrency.limit + self._ahead:
                return  # the next release pumps
            waiter = self._waiters[0]
            if waiter.granted.done():  # cancelled, and its task has not run since
                self._waiters.popleft()
                continue
            wait = max(
                self._breaker.wait(now),
                self._hold_until - now,
                self._requests.wait(1.0, now),
                self._tokens.wait(float(waiter.tokens), now),
            )
            if wait > 0:
                self._timer = asyncio.get_running_loop().call_later(wait, self._pump)
                return
            self._waiters.popleft()
            self._requests.take(1.0, now)
            self._tokens.take(float(waiter.tokens), now)
            self.in_flight += 1
            probe = self._breaker.is_open
            self._breaker.probing(now)
            waiter.granted.set_result(probe)

    def turn_away(self, message: str) -> None:
        """Raise ProviderDown in all that wait for a slot: they may ask elsewhere."""
        while self._waiters:
            if not (granted := self._waiters.popleft().granted).done():
                granted.set_exception(ProviderDown(message))


class Slot:
    """The right to one call: get ready, `await slot.on_wire()`, call. A slot that never got there costs no rate.

    Where no one may be ahead, anyone who has a slot is on the wire. `used` corrects the tokens when the usage is known, before
    the block ends.
    """

    def __init__(self, limiter: Limiter, tokens: int, stop: StopSignal, first: bool, sample: Hashable = None) -> None:
        self._limiter, self._tokens, self._stop, self._first = limiter, tokens, stop, first
        self._sample = sample
        self._used: int | None = None
        self._probe = False
        self._called = False

    async def __aenter__(self) -> Slot:
        self._probe = await self._limiter.acquire(self._tokens, self._stop, self._first)
        self._called = self._limiter.enter_at_once()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limiter.release(error, self._tokens, self._used, self._probe, called=self._called, sample=self._sample)

    async def on_wire(self) -> None:
        """Wait until the call may leave. Raises Stopped."""
        if not self._called:
            await self._limiter.enter(self._stop)
            self._called = True

    def used(self, tokens: int) -> None:
        self._used = tokens


def _may_be_the_sample(failure: Failure) -> bool:
    """Whether a failure may come of what was asked: a server that stumbles over one text. A gateway's word does not."""
    return failure.reason in (Reason.TIMEOUT, Reason.DROPPED) or failure.status == 500


def _now() -> float:
    return asyncio.get_running_loop().time()
