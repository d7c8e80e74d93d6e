"""Every ending of a run, produced for real under `corpus ui` and by `corpus run`: what Dagster, the tags, the partition, the
stage and the exit code say.

`python -m corpus_pipeline_tests.torture.endings` prints the rows of the table in docs/dagster.md as they are now.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select

from corpus_pipeline.states import Stage
from corpus_pipeline.store import schema
from corpus_pipeline_tests.dagster.conftest import UI, running_ui
from corpus_pipeline_tests.dagster.graphql import ASSETS, wait_for

ROWS = 60  # some eight seconds of calls
ASSET_OF = dict(zip([stage.value for stage in Stage], ASSETS, strict=True))


class Ending(NamedTuple):
    """One row. run: of Dagster, with its tag corpus/end; partition: that of the stage; then: what came of it by itself."""

    what: str
    run: str
    partition: str
    stage: str
    then: str


def told(ui: UI, what: str, name: str, run: str, stage: str, then: str = "") -> Ending:
    """What everybody says of a run that has ended."""
    found = ui.graphql.finished(run)
    states = ui.graphql.partitions(ASSET_OF[stage])
    partition = next((word for word, names in states.items() if name in names), "as it was")
    seen = [o["status"] for o in ui.graphql.observations(ASSET_OF[stage], name)[:1]] if partition == "as it was" else []
    return Ending(
        what,
        f"{found['status']} ({found['tags'].get('corpus/end', 'no tag')})",
        ", ".join([partition, *(f"observed {status}" for status in seen)]),
        f"{stage} {ui.stage(name, stage)[0]}",
        then,
    )


def working(ui: UI, name: str) -> None:
    wait_for(lambda: ui.stage(name, "augment")[1] >= 2, 180, f"augmented rows of {name}")


def worker_pid(ui: UI, run: str) -> int:
    texts = " ".join(str(message) for _, _, message in ui.graphql.run(run)["events"])
    found = re.search(r"pid: (\d+)", texts)
    assert found, texts
    return int(found[1])


def in_the_end(ui: UI, name: str) -> str:
    """Waits until a file is exported without a person."""
    begun = time.monotonic()
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 300, f"the export of {name}")
    return f"exported by itself {time.monotonic() - begun:.0f} s later, {ui.calls(name)} answers paid"


def by_dagster(ui: UI) -> Iterator[Ending]:
    """The endings of runs that the daemon starts."""
    name = ui.add("complete", rows=4)
    run = ui.graphql.launch(name)
    yield told(ui, "complete", name, run, "export")
    run = ui.graphql.launch(name)
    ending = told(ui, "complete before, run again", name, run, "export")
    found = ui.graphql.last_materialization(ASSETS[-1], name)
    yield ending._replace(then=f"was_complete {found['metadata']['was_complete']}" if found else "")

    name = ui.add("flag_before", rows=4)
    ui.corpus.pause([name], None, False, "wait")
    run = ui.graphql.launch(name)
    ending = told(ui, "a pause flag before", name, run, "ingest")
    ui.corpus.resume([name], None, False)
    yield ending._replace(then=in_the_end(ui, name))

    name = ui.add("flag_during", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    ui.corpus.pause([name], None, False, "wait")
    ending = told(ui, "a pause flag during", name, run, "augment")
    ui.corpus.resume([name], None, False)
    yield ending._replace(then=in_the_end(ui, name))

    set_limit = 'mutation($n: Int!) { setConcurrencyLimit(concurrencyKey: "export", limit: $n) }'
    name = ui.add("queued", rows=4)
    ui.graphql.ask(set_limit, n=0)
    run = ui.graphql.launch(name)
    wait_for(lambda: ui.graphql.status(run) == "QUEUED", 240, "the queue")
    ui.corpus.pause([name], None, False, "wait")
    ending = told(ui, "a queued run below a flag", name, run, "ingest")
    ui.graphql.ask(set_limit, n=4)
    ui.corpus.resume([name], None, False)
    yield ending._replace(then=in_the_end(ui, name))

    name = ui.add("terminate", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    ui.graphql.terminate(run)
    ending = told(ui, "Terminate in the UI", name, run, "augment")
    ui.graphql.reexecute(run)
    yield ending._replace(then="re-executed: " + in_the_end(ui, name))

    name = ui.add("held", rows=300)  # long enough for the second run to begin on a busy machine
    first = ui.graphql.launch(name)
    working(ui, name)
    run = ui.graphql.launch(name)
    ending = told(ui, "somebody else works on it", name, run, "augment")
    yield ending._replace(then=f"the other one: {ui.graphql.finished(first)['status']}")

    name = ui.add("killed", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    os.kill(worker_pid(ui, run), signal.SIGKILL)
    yield told(ui, "the worker was killed", name, run, "augment")._replace(then=in_the_end(ui, name))

    name = ui.add("frozen", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    pid = worker_pid(ui, run)
    ui.freeze(pid)
    try:
        ending = told(ui, "the worker is frozen", name, run, "augment")
        then = in_the_end(ui, name)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: not ui.alive(pid), 60, "the end of the refused worker")
    yield ending._replace(then=f"{then}; the returning worker was refused and ended")

    name = ui.add("broken", rows=4)
    path = ui.folder / "data" / f"{name}.jsonl"
    right = path.read_bytes()
    path.write_bytes(right + b"{}\n")
    run = ui.graphql.launch(name)
    yield told(ui, "the source file changed", name, run, "ingest")

    name = ui.add("away", rows=4)
    path = ui.folder / "data" / f"{name}.jsonl"
    path.rename(path.with_suffix(".away"))
    run = ui.graphql.launch(name)
    yield told(ui, "the source file is not on this host", name, run, "ingest")

    name = rejecting(ui, "gated")
    run = ui.graphql.launch(name)
    ending = told(ui, "a check fails", name, run, "augment")
    yield ending._replace(then=f"export {ui.stage(name, 'export')[0]}")
    run = ui.graphql.launch(name, ASSETS[-1:])
    yield told(ui, "the gate refuses the export", name, run, "export")


def by_slow_calls(ui: UI) -> Iterator[Ending]:
    """Stops that do not wait for the calls: each of them takes ten minutes, the grace is three seconds."""
    for what, force in (("Terminate, calls outlast the grace", False), ("Force termination", True)):
        name = ui.add("forced" if force else "terminated", rows=6)
        run = ui.graphql.launch(name)
        wait_for(lambda name=name: out(ui, name), 180, f"calls of {name}")
        begun = time.monotonic()
        (ui.graphql.terminate_at_once if force else ui.graphql.terminate)(run)
        ui.graphql.finished(run)
        seconds = time.monotonic() - begun
        wait_for(lambda name=name: ui.stage(name, "augment")[0] == "interrupted", 60, f"the end of {name}")
        ending = told(ui, what, name, run, "augment")
        yield ending._replace(then=f"after {seconds:.1f} s; {reason(ui, name)}")

    name = ui.add("run_worker", rows=6)
    run = ui.graphql.launch(name)
    wait_for(lambda: out(ui, name), 180, f"calls of {name}")
    os.kill(worker_pid(ui, run), signal.SIGTERM)
    wait_for(lambda: ui.graphql.run(run)["status"] == "FAILURE", 120, "the end of the run")
    said = reason(ui, name)
    ending = told(ui, "SIGTERM to the run's process", name, run, "augment")
    wait_for(lambda: len(ui.graphql.runs_of(name)) > 1, 120, "the run retry")
    again = ui.graphql.runs_of(name)[0]["runId"]
    yield ending._replace(then=f"{said}; a run retry went on")
    wait_for(lambda: out(ui, name) > 2, 120, "the calls of the run retry")
    ui.graphql.terminate(again)
    ui.graphql.finished(again)

    for what, number in (("SIGTERM", signal.SIGTERM), ("Ctrl-C, then again after a second", signal.SIGINT)):
        one = command(ui, ui.add(f"c_slow_{number.name.lower()}", rows=6))
        wait_for(lambda name=one.name: out(ui, name), 180, f"calls of {one.name}")
        one.process.send_signal(number)
        if number is signal.SIGINT:
            time.sleep(1)
            one.process.send_signal(number)
        ending = ended(ui, f"{what}, calls outlast the grace", one, "augment")
        yield ending._replace(then=reason(ui, one.name))


def out(ui: UI, name: str) -> int:
    """How many calls of a dataset file were begun."""
    task = ui.corpus.work(name, Stage.AUGMENT).task.id
    own = select(func.count()).where(schema.llm_attempts.c.task_id == task)
    return ui.corpus.store.fetch(lambda c: c.execute(own).scalar_one())


def reason(ui: UI, name: str) -> str:
    """What `corpus status` says of the augment stage."""
    return str(ui.corpus.status([name])[0]["stages"]["augment"]["reason"])


def rejecting(ui: UI, name: str) -> str:
    """A file of which a quarter of the lines is no record: more than its recipe's gate lets pass."""
    ui.add(name, rows=3)
    path = ui.folder / "data" / f"{name}_2.jsonl"
    path.write_bytes((ui.folder / "data" / f"{name}.jsonl").read_bytes() + b"{broken\n")
    ui.corpus.add(path, name=name, replace=True)
    return name


