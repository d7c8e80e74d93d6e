"""docs/schema.json says what every `--json` and every page answers: each is asked, on a corpus with something of everything."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from corpus_pipeline import llm_stub
from corpus_pipeline.cli import cli
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.json_schema import COMMANDS, PAGES
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.web import Options, create_app
from corpus_pipeline.web.app import _routes
from corpus_pipeline_tests.cli.conftest import below, run
from corpus_pipeline_tests.small_corpus import pair, write_jsonl

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema.json").read_text(encoding="utf-8"))

RECIPE = """
name: rich
clean: {rules: [whitespace, control_characters, language]}
augment:
  model: corpus-stub
  batch_poll_seconds: 0.1
  strategies:
    - paraphrase: {provider_batch: true}
    - prompt: {label: topic, template: {system: Sort it., user: "{{ prompt }}"}, output: {labels: [tools, plants]}, makes: tag}
    - prompt: {label: quality, template: {system: Rate it., user: "{{ prompt }}"}, output: score}
export: {gate: {max_failed: 1000, max_rejected: 1, max_not_exportable: 1}}
"""

ROWS: list[Any] = [
    *(pair(number) for number in range(1, 31)),
    pair(3),  # duplicates
    pair(5),
    {
        "question": "Where  does   the \t kettle stand in the workshop of the mill?",
        "answer": "By the door.  \n\n\n\nYes.",
    },
    {"question": "", "answer": "Nothing was asked."},
    b'{"question": "cut \xff',
]
BILL = """request_id,model,created_at,input_tokens,output_tokens,cost
{id},corpus-stub,{at},10,10,5.0
another,corpus-stub,,1,1,0.1
"""


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a corpus with rows of every kind, values, batches, failures, a purge, a flag and a signed export."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "rich.yaml").write_text(RECIPE)
    write_jsonl(folder / "rich.jsonl", ROWS)
    write_jsonl(folder / "other.jsonl", [pair(number) for number in range(60, 63)])
    write_jsonl(folder / "poor.jsonl", [pair(number) for number in range(40, 52)])
    with llm_stub.running(llm_stub.StubOptions(batch=0.2)) as server:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("CORPUS_")},
            "CORPUS_HOME": str(folder / "home"),
            "CORPUS_MODEL": "corpus-stub",
            "CORPUS_SIGNING_KEY": str(folder / "key.pem"),
            "OPENAI_BASE_URL": server.base_url,
        }

        def done(*arguments: str, code: int = 0) -> None:
            found = run(environment, *arguments)
            assert found.returncode == code, found.stderr

        done("attest", "--new-key", str(folder / "key.pem"))
        done("add", str(folder / "rich.jsonl"), "--recipe", str(folder / "rich.yaml"))
        done("add", str(folder / "poor.jsonl"))
        done("add", str(folder / "other.jsonl"))
        done("run", "other", "--to", "clean")
        done("run", "rich")
        done("purge", "rich", "30", "--reason", "asked for", "--yes")
        done("keep", "rich:31", "--reason", "another answer")
        done("run", "rich")
        done("review", "rich", "--limit", "1")
        server.meet(**{Fault.EMPTY.value: 0.5})
        done("run", "poor", code=3)
        server.meet()
        done("pause", "poor", "--stage", "export", "--reason", "a look", "--no-wait")
        done("resume", "poor", "--stage", "export")
        done("pause", "poor", "--reason", "another look", "--no-wait")
        with Corpus.open(Settings.from_env(environment)) as corpus:
            new = corpus.review("rich")["sample"]
            call = next(call for call in corpus.show("rich:1").get("calls", ()) if call["answer"])
        done("review", "rich", "--good", new[0]["row"], "--bad", new[1]["row"])
        (folder / "bill.csv").write_text(BILL.format(id=call["id"], at=call["at"] // 1000))
        done("attest", "rich")
        yield environment | {"FOLDER": str(folder), "EXPORT": str(folder / "home" / "exports" / "rich")}


# the invocations of each command that answers with JSON; together they answer with every record that it has
ASKED: dict[str, list[str]] = {
    "add": ["{FOLDER}/rich.jsonl --json"],
    "batches list": ["--json"],
    "batches show": ["1 --json"],
    "cost": [f"--by {key} --json" for key in ("consumer", "file", "strategy", "model", "day", "batch", "item")],
    "cost reconcile": ["{FOLDER}/bill.csv --dry-run --json"],
    "doctor": ["--json"],
    "duplicates": ["rich --json", "rich --kept-anyway --json"],
    "estimate": ["rich --json"],
    "failed list": ["--json"],
    "failed show": ["1"],
    "formats list": ["--json"],
    "index": ["--json"],
    "preview": ["rich --json"],
    "prices show": ["gpt --json"],
    "purge": ["rich 30 --reason again --yes --json"],
    "rejects": ["rich --json"],
    "remove": ["other --yes --json", "other --yes --json"],
    "report": ["rich --json", "poor --json"],
    "review": ["rich --json", "rich --judge quality.score>=3 --json"],
    "rows": [*(f"rich --stage {stage} --json --limit 100" for stage in Stage), "rich --where state=rejected --json"],
    "rules list": ["--json"],
    "run": ["rich --json"],
    "show": ["rich:1", "rich:30", "rich:31", "rich:32", "rich:33", "rich:35"],
    "status": ["--json"],
    "strategies list": ["--json"],
    "trace": [f"rich {line} --json" for line in range(1, 6)],
    "try": ["rich --strategy paraphrase --rows 1 --json"],
    "validators list": ["--json"],
    "verify": ["{EXPORT} --key {FOLDER}/key.pem.pub --json --line 1"],
}
NOTHING = {"validators list", "index"}  # no plugin and no file that is large enough is there


HOW_TO_ADD = (
    "an answer in JSON needs a record in service/records, its name in COMMANDS or PAGES of service/json_schema.py,"
    " `python scripts/json_schema.py`, and a way to ask for it in ASKED or VISITED of this file"
)


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in below(group).items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*words, name)), command


def faults(schema: dict[str, Any], document: Any) -> list[str]:
    whole = {**schema, "$defs": SCHEMA["$defs"]}
    return [f"{error.json_path}: {error.message}"[:300] for error in Draft202012Validator(whole).iter_errors(document)]


def test_the_schema_is_one_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]


def test_every_command_that_can_answer_with_json_is_in_the_schema() -> None:
    able = {name for name, command in commands(cli) if any(p.name == "as_json" for p in command.params)}
    always = {"show", "failed show"}
    assert able | always == set(COMMANDS) == set(SCHEMA["commands"]) == set(ASKED), HOW_TO_ADD


@pytest.mark.parametrize("command", sorted(ASKED))
def test_a_command_answers_as_the_schema_says(rich: dict[str, str], command: str) -> None:
    schema = SCHEMA["commands"][command]
    found: list[Any] = []
    for arguments in ASKED[command]:
        done = run(rich, *command.split(), *arguments.format(**rich).split())
        assert done.returncode == 0 or command in ("doctor", "run"), done.stderr
        lines = done.stdout.splitlines()
        assert schema["form"] == "lines" or len(lines) == 1
        found += [json.loads(line) for line in lines]
    assert bool(found) is (command not in NOTHING)
    assert [fault for document in found for fault in faults(schema, document)] == []
    for record in schema.get("anyOf", ()):  # each record that it may be is one that it is
        assert any(not faults(record, document) for document in found), record


def test_the_schema_refuses_what_it_does_not_name(rich: dict[str, str]) -> None:
    (entry,) = json.loads(run(rich, "status", "rich", "--json").stdout)["files"]
    schema = SCHEMA["commands"]["status"]
    assert faults(schema, {"files": [entry], "workers": []}) == []
    assert faults(schema, {"files": [{**entry, "unheard_of": 1}], "workers": []})
    assert faults(schema, {"files": [{key: value for key, value in entry.items() if key != "consumer"}], "workers": []})
    assert faults(schema, {"files": [{**entry, "lines": "many"}], "workers": []})


VISITED = {
    "/files": ["/files"],
    "/files/{name}": ["/files/rich", "/files/poor"],
    "/files/{name}/statistics": ["/files/rich/statistics"],
    "/files/{name}/reports": ["/files/rich/reports"],
    "/files/{name}/rejects": ["/files/rich/rejects"],
    "/files/{name}/duplicates": ["/files/rich/duplicates", "/files/rich/duplicates?sort=difference"],
    "/files/{name}/review": ["/files/rich/review"],
    "/files/{name}/try": ["/files/rich/try?strategy=paraphrase"],
    "/files/{name}/rows": [f"/files/rich/rows?stage={stage}" for stage in Stage],
    "/files/{name}/rows/{number}": [f"/files/rich/rows/{number}" for number in (1, 3, 30, 31, 32, 33)],
    "/failed": ["/failed?state=any"],
    "/failed/{identifier}": ["/failed/1"],
    "/pauses": ["/pauses"],
    "/cost": [f"/cost?by={key}" for key in ("day", "consumer", "strategy", "model", "file")],
    "/exports": ["/exports"],
    "/exports/{identifier}": ["/exports/1", "/exports/2"],
    "/exports/{identifier}/lines": ["/exports/1/lines"],
    "/exports/{identifier}/lines/{line}": ["/exports/1/lines/1", "/exports/1/lines/2"],
    "/audit": ["/audit"],
    "/purges/{identifier}": ["/purges/{purge}"],
    "/login": [],  # a page of a server that others can reach
}


def test_every_page_is_in_the_schema() -> None:
    # what is no page: a redirect, files, and what answers in a form of its own
    others = {"/", "/healthz", "/metrics", "/static/{name}", "/exports/{identifier}/download"}
    others |= {"/login/oidc", "/login/oidc/done"}  # the way to a login provider and back
    paths = {re.sub(r":number}", "}", route.path) for route in _routes() if "GET" in (route.methods or ())}
    assert paths - others - {"/files/{name}/selection.jsonl"} == set(PAGES) == set(SCHEMA["pages"]) == set(VISITED), (
        HOW_TO_ADD
    )


@pytest.fixture(scope="module")
def client(rich: dict[str, str]) -> Iterator[TestClient]:
    with Corpus.open(Settings.from_env({k: v for k, v in rich.items() if k not in ("FOLDER", "EXPORT")})) as corpus:
        app = create_app(corpus, Options())
        yield TestClient(app, base_url="http://127.0.0.1:8787", client=("127.0.0.1", 50_000))


def asked(client: TestClient, path: str) -> Any:
    return client.get(path, headers={"Accept": "application/json"}).json()


@pytest.mark.parametrize("page", sorted(VISITED))
def test_a_page_answers_as_the_schema_says(client: TestClient, page: str) -> None:
    (purge, *_) = [e["id"] for e in asked(client, "/audit?action=purge")["entries"]]
    assert VISITED[page] or page == "/login"
    for path in VISITED[page]:
        found = client.get(path.format(purge=purge), headers={"Accept": "application/json"})
        assert found.status_code == 200, found.text
        assert faults(SCHEMA["pages"][page], found.json()) == [], path


def test_what_is_refused_and_what_is_done_answer_as_the_schema_says(client: TestClient) -> None:
    refused = client.get("/files/unknown", headers={"Accept": "application/json"})
    assert refused.status_code == 404 and faults(SCHEMA["error"], refused.json()) == []
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/pauses").text)
    assert token
    fields = {"csrf": token[1], "file": "rich", "row": "rich:32", "reason": "it is good"}
    headers = {"Origin": "http://127.0.0.1:8787", "Accept": "application/json"}
    kept = client.post("/keep", data=fields, headers=headers)
    assert kept.status_code == 200 and faults(SCHEMA["action"], kept.json()) == [], kept.text
    tried = client.post("/try", data={**fields, "strategy": "paraphrase", "rows": "1"}, headers=headers)
    assert tried.status_code == 200 and faults(SCHEMA["trial"], tried.json()) == [], tried.text
