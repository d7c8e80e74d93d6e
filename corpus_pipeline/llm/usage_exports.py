"""Usage exports of providers, read into what they billed: single calls with an id, or sums over a time and a model.

OpenAI (usage and costs, JSON or CSV), Anthropic (usage and cost reports, console CSV), OpenRouter (activity, CSV or JSON) and a
plain CSV or JSON Lines file of request id, tokens and cost. Columns are found by their names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.errors import UsageError
from corpus_pipeline.model import NanoDollars, Usage

_NANO = 1_000_000_000


class Billed(NamedTuple):
    """One line of a bill. ids: of a single call, none for a sum. cost: None where only tokens are said.

    begins, ends: milliseconds since 1970; equal for a call at a known moment, 0 where no time is said.
    """

    line: int
    ids: tuple[str, ...]
    model: str
    usage: Usage | None
    cost: NanoDollars | None
    begins: int = 0
    ends: int = 0
    requests: int = 1
    tier: str | None = None
    batch: bool | None = None


_IDS = "request_id id generation_id response_id attempt_id custom_id x_request_id openai_request_id".split()
_COST = "cost cost_usd cost_total total_cost usage usd amount_usd nano_dollars".split()
_MODEL = "model model_permaslug model_version model_name snapshot_id".split()
_TIME = "created_at timestamp time starting_at start_time_iso start_time usage_date_utc date".split()
_END = "ending_at end_time_iso end_time".split()
_INPUT = "input_tokens prompt_tokens tokens_prompt native_tokens_prompt".split()
_UNCACHED = "uncached_input_tokens usage_input_tokens_no_cache input_uncached_tokens".split()
_CACHED = (
    "input_cached_tokens cached_tokens tokens_cached native_tokens_cached cache_read_input_tokens"
    " usage_input_tokens_cache_read cached_input_tokens"
).split()
_WRITTEN = (
    "cache_write_tokens cache_creation_input_tokens usage_input_tokens_cache_write_5m usage_input_tokens_cache_write_1h"
    " ephemeral_5m_input_tokens ephemeral_1h_input_tokens"
).split()
_OUTPUT = "output_tokens completion_tokens tokens_completion native_tokens_completion usage_output_tokens".split()
_REASONING = "reasoning_tokens tokens_reasoning native_tokens_reasoning".split()


def read_export(raw: bytes, origin: str) -> list[Billed]:
    """The lines of a usage export, whatever its shape. Raises UsageError that names file, line and what is expected."""
    text = raw.decode("utf-8-sig", "replace").strip()
    if not text:
        raise UsageError(f"{origin} is empty")
    entries = list(_entries(text, origin))
    found = [billed for line, entry in entries if (billed := _billed(line, entry, origin)) is not None]
    if not found:
        raise UsageError(
            f"{origin} names neither tokens nor costs. Wanted: an export of OpenAI, Anthropic or OpenRouter, or a CSV with"
            " the columns request_id, input_tokens, output_tokens, cost (US dollars)"
        )
    return found


def _entries(text: str, origin: str) -> Iterator[tuple[int, dict[str, Any]]]:
    if text[0] not in "{[":
        rows = csv.DictReader(io.StringIO(text))
        for row in rows:
            yield rows.line_num, {_name(key): value for key, value in row.items() if isinstance(key, str)}
        return
    try:
        yield from enumerate(_flat(orjson.loads(text)), 1)
        return
    except orjson.JSONDecodeError as error:
        lines = text.splitlines()
        if len(lines) == 1:
            raise UsageError(f"{origin} is no JSON: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                for entry in _flat(orjson.loads(line)):
                    yield number, entry
            except orjson.JSONDecodeError as error:
                raise UsageError(f"{origin}:{number} is no JSON: {error}. Export it again.") from None


def _flat(body: Any) -> Iterator[dict[str, Any]]:
    """The results of an answer of an API: pages of buckets of results, or a list."""
    if isinstance(body, list):
        for part in body:
            yield from _flat(part)
    elif isinstance(body, dict) and isinstance(body.get("data"), list):
        yield from _flat(body["data"])
    elif isinstance(body, dict) and isinstance(body.get("results"), list):
        outer = {_name(key): value for key, value in body.items() if not isinstance(value, list | dict)}
        for result in body["results"]:
            if isinstance(result, dict):
                yield outer | _opened(result)
    elif isinstance(body, dict):
        yield _opened(body)


def _opened(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with what its inner objects hold beside its own keys."""
    found: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            if key == "amount" and "value" in value:
                found["cost_usd"] = value["value"]
            else:
                found |= {_name(name): inner for name, inner in value.items() if not isinstance(inner, list | dict)}
        else:
            found[_name(key)] = value
    return found


