"""Dataset files: progress of all, one of them, its statistics and completion reports."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs.completion_report import CompletionReport
from corpus_pipeline.service.queries import progress
from corpus_pipeline.service.queries import statistics as queries_statistics
from corpus_pipeline.service.records.pages import FilePage, FilesPage, ReportsPage, StatisticsPage
from corpus_pipeline.service.records.progress import FileProgress, SetFlag, Totals
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store.start_requests import EVERY_FILE
from corpus_pipeline.web.context import Form, acting, file_name, first, reply, site_of
from corpus_pipeline.web.rendering import counted

_BUSY = (Status.RUNNING, Status.PAUSING)


def all_files(request: Request) -> Response:
    corpus = site_of(request).corpus
    files = site_of(request).pace.refined(corpus.store.fetch(progress.progress))
    flags = corpus.store.fetch(progress.flags)
    asked = corpus.store.fetch(progress.start_wishes, EVERY_FILE)
    data: FilesPage = {"files": files, "flags": flags, "backfills": asked, "totals": _totals(files)}
    return reply(request, "files.html", data, busy=bool(asked) or _busy(files, flags))


def _totals(files: list[FileProgress]) -> Totals:
    return {
        "files": len(files),
        "bytes": sum(file["bytes"] for file in files),
        "conversations": sum(file["conversations"] or 0 for file in files),
        "cost_usd": sum(file["cost_usd"] for file in files),
        "open_failed_samples": sum(file["open_failed_samples"] for file in files),
        "running": sum(stage["status"] in _BUSY for file in files for stage in file["stages"].values()),
    }


def _busy(files: list[FileProgress], flags: list[SetFlag]) -> bool:
    """Whether the page should look again soon."""
    running = any(stage["status"] in _BUSY for file in files for stage in file["stages"].values())
    return running or any(not flag["stopped"] for flag in flags)


def one_file(request: Request) -> Response:
    name = file_name(request)
    corpus = site_of(request).corpus
    (file,) = site_of(request).pace.refined(corpus.store.fetch(progress.progress, [name]))
    flags = [flag for flag in corpus.store.fetch(progress.flags) if flag["file"] in (None, name)]
    exports = corpus.store.fetch(progress.export_list, name)
    wishes = corpus.store.fetch(progress.start_wishes, name)
    data: FilePage = {"file": file, "flags": flags, "start_requests": wishes, "exports": exports[:10]}
    return reply(request, "file.html", data, busy=bool(wishes) or _busy([file], flags), name=name)


def remove(request: Request, form: Form) -> tuple[str, str]:
    """Remove a dataset file; its name is typed once more as a confirmation."""
    name = first(form, "file")
    if not name or first(form, "sure") != name:
        raise UsageError("nothing brings back what was made of a file: type its name to say that you are sure")
    report = acting(request).remove(
        name,
        reason=first(form, "reason")[:2000],
        keep_answers=first(form, "keep_answers") == "yes",
    )
    counts = report["counts"]
    said = f"Removed {name}: {counted(counts['conversations'], 'row')}, {counted(counts['exports'], 'export')}."
    if report["again"]:
        said += f" Rows of {', '.join(report['again'])} that repeated it are compared anew by their next run."
    return said, "/audit?action=remove"


def statistics(request: Request) -> Response:
    name, site = file_name(request), site_of(request)
    store = site.corpus.store
    state = store.fetch(progress.state_of, name)
    found = site.kept.get(
        ("statistics", name),
        state,
        lambda: queries_statistics.file_statistics(store, name),
        lambda: store.fetch(queries_statistics.estimate, name),
        store.fetch(queries_statistics.takes_long, name),
    )
    data: StatisticsPage = {**found.data, "counted_at": found.counted_at, "counting": found.counting}
    return reply(request, "statistics.html", data)


def reports(request: Request) -> Response:
    name, site = file_name(request), site_of(request)
    store = site.corpus.store
    state = store.fetch(progress.state_of, name)
    found = site.kept.get(
        ("reports", name),
        state,
        lambda: _in_order(site.corpus.report(name)),
        lambda: _in_order(store.fetch(progress.last_reports, name)),
        store.fetch(queries_statistics.takes_long, name),
    )
    data: ReportsPage = {
        "name": name,
        "reports": found.data,
        "counted_at": found.counted_at,
        "counting": found.counting,
    }
    return reply(request, "reports.html", data)


def _in_order(found: list[CompletionReport]) -> list[CompletionReport]:
    order = [stage.value for stage in Stage]
    return sorted(found, key=lambda report: order.index(report["stage"]))
