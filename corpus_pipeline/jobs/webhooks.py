"""Telling other systems that a stage is done, failed or paused: signed, to allowed hosts only, retried, one way.

The message is written in the transaction of the status that it tells, so that none is lost and none is early. It is
delivered at least once; its id (`x-corpus-delivery`) tells a repetition. A receiver checks `x-corpus-signature:
t=<unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 with CORPUS_WEBHOOK_SECRET of `<t>.<body>`. The answer is not read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.jobs.completion_report import completion_report
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.states import DeliveryState, Status
from corpus_pipeline.store import Store, webhooks
from corpus_pipeline.webhook_signatures import signature

if TYPE_CHECKING:
    from corpus_pipeline.llm.endpoint import Endpoint

log = logging.getLogger(__name__)

_EVENTS = {Status.DONE: "completed", Status.FAILED: "failed", Status.BLOCKED: "failed", Status.PAUSED: "paused"}
_MOST_ATTEMPTS = 10
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 600.0  # seconds; doubled with each attempt
_DEADLINE_SECONDS = 10.0
_HOLD_MS = 60_000  # how long a delivery that was begun keeps others from trying it
_AT_A_TIME, _ROUND_SECONDS = 4, 15.0  # with slow receivers a round still ends within a minute


@dataclass(frozen=True)
class Sender:
    """Who signs, and which hosts may be told. private_hosts: as for models."""

    hosts: tuple[str, ...]
    secret: str | None = field(repr=False)
    private_hosts: frozenset[str] = frozenset()


def queue(connection: Connection, work: Work, status: Status, reason: str | None) -> None:
    """Write the message for a status, in its transaction, when the recipe wants one."""
    notify, event = work.recipe.notify, _EVENTS.get(status)
    if notify.url is None or event is None or work.stage not in notify.stages:
        return
    body = {
        "event": event,
        "file": work.file.name,
        "stage": work.stage.value,
        "status": status.value,
        "reason": reason,
        "run_id": work.run_id,
        "report": completion_report(connection, work.file, work.task, work.recipe, work.stage),
    }
    webhooks.add(connection, work.task.id, work.stage, notify.url, event, orjson.dumps(body).decode())


def deliver(store: Store, sender: Sender) -> int:
    """Try due deliveries once, in its order, for some seconds; returns how many arrived. Never raises for what a receiver
    does."""
    arrived, end = 0, time.monotonic() + _ROUND_SECONDS
    while time.monotonic() < end:
        longest = max(_HOLD_MS, int(_LONGEST_WAIT * 1000))
        take = partial(webhooks.take, hold_ms=_HOLD_MS, limit=_AT_A_TIME, longest_ms=longest)
        rows = store.write(take, name="webhooks", repeatable=True)
        if not rows:
            break
        arrived += asyncio.run(_deliver(store, sender, rows))
    return arrived


async def _deliver(store: Store, sender: Sender, rows: Sequence[Row]) -> int:
    arrived = 0
    for row in rows:
        problem = await _post(sender, row)
        arrived += problem is None
        state, wait = DeliveryState.DELIVERED, 0.0
        if problem is not None:
            log.warning("webhook %s to %s: %s", row.id, urlsplit(row.url).hostname, problem)
            final = isinstance(problem, UsageError) or row.attempts + 1 >= _MOST_ATTEMPTS
            state = DeliveryState.GIVEN_UP if final else DeliveryState.WAITING
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**row.attempts)
        error = None if problem is None else str(problem)[:500]
        settle: Any = partial(webhooks.settle, event_id=row.id, state=state, error=error, wait_ms=int(wait * 1000))
        await asyncio.to_thread(store.write, settle, name="webhooks", repeatable=True)
    return arrived


async def _post(sender: Sender, row: Row) -> Exception | None:
    """None when the receiver took it."""
    import aiohttp

    from corpus_pipeline.llm.connections import Connections, TooMuch
    from corpus_pipeline.llm.endpoint import endpoint

    try:
        try:
            where = endpoint(row.url, None, private_hosts=sender.private_hosts)
        except UsageError as error:  # which says what to do about a model's address
            raise UsageError(f"notify.url of the recipe: {str(error).partition('. ')[0]}") from None
        if not _is_listed(where, sender.hosts):
            raise UsageError(f"{where.host}:{where.port} is not among CORPUS_WEBHOOK_HOSTS; nothing was sent")
        if not sender.secret:
            raise UsageError("CORPUS_WEBHOOK_SECRET is not set; nothing is sent unsigned")
        body = row.body.encode()
        headers = {
            "content-type": "application/json",
            "x-corpus-event": row.event,
            "x-corpus-delivery": str(row.id),
            "x-corpus-signature": signature(sender.secret, body, int(time.time())),
        }
        connections = Connections(where, most=1, cap_bytes=65_536)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                answer = await connections.request("POST", where.base_url, headers, body)
        finally:
            await connections.close()
        return None if answer.is_success else CorpusError(f"HTTP {answer.status}")
    except TimeoutError:
        return CorpusError(f"no answer within {_DEADLINE_SECONDS:.0f} s")
    except (aiohttp.ClientError, TooMuch, OSError, CorpusError) as error:
        return error


def _is_listed(where: Endpoint, hosts: Sequence[str]) -> bool:
    """Whether the list has this host and port. A host without a port stands for that of its scheme, on this machine for any."""
    host = f"[{where.host}]" if ":" in where.host else where.host
    usual = where.loopback or where.port == {"https": 443, "http": 80}[where.scheme]
    return f"{host}:{where.port}" in hosts or (usual and (where.host in hosts or host in hosts))
