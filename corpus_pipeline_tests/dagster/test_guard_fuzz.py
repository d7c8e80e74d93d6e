"""One reading of a request: whatever Dagster runs, the guard has judged and the audit log has it with its arguments.

Each request asks for a limit under a name of its own, in odd forms and envelopes. Dagster is its own application before a
real instance; what it ran is what the instance has afterwards.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from corpus_pipeline.service.queries import progress
from corpus_pipeline_tests.dagster.conftest import Home
from corpus_pipeline_tests.dagster.test_guard import team, visitor

__all__ = ["team"]

_numbers = itertools.count(1)
LOOK = "{ version }"

# documents that ask for the change, KEY for the name of the limit
CHANGES = (
    'mutation { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) }',
    'mutation M { a: setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) b: __typename }',
    'mutation { ...F } fragment F on Mutation { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) }',
    'mutation { ... on Mutation { ... { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) } } }',
    "mutation M($k: String!) { setConcurrencyLimit(concurrencyKey: $k, limit: 3) }",
    'mutation M($k: String! = "KEY") { setConcurrencyLimit(concurrencyKey: $k, limit: 3) }',
    'query Q { version } mutation M { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) }',
    'mutation M { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) } query Q { version }',
    'mutation M { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) @skip(if: false) }',
    '# query { version }\r\n\ufeffmutation{setConcurrencyLimit(concurrencyKey:"KEY",limit:3)}',
    'mutation{setConcurrencyLimit(concurrencyKey:"""KEY""",limit:3),,,}#"',
    'mutation { setNuxSeen } mutation M { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) }',
    'subscription S { x } mutation M { setConcurrencyLimit(concurrencyKey: "KEY", limit: 3) }',
)
OPERATIONS = st.sampled_from([None, "M", "Q", "", "m", "M ", ["M"], 0])
KINDS = st.sampled_from(
    [
        "application/json",
        "application/JSON; charset=utf-16",
        "application/json;charset=utf-7",
        "application/json; boundary=x; multipart/form-data",
        "application/json, application/graphql",
        "application/graphql",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql-response+json",
        "",
    ]
)
FORMS = st.sampled_from(
    "plain escaped doubled doubled_last batch batch_one bom utf16 utf16_bom nested_variables string_variables persisted"
    " query_string both both_other form multipart get graphql_body trailing nan upper_keys".split()
)


def written(form: str, asked: dict[str, Any]) -> tuple[str, str, bytes]:
    """(method, query string, body) of a request in a form."""
    text, look = json.dumps(asked), json.dumps({"query": LOOK})
    own = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
    boundary = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in own.items())
    doubled = text[:-1] + ', "query": ' + json.dumps(LOOK) + "}"
    forms: dict[str, tuple[str, str, bytes]] = {
        "plain": ("POST", "", text.encode()),
        "escaped": ("POST", "", text.replace("mutation", "\\u006dutation").replace("query", "\\u0071uery").encode()),
        "doubled": ("POST", "", doubled.encode()),
        "doubled_last": ("POST", "", ('{"query": ' + json.dumps(LOOK) + ", " + text[1:]).encode()),
        "batch": ("POST", "", f"[{look}, {text}]".encode()),
        "batch_one": ("POST", "", f"[{text}]".encode()),
        "bom": ("POST", "", b"\xef\xbb\xbf" + text.encode()),
        "utf16": ("POST", "", text.encode("utf-16-le")),
        "utf16_bom": ("POST", "", text.encode("utf-16")),
        "nested_variables": ("POST", "", json.dumps({**asked, "extensions": asked}).encode()),
        "string_variables": ("POST", "", json.dumps({**asked, "variables": own.get("variables", "{}")}).encode()),
        "persisted": ("POST", "", json.dumps({**asked, "id": "1", "extensions": {"persistedQuery": {}}}).encode()),
        "query_string": ("POST", urlencode(own), b""),
        "both": ("POST", urlencode(own), look.encode()),
        "both_other": ("POST", urlencode({"query": LOOK}), text.encode()),
        "form": ("POST", "", urlencode(own).encode()),
        "multipart": ("POST", "", (boundary + "--x--\r\n").encode()),
        "get": ("GET", urlencode(own), b""),
        "graphql_body": ("POST", "", asked["query"].encode()),
        "trailing": ("POST", "", (text + "\n" + look).encode()),
        "nan": ("POST", "", json.dumps({**asked, "x": float("nan")}).encode()),
        "upper_keys": ("POST", "", json.dumps({**asked, "Query": LOOK, "QUERY": LOOK}).encode()),
    }
    return forms[form]


@pytest.fixture(scope="module")
def browsers(team: str) -> Iterator[dict[str, httpx.Client]]:
    with visitor(team, "vera") as vera, visitor(team, "otto") as otto:
        yield {"vera": vera, "otto": otto}


def limits(home: Home) -> set[str]:
    return set(home.instance.event_log_storage.get_concurrency_keys())


def audited(home: Home) -> str:
    page = home.corpus.store.fetch(progress.audit_page, who=None, action="dagster", before=None, limit=5)
    return json.dumps([[entry["who"], entry["subject"], entry["detail"]] for entry in page["entries"]])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CHANGES), OPERATIONS, KINDS | st.just("application/json"), FORMS)
def test_what_dagster_runs_was_judged_and_is_in_the_audit_log(browsers, home, document, operation, kind, form):
    for name, browser in browsers.items():
        key = f"key-{next(_numbers)}"
        asked: dict[str, Any] = {"query": document.replace("KEY", key), "operationName": operation}
        if "$k: String!)" in document:
            asked["variables"] = {"k": key}
        method, query, body = written(form, asked)
        headers = {"content-type": kind} if kind else {}
        answer = browser.request(method, f"/graphql?{query}" if query else "/graphql", content=body, headers=headers)
        ran = key in limits(home)
        assert not (ran and name == "vera"), answer.text
        assert not ran or (key in audited(home) and "setConcurrencyLimit" in audited(home)), answer.text


def test_the_fuzzed_change_is_one_that_runs(browsers, home):
    for number, document in enumerate(CHANGES[:7]):
        key = f"runs-{number}"
        asked = {"query": document.replace("KEY", key), "operationName": "M" if "mutation M" in document else None}
        browsers["otto"].post(
            "/graphql", json={**asked, "variables": {"k": key} if "$k: String!)" in document else None}
        )
        assert key in limits(home) and key in audited(home)


@pytest.mark.parametrize("kind", ["start", "subscribe", "START", "x"])
@pytest.mark.parametrize("document", [CHANGES[0], CHANGES[2], CHANGES[6]])
def test_a_socket_changes_nothing(team, browsers, home, kind, document):
    key = f"socket-{next(_numbers)}"
    client = browsers["otto"]
    own = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    payload = {"query": document.replace("KEY", key), "operationName": "M" if "mutation M" in document else None}
    headers = {"Origin": team, "Cookie": own}
    address = f"{team.replace('http', 'ws', 1)}/graphql"
    with connect(address, subprotocols=["graphql-ws", "graphql-transport-ws"], additional_headers=headers) as socket:
        try:
            socket.send(json.dumps({"type": "connection_init"}))
            socket.recv(timeout=20)
            socket.send(json.dumps({"id": "1", "type": kind, "payload": payload}))
            socket.send(json.dumps({"id": "2", "type": "start", "payload": payload}).encode())
            while True:
                socket.recv(timeout=1)
        except (ConnectionClosed, TimeoutError):
            pass
    assert key not in limits(home)
