"""Secrets that were given to a running `corpus ui`, looked for in all that others can see of it."""

from __future__ import annotations

import json
import stat
from contextlib import suppress
from pathlib import Path

import httpx

from corpus_pipeline.cli.process_supervisor import descendants
from corpus_pipeline_tests.dagster.conftest import KEY, S3_SECRET, SEALED, SECRET, UI, UNSEALED
from corpus_pipeline_tests.dagster.graphql import BEARER, FINAL, wait_for
from corpus_pipeline_tests.servers.receiver import listening

EVERYTHING_OF_A_RUN = """query($r: ID!) { runOrError(runId: $r) { ... on Run { runConfigYaml tags { key value }
   stats { __typename } eventConnection { events { __typename ... on MessageEvent { message stepKey level }
   ... on MaterializationEvent { description metadataEntries { __typename label description
   ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr } ... on UrlMetadataEntry { url }
   ... on PathMetadataEntry { path } ... on JsonMetadataEntry { jsonString } } }
   ... on ErrorEvent { error { message stack } } } } } } }"""
SECRETS = (KEY, SECRET, S3_SECRET, SEALED, UNSEALED)


def found_in(text: str | bytes) -> list[str]:
    """The secrets in a text, written as they are or escaped."""
    said = text if isinstance(text, bytes) else text.encode()
    forms = {
        secret: {secret, json.dumps(secret)[1:-1], secret.replace("/", "%2F").replace("?", "%3F")} for secret in SECRETS
    }
    return [secret for secret, written in forms.items() if any(form.encode() in said for form in written)]


def test_no_secret_is_in_arguments_and_no_process_makes_open_files(ui: UI) -> None:
    processes = [ui.process.pid, *descendants(ui.process.pid)]
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in processes]
    assert sum(b"dagster" in command or b"dagster._daemon" in command for command in commands) >= 3
    for command in commands:
        assert found_in(b" ".join(command)) == []
        assert b"--instance-ref" not in command
    for pid in processes[1:]:
        status = Path(f"/proc/{pid}/status").read_text()
        if "State:\tZ" in status:
            continue  # it has ended, and tells no mask any more
        assert "Umask:\t0077" in status, status.partition("\n")[0]
    sockets = [command[command.index(b"--socket") + 1] for command in commands if b"--socket" in command]
    assert len(sockets) >= 2 and all(stat.S_IMODE(Path(path.decode()).stat().st_mode) & 0o077 == 0 for path in sockets)


def test_no_secret_is_in_a_run_its_processes_and_what_it_tells(ui: UI) -> None:
    """A real run that calls a model and tells a receiver: its arguments while it works, its configuration, tags and events,
    what the model and the receiver were sent."""
    with listening() as receiver:
        name = ui.add("canaries", rows=3, notify=receiver.url)
        run, commands = ui.graphql.launch(name), set[bytes]()

        def ended() -> bool:
            for pid in descendants(ui.process.pid):
                with suppress(OSError):
                    commands.add(Path(f"/proc/{pid}/cmdline").read_bytes())
            return ui.graphql.run(run)["status"] in FINAL

        wait_for(ended, 240, f"the end of {run}")
        wait_for(lambda: receiver.heard, 60, "a message to the receiver")
    assert ui.graphql.run(run)["status"] == "SUCCESS" and ui.calls(name) == 3
    assert any(run.encode() in command for command in commands)
    assert [command for command in commands if found_in(command)] == []
    told = ui.graphql.ask(EVERYTHING_OF_A_RUN, r=run)
    assert "AssetMaterialization" in json.dumps(told) or "MaterializationEvent" in json.dumps(told)
    assert found_in(json.dumps(told)) == []
    for headers, body in receiver.heard:
        assert found_in(json.dumps(headers)) == [] and found_in(body) == []
    asked = (ui.folder / "invoice.jsonl").read_bytes()
    assert name.encode() not in asked and found_in(asked) == []
    with httpx.Client(timeout=60, headers=BEARER) as client:
        for page in ("", "/rows", "/rows/1", "/statistics", "/selection.jsonl"):
            answer = client.get(f"{ui.rows_url}/files/{name}{page}")
            assert answer.status_code == 200 and found_in(answer.text) == [], page


def test_no_secret_is_in_pages_logs_and_files(ui: UI) -> None:
    with httpx.Client(timeout=60, headers=BEARER) as client:
        answer = client.post(f"{ui.graphql.base_url}/graphql", json={"query": "{ instance { info hasInfo } }"})
        shown = answer.json()["data"]["instance"]["info"]
        assert "OwnSecrets" in json.dumps(shown) or "compute_logs" in shown
        pages = [f"{ui.rows_url}/{page}" for page in ("files", "cost", "audit", "exports", "pauses", "metrics")]
        for text in (answer.text, *(client.get(page).text for page in pages)):
            assert found_in(text) == []
    assert found_in((ui.folder / "ui.log").read_bytes()) == []
    home = Path(ui.environment["CORPUS_HOME"])
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert {path.name for path in files if found_in(path.read_bytes())} <= {"dagster.yaml"}  # as the user wrote it
    assert [str(path) for path in (home, *home.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []
