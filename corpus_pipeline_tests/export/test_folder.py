from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
from pathlib import Path
from stat import S_ISLNK

import pytest

from corpus_pipeline.errors import TargetUnavailable, UsageError
from corpus_pipeline.stages.export import files
from corpus_pipeline.stages.export.files import path_component
from corpus_pipeline.stages.export.targets import open_target
from corpus_pipeline.stages.export.targets.folder import FolderTarget
from corpus_pipeline_tests.export.making import (
    Stop,
    chat,
    described,
    facts,
    publish_and_die,
    rows,
    spooled,
    stopping_at,
)

OLD = rows([chat("old", "text")] * 3)
NEW = rows([chat("new", "text")] * 5)
STEPS = (
    "data.rename.before",
    "data.rename.after",
    "manifest.before",
    "manifest.after",
    "data.alias.before",
    "data.alias.after",
    "overview.before",
    "overview.after",
)


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its content and inode."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name != ".overview.lock")
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_ino) for path in found}


def read_from_manifest(root: Path, name: str) -> bytes:
    """What a reader gets who starts at the manifest."""
    target = FolderTarget(root)
    assert target.verify(name) == []
    with target.open(name) as stream:
        return stream.read()


@pytest.fixture
def target(tmp_path):
    return FolderTarget(tmp_path / "exports", grace_seconds=0)


def test_an_export_has_the_expected_files(target, tmp_path):
    data = spooled(tmp_path / "work", NEW)
    skipped = spooled(tmp_path / "work", [b'{"reason":"no_answer"}'], "skipped")
    published = target.publish(described(data, not_exportable={"no_answer": 1}), data, skipped)
    home = target.root / "notes"
    assert published.uri == str(home / "notes.jsonl") and published.changed and published.notes == ()
    assert (home / "notes.jsonl").read_bytes() == b"\n".join(NEW) + b"\n"
    assert (home / "notes.not_exportable.jsonl").read_bytes() == b'{"reason":"no_answer"}\n'
    manifest = json.loads((home / "manifest.json").read_bytes())
    assert [(f["role"], f["lines"], f["alias"]) for f in manifest["files"]] == [
        ("data", 5, "notes.jsonl"),
        ("not_exportable", 1, "notes.not_exportable.jsonl"),
    ]
    assert manifest["source"]["sha256"] == "ab" * 32 and manifest["created"] == "2026-11-22T06:00:00Z"
    assert json.loads((target.root / "dataset_info.json").read_bytes())["notes"]["file_name"] == "notes/notes.jsonl"
    assert (target.root / "README.md").read_text().startswith("---\nconfigs:\n- config_name: notes\n")


def test_the_same_rows_again_rewrite_nothing(target, tmp_path):
    for created in ("2026-11-22T06:00:00Z", "2026-11-23T06:00:00Z"):
        data = spooled(tmp_path / "work", NEW)
        published = target.publish(described(data, created=created), data)
        if created.startswith("2026-11-22"):
            before = snapshot(target.root)
    assert not published.changed
    assert snapshot(target.root) == before


def test_two_targets_get_the_same_bytes(tmp_path):
    contents = []
    for root in (tmp_path / "one", tmp_path / "two"):
        target = FolderTarget(root)
        for name in ("b", "a"):
            data = spooled(tmp_path / "work", NEW, name, compression="gzip")
            target.publish(described(data, name), data)
        contents.append({path: content for path, (content, _) in snapshot(root).items()})
    assert contents[0] == contents[1]


def test_a_new_export_replaces_the_old_one_and_its_leftovers(target, tmp_path):
    old, skipped = spooled(tmp_path / "work", OLD), spooled(tmp_path / "work", [b"{}"], "skipped")
    target.publish(described(old), old, skipped)
    new = spooled(tmp_path / "work", NEW)
    assert target.publish(described(new), new).changed
    assert sorted(path.name for path in (target.root / "notes").iterdir()) == [
        ".versions",
        "README.md",
        "croissant.json",
        "manifest.json",
        "notes.jsonl",
    ]
    assert [path.name for path in (target.root / "notes" / ".versions").iterdir()] == [f"{new.sha256}.jsonl"]


