"""deploy/kubernetes: every field is one of Kubernetes', every setting one of ours, and a run works in the pod of its job.

There is no cluster here. The API to which the launcher sends a job is a server of the test that keeps what it is sent; the pod
is the container's command, run as a process with the environment that the manifests give it and a home of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import kubernetes.client as k8s
import pytest
import yaml

from corpus_pipeline.defs import instance
from corpus_pipeline.defs.build import PATH_JOB, own
from corpus_pipeline.defs.checks import ASSETS
from corpus_pipeline.defs.dagster_internals import LaunchRunContext
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import VARIABLES, Settings
from corpus_pipeline.states import Stage

FOLDER = Path(__file__).parent.parent / "deploy" / "kubernetes"
KINDS = {
    "ConfigMap": k8s.V1ConfigMap,
    "Secret": k8s.V1Secret,
    "ServiceAccount": k8s.V1ServiceAccount,
    "Role": k8s.V1Role,
    "RoleBinding": k8s.V1RoleBinding,
    "Service": k8s.V1Service,
    "StatefulSet": k8s.V1StatefulSet,
    "Ingress": k8s.V1Ingress,
}


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    """Each manifest by its kind and name."""
    named = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert {*named, "kustomization.yaml", "secret.example.yaml"} == {path.name for path in FOLDER.iterdir()}
    texts = [(FOLDER / name).read_text() for name in [*named, "secret.example.yaml"]]
    return {(found["kind"], found["metadata"]["name"]): found for text in texts for found in yaml.safe_load_all(text)}


def unknown(value: Any, kind: str, place: str = "") -> Iterator[str]:
    """Where a value is not what Kubernetes' own description of a kind says: a field that it does not have, another type."""
    if (many := re.fullmatch(r"list\[(.+)\]", kind)) or (many := re.fullmatch(r"dict\(str, (.+)\)", kind)):
        if not isinstance(value, list if kind.startswith("list") else dict):
            yield f"{place} is no {kind}"
            return
        for key, one in enumerate(value) if isinstance(value, list) else value.items():
            yield from unknown(one, many.group(1), f"{place}.{key}")
    elif hasattr(k8s, kind):
        if not isinstance(value, dict):
            yield f"{place} is no {kind}"
            return
        model = getattr(k8s, kind)
        fields = {name: model.openapi_types[own] for own, name in model.attribute_map.items()}
        for name, one in value.items():
            if name not in fields:
                yield f"{place}.{name}"
            else:
                yield from unknown(one, fields[name], f"{place}.{name}")
        try:
            k8s.ApiClient()._ApiClient__deserialize(value, model)  # what must not be missing
        except (ValueError, TypeError) as error:
            yield f"{place}: {error}"
    elif kind in ("str", "int", "bool") and type(value).__name__ != kind:
        yield f"{place} is no {kind}"


def test_every_field_is_one_of_kubernetes() -> None:
    for (kind, name), found in manifests().items():
        assert list(unknown(found, KINDS[kind].__name__, name)) == []
    pod = manifests()["StatefulSet", "corpus-ui"]["spec"]["template"]["spec"]
    pod["containers"][0]["livenessprobe"] = {}
    pod["terminationGracePeriodSeconds"] = "120"
    assert set(unknown(pod, "V1PodSpec", "pod")) == {
        "pod.terminationGracePeriodSeconds is no int",
        "pod.containers.0.livenessprobe",
    }


