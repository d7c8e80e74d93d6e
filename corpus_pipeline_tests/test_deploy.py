"""deploy/: every command, setting and file that it names is there, and its worker starts with that configuration."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus_pipeline.cli import cli
from corpus_pipeline.defs import instance
from corpus_pipeline.defs.celery_launcher import CorpusRunLauncher
from corpus_pipeline.settings import VARIABLES, Settings
from corpus_pipeline_tests.dagster.graphql import wait_for
from corpus_pipeline_tests.servers.process import free_port

DEPLOY = Path(__file__).parent.parent / "deploy"
IMAGE = "corpus-pipeline"


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


def env_file() -> dict[str, str]:
    lines = (DEPLOY / "corpus.env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def commands() -> dict[str, list[str]]:
    """The commands of our own processes: of compose and of the units."""
    found = {name: service["command"] for name, service in compose().items() if service["image"] == IMAGE}
    for path in sorted((DEPLOY / "systemd").iterdir()):
        unit = RawConfigParser(strict=False)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read(path)
        assert unit["Service"]["KillMode"] == "mixed" and int(unit["Service"]["TimeoutStopSec"]) > 60, path
        found[path.name] = shlex.split(unit["Service"]["ExecStart"])[1:]
    return found


def test_every_command_is_one_of_ours() -> None:
    assert len(commands()) == 5
    for name, words in commands().items():
        words = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in words]
        command = cli.get_command(cli.make_context("corpus", ["--help"], resilient_parsing=True), words[0])
        assert command is not None, name
        command.make_context(words[0], words[1:], resilient_parsing=False)


def test_every_setting_is_one_of_ours_and_they_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = env_file()
    known = {variable.name for variable in VARIABLES}
    assert {name for name in given if not name.startswith("AWS_")} <= known
    settings = Settings.from_env(given | {"CORPUS_HOME": str(tmp_path / "home")})
    assert (settings.dagster_database, settings.log_json) == ("mysql", True)
    for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "CORPUS_HOME"):
        monkeypatch.setenv(name, "unset")
    monkeypatch.setenv("CORPUS_CELERY_BROKER", given["CORPUS_CELERY_BROKER"])
    config = yaml.safe_load((instance.prepare(settings) / "dagster.yaml").read_text(encoding="utf-8"))
    assert config["run_launcher"]["class"] == CorpusRunLauncher.__name__ and set(config["storage"]) == {"mysql"}
    assert config["run_monitoring"]["start_timeout_seconds"] > 86400, (
        "a run waits in the broker for as long as it takes"
    )
    assert not any(value in str(config) for name, value in given.items() if "://" in value and "CORPUS_" in name)


def test_files_and_services_that_compose_names_are_there() -> None:
    services = compose()
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            place = volume.split(":")[0]
            assert not place.startswith("./") or (DEPLOY / place).exists(), place
    hosts = set(re.findall(r"(?:@|//)(\w+):\d+", (DEPLOY / "corpus.env.example").read_text()))
    assert hosts <= set(services), "an address of the settings is no service"
    for place in re.findall(r"reverse_proxy (\w+):", (DEPLOY / "Caddyfile").read_text()):
        assert place in services
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert all((DEPLOY.parent / place).exists() for places in copied for place in places.split())


def test_a_celery_worker_starts_with_it_and_stops_by_sigterm(tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("NOT TESTED: redis-server is not installed")
    port = free_port()
    broker = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CORPUS_", "DAGSTER_"))}
    own |= {"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_CELERY_BROKER": f"redis://127.0.0.1:{port}/0"}
    log = tmp_path / "log"
    try:
        with log.open("wb") as file:
            command = [sys.executable, "-m", "corpus_pipeline", *commands()["worker"]]
            worker = subprocess.Popen(command, env=own, stdout=file, stderr=file)
        try:
            ask = ["redis-cli", "-p", str(port), "smembers", "_kombu.binding.dagster"]
            wait_for(
                lambda: b"dagster" in subprocess.run(ask, capture_output=True).stdout, 90, "the worker at the broker"
            )
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0, log.read_text()
        finally:
            worker.kill()
            worker.wait()
    finally:
        broker.kill()
        broker.wait()
