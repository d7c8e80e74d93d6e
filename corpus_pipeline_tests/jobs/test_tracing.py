"""Spans: none and no import without a collector; stages, commits and calls with one, and no text of a row in any."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpus_pipeline import llm_stub
from corpus_pipeline_tests.dagster.conftest import KEY, environment, write_file

RUN = """
import sys
from corpus_pipeline.jobs import tracing
from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
tracing._ONE_CALL_IN = 2
with Corpus.open() as corpus:
    corpus.add(sys.argv[1], recipe=sys.argv[2])
    for stage in (Stage.INGEST, Stage.CLEAN, Stage.AUGMENT):
        corpus.run_stage("traced", stage)
print("opentelemetry" in sys.modules)
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """(address, bodies) of something that takes spans."""
    bodies = list[bytes]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", bodies
    server.shutdown()


def test_spans_of_stages_commits_and_calls(tmp_path: Path, collector: tuple[str, list[bytes]]) -> None:
    address, bodies = collector
    recipe = tmp_path / "traced.yaml"
    recipe.write_text("name: traced\naugment: {model: corpus-stub, strategies: [paraphrase]}\n", encoding="utf-8")
    file = write_file(tmp_path / "data", "traced", 12)
    with llm_stub.running(llm_stub.StubOptions(api_key=KEY)) as model:
        for given in ({"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}, {}):
            own = environment(tmp_path / f"home{len(given)}", model.base_url) | given
            done = subprocess.run(
                [sys.executable, "-c", RUN, str(file), str(recipe)],
                env=own,
                capture_output=True,
                text=True,
                timeout=240,
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout.strip().endswith(str(bool(given)))
    sent = b"".join(bodies)
    for word in (
        "ingest",
        "clean",
        "augment",
        "commit augment",
        "gen_ai.usage.input_tokens",
        "corpus-stub",
        "host.name",
    ):
        assert word.encode() in sent, word
    assert b"What is told of" not in sent and KEY.encode() not in sent
    assert "opentelemetry" not in os.environ
