"""What a materialization tells in the Dagster UI. Row text is hostile: it only appears inside code fences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from corpus_pipeline.jobs.completion_report import CompletionReport
from corpus_pipeline.service.records.rows import FlatRow
from corpus_pipeline.states import Stage

PREVIEW_ROWS = 5
_CELL = 160


def link_to(web_url: str, name: str) -> str:
    """The page of a dataset file in the row browser."""
    return f"{web_url}/files/{name}"


def stage_metadata(report: CompletionReport, stage: Stage, preview: Sequence[FlatRow], link: str) -> dict[str, Any]:
    """Counts as numbers (the UI plots them over time), reasons as a table, a few rows in a code fence, a link."""
    found: dict[str, Any] = {
        "dagster/partition_row_count": int(report["succeeded"]),
        "total": int(report["total"]),
        "dropped": int(report["dropped"]),
        "failed": int(report["failed"]),
        "wall_seconds": float(report["wall_seconds"]),
        "recipe": f"{report['recipe']} {report['recipe_version'][:12]}",
        "row_browser": dg.MetadataValue.url(link),
    }
    told: Mapping[str, Any] = report
    found |= {key: int(told[key]) for key in ("blank_lines", "not_exportable", "rejected") if key in told}
    if report.get("warnings"):
        found["warnings"] = "\n".join(report["warnings"])
    if report.get("account"):
        found["rows_in"] = int(report["account"]["rows_in"])
        found["accounted"] = bool(report["account"]["balanced"])
    if report.get("left_behind"):
        found["left_behind"] = dg.MetadataValue.md(_table("reason", "rows", report["left_behind"]))
    if report["drop_reasons"]:
        found["drop_reasons"] = dg.MetadataValue.md(_table("reason", "rows", report["drop_reasons"]))
    if stage is Stage.AUGMENT:
        found |= {
            "calls": int(report["calls"]),
            "retried": int(report["retried"]),
            "input_tokens": int(report["input_tokens"]),
            "output_tokens": int(report["output_tokens"]),
            "cost_usd": float(report["cost_usd"]),
            "cost_per_item_usd": float(report["cost_per_item"]),
        }
        if report["fail_reasons"]:
            found["fail_reasons"] = dg.MetadataValue.md(_table("reason", "samples", report["fail_reasons"]))
    if report.get("losses"):
        found["losses"] = dg.MetadataValue.md(_table("lost", "rows", report["losses"]))
    if report["export_uri"]:
        found["dagster/uri"] = report["export_uri"]
        found["sha256"] = report["sha256"]
        found["bytes"] = int(report["bytes"])
    if preview:
        found["preview"] = dg.MetadataValue.md(fenced(preview_text(preview)))
    return found


def preview_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as aligned plain text, a column for each key. By hand: a library of data frames takes seconds to import."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    table = [keys, *([_cell(row.get(key)) for key in keys] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value).replace("\n", "⏎")
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def fenced(text: str) -> str:
    """Text in a code fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _table(first: str, second: str, counts: dict[str, int]) -> str:
    rows = [f"| {name} | {count} |" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return "\n".join([f"| {first} | {second} |", "| --- | ---: |", *rows])