def test_a_version_that_another_exporter_may_be_about_to_name_is_kept_for_a_while(tmp_path):
    target = FolderTarget(tmp_path / "exports")
    for lines in (OLD, NEW):
        data = spooled(tmp_path / "work", lines)
        target.publish(described(data), data)
    assert len(list((target.root / "notes" / ".versions").iterdir())) == 2


@pytest.mark.parametrize("step", STEPS)
def test_stopped_at_any_step_a_reader_sees_one_whole_export_and_the_next_run_completes_it(target, tmp_path, step):
    data = spooled(tmp_path / "work", OLD)
    target.publish(described(data), data)
    new = spooled(tmp_path / "work", NEW)
    with pytest.raises(Stop):
        target.publish(described(new), new, on_step=stopping_at(step))
    shown = {"data.rename.before": OLD, "data.rename.after": OLD, "manifest.before": OLD}.get(step, NEW)
    assert read_from_manifest(target.root, "notes") == b"\n".join(shown) + b"\n"
    assert (target.root / "notes" / "notes.jsonl").read_bytes() in (b"\n".join(OLD) + b"\n", b"\n".join(NEW) + b"\n")
    target.publish(described(new), new)
    undisturbed = FolderTarget(tmp_path / "undisturbed")
    undisturbed.publish(described(new), new)
    contents = [{k: v[0] for k, v in snapshot(root).items()} for root in (target.root, undisturbed.root)]
    assert contents[0] == contents[1]


def test_a_killed_exporter_leaves_the_old_export_and_a_temporary_that_the_next_start_sweeps(target, tmp_path):
    data = spooled(tmp_path / "work", OLD)
    target.publish(described(data), data)
    publish_and_die(str(target.root), tmp_path / "work", NEW, "data.rename.before")
    assert list((target.root / "notes" / ".versions").glob(".*.tmp"))
    assert read_from_manifest(target.root, "notes") == b"\n".join(OLD) + b"\n"
    new = spooled(tmp_path / "work", NEW)
    target.publish(described(new), new)
    assert [path for path in target.root.rglob(".*.tmp")] == []
    assert read_from_manifest(target.root, "notes") == b"\n".join(NEW) + b"\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_refusing_disk_leaves_the_old_export_and_no_temporary(target, tmp_path, monkeypatch, number):
    data = spooled(tmp_path / "work", OLD)
    target.publish(described(data), data)
    before = snapshot(target.root)
    new = spooled(tmp_path / "work", NEW)

    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", refuse)
        with pytest.raises(TargetUnavailable, match=r"CORPUS_EXPORT_URL.*previous export is untouched"):
            target.publish(described(new), new)
    assert snapshot(target.root) == before
    assert read_from_manifest(target.root, "notes") == b"\n".join(OLD) + b"\n"


def test_two_exporters_of_one_partition_at_once_leave_one_whole_export(tmp_path):
    root, failures = tmp_path / "exports", []

    def export(lines: list[bytes], number: int) -> None:
        try:
            for _ in range(10):
                data = spooled(tmp_path / f"work{number}", lines)
                FolderTarget(root, grace_seconds=30).publish(described(data), data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=export, args=(lines, n)) for n, lines in enumerate((OLD, NEW, NEW))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read_from_manifest(root, "notes") in (b"\n".join(OLD) + b"\n", b"\n".join(NEW) + b"\n")


def test_an_exporter_that_slept_while_another_gave_the_friendly_name_leaves_nothing_behind(target, tmp_path):
    data = spooled(tmp_path / "work", OLD)

    def asleep(step: str) -> None:
        if step == "data.alias.before":
            FolderTarget(target.root).publish(described(data), data)

    target.publish(described(data), data, on_step=asleep)
    assert [path.name for path in (target.root / "notes").iterdir() if path.name.endswith(".tmp")] == []


