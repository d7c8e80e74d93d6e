from __future__ import annotations

import errno
import gzip
import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.stages.export import writer
from corpus_pipeline.stages.export.writer import LineSpool, sweep_parts
from corpus_pipeline_tests.export.making import spooled

LINES = [b'{"n":%d}' % number for number in range(50)]
BOTH = pytest.mark.parametrize("compression", ["none", "gzip"])


def content(path: Path, compression: str) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if compression == "gzip" else raw


@BOTH
def test_the_facts_are_those_of_the_file(tmp_path, compression):
    facts = spooled(tmp_path / "work", LINES, compression=compression, batch=7)
    raw = facts.path.read_bytes()
    assert (facts.lines, facts.bytes, facts.sha256) == (50, len(raw), hashlib.sha256(raw).hexdigest())
    assert content(facts.path, compression) == b"\n".join(LINES) + b"\n"
    assert stat.S_IMODE(facts.path.stat().st_mode) == 0o600


@BOTH
def test_an_export_without_rows_is_a_valid_empty_file(tmp_path, compression):
    facts = spooled(tmp_path, [], compression=compression)
    assert facts.lines == 0
    assert content(facts.path, compression) == b""


def test_a_gzip_header_holds_no_time_and_no_name(tmp_path):
    header = spooled(tmp_path, LINES, compression="gzip").path.read_bytes()[:10]
    assert header[:4] == b"\x1f\x8b\x08\x00" and header[4:8] == b"\0\0\0\0"


@BOTH
@settings(max_examples=40)
@given(
    batches=st.lists(st.lists(st.binary(max_size=40).map(lambda raw: raw.hex().encode()), max_size=4), max_size=6),
    cut_after=st.integers(0, 6),
    tail=st.binary(max_size=30),
)
def test_a_cut_anywhere_leaves_no_trace_in_the_bytes(tmp_path_factory, compression, batches, cut_after, tail):
    folder = tmp_path_factory.mktemp("work")
    whole = LineSpool.start(folder, "whole", compression)
    cut = LineSpool.start(folder, "cut", compression)
    for number, batch in enumerate(batches):
        if number == cut_after:
            position = cut.mark()
            cut.close()
            with cut.path.open("ab") as part:  # what a killed process wrote after its last mark
                part.write(tail)
            resumed = LineSpool.resume(folder, position, compression)
            assert resumed is not None and resumed.lines == position.lines
            cut = resumed
        for spool in (whole, cut):
            spool.write(batch)
            spool.mark()
    expected, found = whole.finish(), cut.finish()
    assert found[1:] == expected[1:]
    assert found.path.read_bytes() == expected.path.read_bytes()


def test_a_part_that_is_gone_short_or_altered_is_not_resumed(tmp_path):
    spool = LineSpool.start(tmp_path, "notes")
    spool.write(LINES)
    position = spool.mark()
    spool.close()
    whole = spool.path.read_bytes()
    assert LineSpool.resume(tmp_path, position._replace(part=".other.part")) is None
    assert LineSpool.resume(tmp_path, position._replace(part="../notes.part")) is None
    spool.path.write_bytes(whole[:-1])
    assert LineSpool.resume(tmp_path, position) is None
    spool.path.write_bytes(b"x" + whole[1:])
    assert LineSpool.resume(tmp_path, position) is None
    spool.path.write_bytes(whole)
    resumed = LineSpool.resume(tmp_path, position)
    assert resumed is not None and resumed.finish().lines == 50


def test_a_part_that_a_live_writer_holds_is_neither_resumed_nor_swept(tmp_path):
    spool = LineSpool.start(tmp_path, "notes")
    position = spool.mark()
    assert LineSpool.resume(tmp_path, position) is None
    assert sweep_parts(tmp_path) == []
    spool.close()
    assert sweep_parts(tmp_path, keep=[position]) == []
    assert sweep_parts(tmp_path) == [position.part]
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_name_have_two_parts(tmp_path):
    one, two = (LineSpool.start(tmp_path, "notes") for _ in range(2))
    one.write(LINES)
    two.write(LINES[:1])
    assert (one.finish().lines, two.finish().lines) == (50, 1)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: a full disk needs root to mount a small tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"NOT TESTED: a full disk needs a small tmpfs: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_keeps_what_was_marked_and_says_what_to_do(small_disk):
    spool = LineSpool.start(small_disk, "notes")
    spool.write([b"x" * 999] * 50)
    position = spool.mark()
    with pytest.raises(TargetUnavailable, match=r"disk is full: free some space \(CORPUS_HOME\)"):
        spool.write([b"y" * 999] * 1000)
    assert spool.path.stat().st_size == position.bytes
    resumed = LineSpool.resume(small_disk, position)
    assert resumed is not None
    resumed.write([b"y" * 999] * 10)
    assert resumed.finish().lines == 60


def test_a_full_disk_before_the_first_mark_leaves_nothing(small_disk):
    spool = LineSpool.start(small_disk, "notes")
    with pytest.raises(TargetUnavailable):
        spool.write([b"y" * 999] * 1000)
    assert list(small_disk.iterdir()) == []


def test_a_disk_error_on_sync_gives_the_part_up(tmp_path, monkeypatch):
    spool = LineSpool.start(tmp_path, "notes")
    spool.write(LINES)
    spool.mark()
    spool.write(LINES)

    def broken(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(writer.os, "fsync", broken)
    with pytest.raises(TargetUnavailable, match="disk reports an error"):
        spool.mark()
    assert list(tmp_path.iterdir()) == []
