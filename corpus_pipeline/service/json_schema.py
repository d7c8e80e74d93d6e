"""The published schema of every JSON answer: which command and which page answers with which record (`docs/schema.json`).

Written from the types of the records by `scripts/json_schema.py`, with pydantic. A test holds every command, every page and the
schema to each other.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

from corpus_pipeline import __version__
from corpus_pipeline.jobs.completion_report import CompletionReport
from corpus_pipeline.service.records import calls, exports, pages, progress, rows
from corpus_pipeline.service.records.base import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Form = Literal["document", "lines"]


class Answer(NamedTuple):
    """What is answered, and whether it is one document or one a line."""

    record: Any
    form: Form = "document"


# by the words of the command, which answers so with `--json`; those marked * answer with JSON always
COMMANDS: Mapping[str, Answer] = {
    "add": Answer(pages.AddAnswer),
    "batches list": Answer(calls.ProviderBatch, "lines"),
    "batches show": Answer(calls.ProviderBatch, "lines"),
    "cost": Answer(calls.Spending, "lines"),
    "cost reconcile": Answer(calls.Reconciliation),
    "doctor": Answer(progress.Finding, "lines"),
    "duplicates": Answer(rows.DuplicatePair | rows.KeptRow, "lines"),
    "estimate": Answer(calls.CostEstimate),
    "failed list": Answer(calls.FailedSample, "lines"),
    "failed show": Answer(calls.FailedSampleDetail),  # *
    "formats list": Answer(progress.CatalogueEntry, "lines"),
    "index": Answer(progress.IndexState, "lines"),
    "preview": Answer(rows.FilePreview),
    "prices show": Answer(calls.PricedModel, "lines"),
    "purge": Answer(exports.PurgeReport),
    "rejects": Answer(rows.ListedReject, "lines"),
    "remove": Answer(exports.RemovalReport),
    "report": Answer(CompletionReport, "lines"),
    "review": Answer(rows.ReviewState | rows.JudgeAgreement),
    "rows": Answer(rows.ListedRow | rows.ListedReject, "lines"),
    "rules list": Answer(progress.CatalogueEntry, "lines"),
    "run": Answer(pages.RunAnswer),
    "show": Answer(rows.RowHistory | rows.RejectedRow),  # *
    "status": Answer(pages.StatusAnswer),
    "strategies list": Answer(progress.CatalogueEntry, "lines"),
    "trace": Answer(exports.Lineage),
    "try": Answer(calls.Trial),
    "validators list": Answer(progress.CatalogueEntry, "lines"),
    "verify": Answer(exports.Verification),
}

# by the path of the page as `web.app` routes it
PAGES: Mapping[str, Any] = {
    "/files": pages.FilesPage,
    "/files/{name}": pages.FilePage,
    "/files/{name}/statistics": pages.StatisticsPage,
    "/files/{name}/reports": pages.ReportsPage,
    "/files/{name}/rejects": pages.RejectsPage,
    "/files/{name}/duplicates": pages.DuplicatesPage,
    "/files/{name}/review": rows.ReviewState,
    "/files/{name}/try": pages.TryPage,
    "/files/{name}/rows": pages.RowsPage,
    "/files/{name}/rows/{number}": rows.RowStory,
    "/failed": pages.FailedPage,
    "/failed/{identifier}": calls.FailedSample,
    "/pauses": pages.PausesPage,
    "/cost": calls.Money,
    "/exports": pages.ExportsPage,
    "/exports/{identifier}": exports.ExportDetail,
    "/exports/{identifier}/lines": exports.ExportLines,
    "/exports/{identifier}/lines/{line}": exports.Lineage,
    "/audit": exports.AuditPage,
    "/purges/{identifier}": exports.LoggedPurge,
    "/login": pages.LoginPage,
}
ACTION, TRIAL, ERROR = pages.Done, pages.TryPage, pages.Problem  # of every POST, of POST /try, and of what is refused


def document() -> JsonObject:
    """The schema: `commands` and `pages` by name, each a reference into `$defs`; `action`, `trial` and `error` beside them."""
    named = {
        **{("commands", name): answer.record for name, answer in COMMANDS.items()},
        **{("pages", path): record for path, record in PAGES.items()},
        ("", "action"): ACTION,
        ("", "trial"): TRIAL,
        ("", "error"): ERROR,
    }
    with warnings.catch_warnings():
        # a schema is all that is wanted of the types: nothing is validated by pydantic, or protected from changes
        warnings.filterwarnings("ignore", message=".*ReadOnly.*", category=UserWarning)
        adapters = [(key, "serialization", TypeAdapter(record)) for key, record in named.items()]
        found, definitions = TypeAdapter.json_schemas(adapters, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    own = {key: schema for (key, _), schema in found.items()}
    return {
        "$schema": DIALECT,
        "title": "JSON of corpus-pipeline",
        "version": __version__,
        "commands": {name: {"form": answer.form, **own["commands", name]} for name, answer in sorted(COMMANDS.items())},
        "pages": {path: own["pages", path] for path in sorted(PAGES)},
        **{name: own["", name] for name in ("action", "trial", "error")},
        "$defs": {name: _closed(schema) for name, schema in sorted(definitions["$defs"].items())},
    }


def _closed(schema: JsonObject) -> JsonObject:
    """A record has the keys that it names and no others; titles only repeat the keys."""
    found = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in found:
        found["additionalProperties"] = False
        found["properties"] = {
            key: {word: value for word, value in own.items() if word != "title"}
            for key, own in found["properties"].items()
        }
    if "description" in found:
        found["description"] = " ".join(found["description"].split())
    return found
