"""Where Dagster keeps its own things: below CORPUS_HOME, initialised once before several processes use it.

`dagster.yaml` is rendered from ours, the environment and a file of the user's that is merged; it carries a mark with its hash.
One that we did not write, or that somebody changed since, is the user's: it is used as it is and never written.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from corpus_pipeline import secret_words
from corpus_pipeline.defs.dagster_internals import NO_COMPUTE_LOGS, InstanceRef
from corpus_pipeline.defs.dagster_secrets import sealed
from corpus_pipeline.errors import StopJob, UsageError
from corpus_pipeline.file_locks import locked
from corpus_pipeline.settings import Settings
from corpus_pipeline.store import Store

_MARK = "# written by corpus-pipeline; change it and it is yours, and is left alone. "
_UNMARKED = {"48d2f61f5cf1a12cf92614ea083bb33bb5661b7dd2e5370d4ee373a9ccff00a0"}  # written before there were marks
DATABASE_VARIABLE = "CORPUS_DAGSTER_DATABASE_URL"
_NO_FILES = {
    "compute_logs": {
        "module": NO_COMPUTE_LOGS,
        "class": "NoOpComputeLogManager",
    }
}
_IN_THE_BROKER = 365 * 86400  # seconds that a run may wait there; Dagster's monitoring stumbles over 0, no limit
# the broker's address stays in the environment: it may hold a password
_CELERY = {
    "module": "corpus_pipeline.defs.celery_launcher",
    "class": "CorpusRunLauncher",
    "config": {"broker": {"env": "CORPUS_CELERY_BROKER"}, "backend": None},
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


def rendered(settings: Settings) -> str:
    """The text of our dagster.yaml, with its mark. Raises UsageError for a file of the user's that cannot be merged."""
    text = packaged("dagster.yaml").read_text(encoding="utf-8")
    own = settings.dagster_config
    if own is not None or settings.dagster_database or settings.celery_broker:
        config = yaml.safe_load(text)
        if settings.celery_broker:
            config["run_launcher"] = _CELERY
            config["run_monitoring"]["start_timeout_seconds"] = _IN_THE_BROKER
        if settings.dagster_database:
            config["storage"] = _storage(settings.dagster_database)
        config |= _own_config(own) if own is not None else {}
        text = yaml.safe_dump(config, sort_keys=False)
    return f"{_MARK}{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def _storage(kind: str) -> dict[str, Any]:
    """Dagster's storage on a server. The address stays in the environment: it holds a password."""
    name, key = ("postgres", "postgres_url") if kind == "postgresql" else ("mysql", "mysql_url")
    return {name: {key: {"env": DATABASE_VARIABLE}}}


def _own_config(path: Path) -> dict[str, Any]:
    """What the user wants otherwise: each of its top keys takes the place of ours."""
    try:
        own = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"CORPUS_DAGSTER_CONFIG {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, yaml.YAMLError) as error:  # whose words quote the line, and there may be a password in it
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"CORPUS_DAGSTER_CONFIG {path} is no YAML{place}") from None
    if not isinstance(own, dict):
        raise UsageError(
            f"CORPUS_DAGSTER_CONFIG {path} must be a YAML mapping like dagster.yaml, not a {type(own).__name__}"
        )
    return own


def is_ours(target: Path) -> bool:
    """Whether we wrote a dagster.yaml, and no one changed it since."""
    mark, _, rest = target.read_text(encoding="utf-8").partition("\n")
    digest = hashlib.sha256(rest.encode()).hexdigest()
    return mark == _MARK + digest or hashlib.sha256(target.read_bytes()).hexdigest() in _UNMARKED


def prepare(settings: Settings) -> Path:
    """Make the Dagster home, with our dagster.yaml unless there is one of the user's; set the environment; returns the home."""
    settings.make_home()
    home = settings.dagster_home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = home / "dagster.yaml"
    if not target.exists() or is_ours(target):
        text = rendered(settings)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            temporary = home / f"dagster.yaml.{os.getpid()}"
            temporary.touch(mode=0o600)  # a user's own configuration may hold a password
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
    elif settings.dagster_config is not None or settings.dagster_database:
        raise UsageError(
            f"{target} is not ours and is used as it is: unset CORPUS_DAGSTER_CONFIG and {DATABASE_VARIABLE},"
            " or move that file away"
        )
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
    plain = InstanceRef.from_dir(str(home), overrides=_NO_FILES if prints else None)
    _require_driver(plain, home)
    reference = sealed(plain)
    mark = home / ".pools"
    if mark.exists():
        return _opened(reference, home)
    # two that make Dagster's databases at once, in one home or on two hosts, leave them unusable
    with locked(home / ".setup.lock"), _other_hosts_wait(settings):
        found = _opened(reference, home)
        if not mark.exists() and is_ours(home / "dagster.yaml"):
            # a pool that has only a default limit is not held on its first use
            for pool, limit in POOLS.items():
                found.event_log_storage.set_concurrency_slots(pool, limit)
            mark.touch()
    return found


def _require_driver(reference: Any, home: Path) -> None:
    """Raises UsageError for a PostgreSQL address that leads to the driver with which Dagster cannot write."""
    data = reference.event_storage_data
    if data is None or not data.module_name.startswith("dagster_postgres"):
        return
    configured = yaml.safe_load(data.config_yaml) or {}
    address = _value(configured.get("postgres_url"))
    scheme = address.partition(":")[0] or _value((configured.get("postgres_db") or {}).get("scheme")) or "postgresql"
    if scheme in ("postgresql", "postgresql+psycopg"):
        own = is_ours(home / "dagster.yaml") and DATABASE_VARIABLE in os.environ
        raise UsageError(
            f"{DATABASE_VARIABLE if own else home / 'dagster.yaml'}: with {scheme}:// SQLAlchemy takes the driver psycopg, with"
            " which Dagster cannot write its events. Write postgresql+psycopg2://, in postgres_db: scheme: postgresql+psycopg2"
        )


def _value(configured: Any) -> str:
    """A text of a dagster.yaml, or that of the variable which it names."""
    return str((os.environ.get(configured.get("env", "")) if isinstance(configured, dict) else configured) or "")


def _opened(reference: Any, home: Path) -> dg.DagsterInstance:
    """Raises UsageError where what a dagster.yaml of the user's names is not installed or does not answer."""
    try:
        return dg.DagsterInstance.from_ref(reference)
    except Exception as error:
        if is_ours(home / "dagster.yaml") and DATABASE_VARIABLE not in os.environ:
            raise
        written = (home / "dagster.yaml").read_text(encoding="utf-8")
        hide = secret_words.hider([*secret_words.in_yaml(written), *secret_words.in_environment(os.environ)])
        said = hide(str(error).strip().partition("\n")[0])
        raise UsageError(
            f"{home / 'dagster.yaml'}: Dagster cannot open what it names: {type(error).__name__}: {said}"
        ) from error


@contextmanager
def _other_hosts_wait(settings: Settings) -> Iterator[None]:
    """One host after the other makes Dagster's tables on a server; the corpus's own server holds them off."""
    if settings.dagster_database is None:
        yield
        return
    store = Store(settings.database_url)
    try:
        with store.backend.exclusive(store.engine):
            yield
    finally:
        store.close()
