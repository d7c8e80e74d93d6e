"""Spans for OpenTelemetry, by the extra `opentelemetry`: one for each stage, each commit of a stage's rows, and some calls.

They are made when OTEL_EXPORTER_OTLP_ENDPOINT (or the one for traces) is set, and cost nothing otherwise. What is said of a
call follows the conventions for generative AI (`gen_ai.*`); no text of a row, a prompt or an answer is in a span.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from corpus_pipeline import __version__
from corpus_pipeline.settings import host_name

log = logging.getLogger(__name__)

Value = str | int | float
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_ONE_CALL_IN = 100


@cache
def _tracer() -> Any:
    """None where no one collects spans."""
    if not any(os.environ.get(name) for name in _ENDPOINTS) or os.environ.get("OTEL_SDK_DISABLED") == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("no spans are sent: install corpus-pipeline[opentelemetry]")
        return None
    named: dict[str, Any] = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME", "corpus"),
        "service.version": __version__,
        "host.name": host_name(),
        "process.pid": os.getpid(),
    }
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("corpus_pipeline", __version__)


@contextmanager
def span(name: str, attributes: Mapping[str, Value | None]) -> Iterator[None]:
    """What happens inside the block; an error in it is named by its kind. attributes: those that are None are left out."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(name, attributes=_known(attributes), record_exception=False) as made:
        try:
            yield
        except BaseException as error:
            made.set_attribute("error.type", type(error).__name__)
            raise


def call(identifier: str, begun: float, attributes: Mapping[str, Value | None]) -> None:
    """A call that began at `begun` (the monotonic clock) and ends now: one in a hundred, by its identifier (hexadecimal)."""
    tracer = _tracer()
    if tracer is None or int(identifier[-8:], 16) % _ONE_CALL_IN:
        return
    now = time.time_ns()
    started = now - int((time.monotonic() - begun) * 1e9)
    made = tracer.start_span(
        f"chat {attributes.get('gen_ai.request.model')}", attributes=_known(attributes), start_time=started
    )
    made.end(end_time=now)


def _known(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in attributes.items() if value is not None}
