"""Whatever a command makes is its owner's alone, under a careless umask too, and by each way in which it can be started."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

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
