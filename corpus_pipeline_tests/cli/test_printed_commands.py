"""Commands that are printed can be pasted, whatever files are called; and files are told by the name that they came with."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from corpus_pipeline_tests.cli.conftest import run
from corpus_pipeline_tests.small_corpus import pair, write_jsonl

NAMES = (
    "it's; rm -rf x",
    "a b  c",
    "$(id)",
    "`id`",
    "-rf",
    'say "hi"',
    "a&b|c>d",
    "数据 集",
    "#1",
    "~root",
    "*?[a]",
    "a\\b",
)


def pasted(text: str, path: Path) -> bool:
    """Whether some command that the text prints names this path, when a shell reads it."""
    for found in re.findall(r"(?:[A-Z_]+=\S.*? )?corpus [a-z].*", text):
        for end in ("", "`", ")", "."):
            try:
                words = shlex.split(found.partition(f"{end} or ")[0].partition("` ")[0].rstrip(end))
            except ValueError:
                continue
            if any(str(path) in (word, word.partition("=")[2]) for word in words):
                return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_commands_name_hostile_paths_as_a_shell_reads_them(fresh: dict[str, str], tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    source = write_jsonl(folder / f"{name}.jsonl", [pair(1)])
    assert run(fresh, "add", str(source), "--name", "rows").returncode == 0
    write_jsonl(source, [pair(2)])
    changed = run(fresh, "add", str(source), "--name", "rows")
    assert changed.returncode == 1 and pasted(changed.stderr, source), changed.stderr
    recipe = folder / f"{name}.yaml"
    made = run(fresh, "recipe", "new", "--", str(recipe))
    assert made.returncode == 0 and pasted(made.stderr, recipe), made.stderr
    key = folder / f"{name}.pem"
    signed = run(fresh, "attest", "--new-key", str(key))
    assert signed.returncode == 0 and pasted(signed.stderr, key), signed.stderr
    prices = folder / f"{name}.json"
    prices.write_text('{"m": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}}')
    undated = run(fresh, "prices", "update", "--", str(prices))
    assert undated.returncode == 2 and pasted(undated.stderr, prices), undated.stderr


def test_a_name_in_another_script_is_shown_where_the_file_is_looked_at(fresh: dict[str, str], tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "Данные 数据.jsonl", [pair(n) for n in range(1, 4)])
    assert run(fresh, "add", str(path)).returncode == 0
    assert run(fresh, "run", "--to", "clean").returncode == 0
    (file,) = json.loads(run(fresh, "status", "--json").stdout)["files"]
    assert file["name"] == "dannye_shuju" and file["title"] == "Данные 数据.jsonl"
    assert "Данные 数据.jsonl" in run(fresh, "status").stdout
    told = run(fresh, "report", "dannye_shuju")
    assert "Данные 数据.jsonl" in told.stdout
    assert json.loads(run(fresh, "report", "dannye_shuju", "--json").stdout.splitlines()[0])["title"] == path.name
