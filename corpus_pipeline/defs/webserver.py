"""`dagster dev` with a door: code server and daemon as children, and Dagster's web application behind our guard."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import yaml
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__ as version
from starlette.applications import Starlette

from corpus_pipeline.defs import instance as defs_instance
from corpus_pipeline.defs import partitions, resources
from corpus_pipeline.defs.build import LOCATION
from corpus_pipeline.defs.clock_steps import forget_looks_ahead
from corpus_pipeline.defs.daemon_seat import DaemonSeat
from corpus_pipeline.defs.dagster_internals import (
    DAEMON,
    ModuleTarget,
    ProxyServerManager,
    WorkspaceFileTarget,
    WorkspaceProcessContext,
    WorkspaceRequestContext,
    configure_loggers,
    load_run_config_yaml,
)
from corpus_pipeline.defs.dagster_secrets import hide_in_pages, without_reference
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.errors import StopJob
from corpus_pipeline.settings import Settings
from corpus_pipeline.web.dagster_guard import DagsterGuard
from corpus_pipeline.web.serve import server

DEFINITIONS = "corpus_pipeline.definitions"
_LEVEL = "warning"
_MOST_VALUES = 10_000  # of a run's configuration that is given as a text
_POLL_MILLISECONDS = 2000  # how often the UI asks for news of assets
_STATEMENT_MILLISECONDS, _POOL_SECONDS, _POOL_OVERFLOW = 15_000, 3600, 20  # what Dagster's own webserver takes


class _Workspace(WorkspaceProcessContext):
    """Viewers have Dagster's own read-only permissions: its UI then offers them no button."""

    def create_request_context(self, source: Any | None = None) -> WorkspaceRequestContext:
        person = source.scope.get("person") if source is not None else None
        return WorkspaceRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=person is not None and not person.may_act,
        )


class _RunConfigs:
    """Configurations of runs as Dagster reads them, held to what the resources of the code locations have."""

    def __init__(self, workspace: WorkspaceProcessContext) -> None:
        self._workspace = workspace

    def read(self, text: str) -> Any:
        try:
            found = load_run_config_yaml(text)
        except (yaml.YAMLError, RecursionError):
            raise ValueError("the configuration of a run is no YAML") from None
        waiting, seen = [found], 0
        while waiting:
            value = waiting.pop()
            seen += 1
            if seen > _MOST_VALUES:  # with aliases written out
                raise ValueError("the configuration of a run has too many values")
            if isinstance(value, dict | list):
                waiting.extend(value.values() if isinstance(value, dict) else value)
        return found

    def refusal(self, config: Any) -> str | None:
        """None also where the same name is a resource of several locations and one of them takes the entry: the run asks its
        own one."""
        given = config.get("resources") if isinstance(config, dict) else None
        if not isinstance(given, dict):
            return None
        for name, entry in given.items():
            told = [resources.refusal(entry, own) for own in self._own(name)]
            if told and all(told):
                return told[0]
        return None

    def _own(self, name: str) -> Iterator[dict[str, Any]]:
        """What the definitions have in the corpus resources of this name."""
        kind = f"{CursorResource.__module__}.{CursorResource.__qualname__}"
        for location in self._workspace.create_request_context().code_locations:
            for repository in location.get_repositories().values():
                for resource in repository.repository_snap.resources:
                    if resource.name == name and resource.resource_type == kind:
                        field = resource.resource_snapshot.config_field_snap
                        yield json.loads((field and field.default_value_as_json_str) or "{}") or {}


def run(
    settings: Settings,
    rows: Starlette,
    listener: socket.socket,
    ready: Callable[[], None],
    said: Callable[[str], None],
) -> None:
    """Serve Dagster at `listener` until Ctrl-C; `rows` is the row browser. said: takes what people should know of the daemon.

    Raises StopJob when the daemon ends."""
    configure_loggers(formatter="colored", log_level=_LEVEL.upper())
    os.environ["DAGSTER_IS_DEV_CLI"] = "1"
    with ExitStack() as stack:
        instance = stack.enter_context(defs_instance.instance(settings))
        names = [file.name for file in rows.state.site.corpus.files()]
        partitions.register(instance, names)
        workspace = stack.enter_context(_code_server(instance))
        hide_in_pages(instance)
        instance.optimize_for_webserver(_STATEMENT_MILLISECONDS, _POOL_SECONDS, _POOL_OVERFLOW)
        target = WorkspaceFileTarget([workspace])
        context = stack.enter_context(_Workspace(instance, target, version=version, code_server_log_level=_LEVEL))
        app = create_app_from_workspace_process_context(context, live_data_poll_rate=_POLL_MILLISECONDS)
        serving = server(DagsterGuard(app, rows, _RunConfigs(context)), rows.state.site.options, sockets=True)
        ended = threading.Event()

        def end() -> None:
            ended.set()
            serving.should_exit = True

        corpus = rows.state.site.corpus
        start = partial(_daemon, workspace)
        stack.enter_context(
            DaemonSeat(corpus.store, settings.lease_seconds, start, end, said, partial(forget_looks_ahead, instance))
        )
        ready()
        serving.run(sockets=[listener])
        if ended.is_set():
            raise StopJob("the Dagster daemon ended; its last words are above. Start `corpus ui` again")


@contextmanager
def _code_server(instance: dg.DagsterInstance) -> Iterator[str]:
    """The process that loads the definitions, on a socket of its own; yields the workspace file that names it."""
    target = ModuleTarget(DEFINITIONS, None, str(Path.cwd()), LOCATION)
    with ProxyServerManager(without_reference(instance), target, _LEVEL) as servers, TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.yaml"
        path.write_text(yaml.safe_dump({"load_from": servers.get_code_server_specs()}), encoding="utf-8")
        logging.getLogger("dagster.code_server").setLevel(logging.ERROR)
        yield str(path)


def _daemon(workspace: str) -> subprocess.Popen[bytes]:
    """The daemon: queue, sensors, monitoring."""
    command = [sys.executable, "-W", "ignore", "-m", DAEMON, "run", "--log-level", _LEVEL]
    return subprocess.Popen([*command, "--code-server-log-level", _LEVEL, "--workspace", workspace])
