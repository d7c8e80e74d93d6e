"""ENOSPC and EIO under the database file and under the export: the message says what to do, the old export stays whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus_pipeline.errors import StoreUnavailable, TargetUnavailable
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants
from corpus_pipeline_tests.torture import small

_NO_MODEL = small.RECIPE.replace("strategies: [paraphrase, self_refine]", "strategies: []").replace(
    "clean:\n", "clean:\n  gate: {max_dropped: 1}\n"
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1,200 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "none", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small file system needs root: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def corpus_at(home: Path, folder: Path, **env: str) -> Corpus:
    corpus = Corpus.open(Settings.from_env({"CORPUS_HOME": str(home), **env}))
    (folder / "sources").mkdir(exist_ok=True)
    path = folder / "sources" / "birds.jsonl"
    path.write_bytes(b"\n".join(small.lines("birds") * 40) + b"\n")
    corpus.add(path, recipe=str(small.write_recipe(folder, _NO_MODEL.replace("exact: true", "exact: false"))))
    return corpus


def fill(disk: Path) -> Path:
    """Takes all that is left."""
    stuffing = disk / "stuffing"
    with stuffing.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return stuffing
    raise AssertionError("the disk is endless")


def test_a_full_disk_under_the_database_stops_with_words_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    with corpus_at(tmp_path / "home", tmp_path, CORPUS_DATABASE_URL=f"sqlite:///{small_disk / 'corpus.db'}") as corpus:
        stuffing = fill(small_disk)
        with pytest.raises(
            StoreUnavailable, match=r"cannot write: .*full.* Make room or mend the disk, then run the same"
        ):
            for stage in (Stage.INGEST, Stage.CLEAN):
                corpus.run_stage("birds", stage)
        stuffing.unlink()
        corpus.store.write(lambda c: c.exec_driver_sql("UPDATE leases SET expires_at = 1 WHERE expires_at > 0"))
        for stage in (Stage.INGEST, Stage.CLEAN):
            corpus.run_stage("birds", stage)
        assert corpus.store.fetch(invariants.violations) == []


def test_a_full_disk_under_the_export_leaves_the_old_one_whole(small_disk: Path, tmp_path: Path) -> None:
    with corpus_at(tmp_path / "home", tmp_path, CORPUS_EXPORT_URL=str(small_disk / "exports")) as corpus:
        for stage in Stage:
            corpus.run_stage("birds", stage)
        folder = small_disk / "exports" / "birds"
        before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        (file,) = corpus.files(["birds"])
        corpus.delete_rows([(file.id << 32) + 1], "so that the next export is another one")
        stuffing = fill(small_disk)
        with pytest.raises(TargetUnavailable, match=r"the disk is full: free some space.*previous export is untouched"):
            corpus.run_stage("birds", Stage.EXPORT)
        assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
        stuffing.unlink()
        corpus.run_stage("birds", Stage.EXPORT)
        after = (folder / "birds.jsonl").read_bytes()
        assert 0 < len(after) < len(before[folder / "birds.jsonl"])
        assert corpus.store.fetch(invariants.violations) == []


def test_a_disk_that_fails_to_store_stops_with_words(tmp_path: Path) -> None:
    """EIO of fsync, put there by strace: SQLite reports it, nothing is half done, the next run goes on."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    home = tmp_path / "home"
    corpus_at(home, tmp_path).close()
    script = (
        "from corpus_pipeline.service import Corpus; from corpus_pipeline.states import Stage\n"
        "with Corpus.open() as corpus: corpus.run_stage('birds', Stage.INGEST)\n"
    )
    probe = subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("strace may not trace here")
    done = subprocess.run(
        [
            *(
                strace,
                "-f",
                "-qq",
                "-o",
                os.devnull,
                "-P",
                str(home / "corpus.db"),
                "-P",
                str(home / "corpus.db-journal"),
            ),
            *("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=9+"),
            *(str(Path(sys.executable).resolve()), "-c", script),
        ],
        env={
            "CORPUS_HOME": str(home),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PATH": os.environ["PATH"],
        },
        capture_output=True,
        text=True,
    )
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(home)})) as corpus:
        assert done.returncode != 0
        assert "cannot write: disk I/O error. Make room or mend the disk" in done.stderr
        corpus.store.write(lambda c: c.exec_driver_sql("UPDATE leases SET expires_at = 1 WHERE expires_at > 0"))
        corpus.run_stage("birds", Stage.INGEST)
        assert corpus.store.fetch(invariants.violations) == []
        assert corpus.files(["birds"])[0].lines == 280
        with corpus.store.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
