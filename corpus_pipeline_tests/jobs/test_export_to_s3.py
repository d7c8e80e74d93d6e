"""An export to a store that is cut off in the middle of the upload, and a frozen exporter that wakes behind another one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.llm_stub import RunningStub
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants
from corpus_pipeline_tests.servers import s3
from corpus_pipeline_tests.servers.tcp_proxy import TcpProxy
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.enumerate_points import enumerator


@pytest.fixture
def server(quick_folder: Path) -> Iterator[s3.S3]:
    with s3.rclone(quick_folder) as running:
        yield running


def objects(server: s3.S3, bucket: str) -> dict[str, bytes]:
    """What a reader finds: manifests, and the files that they name."""
    client = server.client()
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", ())]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@contextmanager
def opened(server: s3.S3, folder: Path, stub: RunningStub, bucket: str, endpoint: str) -> Iterator[Corpus]:
    env = server.environment(endpoint) | {
        "CORPUS_HOME": str(folder / "home"),
        "CORPUS_EXPORT_URL": f"s3://{bucket}/corpus",
        "OPENAI_BASE_URL": stub.base_url,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        with Corpus.open(Settings.from_env(env)) as corpus:
            yield corpus


@contextmanager
def cutting(proxy: TcpProxy) -> Iterator[None]:
    """Cuts every request in its middle; one that is cut once is tried again by itself."""
    done = threading.Event()

    def cut() -> None:
        while not done.wait(0.001):
            proxy.cut_after(300)

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_an_upload_that_is_cut_leaves_the_old_export_and_the_next_run_completes_it(
    server: s3.S3, quick_folder: Path, stub: RunningStub
) -> None:
    bucket = server.fresh_bucket()
    with opened(server, quick_folder, stub, bucket, server.endpoint) as corpus:
        corpus.add(small.write_files(quick_folder / "sources")[0], recipe=str(small.write_recipe(quick_folder)))
        for stage in Stage:
            corpus.run_stage("birds", stage)
        before = objects(server, bucket)
        corpus.delete_rows([(corpus.files(["birds"])[0].id << 32) + 1], "so that the next export is another one")
    with (
        TcpProxy("127.0.0.1", server.port) as proxy,
        opened(server, quick_folder, stub, bucket, f"http://127.0.0.1:{proxy.port}") as corpus,
    ):
        with cutting(proxy), pytest.raises(TargetUnavailable, match="run the export again"):
            corpus.run_stage("birds", Stage.EXPORT)
        assert objects(server, bucket) == before
        corpus.run_stage("birds", Stage.EXPORT)
        after = objects(server, bucket)
        assert after["corpus/birds/manifest.json"] != before["corpus/birds/manifest.json"]
        assert corpus.store.fetch(invariants.violations) == []


def test_an_exporter_that_freezes_between_two_parts_changes_nothing_when_it_wakes(
    server: s3.S3, quick_folder: Path
) -> None:
    with enumerator(quick_folder, store=server) as points:
        result = points.attempt(("export data.part.after#2", "stop"))
        assert (result.problems, result.reached) == ((), 1)
