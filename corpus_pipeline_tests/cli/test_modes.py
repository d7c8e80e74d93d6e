"""Whatever a command makes is its owner's alone, under a careless umask too, and by each way in which it can be started."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.small_corpus import pair, write_jsonl

WAYS = {
    "module": [sys.executable, "-m", "corpus_pipeline"],
    "script": [str(Path(sys.executable).parent / "corpus")],
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_below_the_home_is_open_to_others_under_a_careless_umask(way: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    source = write_jsonl(tmp_path / "a.jsonl", [pair(n) for n in range(1, 4)])
    for arguments in (("add", str(source)), ("run", "a", "--to", "clean"), ("index",), ("doctor",)):
        subprocess.run(
            [*WAYS[way], *arguments],
            env=os.environ | {"CORPUS_HOME": str(home)},
            cwd=tmp_path,
            umask=0,
            capture_output=True,
            timeout=300,
            check=arguments != ("doctor",),  # which finds that there is no key
        )
    found = [home, *home.rglob("*")]
    assert len(found) > 10
    assert [str(path) for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()] == []


@pytest.mark.parametrize(
    ("mode", "ours", "group", "left"),
    [
        (0o755, True, True, 0o700),
        (0o777, True, True, 0o700),
        (0o1777, True, True, None),  # as /tmp is: everybody's, whoever owns it
        (0o2770, False, True, 0o2770),  # a volume with a group for us
        (0o755, False, False, 0o755),
        (0o775, False, False, None),
        (0o777, False, True, None),
    ],
)
def test_a_home_that_others_may_write_is_closed_or_refused(
    mode: int, ours: bool, group: bool, left: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    own = home.stat()
    monkeypatch.setattr(os, "geteuid", lambda: own.st_uid if ours else own.st_uid + 1)
    monkeypatch.setattr(os, "getegid", lambda: own.st_gid + 1)
    monkeypatch.setattr(os, "getgroups", lambda: [own.st_gid] if group else [])
    if left is None:
        with pytest.raises(UsageError, match="chmod go-w"):
            small_corpus.settings(home).make_home()
    else:
        small_corpus.settings(home).make_home()
    assert stat.S_IMODE(home.stat().st_mode) == (mode if left is None else left)


def test_a_process_that_dagster_starts_for_us_has_the_umask_too() -> None:
    program = "import os, corpus_pipeline.definitions; print(oct(os.umask(0)))"
    done = subprocess.run(
        [sys.executable, "-c", program], umask=0, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "0o77"


def test_a_program_that_uses_our_interface_keeps_its_umask() -> None:
    program = "import os, corpus_pipeline.api, corpus_pipeline.defs.launch; print(oct(os.umask(0)))"
    done = subprocess.run([sys.executable, "-c", program], umask=0o22, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0o22"
