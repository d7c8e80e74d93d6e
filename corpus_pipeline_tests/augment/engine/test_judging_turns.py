"""Between two answers that are judged, what came over the wire meanwhile is read and written down."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
import uvloop

from corpus_pipeline.jobs.augment.judging_turns import Turns

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_what_comes_while_one_is_judged_is_read_before_the_next_one(loop_factory: type) -> None:
    """Also through a reader that needs several steps, as a response with head and body does."""
    here, there = socket.socketpair()
    written: list[int] = []  # the spool
    waiting_at: list[int] = []

    async def one(turns: Turns, number: int, sent: list[int]) -> None:
        await turns.turn()
        waiting_at.append(len(sent) - len(written))
        there.send(bytes([number]))  # an answer that comes while this one is judged
        sent.append(number)

    async def spooling() -> None:
        reader, writer = await asyncio.open_connection(sock=here)
        while piece := await reader.read(1):
            await asyncio.sleep(0)
            written.extend(piece)
        writer.close()

    async def main() -> None:
        turns, sent = Turns(), list[int]()
        spool = asyncio.create_task(spooling())
        await asyncio.sleep(0.05)
        await asyncio.gather(*(one(turns, number, sent) for number in range(40)))
        there.close()
        await spool

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    assert written == list(range(40))
    assert waiting_at == [0] * 40


def test_those_who_go_away_hold_nobody_up() -> None:
    async def main() -> list[int]:
        turns, done = Turns(), list[int]()

        async def one(number: int) -> None:
            await turns.turn()
            done.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(6)]
        await asyncio.sleep(0)
        for task in (tasks[0], tasks[3], tasks[5]):
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await one(6)
        return done

    assert asyncio.run(main()) == [1, 2, 4, 6]


def test_while_many_answers_wait_one_question_goes_out_for_each_that_is_judged() -> None:
    async def main() -> list[int]:
        turns, judged, behind = Turns(), list[int](), list[int]()

        async def judge(number: int) -> None:
            await turns.turn()
            judged.append(number)

        async def ask() -> None:
            await turns.caught_up()
            behind.append(len(judged))

        answers = [asyncio.create_task(judge(number)) for number in range(30)]
        await asyncio.sleep(0)
        await asyncio.gather(*answers, *(ask() for _ in range(40)))
        await ask()
        return behind

    behind = asyncio.run(main())
    assert behind[:29] == list(range(1, 30))
    assert behind[29:] == [30] * 12


def test_no_question_goes_out_between_the_decision_to_pause_and_its_commit() -> None:
    async def main() -> list[str]:
        turns, done = Turns(), list[str]()

        async def ask() -> None:
            await turns.caught_up()
            done.append("asked")

        turns.close()
        asking = [asyncio.create_task(ask()) for _ in range(3)]
        await turns.turn()  # judging goes on
        await asyncio.sleep(0.02)
        done.append("committed")
        turns.open()
        await asyncio.gather(*asking)
        return done

    assert asyncio.run(main()) == ["committed", "asked", "asked", "asked"]
