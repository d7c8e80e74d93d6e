"""Where Dagster keeps its own things: below CORPUS_HOME, initialised once before several processes use it."""

from __future__ import annotations

import fcntl
import os
from importlib import resources
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from corpus_pipeline.errors import StopJob
from corpus_pipeline.settings import Settings

_NO_FILES = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
# a run of the whole path holds a place in each of its pools as long as it lasts
POOLS = {"clean": 4, "augmentation": 4, "export": 4}


def packaged(name: str) -> Path:
    """dagster.yaml or workspace.yaml: from the source tree's top level, or as it lies in an installed wheel."""
    package = Path(str(resources.files("corpus_pipeline")))
    for place in (package / "deploy" / name, package.parent / name):
        if place.is_file():
            return place
    raise StopJob(f"{name} is missing from the installation; install corpus-pipeline again")


def prepare(settings: Settings) -> Path:
    """Write dagster.yaml to the Dagster home below CORPUS_HOME and set the environment for it; returns the home."""
    settings.make_home()
    home = settings.dagster_home
    home.mkdir(mode=0o700, exist_ok=True)
    text = packaged("dagster.yaml").read_text(encoding="utf-8")
    target = home / "dagster.yaml"
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        temporary = home / f"dagster.yaml.{os.getpid()}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["CORPUS_HOME"] = str(settings.home)
    os.environ["CORPUS_DAGSTER_STORAGE"] = str(home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    return home


def instance(settings: Settings, *, prints: bool = False) -> dg.DagsterInstance:
    """The Dagster instance below CORPUS_HOME. The first call makes its databases and the pools' limits.

    prints: what the steps of this process print goes to its terminal alone; to keep it in files, too, Dagster starts four
    processes for each run.
    """
    home = prepare(settings)
    reference = InstanceRef.from_dir(str(home), overrides=_NO_FILES if prints else None)
    mark = home / ".pools"
    if mark.exists():
        return dg.DagsterInstance.from_ref(reference)
    with (home / ".setup.lock").open("w") as alone:  # two that make Dagster's databases at once leave them unusable
        fcntl.flock(alone, fcntl.LOCK_EX)
        found = dg.DagsterInstance.from_ref(reference)
        if not mark.exists():
            # a pool that has only a default limit is not held on its first use
            for pool, limit in POOLS.items():
                found.event_log_storage.set_concurrency_slots(pool, limit)
            mark.touch()
    return found
