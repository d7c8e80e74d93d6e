"""A client of Dagster's GraphQL, as a person with a browser would use it: launch, backfill, terminate, look."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

ASSETS = ("dataset_rows", "cleaned_rows", "augmented_rows", "jsonl_export")
LOCATION = "corpus"
SELECTOR = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
FINAL = ("SUCCESS", "FAILURE", "CANCELED")


TOKEN = "a-token-of-these-tests-0123456789"  # CORPUS_WEB_TOKEN of the `corpus ui` that is asked
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HEADERS = {"Content-Type": "application/json"} | BEARER


class GraphQL:
    """The endpoint of one webserver."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer. Raises AssertionError with the errors of a refused question."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.base_url}/graphql", data=body, headers=HEADERS)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert not found.get("errors"), found["errors"]
        return found["data"]

    def launch(self, partition: str, assets: Sequence[str] = ASSETS) -> str:
        """Materialize assets of one partition; returns the run's id."""
        found = self.ask(
            """mutation($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p) { __typename
               ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            p={
                "selector": SELECTOR
                | {"pipelineName": "__ASSET_JOB", "assetSelection": [{"path": [name]} for name in assets]},
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
            },
        )["launchPipelineExecution"]
        assert found["__typename"] == "LaunchRunSuccess", found
        return str(found["run"]["runId"])

    def backfill(self, partitions: Sequence[str], assets: Sequence[str] = ASSETS) -> str:
        """Start a backfill; returns its id."""
        found = self.ask(
            """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
               ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            p={"assetSelection": [{"path": [name]} for name in assets], "partitionNames": list(partitions)},
        )["launchPartitionBackfill"]
        assert found["__typename"] == "LaunchBackfillSuccess", found
        return str(found["backfillId"])

    def reexecute(self, run_id: str, strategy: str = "FROM_FAILURE") -> str:
        """Re-execute a run; returns the new run's id."""
        found = self.ask(
            """mutation($p: ReexecutionParams!) { launchPipelineReexecution(reexecutionParams: $p) { __typename
               ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            p={"parentRunId": run_id, "strategy": strategy},
        )["launchPipelineReexecution"]
        assert found["__typename"] == "LaunchRunSuccess", found
        return str(found["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        """What the Terminate button does."""
        found = self.ask(
            "mutation($r: String!) { terminateRun(runId: $r) { __typename ... on PythonError { message } } }", r=run_id
        )
        assert found["terminateRun"]["__typename"] == "TerminateRunSuccess", found

    def terminate_at_once(self, run_id: str) -> None:
        """What *Force termination* does."""
        found = self.ask(
            """mutation($r: String!) { terminateRun(runId: $r, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
               __typename ... on PythonError { message } } }""",
            r=run_id,
        )
        assert found["terminateRun"]["__typename"] == "TerminateRunSuccess", found

    def run(self, run_id: str) -> dict[str, Any]:
        """{status, tags, events}: events are (type, step, message)."""
        found = self.ask(
            """query($r: ID!) { runOrError(runId: $r) { ... on Run { status tags { key value } eventConnection {
               events { __typename ... on MessageEvent { message stepKey } } } } } }""",
            r=run_id,
        )["runOrError"]
        return {
            "status": found["status"],
            "tags": {tag["key"]: tag["value"] for tag in found["tags"]},
            "events": [
                (event["__typename"], event.get("stepKey"), event.get("message"))
                for event in found["eventConnection"]["events"]
            ],
        }

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        """The runs with these tags ("__" stands for "/"), newest first: {runId, status, tags}."""
        found = self.ask(
            """query($f: RunsFilter) { runsOrError(filter: $f, limit: 200) { ... on Runs { results { runId status
               startTime endTime creationTime tags { key value } } } } }""",
            f={"tags": [{"key": key.replace("__", "/"), "value": value} for key, value in tags.items()]},
        )["runsOrError"]["results"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def runs_of(self, partition: str) -> list[dict[str, Any]]:
        """The runs of a partition, newest first."""
        return self.runs(dagster__partition=partition)

    def backfill_status(self, backfill_id: str) -> str:
        found = self.ask(
            "query($b: String!) { partitionBackfillOrError(backfillId: $b) { ... on PartitionBackfill { status } } }",
            b=backfill_id,
        )
        return str(found["partitionBackfillOrError"]["status"])

    def partitions(self, asset: str) -> dict[str, set[str]]:
        """{materialized, failed, materializing}: the names of an asset's partitions by state."""
        found = self.ask(
            """query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) { ... on AssetNode { assetPartitionStatuses {
               ... on DefaultPartitionStatuses { materializedPartitions failedPartitions materializingPartitions } } } } }""",
            k={"path": [asset]},
        )["assetNodeOrError"]["assetPartitionStatuses"]
        return {key.removesuffix("Partitions"): set(names) for key, names in found.items()}

    def last_materialization(self, asset: str, partition: str) -> dict[str, Any] | None:
        """{runId, metadata: {label: value}} of the newest materialization of a partition."""
        found = self.ask(
            """query($k: AssetKeyInput!, $p: [String!]) { assetNodeOrError(assetKey: $k) { ... on AssetNode {
               assetMaterializations(partitions: $p, limit: 1) { runId tags { key value } metadataEntries { label
               ... on IntMetadataEntry { intValue } ... on FloatMetadataEntry { floatValue }
               ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr }
               ... on UrlMetadataEntry { url } ... on BoolMetadataEntry { boolValue } } } } } }""",
            k={"path": [asset]},
            p=[partition],
        )["assetNodeOrError"]["assetMaterializations"]
        if not found:
            return None
        metadata = {
            entry.pop("label"): next((value for value in entry.values() if value is not None), None)
            for entry in found[0]["metadataEntries"]
        }
        return {"runId": found[0]["runId"], "tags": found[0]["tags"], "metadata": metadata}

    def observations(self, asset: str, partition: str) -> list[dict[str, str]]:
        """The observations of a partition, newest first: {runId, status, reason}."""
        found = self.ask(
            """query($k: AssetKeyInput!, $p: [String!]) { assetNodeOrError(assetKey: $k) { ... on AssetNode {
               assetObservations(partitions: $p, limit: 20) { runId description tags { key value } } } } }""",
            k={"path": [asset]},
            p=[partition],
        )["assetNodeOrError"]["assetObservations"]
        return [
            {
                "runId": observation["runId"],
                "reason": observation["description"],
                "status": next(tag["value"] for tag in observation["tags"] if tag["key"] == "corpus/status"),
            }
            for observation in found
        ]

    def sensor_state(self, name: str) -> dict[str, Any]:
        """{status, ticks: [{status, error}]} of a sensor."""
        found = self.ask(
            """query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor { sensorState { status
               ticks(limit: 20) { status error { message } } } } } }""",
            s=SELECTOR | {"sensorName": name},
        )
        return dict(found["sensorOrError"]["sensorState"])

    def finished(self, run_id: str, timeout: float = 240.0) -> dict[str, Any]:
        """The run, once it has ended."""
        try:
            wait_for(lambda: self.status(run_id) in FINAL, timeout, f"the end of {run_id}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.run(run_id)}") from None
        return self.run(run_id)

    def status(self, run_id: str) -> str:
        """The status of a run alone: to ask for its events often would keep the webserver busy."""
        found = self.ask("query($r: ID!) { runOrError(runId: $r) { ... on Run { status } } }", r=run_id)
        return str(found["runOrError"]["status"])


def wait_for(look: Callable[[], T], timeout: float, what: str) -> T:
    """The first true answer of `look`. Fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {timeout:.0f} s for {what}; last: {found!r}"
        time.sleep(0.4)
    return found