def test_where_there_are_no_hard_links_the_friendly_name_is_a_copy(target, tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", refuse)
    for lines in (OLD, NEW):
        data = spooled(tmp_path / "work", lines)
        target.publish(described(data), data)
        assert (target.root / "notes" / "notes.jsonl").read_bytes() == b"\n".join(lines) + b"\n"
    assert list((target.root / "notes").glob(".*.tmp")) == []


def test_exporters_of_many_partitions_at_once_lose_no_entry(tmp_path):
    root, names, failures = tmp_path / "exports", [f"file-{n}" for n in range(12)], []

    def export(name: str) -> None:
        try:
            data = spooled(tmp_path / "work", NEW, name)
            FolderTarget(root).publish(described(data, name), data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=export, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(json.loads((root / "dataset_info.json").read_bytes())) == sorted(names)
    assert all(f"config_name: {name}\n" in (root / "README.md").read_text() for name in names)


def test_the_overview_can_be_left_for_later(target, tmp_path):
    for name in ("a", "b"):
        data = spooled(tmp_path / "work", NEW, name)
        target.publish(described(data, name), data, refresh=False)
    assert not (target.root / "README.md").exists() and (target.root / "a" / "README.md").exists()
    assert target.refresh_overview() == []
    assert sorted(json.loads((target.root / "dataset_info.json").read_bytes())) == ["a", "b"]


def test_a_flipped_byte_is_found_and_the_next_export_repairs_it(target, tmp_path):
    data = spooled(tmp_path / "work", NEW)
    target.publish(described(data), data)
    version = target.root / "notes" / ".versions" / f"{data.sha256}.jsonl"
    content = bytearray(version.read_bytes())
    content[10] ^= 1
    version.write_bytes(content)
    (damage,) = target.verify("notes")
    assert damage.path.endswith(f"{data.sha256}.jsonl") and "sha256" in damage.sentence
    target.publish(described(data), data)
    assert target.verify("notes") == []
    assert (target.root / "notes" / "notes.jsonl").read_bytes() == b"\n".join(NEW) + b"\n"


@pytest.mark.parametrize("in_place", [True, False])
def test_other_bytes_of_the_same_length_are_no_whole_export(target, tmp_path, in_place):
    data = spooled(tmp_path / "work", NEW)
    target.publish(described(data), data)
    alias = target.root / "notes" / "notes.jsonl"
    content = alias.read_bytes()
    assert target.holds("notes", data.sha256)
    if not in_place:
        alias.unlink()
    alias.write_bytes(content.replace(b"new", b"old"))
    later = alias.stat().st_mtime + 5
    os.utime(alias, (later, later))
    assert not target.holds("notes", data.sha256)
    data = spooled(tmp_path / "work", NEW)
    target.publish(described(data), data)
    assert target.holds("notes", data.sha256) and alias.read_bytes() == content


def test_a_whole_export_is_not_read_because_it_was_touched_or_published_again(target, tmp_path, monkeypatch):
    data = spooled(tmp_path / "work", NEW)
    target.publish(described(data), data)
    data = spooled(tmp_path / "work", NEW)
    target.publish(described(data), data)
    monkeypatch.setattr(target, "_damage", lambda folder, stored: pytest.fail("it was read"))
    assert target.holds("notes", data.sha256)


def test_a_part_that_changed_after_it_was_finished_is_not_published(target, tmp_path):
    data = spooled(tmp_path / "work", NEW)
    data.path.write_bytes(data.path.read_bytes().replace(b"new", b"bad"))
    with pytest.raises(TargetUnavailable, match="changed after it was written"):
        target.publish(facts(), data)
    assert not target.exists("notes")


def test_a_foreign_manifest_is_not_trusted(target, tmp_path):
    data = spooled(tmp_path / "work", NEW)
    target.publish(described(data), data)
    (target.root / "notes" / "manifest.json").write_text('{"manifest_version": 99}')
    with pytest.raises(TargetUnavailable, match="manifest_version is 99"):
        target.manifest("notes")
    assert target.publish(described(data), data).changed
    assert target.verify("notes") == []


def test_what_was_never_exported_is_absent(target):
    assert target.manifest("notes") is None and not target.exists("notes")
    assert [damage.missing for damage in target.verify("notes")] == [True]
    with pytest.raises(TargetUnavailable, match="corpus run notes --to export"):
        target.open("notes")


def test_the_check_writes_for_real_and_leaves_nothing(target):
    check = target.check()
    assert check.ok and check.free_bytes > 0
    assert list(target.root.iterdir()) == []


def test_the_check_of_an_impossible_place_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    check = FolderTarget(tmp_path / "file" / "exports").check()
    assert not check.ok and "CORPUS_EXPORT_URL" in check.sentence


def test_names_become_safe_and_different_folders():
    names = ["notes", "a/b", "a%2Fb", "..", ".", "-x", "数据 集", "a*b", "a?b", "é" * 200, "é" * 201, "A b", "a\nb"]
    folders = [path_component(name) for name in names]
    assert len(set(folders)) == len(names)
    assert folders[:2] == ["notes", "a%2Fb"] and folders[6] == "数据%20集"
    for folder in folders:
        assert (
            not set(folder) & set("/\\*?[]\n\0 ") and not folder.startswith((".", "-")) and len(folder.encode()) < 200
        )


def test_the_export_url_chooses_the_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_target("out").uri("x") == str(tmp_path / "out" / "x")
    assert open_target(f"file://{tmp_path}/out").uri("x") == str(tmp_path / "out" / "x")
    for url in ("ftp://host/x", "s3://"):
        with pytest.raises(UsageError, match="s3://BUCKET/PREFIX"):
            open_target(url)


@pytest.mark.parametrize("link", ["notes", "notes/.versions"])
def test_a_folder_that_another_user_made_a_link_is_not_followed(tmp_path, link):
    if os.geteuid() != 0:
        pytest.skip("only root can make a link of another user")
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "root"
    elsewhere.mkdir()
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(elsewhere)
    os.lchown(root / link, 65534, 65534)
    data = spooled(tmp_path / "work", rows([chat("one", "two")]))
    with pytest.raises(TargetUnavailable, match="another user"):
        FolderTarget(root).publish(described(data), data)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("link", ["notes", "notes/.versions"])
def test_a_folder_that_is_swapped_for_a_link_meanwhile_is_not_followed(tmp_path, link):
    """Another user of a shared export folder waits for the moment between the look and the write, at each step of it."""
    elsewhere, root, kept = tmp_path / "elsewhere", tmp_path / "root", tmp_path / "kept"
    (elsewhere / ".versions").mkdir(parents=True)
    victims = [elsewhere / "secret.txt", elsewhere / ".versions" / "old", elsewhere / "manifest.json"]
    for victim in victims:
        victim.write_text("of somebody else")
        os.utime(victim, (0, 0))
    before = snapshot(elsewhere)
    data = spooled(tmp_path / "work", rows([chat("one", "two")]))
    steps: list[str] = []

    def swap_at(number):
        def step(name):
            steps.append(name)
            if len(steps) == number:
                (root / link).rename(kept)
                (root / link).symlink_to(elsewhere)

        return step

    for number in range(1, 30):
        steps.clear()
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(kept, ignore_errors=True)
        with contextlib.suppress(TargetUnavailable), as_another_user(root / link):
            FolderTarget(root, grace_seconds=0).publish(described(data), data, on_step=swap_at(number))
        assert snapshot(elsewhere) == before, number
        if len(steps) < number:
            break
    assert number > 5


@contextlib.contextmanager
def as_another_user(link):
    """Whatever link there is meanwhile, it is not ours."""
    real = os.stat

    def stat(path, *further, **named):
        found = real(path, *further, **named)
        if named.get("follow_symlinks") is False and S_ISLNK(found.st_mode):
            values = list(found)
            values[4] = 65534
            return os.stat_result(values)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", stat)
        yield