class Command(NamedTuple):
    """A `corpus run` under way."""

    process: subprocess.Popen[str]
    name: str


def command(ui: UI, name: str) -> Command:
    argv = [sys.executable, "-m", "corpus_pipeline", "run", name]
    pipe = subprocess.PIPE
    return Command(subprocess.Popen(argv, env=dict(ui.environment), stdout=pipe, stderr=pipe, text=True), name)


def ended(ui: UI, what: str, one: Command, stage: str, then: str = "") -> Ending:
    begun = time.monotonic()
    _, said = one.process.communicate(timeout=240)
    seconds = time.monotonic() - begun
    last = [line for line in said.splitlines() if line.strip()][-1:] or [""]
    (newest, *_) = ui.graphql.runs_of(one.name)
    states = ui.graphql.partitions(ASSET_OF[stage])
    partition = next((word for word, names in states.items() if one.name in names), "as it was")
    return Ending(
        f"corpus run: {what}",
        f"exit {one.process.returncode} after {seconds:.1f} s; {newest['status']}"
        f" ({newest['tags'].get('corpus/end', 'no tag')})",
        partition,
        f"{stage} {ui.stage(one.name, stage)[0]}",
        then or last[0][:160],
    )


def by_command(ui: UI) -> Iterator[Ending]:
    """The endings of `corpus run`."""
    yield ended(ui, "complete", command(ui, ui.add("c_complete", rows=4)), "export")
    yield ended(ui, "complete before", command(ui, "c_complete"), "export")

    one = command(ui, ui.add("c_paused", rows=ROWS))
    working(ui, one.name)
    ui.corpus.pause([one.name], None, False, "wait")
    yield ended(ui, "a pause flag during", one, "augment")
    one = command(ui, one.name)
    yield ended(ui, "a pause flag before", one, "augment")

    for presses in (1, 2):
        one = command(ui, ui.add(f"c_interrupt{presses}", rows=ROWS))
        working(ui, one.name)
        for _ in range(presses):
            one.process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        yield ended(ui, f"Ctrl-C, {'once' if presses == 1 else 'twice'}", one, "augment")
    one = command(ui, ui.add("c_term", rows=ROWS))
    working(ui, one.name)
    one.process.send_signal(signal.SIGTERM)
    yield ended(ui, "SIGTERM", one, "augment")

    first = command(ui, ui.add("c_held", rows=300))
    working(ui, first.name)
    yield ended(ui, "somebody else works on it", command(ui, first.name), "augment")
    first.process.communicate(timeout=240)

    one = command(ui, ui.add("c_killed", rows=ROWS))
    working(ui, one.name)
    run = next(run["runId"] for run in ui.graphql.runs_of(one.name))
    one.process.kill()
    yield ended(ui, "killed with kill -9", one, "augment")._replace(then="")
    again = ended(ui, "the same again", command(ui, one.name), "export")
    yield again._replace(then=f"the dead run: {ui.graphql.finished(run)['status']}; {ui.calls(one.name)} answers paid")

    one = command(ui, rejecting(ui, "c_gated"))
    yield ended(ui, "a check fails", one, "export")
    yield ended(ui, "the gate refuses the export", command(ui, "c_gated"), "export")
    name = ui.add("c_away", rows=4)
    path = ui.folder / "data" / f"{name}.jsonl"
    path.rename(path.with_suffix(".away"))
    yield ended(ui, "the source file is not on this host", command(ui, name), "ingest")


@contextmanager
def some_ui(call_seconds: float, **variables: str) -> Iterator[UI]:
    with (
        tempfile.TemporaryDirectory(prefix="corpus-endings-") as folder,
        running_ui(Path(folder), call_seconds, **variables) as ui,
    ):
        yield ui


def main() -> int:
    problems = 0
    usual: list[Callable[[UI], Iterator[Ending]]] = [by_dagster, by_command]
    for seconds, grace, ways in ((0.25, "20", usual), (600.0, "3", [by_slow_calls])):
        with some_ui(seconds, CORPUS_STOP_GRACE_SECONDS=grace) as ui:
            for way in ways:
                print("\n| what happened | run | partition | stage | then |\n|---|---|---|---|---|", flush=True)
                try:
                    for ending in way(ui):
                        print("| " + " | ".join(ending) + " |", flush=True)
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    problems += 1
                    print(f"PROBLEM: {error}", flush=True)
    return min(problems, 1)


if __name__ == "__main__":
    sys.exit(main())
