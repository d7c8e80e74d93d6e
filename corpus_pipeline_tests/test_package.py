"""What an installed package holds, and what the set-up script does when the index is not what it should be."""

from __future__ import annotations

import functools
import hashlib
import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def tracked(*paths: str) -> list[str]:
    """The files of a path that are neither ignored nor caches, relative to the root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", *paths]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_package(wheel):
    assert sorted(set(tracked("corpus_pipeline")) - set(wheel.namelist())) == []


def test_the_wheel_holds_the_dagster_files_and_nothing_else_of_the_top_level(wheel):
    outside = {name for name in wheel.namelist() if not name.startswith(("corpus_pipeline/", "corpus_pipeline-"))}
    assert outside == set()
    for name in tracked("dagster.yaml", "workspace.yaml"):
        assert wheel.read(f"corpus_pipeline/deploy/{name}") == (ROOT / name).read_bytes()


def test_the_wheel_installs_the_corpus_command(wheel):
    [entry_points] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "corpus = corpus_pipeline.cli:main" in wheel.read(entry_points).decode()


def test_every_lock_entry_is_a_pinned_package_with_a_hash():
    for name in ("build.txt", "runtime.txt", "test.txt"):
        lines = (ROOT / "locks" / name).read_text().replace("\\\n", " ").splitlines()
        entries = [text for line in lines if (text := line.partition("#")[0].strip())]
        assert len(entries) > 3
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == [], name


def test_every_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = {"runtime.txt": project["dependencies"], "test.txt": project["optional-dependencies"]["test"]}
    for lock, wanted in lists.items():
        locked = {line.split("==")[0] for line in (ROOT / "locks" / lock).read_text().splitlines() if "==" in line}
        names = {re.match(r"[\w-]+", requirement)[0] for requirement in wanted}
        assert names - locked == set(), f"run `make lock`: {lock} lacks them"


# --- scripts/setup.py ---


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus_setup", ROOT / "scripts" / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index over HTTP: the folder that it serves below /simple/pip/."""
    folder = tmp_path / "index" / "simple" / "pip"
    folder.mkdir(parents=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "index"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
        monkeypatch.delenv("PIP_CERT", raising=False)
        yield folder
        server.shutdown()


def json_page(name: str) -> str:
    return json.dumps({"files": [{"filename": name, "url": f"../../files/{name}"}]})


def html_page(name: str) -> str:
    return f'<!doctype html><a href="../../files/{name}#sha256=00">{name}</a>'


@pytest.mark.parametrize("page", [json_page, html_page])
def test_pip_is_fetched_from_either_form_of_a_package_index(setup, index, tmp_path, monkeypatch, page):
    files = index.parents[1] / "files"
    files.mkdir()
    (files / setup.PIP_WHEEL).write_bytes(b"a wheel")
    (index / "index.html").write_text(page(setup.PIP_WHEEL))
    monkeypatch.setattr(setup, "PIP_SHA256", hashlib.sha256(b"a wheel").hexdigest())
    assert setup.download_pip(tmp_path).read_bytes() == b"a wheel"


def test_pip_with_another_content_is_not_kept(setup, index, tmp_path, capsys):
    (index.parents[1] / "files").mkdir()
    (index.parents[1] / "files" / setup.PIP_WHEEL).write_bytes(b"something else")
    (index / "index.html").write_text(json_page(setup.PIP_WHEEL))
    with pytest.raises(SystemExit) as stopped:
        setup.download_pip(tmp_path)
    assert stopped.value.code == 1
    assert "has sha256" in capsys.readouterr().err
    assert not (tmp_path / setup.PIP_WHEEL).exists()


@pytest.mark.parametrize("page", [None, html_page("pip-1.0-py3-none-any.whl")], ids=["no page", "no such version"])
def test_an_index_without_that_pip_is_an_error_with_a_next_step(setup, index, tmp_path, capsys, page):
    if page is not None:
        (index / "index.html").write_text(page)
    else:
        index.rmdir()
    with pytest.raises(SystemExit):
        setup.download_pip(tmp_path)
    assert "next: apt-get install python3-venv" in capsys.readouterr().err


def test_the_environment_is_out_of_date_when_a_lock_changes(setup, tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("a==1 --hash=sha256:00\n")
    (tmp_path / setup.STAMP).write_text(setup.stamp_of(lock))
    assert setup.is_current(tmp_path, lock)
    lock.write_text("a==2 --hash=sha256:00\n")
    assert not setup.is_current(tmp_path, lock)


def test_an_environment_does_not_remove_itself(setup, tmp_path):
    venv = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    script = ROOT / "scripts" / "setup.py"
    environment = os.environ | {"VENV": str(venv)}
    refused = subprocess.run([venv / "bin" / "python", script], env=environment, capture_output=True, text=True)
    assert refused.returncode == 1 and f"make setup PYTHON={setup.base_python()}" in refused.stderr
    assert (venv / "bin" / "python").exists()
    # one that is complete is taken for it from inside, too
    (venv / setup.STAMP).write_text(setup.stamp_of(setup.RUNTIME_LOCK))
    assert subprocess.run([venv / "bin" / "python", script], env=environment).returncode == 0
