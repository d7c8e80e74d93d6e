"""The Batch APIs of a run: each model's at its endpoint, with what was learnt of how requests are put there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from corpus_pipeline.errors import SettingMissing
from corpus_pipeline.jobs.augment.plan import ModelAccess
from corpus_pipeline.jobs.augment.routes import recalled, sent_as
from corpus_pipeline.llm.adaptation import Learnt, Lesson, lesson_of
from corpus_pipeline.llm.batch_api import BatchClient
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoints import Place
from corpus_pipeline.llm.failures import Failure
from corpus_pipeline.model import Request
from corpus_pipeline.store import Store, provider_facts
from corpus_pipeline.store.provider_facts import Fact


class BatchEndpoint:
    """One model at the Batch API of its endpoint. label: as recipes and the ledger name it; model: its name there."""

    def __init__(self, place: Place, client: ModelClient, label: str, model: str, learnt: Learnt) -> None:
        self.place, self.label, self.model = place, label, model
        self.api = BatchClient(client)
        self.learnt = learnt
        self._client = client
        self._when_sent = learnt

    def put(self, request: Request) -> Request:
        """A request as the endpoint gets it."""
        return request._replace(model=self.model, options=request.options.over(self.place.options))

    def sent(self, request: Request) -> str | None:
        """How a request is put, as JSON for the ledger; None when it is as by default."""
        return sent_as(self.place, self.put(request), self.learnt)

    def note_sent(self) -> None:
        """Requests go out as they are put now."""
        self._when_sent = self.learnt

    def lesson_of(self, failure: Failure, request: Request) -> Lesson | None:
        """What a refusal teaches about the requests of the last batches; they may be asked again when it teaches something."""
        before = self._when_sent
        return lesson_of(failure, self._client.body(self.put(request), before), before)

    def learn(self, lesson: Lesson) -> Fact | None:
        """Put requests in another way from now on; None when that is known already."""
        learnt = self.learnt.with_fact(lesson.name, lesson.value)
        if learnt == self.learnt:
            return None
        self.learnt = learnt
        return Fact(self.place.key, self.label, provider_facts.PARAMETER, lesson.name, lesson.value, lesson.said)


class BatchEndpoints:
    """Use as `async with`, in one event loop: the connections are opened as they are needed, and closed at the end."""

    def __init__(self, store: Store, access: ModelAccess, learnt: dict[str, Learnt]) -> None:
        self._store, self._places, self._learnt = store, access.places, learnt
        self._clients: dict[str, ModelClient] = {}
        self._endpoints: dict[str, BatchEndpoint] = {}

    async def __aenter__(self) -> BatchEndpoints:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.close()
        self._learnt |= {label: endpoint.learnt for label, endpoint in self._endpoints.items()}

    async def of(self, label: str) -> BatchEndpoint:
        """Where a model is asked by batch."""
        if label not in self._endpoints:
            place, model = self._places.split(label)
            if place.key not in self._clients:
                self._clients[place.key] = ModelClient(place.endpoint)
            learnt = self._learnt.get(label)
            if learnt is None:
                facts = await asyncio.to_thread(self._store.fetch, provider_facts.of_endpoint, place.key, [label])
                learnt = recalled(facts)
            self._endpoints[label] = BatchEndpoint(place, self._clients[place.key], label, model, learnt)
        return self._endpoints[label]

    async def of_batch(self, row: Row, requests: Sequence[Row]) -> BatchEndpoint:
        """Where a batch was sent. requests: its rows in the ledger. Raises SettingMissing when that endpoint is named no more:
        at another one it would be taken for lost."""
        name = next((said for request in requests[:1] if (said := _endpoint_name(request.sent))), None)
        if name is not None and name not in self._places.named:
            raise SettingMissing(
                f"batch {row.provider_id or row.id} was sent to the endpoint {name}, which CORPUS_ENDPOINTS does not name any"
                f" more. Name it again, or give the batch up: corpus batches forget NAME --reason TEXT"
            )
        return await self.of(row.model)


def _endpoint_name(sent: str | None) -> str | None:
    said: Any = orjson.loads(sent) if sent else {}
    return said.get("endpoint") if isinstance(said, dict) else None
