"""Numbers for Prometheus: a few cheap questions, none of which reads rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from sqlalchemy import Connection

from corpus_pipeline import process_identity
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.service.queries import due
from corpus_pipeline.service.queries import status as queries_status
from corpus_pipeline.states import Stage
from corpus_pipeline.store import leases, pauses, spending

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]

_MOST_FILES = 2_000  # beyond, files are not told one by one

_HELP = {
    "corpus_files": ("gauge", "Dataset files by stage and status."),
    "corpus_rows": (
        "gauge",
        "Rows by stage: what there is to do, done, dropped (by ingest: rejected; by export: not exportable) and failed.",
    ),
    "corpus_lines": ("gauge", "Lines of dataset files: all, conversations, rejects and blanks."),
    "corpus_file_rows": ("gauge", "The same by dataset file."),
    "corpus_stage_active_seconds": ("gauge", "Time of work by dataset file and stage, without pauses."),
    "corpus_failed_samples_open": ("gauge", "Failed samples that stand in the way of an export, by dataset file."),
    "corpus_workers": ("gauge", "Processes that work runs, by host and version; missing: without a sign of life."),
    "corpus_worker_silent_seconds": ("gauge", "The longest time without a sign of life of a worker, by host."),
    "corpus_leases": ("gauge", "Stages that are worked now, by host."),
    "corpus_lease_age_seconds": ("gauge", "How long the oldest lease has been held, by host."),
    "corpus_due_files": ("gauge", "Dataset files that a worker may begin now, by consumer."),
    "corpus_pause_flags": ("gauge", "Pause flags that are set."),
    "corpus_calls_total": ("counter", "Model calls by outcome."),
    "corpus_tokens_total": (
        "counter",
        "Tokens of model calls; cached and reasoning tokens are part of input and output.",
    ),
    "corpus_cost_dollars_total": ("counter", "Money, unknown outcomes at the most that they can have cost."),
}
_OUTCOMES = {"answered": "answered", "error": "errors", "unknown": "unknown"}
_TOKENS = ("input", "cached", "output", "reasoning")


def text(connection: Connection) -> str:
    """All of them in the Prometheus text format, version 0.0.4."""
    found: dict[str, list[Sample]] = {name: [] for name in _HELP}
    for sample in _samples(connection):
        found[sample[0]].append(sample)
    lines = []
    for name, (kind, meaning) in _HELP.items():
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{_labels(labels)} {value:.17g}" for _, labels, value in found[name]]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


_LINES: tuple[Literal["lines", "conversations", "rejects", "blanks"], ...] = (
    "lines",
    "conversations",
    "rejects",
    "blanks",
)
_ROWS: tuple[Literal["total", "processed", "dropped", "failed"], ...] = ("total", "processed", "dropped", "failed")


def _samples(connection: Connection) -> Iterator[Sample]:
    files = queries_status.status(connection)
    states: dict[tuple[str, str], int] = {}
    sums: dict[tuple[str, str], int] = {}
    for what in _LINES:
        yield "corpus_lines", {"what": what}, sum(file[what] or 0 for file in files)
    for file in files:
        for stage, own in file["stages"].items():
            states[stage, own["status"]] = states.get((stage, own["status"]), 0) + 1
            for count in _ROWS:
                sums[stage, count] = sums.get((stage, count), 0) + (own[count] or 0)
                if len(files) <= _MOST_FILES:
                    yield "corpus_file_rows", {"file": file["name"], "stage": stage, "what": count}, own[count] or 0
            if len(files) <= _MOST_FILES:
                labels = {"file": file["name"], "stage": stage}
                yield "corpus_stage_active_seconds", labels, own["active_ms"] / 1000
        if file["open_failed_samples"] or len(files) <= _MOST_FILES:
            yield "corpus_failed_samples_open", {"file": file["name"]}, file["open_failed_samples"]
    for (stage, status), number in states.items():
        yield "corpus_files", {"stage": stage, "status": status}, number
    for (stage, kind), number in sums.items():
        yield "corpus_rows", {"stage": stage, "what": kind}, number
    yield from _hosts(connection)
    yield "corpus_pause_flags", {}, len(pauses.active(connection))
    for row in spending.series(connection):
        whose = {"consumer": row.consumer, "strategy": row.strategy, "model": row.model}
        for outcome, column in _OUTCOMES.items():
            yield "corpus_calls_total", whose | {"outcome": outcome}, int(getattr(row, column))
        for kind in _TOKENS:
            yield "corpus_tokens_total", whose | {"kind": kind}, int(getattr(row, f"{kind}_tokens"))
        yield "corpus_cost_dollars_total", whose, int(row.cost) / NANO


def _hosts(connection: Connection) -> Iterator[Sample]:
    """Who works where, and what waits for somebody."""
    numbers, silent = Counter[tuple[str, str, str]](), dict[str, int]()
    for worker in queries_status.workers(connection):
        numbers[worker["host"], worker["version"], str(worker["missing"]).lower()] += 1
        silent[worker["host"]] = max(worker["silent_seconds"], silent.get(worker["host"], 0))
    for (host, version, missing), number in numbers.items():
        yield "corpus_workers", {"host": host, "version": version, "missing": missing}, number
    for host, seconds in silent.items():
        yield "corpus_worker_silent_seconds", {"host": host}, seconds
    held, age = Counter[str](), dict[str, int]()
    for lease in leases.live(connection):
        identity = process_identity.parsed(lease.owner)
        host = lease.owner if identity is None else identity.host
        held[host] += 1
        age[host] = max(lease.held_ms, age.get(host, 0))
    for host, number in held.items():
        yield "corpus_leases", {"host": host}, number
        yield "corpus_lease_age_seconds", {"host": host}, age[host] / 1000
    waiting = Counter(one.file.consumer for one in due.due(connection, Stage.EXPORT))
    for consumer, number in waiting.items():
        yield "corpus_due_files", {"consumer": consumer}, number
