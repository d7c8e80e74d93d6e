"""Dagster's private names that we use, in one place: what a new version may move or change, a test looks at here.

Each is imported when it is asked for, because some bring much with them.
"""

from __future__ import annotations

import importlib
from typing import Any

PLACES = {
    "ProxyServerManager": "dagster._cli.proxy_server_manager",
    "CODE_VERSION_TAG": "dagster._core.definitions.data_version",
    "DATA_VERSION_IS_USER_PROVIDED_TAG": "dagster._core.definitions.data_version",
    "DATA_VERSION_TAG": "dagster._core.definitions.data_version",
    "get_input_data_version_tag": "dagster._core.definitions.data_version",
    "get_input_event_pointer_tag": "dagster._core.definitions.data_version",
    "AssetGraphSubset": "dagster._core.definitions.assets.graph.asset_graph_subset",
    "DefaultPartitionsSubset": "dagster._core.definitions.partitions.subset",
    "SensorInstigatorData": "dagster._core.scheduler.instigation",
    "SINGLETON_REPOSITORY_NAME": "dagster._core.definitions.repository_definition",
    "BulkActionsFilter": "dagster._core.execution.backfill",
    "InstanceRef": "dagster._core.instance.ref",
    "RegisteredCodeLocationOrigin": "dagster._core.remote_origin",
    "RemoteJobOrigin": "dagster._core.remote_origin",
    "RemoteRepositoryOrigin": "dagster._core.remote_origin",
    "ConsolidatedSqliteEventLogStorage": "dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log",
    "SqliteRunStorage": "dagster._core.storage.runs",
    "SqliteScheduleStorage": "dagster._core.storage.schedules",
    "GRPC_INFO_TAG": "dagster._core.storage.tags",
    "LaunchRunContext": "dagster._core.launcher",
    "ExecuteRunArgs": "dagster._grpc.types",
    "_execute_run_command_body": "dagster._cli.api",
    "DagsterGrpcClient": "dagster._grpc.client",
    "DagsterSqliteStorage": "dagster._core.storage.sqlite_storage",
    "WorkspaceProcessContext": "dagster._core.workspace.context",
    "WorkspaceRequestContext": "dagster._core.workspace.context",
    "ModuleTarget": "dagster._core.workspace.load_target",
    "WorkspaceFileTarget": "dagster._core.workspace.load_target",
    "is_valid_email": "dagster._core.utils",
    "ConfigurableClassData": "dagster._serdes",
    "configure_loggers": "dagster._utils.log",
    "process_config": "dagster._config",
    "resolve_to_config_type": "dagster._config",
    "load_run_config_yaml": "dagster_shared.yaml_utils",
}

# modules that we name and do not import ourselves
NO_COMPUTE_LOGS = "dagster._core.storage.noop_compute_log_manager"
DAEMON = "dagster._daemon"
PLAN_LOGGER = "dagster._core.execution.plan.active"
# what Dagster imports when it opens its instance and runs a job
RUN_MODULES = (
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    NO_COMPUTE_LOGS,
)


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(PLACES[name]), name)