def test_what_they_name_is_there() -> None:
    found = manifests()
    known = {variable.name for variable in VARIABLES} | {"DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE"}
    given = {*found["ConfigMap", "corpus-settings"]["data"], *found["Secret", "corpus-secrets"]["stringData"]}
    assert {name for name in given if not name.startswith("AWS_")} <= known
    pod = found["StatefulSet", "corpus-ui"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert ("ServiceAccount", pod["serviceAccountName"]) in found
    for source in container["envFrom"]:
        for reference, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            assert reference not in source or (kind, source[reference]["name"]) in found
    ports = {port["name"] for port in container["ports"]}
    hosts = {
        word for before, word in zip(container["args"], container["args"][1:], strict=False) if before == "--allow-host"
    }
    service = found["Service", "corpus-ui"]["spec"]
    assert (
        service["selector"].items()
        <= found["StatefulSet", "corpus-ui"]["spec"]["template"]["metadata"]["labels"].items()
    )
    assert {port["targetPort"] for port in service["ports"]} == ports
    rules = found["Ingress", "corpus"]["spec"]["rules"]
    assert {rule["host"] for rule in rules} == hosts, "the UI refuses any other name"
    assert {rule["http"]["paths"][0]["backend"]["service"]["port"]["name"] for rule in rules} == ports
    assert container["livenessProbe"]["httpGet"]["httpHeaders"][0]["value"] in hosts
    launcher = launcher_config()["run_launcher"]["config"]
    assert ("ServiceAccount", launcher["service_account_name"]) in found
    assert all(("ConfigMap", name) in found for name in launcher["env_config_maps"])
    assert all(("Secret", name) in found for name in launcher["env_secrets"])
    assert launcher["job_image"] == container["image"], "a run is worked by the program of the UI"
    assert "k8s" in (FOLDER.parent / "Dockerfile").read_text().split('".[')[1].split("]")[0].split(",")


def launcher_config() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(manifests()["ConfigMap", "corpus-dagster"]["data"]["dagster.yaml"])
    return found


@contextmanager
def api_server(jobs: list[dict[str, Any]]) -> Iterator[str]:
    """Kubernetes' API, as far as a job is made by it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            jobs.append({"path": self.path, **json.loads(body)})
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_run_is_a_job_whose_pod_works_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.code_pointer import ModuleCodePointer
    from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

    for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "CORPUS_HOME"):
        monkeypatch.setenv(name, "unset")
    jobs: list[dict[str, Any]] = []
    config = launcher_config()
    with api_server(jobs) as address:
        cluster = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": address}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "users": [{"name": "me", "user": {}}],
        }  # fmt: skip
        (tmp_path / "kube").write_text(yaml.safe_dump(cluster))
        config["run_launcher"]["config"] |= {"load_incluster_config": False, "kubeconfig_file": str(tmp_path / "kube")}
        (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
        home = tmp_path / "ui"
        settings = Settings.from_env(
            {"CORPUS_HOME": str(home), "CORPUS_DAGSTER_CONFIG": str(tmp_path / "dagster.yaml")}
        )
        (tmp_path / "a.jsonl").write_text('{"instruction": "Name a colour of the sky.", "output": "Blue, by day."}\n')
        with Corpus.open(settings) as corpus, instance.instance(settings) as dagster:
            corpus.add(tmp_path / "a.jsonl")
            dagster.add_dynamic_partitions("dataset_files", ["a"])
            repository = RepositoryPythonOrigin(
                executable_path=sys.executable,
                code_pointer=ModuleCodePointer("corpus_pipeline.definitions", "defs"),
            )
            run = dagster.create_run_for_job(
                own().resolve_job_def(PATH_JOB),
                tags={"dagster/partition": "a"},
                asset_selection=frozenset({dg.AssetKey(ASSETS[Stage.INGEST])}),
                status=dg.DagsterRunStatus.STARTING,
                job_code_origin=JobPythonOrigin(PATH_JOB, repository),
            )
            dagster.run_launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
            (job,) = jobs
            assert job.pop("path").startswith("/apis/batch/v1/namespaces/corpus/jobs")
            assert list(unknown(job, "V1Job", "job")) == []
            pod = job["spec"]["template"]["spec"]
            assert pod["automountServiceAccountToken"] is False and job["spec"]["backoffLimit"] == 0
            (container,) = pod["containers"]
            environment = environment_of(container, home)
            (tmp_path / "pod").mkdir()  # an empty volume
            environment |= {"CORPUS_HOME": str(tmp_path / "pod"), "DAGSTER_HOME": str(tmp_path / "pod" / "dagster")}
            # the image's entry point is not asked where a pod has a command
            command = [*container["command"], *container["args"]]
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd="/")
            now = dagster.get_run_by_id(run.run_id)
            assert now is not None and now.status is dg.DagsterRunStatus.SUCCESS, ended.stderr[-3000:]
            assert corpus.status(["a"])[0]["stages"]["ingest"]["status"] == "done"


def environment_of(container: dict[str, Any], home: Path) -> dict[str, str]:
    """What a container's environment is, but with the servers of this test."""
    found = manifests()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FOLDER.parent.parent)}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            environment |= found["ConfigMap", source["configMapRef"]["name"]]["data"]
        else:
            environment |= found["Secret", source["secretRef"]["name"]]["stringData"]
    environment |= {one["name"]: one["value"] for one in container["env"]}
    del environment["CORPUS_EXPORT_URL"], environment["CORPUS_DAGSTER_DATABASE_URL"]
    return environment | {
        "CORPUS_DATABASE_URL": f"sqlite:///{home / 'corpus.db'}",
        "CORPUS_DAGSTER_STORAGE": str(home / "dagster"),
    }
