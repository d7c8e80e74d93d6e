"""`corpus run`."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from corpus_pipeline.cancellation import signals_noted
from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import console, error, json_option, print_json, say, say_compared_again, warn
from corpus_pipeline.jobs.narration import Progress, Rhythm, fields
from corpus_pipeline.service import structured_logs
from corpus_pipeline.stages.skip_reasons import skips_in_words
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.units import money, span

if TYPE_CHECKING:
    from corpus_pipeline.defs.launch import Launched
    from corpus_pipeline.jobs.completion_report import CompletionReport
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.records.progress import FileStatus, StageStatus

log = logging.getLogger(__name__)

_REFRESH_SECONDS = 0.5
_SPEAK_SECONDS = 1.0
_MANY_FILES = 8  # a second process takes seconds to start
_MOST_PROCESSES = 4
_STAGES = click.Choice([stage.value for stage in Stage])


@click.command()
@click.argument("names", nargs=-1, shell_complete=dataset_names)
@click.option("--to", "to", type=_STAGES, default=Stage.EXPORT.value, show_default=True, help="The last stage to work.")
@click.option("--limit", type=click.IntRange(min=1), help="Augment only this many rows of each file, as a preview.")
@click.option(
    "--spread",
    is_flag=True,
    help="With --limit: rows evenly over the file, which makes `corpus estimate` most accurate.",
)
@click.option("--redo", is_flag=True, help="Start the stage given by --to over; paid answers are used again.")
@json_option
def run(names: tuple[str, ...], to: str, limit: int | None, spread: bool, redo: bool, as_json: bool) -> int:
    """Materialize partitions through Dagster on this machine: all dataset files, or those named.

    What is complete is left alone; what is partial goes on where it stopped. Ctrl-C stops at the next batch boundary.

    \b
    Examples:
      corpus run --to clean               # everything, without a model
      corpus run chats --limit 10         # a preview on ten rows, and what it says of the whole
      corpus run chats --limit 100 --spread   # a trial, after which `corpus estimate` is near the bill
      corpus run chats --to clean --redo  # clean again, under a changed recipe
    """
    from corpus_pipeline.service import Corpus

    if spread and limit is None:
        raise click.UsageError("--spread says where the rows of --limit lie: say how many, --limit N")
    with Corpus.open() as corpus:
        return run_files(corpus, names, Stage(to), limit=limit, spread=spread, redo=redo, as_json=as_json)


def run_files(
    corpus: Corpus,
    names: Sequence[str],
    to: Stage,
    *,
    limit: int | None = None,
    spread: bool = False,
    redo: bool = False,
    as_json: bool = False,
) -> int:
    """Run files; returns the exit code."""
    if corpus.settings.log_json:
        structured_logs.configure()
    files = corpus.files(names)
    if not files:
        say("No dataset file is registered. Next: corpus add FILE...")
        return 0
    if redo:
        again = set[str]()
        for file in files:
            if to is Stage.AUGMENT:
                corpus.require_models(file)
            again.update(corpus.redo(file.name, to))
        say_compared_again(again - {file.name for file in files})
    # in the order of their rows: of rows that repeat each other the lowest is kept, and should be the one that is paid
    ordered = sorted(files, key=lambda file: file.id)
    todo = [(file.name, stages) for file in ordered if (stages := corpus.incomplete_stages(file.name, to))]
    for file in files:
        if any(name == file.name and Stage.AUGMENT in stages for name, stages in todo):
            corpus.require_models(file)
    complete = [file.name for file in files if file.name not in dict(todo)]
    codes = [3 for state in corpus.status(complete) if state["open_failed_samples"]] if complete else []
    if todo:  # what is complete costs no start of Dagster
        with _progress(corpus, [file.name for file in files], to):
            codes += _run_all(corpus, todo, limit, spread)
    return _close(corpus, [file.name for file in files], codes, as_json, limit, spread)


def _run_all(corpus: Corpus, todo: Sequence[tuple[str, Sequence[Stage]]], limit: int | None, spread: bool) -> list[int]:
    from corpus_pipeline.defs.launch import Launcher

    launcher = Launcher(corpus.settings)
    launcher.register([name for name, _ in todo])
    processes = _processes(corpus, [name for name, _ in todo])
    if processes > 1:
        return _run_side_by_side(corpus, todo, limit, spread, processes)
    codes = []
    with signals_noted() as noted:
        for name, stages in todo:
            try:
                codes.append(_code(corpus, name, launcher.run(name, stages, limit=limit, spread=spread).error))
            except KeyboardInterrupt:
                codes.append(130)
                break
            if noted():
                codes.append(130)
                break
    return codes


def _run_side_by_side(
    corpus: Corpus, todo: Sequence[tuple[str, Sequence[Stage]]], limit: int | None, spread: bool, processes: int
) -> list[int]:
    from corpus_pipeline.defs.partition_pool import Job, run_jobs

    codes: list[int] = []
    stops: list[int] = []

    def ended(name: str, launched: Launched | None) -> None:
        codes.append(130 if launched is None else _code(corpus, name, launched.error))

    before = {n: signal.signal(n, lambda number, _: stops.append(number)) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        run_jobs([Job(name, tuple(stages), limit, spread) for name, stages in todo], processes, ended, stops)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return [*codes, 130] if stops else codes


def _processes(corpus: Corpus, names: Sequence[str]) -> int:
    """How many partitions to work at a time: one a processor when there are many. One in all where files are compared with
    each other: a file that is through before a lower one would have paid for rows that turn out to be duplicates."""
    if len(names) < _MANY_FILES:
        return 1
    if any(corpus.recipe_of(file).clean.dedup.scope == "corpus" for file in corpus.files(names)):
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


def _code(corpus: Corpus, name: str, problem: str | None) -> int:
    """How the stages of a file stand after a run, as an exit code."""
    (state,) = corpus.status([name])
    words = {stage["status"] for stage in state["stages"].values()}
    if Status.FAILED in words:
        error(f"{name}: {problem or 'failed'}")
        return 1
    if Status.BLOCKED in words:
        reason = next(s["reason"] for s in state["stages"].values() if s["status"] == Status.BLOCKED)
        error(f"{name}: {reason}")
        return 3
    if state["open_failed_samples"]:
        if state["stages"][Stage.EXPORT]["status"] != Status.DONE:
            error(f"{name}: {state['open_failed_samples']} failed samples block its export")
        return 3
    if words & {Status.PAUSED, Status.PAUSING}:
        why = next((s["reason"] for s in state["stages"].values() if s["status"] == Status.PAUSED), None)
        say(f"{name}: {why or 'pausing'}")
        return 4
    held = next((s["held"] for s in state["stages"].values() if s["held"]), None)
    if held is not None:
        error(f"{held}. Wait for it, pause it with `corpus pause {name}`, or see `corpus unlock --help`")
        return 1
    if Status.INTERRUPTED in words:
        for stage in state["stages"].values():
            if stage["status"] == Status.INTERRUPTED and stage["reason"]:
                say(f"{name}: {stage['reason']}")
        limited = any("limit of" in (stage["reason"] or "") for stage in state["stages"].values())
        return 0 if limited else 130
    if problem:
        error(f"{name}: {problem}")
        return 1
    return 0


def _close(
    corpus: Corpus,
    names: Sequence[str],
    codes: Sequence[int],
    as_json: bool,
    limit: int | None = None,
    spread: bool = False,
) -> int:
    reports = [report for name in names for report in corpus.report(name)]
    if as_json:
        print_json({"reports": reports})
    states = corpus.status(names)
    for line in closing_lines(reports, states):
        say(line)
    for report in reports:
        for warning in report["warnings"]:
            warn(warning)
    if spread:
        for name in names:
            say(
                f"{name}: {limit} rows over the whole file are asked. Next: corpus estimate {name}, then corpus run {name}"
            )
    elif limit is not None:
        for line in preview_lines(states, reports):
            say(line)
    worst = max(codes, key=lambda code: (code != 0, code in (1, 130), code)) if codes else 0
    if worst == 3:
        if any(state["open_failed_samples"] for state in states):
            say("Some samples failed. Next: corpus failed list")
        if any(stage["status"] == Status.BLOCKED for state in states for stage in state["stages"].values()):
            say("An export is held; the one that was there stays. Next: corpus status")
    elif worst == 4:
        say("Paused. Next: corpus resume, where a flag was set; then corpus run goes on")
    elif worst == 130:
        say("Stopped; finished work is kept. The same command continues.")
    return worst


_DROPPED = {Stage.INGEST: "rejected", Stage.EXPORT: "not exportable"}


def closing_lines(reports: Sequence[CompletionReport], states: Sequence[FileStatus]) -> Iterator[str]:
    """What happened, stage by stage over all files."""
    for stage in Stage:
        unfinished = any(state["stages"][stage.value]["status"] != Status.DONE for state in states)
        own = [report for report in reports if report["stage"] == stage.value]
        if not own:
            continue

        def total(key: str, own: Sequence[Mapping[str, Any]] = own) -> Any:
            return sum(report.get(key) or 0 for report in own)

        line = f"{stage.value:<8} {total('succeeded'):>9,} of {total('total'):,}"
        stages = [state["stages"][stage.value] for state in states]
        rows = sum(s["processed"] for s in stages), _total(stages)
        if unfinished and not total("total"):  # stopped before the first row was through
            line = f"{stage.value:<8} nothing so far" + (f", from {rows[0]:,} of {rows[1]:,} rows" if rows[1] else "")
        elif unfinished:
            line += f" so far, from {rows[0]:,} of {rows[1]:,} rows" if rows[1] else " so far"
        if total("dropped"):
            reasons: dict[str, int] = {}
            for report in own:
                for reason, count in report["drop_reasons"].items():
                    reasons[reason] = reasons.get(reason, 0) + count
            listed = ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items(), key=lambda r: -r[1]))
            line += f"; {_DROPPED.get(stage, 'dropped')} {total('dropped'):,} ({listed})"
        if total("blank_lines"):
            line += f"; {total('blank_lines'):,} blank"
        left = sum((Counter(report.get("left_behind") or {}) for report in own), Counter[str]())
        if left:
            line += (
                f"; left out {left.total():,} ({', '.join(f'{why} {count:,}' for why, count in left.most_common())})"
            )
        if total("held"):
            line += f"; {total('held'):,} held back"
        if total("failed"):
            line += f"; {total('failed'):,} failed"
        if total("skipped"):
            skips = sum((Counter(report.get("skip_reasons") or {}) for report in own), Counter[str]())
            line += f"; skipped {total('skipped'):,} ({skips_in_words(skips)})"
        if total("reused"):
            line += f"; {total('reused'):,} from answers that were paid before ({money(total('saved_usd'))} saved)"
        if total("calls"):
            line += f"; {total('calls'):,} calls, {money(total('cost_usd'))}"
        line += f"; {span(_together(own))}"
        yield line


def _together(reports: Sequence[CompletionReport]) -> float:
    """The seconds that a stage took over all files; what was worked side by side counts once, pauses do not."""
    worked = sum(report["wall_seconds"] for report in reports)
    spans = [(report["started_at"], report["finished_at"]) for report in reports]
    known = [(start, stop) for start, stop in spans if start is not None and stop is not None]
    if len(known) < len(spans):
        return float(worked)
    together, end = 0.0, 0
    for start, stop in sorted(known):
        together += max(0, stop - max(start, end)) / 1000
        end = max(end, stop)
    return min(worked, together)


def preview_lines(states: Sequence[FileStatus], reports: Sequence[CompletionReport]) -> Iterator[str]:
    """What all rows would cost and take, from the rows that a limit let through."""
    spent = {report["name"]: report for report in reports if report["stage"] == Stage.AUGMENT.value}
    for state in states:
        stage, report = state["stages"][Stage.AUGMENT.value], spent.get(state["name"])
        done, total = stage["processed"], stage["total"] or 0
        if report is None or not 0 < done < total:
            continue
        share = total / done
        yield (
            f"{state['name']}: {done:,} of {total:,} rows cost {money(report['cost_usd'])}; all of them about"
            f" {money(report['cost_usd'] * share)}, {span(report['wall_seconds'] * share)} at this pace."
            f" `corpus estimate {state['name']}` counts the rest row by row"
        )


@contextmanager
def _spoken_progress(corpus: Corpus, names: Sequence[str], to: Stage) -> Iterator[None]:
    """A line about all files now and then, for logs, CI and cron: at the rhythm of the events in Dagster."""
    done = threading.Event()
    wanted = list(Stage)[: list(Stage).index(to) + 1]
    rhythm = Rhythm(corpus.settings.progress_seconds)
    begun = time.monotonic()

    def speak() -> None:
        first: dict[Stage, int] = {}
        while not done.wait(_SPEAK_SECONDS):
            with suppress(Exception):  # what is said must not end what is done
                states = corpus.status(names)
                sums = _sums(states, wanted)
                stage = next((s for s in reversed(wanted) if sums[s].running), None)
                if stage is None:
                    continue
                own = sums[stage]
                first.setdefault(stage, own.processed)
                share = own.processed / own.total if own.total else None
                if rhythm.is_due(share):
                    rate = (own.processed - first[stage]) / max(0.1, time.monotonic() - begun)
                    spent = sum(row["cost_usd"] for row in corpus.cost("file") if row["file"] in names)
                    what = f"{len(names)} files" if len(names) > 1 else names[0]
                    wrong = tuple(dict.fromkeys(t for s in states for t in s["stages"][stage.value]["troubles"]))
                    progress = Progress(what, stage, own.processed, own.total or None, rate, spent, troubles=wrong)
                    if corpus.settings.log_json:
                        log.info("%s", progress, extra=fields(progress))
                    else:
                        say(str(progress))

    thread = threading.Thread(target=speak, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


class _Sum(NamedTuple):
    """A stage over several files. total: 0 while that of one of them is not known."""

    processed: int
    total: int
    running: bool


def _sums(states: Sequence[FileStatus], stages: Sequence[Stage]) -> dict[Stage, _Sum]:
    found = {}
    for stage in stages:
        own = [state["stages"][stage.value] for state in states]
        running = any(s["status"] in (Status.RUNNING, Status.PAUSING) for s in own)
        found[stage] = _Sum(sum(s["processed"] for s in own), _total(own), running)
    return found


def _total(own: Sequence[StageStatus]) -> int:
    totals = [one["total"] for one in own]
    return 0 if None in totals else sum(filter(None, totals))


@contextmanager
def _progress(corpus: Corpus, names: Sequence[str], to: Stage) -> Iterator[None]:
    """Bars on a terminal, drawn from the database by a thread of their own; one line a file otherwise."""
    out = console()
    if not out.is_terminal:
        with _spoken_progress(corpus, names, to):
            yield
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    done = threading.Event()
    bars = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
    )
    wanted = list(Stage)[: list(Stage).index(to) + 1]
    rows = {stage: bars.add_task(stage.value, total=None, note="") for stage in wanted}

    def draw() -> None:
        began = time.monotonic()
        first: dict[Stage, int] = {}
        while not done.wait(_REFRESH_SECONDS):
            try:
                states = corpus.status(names)
                spent = sum(row["cost_usd"] for row in corpus.cost("file") if row["file"] in names)
            except Exception:  # the bars must never end a run
                continue
            sums = _sums(states, list(rows))
            for stage, row in rows.items():
                processed, total, _ = sums[stage]
                first.setdefault(stage, processed)
                rate = (processed - first[stage]) / max(0.1, time.monotonic() - began)
                note = f"{rate:,.0f}/s" if processed > first[stage] else ""
                if stage is Stage.AUGMENT and spent:
                    note += f" {money(spent)}"
                bars.update(row, completed=processed, total=total or None, note=note)

    with bars:
        thread = threading.Thread(target=draw, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(timeout=5)