def _name(key: str) -> str:
    return key.strip().lower().replace(" ", "_").replace("-", "_").replace("(usd)", "usd")


def _billed(line: int, entry: Mapping[str, Any], origin: str) -> Billed | None:
    read, written = _number(entry, _INPUT), _sum(entry, _WRITTEN)
    cached, output = _number(entry, _CACHED), _number(entry, _OUTPUT)
    uncached = _number(entry, _UNCACHED)
    if read is None and uncached is not None:
        read = uncached + (cached or 0) + written
    usage = None
    if read is not None or output is not None:
        reasoning = int(_number(entry, _REASONING) or 0)
        usage = Usage(int(read or 0), int(output or 0), int(cached or 0), reasoning, cache_write_tokens=int(written))
    cost = _cost(entry)
    if usage is None and cost is None:
        return None
    ids = tuple(str(entry[key]) for key in _IDS if entry.get(key) not in (None, ""))
    begins = _moment(entry, _TIME)
    ends = _moment(entry, _END) or (begins if ids or not begins else begins + _span(entry))
    model = next((str(entry[key]) for key in _MODEL if entry.get(key)), "")
    if not model and entry.get("line_item"):  # OpenAI's costs: "gpt-4o-2024-08-06, input"
        model = str(entry["line_item"]).split(",")[0].strip()
    requests = _number(entry, ["num_model_requests", "requests", "num_requests"])
    tier = entry.get("service_tier")
    return Billed(
        *(line, ids, model, usage, cost, begins, ends, int(requests if requests is not None else 1)),
        tier=str(tier) if tier else None,
        batch=_truth(entry.get("batch")),
    )


def _cost(entry: Mapping[str, Any]) -> NanoDollars | None:
    if "nano_dollars" in entry:
        return NanoDollars(int(entry["nano_dollars"]))
    said = _number(entry, _COST)
    if said is None and (cents := _number(entry, ["amount"])) is not None:  # Anthropic's cost report: cents, as text
        said = cents / 100 if isinstance(entry.get("amount"), str) and entry.get("currency") else cents
    return None if said is None else NanoDollars(round(said * _NANO))


def _number(entry: Mapping[str, Any], names: Iterable[str]) -> float | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str):
            try:
                value = float(value.replace("$", "").replace(",", ""))
            except ValueError:
                continue
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e18:
            return value
    return None


def _sum(entry: Mapping[str, Any], names: Iterable[str]) -> float:
    return sum(_number(entry, [name]) or 0 for name in names)


def _moment(entry: Mapping[str, Any], names: Iterable[str]) -> int:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            try:
                moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00").replace(" UTC", "+00:00"))
            except ValueError:
                continue
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        if value not in (None, ""):
            try:
                seconds = float(value)
            except (TypeError, ValueError):
                continue
            return int(seconds if seconds > 1e11 else seconds * 1000)
    return 0


def _span(entry: Mapping[str, Any]) -> int:
    """A date alone is a day."""
    return int(timedelta(days=1).total_seconds() * 1000)


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(str(value).lower())
