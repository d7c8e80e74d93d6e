"""Dagster behind its guard: what a hostile page, a foreign name or a viewer asks is refused, what our own page asks is not.

Dagster's webserver is the real one in each of these tests: that of `corpus ui`, or its application in this process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
import yaml
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_graphql.schema import create_schema
from dagster_webserver.app import create_app_from_workspace_process_context
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from corpus_pipeline.defs.webserver import _Workspace
from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.corpus import process_owner
from corpus_pipeline.service.queries import progress
from corpus_pipeline.web import create_app, dagster_guard, users
from corpus_pipeline.web.dagster_guard import DagsterGuard, _is_one_more, _live_only, _noting_ends, asked_of, change_of
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.serve import start_background
from corpus_pipeline.web.told_arguments import _FREE, Teller
from corpus_pipeline_tests.dagster.conftest import UI, Home
from corpus_pipeline_tests.dagster.graphql import BEARER, TOKEN

PASSWORD = "a long enough password"
LOOK = "{ version }"
# harmless, and still a change: it sets the limit that is there already
SET = 'mutation { setConcurrencyLimit(concurrencyKey: "export", limit: 4) }'
JSON = "application/json"


@pytest.fixture(scope="module")
def web(ui: UI) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=ui.graphql.base_url, timeout=60, headers=BEARER) as client:
        yield client


def post(web: httpx.Client, query: str, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in ({"content_type": JSON} | headers).items()}
    return web.post("/graphql", content=json.dumps({"query": query}), headers=names)


def own(web: httpx.Client) -> str:
    return str(web.base_url).rstrip("/")


# --- the webserver of `corpus ui` ---


def test_a_link_changes_nothing(web):
    for accept in ("*/*", "application/json", "image/png"):
        answer = web.get("/graphql", params={"query": SET}, headers={"accept": accept})
        assert (answer.status_code, "data" in answer.text) == (405, False)
        assert web.get("/graphql/", params={"query": SET}, headers={"accept": accept}).status_code == 405
    page = web.get("/graphql", params={"query": SET}, headers={"accept": "text/html"})
    assert page.status_code == 200 and "GraphiQL" in page.text and "setConcurrencyLimit" not in page.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/graphql", "text/plain; application/json"]
)
def test_a_form_changes_nothing(web, kind):
    for path in ("/graphql", "/report_asset_materialization/dataset_rows"):
        answer = web.post(path, params={"query": SET}, content=SET, headers={"content-type": kind, "origin": own(web)})
        assert answer.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_another_page_changes_and_reads_nothing(web, headers):
    assert post(web, SET, **headers).status_code == 403
    assert post(web, LOOK, **headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.test", "evil.test:3000", "127.0.0.1.evil.test", "", "a b"])
def test_another_host_name_is_not_answered(web, host):
    assert post(web, LOOK, host=host).status_code == 421
    assert web.get("/", headers={"host": host}).status_code == 421


def test_our_own_page_and_programs_are_answered(web, ui):
    page = {"origin": own(web), "sec_fetch_site": "same-origin"}
    for headers in ({}, page, page | {"host": own(web).removeprefix("http://").replace("127.0.0.1", "localhost")}):
        headers = headers | ({"origin": f"http://{headers['host']}"} if "host" in headers else {})
        assert post(web, LOOK, **headers).json()["data"]["version"]
    assert post(web, SET, **page).json()["data"] == {"setConcurrencyLimit": True}
    entry = ui.corpus.store.fetch(progress.audit_page, who=None, action="dagster", before=None, limit=1)["entries"][0]
    assert (entry["subject"], entry["who"]) == ("setConcurrencyLimit", process_owner())


def live(address: str, **headers: str) -> str:
    """What the socket for live updates answers."""
    with connect(
        f"{address.replace('http', 'ws', 1)}/graphql", subprotocols=["graphql-ws"], additional_headers=headers | BEARER
    ) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        return str(json.loads(socket.recv(timeout=20))["type"])


def test_another_user_of_the_machine_gets_nothing_without_the_token(ui):
    for address in (ui.graphql.base_url, ui.rows_url):
        with httpx.Client(base_url=address, timeout=60) as other:
            for path in (
                "/",
                "/files.json",
                "/server_info",
                "/graphql",
                "/metrics",
                f"/?token={TOKEN[:-1]}",
                "/?token=",
            ):
                assert other.get(path).status_code == 401, path
            assert post(other, LOOK).status_code in (401, 403)
            assert other.get("/files.json", headers={"authorization": f"Bearer {TOKEN}x"}).status_code == 401
    socket = f"{ui.graphql.base_url.replace('http', 'ws', 1)}/graphql"
    with pytest.raises(InvalidStatus), connect(socket, additional_headers={"Origin": ui.graphql.base_url}):
        pass


def test_the_first_address_opens_both_ports_for_a_browser(ui):
    with httpx.Client(timeout=60) as own_browser:
        first = own_browser.get(f"{ui.graphql.base_url}/runs", params={"token": TOKEN, "q": "a b"})
        assert (first.status_code, first.headers["location"]) == (303, "/runs?q=a+b")
        assert "HttpOnly; SameSite=Strict" in first.headers["set-cookie"] and TOKEN not in first.headers["set-cookie"]
        assert post_at(own_browser, ui.graphql.base_url, LOOK).json()["data"]["version"]
        assert own_browser.get(f"{ui.rows_url}/files.json").status_code == 200


def post_at(client: httpx.Client, address: str, query: str) -> httpx.Response:
    return client.post(f"{address}/graphql", json={"query": query})


def test_live_updates_are_for_our_own_page(web):
    assert live(own(web), Origin=own(web)) == "connection_ack"
    for headers in ({}, {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}):
        with pytest.raises(InvalidStatus) as refused:
            live(own(web), **headers)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/", "/assets", "/graphql", "/server_info"])
def test_every_answer_binds_the_browser(web, path):
    headers = web.get(path, headers={"accept": "text/html"}).headers
    policy = headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in policy and "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert (headers["referrer-policy"], headers["cache-control"]) == ("same-origin", "no-store")
    assert "access-control-allow-origin" not in headers and "server" not in headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(web, method):
    assert web.request(method, "/graphql").status_code == 405


# --- roles and logins: Dagster's application in this process ---


@pytest.fixture(scope="module")
def team(opened: tuple[Home, dict[str, str]]) -> Iterator[str]:
    """The address of a Dagster that asks for a login."""
    home = opened[0]
    path = home.folder / "users.json"
    users.add(path, "vera", PASSWORD, Role.VIEWER)
    users.add(path, "otto", PASSWORD, Role.OPERATOR)
    with pytest.MonkeyPatch.context() as patch, _Workspace(home.instance, EmptyWorkspaceTarget()) as workspace:
        for name, value in opened[1].items():
            patch.setenv(name, value)
        options = Options(port=0, login=True, users=path)
        rows = create_app(home.corpus, options)
        guarded = DagsterGuard(create_app_from_workspace_process_context(workspace), rows)
        server = start_background(guarded, options, sockets=True)
        yield server.url
        server.stop()


@contextmanager
def visitor(address: str, name: str | None = None) -> Iterator[httpx.Client]:
    """A browser, logged in by the form at Dagster's own address."""
    with httpx.Client(base_url=address, timeout=60, headers={"origin": address}) as client:
        if name is not None:
            token = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/login?to=/runs").text)
            assert token
            fields = {"csrf": token[1], "name": name, "password": PASSWORD, "to": "/runs"}
            assert client.post("/login", data=fields).headers["location"] == "/runs"
        yield client


def test_strangers_see_nothing(team):
    with visitor(team) as stranger:
        asked = stranger.get("/assets?x=1", headers={"accept": "text/html"})
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?to=/assets%3Fx%3D1")
        assert stranger.get("/login").status_code == stranger.get("/static/app.css").status_code == 200
        for path in ("/server_info", "/logs/x", "/download_debug/x"):
            assert stranger.get(path).status_code == 401
        assert post(stranger, LOOK).status_code == 401
        assert stranger.post("/report_asset_materialization/x", json={}).status_code == 401
        with pytest.raises(InvalidStatus):
            live(team, Origin=team)


def permissions(client: httpx.Client) -> set[bool]:
    found = post(client, "{ permissions { permission value } }").json()["data"]["permissions"]
    return {each["value"] for each in found if each["permission"] != "edit_app_managed_components"}


def test_viewers_look_and_operators_act_under_their_own_names(team, home):
    with visitor(team, "vera") as viewer, visitor(team, "otto") as operator:
        assert (permissions(viewer), permissions(operator)) == ({False}, {True})
        assert live(team, Origin=team, Cookie=f"corpus_session={viewer.cookies['corpus_session']}") == "connection_ack"
        answer = post(viewer, SET)
        assert (answer.status_code, answer.json()["data"]) == (403, None)
        sneaky = 'query A { version } mutation B { setConcurrencyLimit(concurrencyKey: "export", limit: 1) }'
        assert viewer.post("/graphql", json={"query": sneaky, "operationName": "B"}).status_code == 403
        escaped = json.dumps({"query": SET}).replace("mutation", "\\u006dutation")
        assert viewer.post("/graphql", content=escaped, headers={"content-type": JSON}).status_code == 403
        assert viewer.post("/report_asset_materialization/dataset_rows", json={}).status_code == 403
        assert post(operator, SET).json()["data"] == {"setConcurrencyLimit": True}
    entries = home.corpus.store.fetch(progress.audit_page, who="otto", action="dagster", before=None, limit=9)[
        "entries"
    ]
    assert [entry["subject"] for entry in entries] == ["setConcurrencyLimit"]


def test_one_who_is_removed_is_out_at_once(team, home):
    users.add(home.folder / "users.json", "paul", PASSWORD, Role.OPERATOR)
    with visitor(team, "paul") as client:
        assert post(client, LOOK).status_code == 200
        users.remove(home.folder / "users.json", "paul")
        assert post(client, LOOK).status_code == 401


def _another_password(path):
    users.add(path, "paul", PASSWORD + "!", Role.OPERATOR)


def _a_new_one_of_the_same_name(path):
    users.remove(path, "paul")
    users.add(path, "paul", PASSWORD, Role.OPERATOR)


@pytest.mark.parametrize(
    "change", [lambda path: users.remove(path, "paul"), _another_password, _a_new_one_of_the_same_name]
)
def test_an_open_socket_ends_with_the_login_that_opened_it(team, home, change):
    path = home.folder / "users.json"
    users.add(path, "paul", PASSWORD, Role.OPERATOR)
    with visitor(team, "paul") as client:
        own_cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        address = f"{team.replace('http', 'ws', 1)}/graphql"
        headers = {"Origin": team, "Cookie": own_cookie}
        with connect(address, subprotocols=["graphql-ws"], additional_headers=headers) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(socket.recv(timeout=20))["type"] == "connection_ack"
            change(path)
            with pytest.raises(ConnectionClosed):
                while True:
                    socket.recv(timeout=30)
        assert post(client, LOOK).status_code == 401
    with suppress(UsageError):
        users.remove(path, "paul")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "APPLICATION/JSON; charset=utf-8",
        "application/json ;x=application/graphql",
    ],
)
def test_what_the_guard_read_is_what_dagster_does(web, ui, kind):
    before = audited(ui.corpus, "setConcurrencyLimit")
    hidden = {"query": SET, "variables": "{}", "operationName": "B"}
    sent: dict[str, Any] = {"params": hidden, "headers": {"content-type": kind}}
    assert web.post("/graphql", content=json.dumps({"query": LOOK}), **sent).json()["data"]["version"]
    assert web.post("/graphql/", content=json.dumps({"query": LOOK}), **sent).status_code == 405
    assert audited(ui.corpus, "setConcurrencyLimit") == before
    # of two bodies in one, the last counts, for both
    twice = f'{{"query": {json.dumps(LOOK)}, "query": {json.dumps(SET)}}}'
    assert web.post("/graphql", content=twice, headers={"content-type": kind}).json()["data"] == {
        "setConcurrencyLimit": True
    }
    assert audited(ui.corpus, "setConcurrencyLimit") == before + 1


def audited(corpus: Any, subject: str) -> int:
    entries = corpus.store.fetch(progress.audit_page, who=None, action="dagster", before=None, limit=100)["entries"]
    return sum(entry["subject"] == subject for entry in entries)


def test_a_report_is_the_same_in_query_string_and_body(web, ui):
    said = {"partition": "from_the_query", "description": "x", "metadata": '{"rows": 3}'}
    assert web.post("/report_asset_materialization/told_from_outside", params=said, json={}).status_code == 200
    entry = ui.corpus.store.fetch(progress.audit_page, who=None, action="dagster", before=None, limit=1)["entries"][0]
    assert entry["subject"] == "/report_asset_materialization/told_from_outside"
    assert "from_the_query" in str(entry)
    refused = web.post("/report_asset_materialization/told_from_outside", params={"metadata": "{"}, json={})
    assert refused.status_code == 400


# --- what is a change ---


def change(query: str, **more: Any) -> Any:
    """(names, what it is about) of what a request changes."""
    found = change_of(asked_of({"query": query} | more))
    return found and found[:2]


def body(query: Any, **more: Any) -> bytes:
    return json.dumps({"query": query} | more).encode()


def test_a_change_is_told_by_its_grammar_and_says_what_it_is_about():
    launch = "mutation L($p: P!) { launchPipelineExecution(executionParams: $p) { __typename } other }"
    about = {"p": {"executionMetadata": {"tags": [{"key": "dagster/partition", "value": "chats"}]}, "runIds": ["r1"]}}
    assert change(launch, variables=about) == (("launchPipelineExecution", "other"), ("chats", "r1"))
    assert change(launch, variables=json.dumps(about)) == change(launch, variables=about)
    assert change("query mutation { version }") is None
    assert change('{ a(text: "mutation { x }") }') is None
    assert change("# mutation\nmutation { setNuxSeen }") is None


def test_a_change_says_what_it_is_about_wherever_that_is_written():
    inline = (
        'mutation { deleteDynamicPartitions(partitionKeys: ["a", "b"], repositorySelector: {repositoryName: "r"}) }'
    )
    assert change(inline) == (("deleteDynamicPartitions",), ("a", "b"))
    mixed = 'mutation($id: ID!) { x: terminate(runId: $id) { y } ...F } fragment F on M { deleteRun(runId: "r2") ...F }'
    assert change(mixed, variables={"id": "r1"}) == (("terminate", "deleteRun"), ("r1", "r2"))
    tags = 'mutation { ... on M { launch(p: {tags: [{key: "dagster/partition", value: "chats"}]}) } }'
    assert change(tags) == (("launch",), ("chats",))


def example(kind: Any, marks: Iterator[str], depth: int = 0) -> Any:
    """A value of a type of Dagster's schema, with a word of its own wherever a text may stand."""
    if isinstance(kind, GraphQLNonNull):
        return example(kind.of_type, marks, depth)
    if isinstance(kind, GraphQLList):
        return [example(kind.of_type, marks, depth)]
    if isinstance(kind, GraphQLInputObjectType):
        return {name: example(field.type, marks, depth + 1) for name, field in kind.fields.items()}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return {"Int": 3, "Float": 1.5, "Boolean": True, "RunConfigData": {"ops": {next(marks): 1}}}.get(kind.name) or next(
        marks
    )


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, list | dict):
        for key, item in value.items() if isinstance(value, dict) else ((name, item) for item in value):
            yield from leaves(item, key)
    else:
        yield name, value


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {inline(item)}" for name, item in value.items()) + "}"
    return "[" + ", ".join(map(inline, value)) + "]" if isinstance(value, list) else json.dumps(value)


MUTATIONS = create_schema().graphql_schema.mutation_type.fields


@pytest.mark.parametrize("name", sorted(set(MUTATIONS) - dagster_guard._NO_CHANGE))
def test_every_argument_of_every_mutation_is_told_wherever_it_is_written(name):
    arguments = MUTATIONS[name].args
    given = {key: example(one.type, (f"mark{n}" for n in itertools.count())) for key, one in arguments.items()}
    declared = ", ".join(f"${key}: {one.type}" for key, one in arguments.items())
    defaults = ", ".join(f"${key}: {one.type} = {inline(given[key])}" for key, one in arguments.items())
    used, written = (
        ", ".join(f"{key}: {text}" for key, text in texts.items())
        for texts in ({key: f"${key}" for key in given}, {key: inline(value) for key, value in given.items()})
    )
    requests: list[dict[str, Any]] = [{"query": f"mutation {{ {name} }}"}]
    if given:
        requests = [
            {"query": f"mutation M({declared}) {{ {name}({used}) {{ x }} }}", "variables": given},
            {"query": f"mutation {{ a: {name}({written}) {{ x }} }}"},
            {"query": f"mutation M({defaults}) {{ ...F }} fragment F on Mutation {{ {name}({used}) {{ x }} }}"},
        ]
    for request in requests:
        found = change_of(asked_of(request))
        assert found is not None
        (said,) = Teller({}).told(found.arguments)
        assert said["change"] == name and said["arguments"].keys() == given.keys()
        for (key, value), (told_key, told_value) in zip(leaves(given), leaves(said["arguments"]), strict=True):
            assert key == told_key and (value == told_value or key in _FREE), (key, value, told_value)


def test_each_operation_has_its_own_defaults():
    """Which of them runs says the request; the variables of another one are no reading of it."""
    query = " ".join(f'mutation {n}($k: String! = "{n}") {{ setConcurrencyLimit(concurrencyKey: $k) }}' for n in "AB")
    found = change_of(asked_of({"query": query, "operationName": "A"}))
    assert [given["concurrencyKey"] for _, given in found.arguments] == ["A", "B"]


FOREIGN = {"resources": {"cursor": {"config": {"openai_base_url": "https://elsewhere.example/v1"}}}}
OWN = {"resources": {"cursor": {"config": {"key_prefix": []}}}, "ops": {}}


@pytest.mark.parametrize(
    "form", ["object", "text", "json text", "inline", "inline text", "default", "list", "backfill", "alias"]
)
def test_settings_in_the_configuration_of_a_run_are_refused_at_the_door(web, ui, form):
    def asked(config: dict[str, Any]) -> httpx.Response:
        selector = {"repositoryLocationName": "corpus", "repositoryName": "__repository__", "jobName": "no_such_job"}
        text = yaml.safe_dump(config)
        if form == "alias":
            text = "x: &x " + json.dumps(config["resources"]["cursor"]) + "\nresources: {cursor: *x}\nops: {}"
        given = {"selector": selector, "runConfigData": text if form in ("text", "alias") else config}
        if form == "json text":
            given["runConfigData"] = json.dumps(config)
        what = "{ __typename }"
        query = f"mutation($p: ExecutionParams!) {{ launchRun(executionParams: $p) {what} }}"
        if form == "inline":
            query = f"mutation {{ launchRun(executionParams: {inline(given)}) {what} }}"
        if form == "inline text":
            query = f"mutation {{ launchRun(executionParams: {inline(given | {'runConfigData': text})}) {what} }}"
        if form == "default":
            query = query.replace("ExecutionParams!", f"ExecutionParams = {inline(given)}")
        if form == "list":
            query = f"mutation($p: ExecutionParams!) {{ launchMultipleRuns(executionParamsList: [$p]) {what} }}"
        if form == "backfill":
            given = {"assetSelection": [], "partitionNames": [], "runConfigData": config}
            query = f"mutation($p: LaunchBackfillParams!) {{ launchPartitionBackfill(backfillParams: $p) {what} }}"
        variables = {} if form in ("inline", "inline text", "default") else {"p": given}
        return web.post("/graphql", json={"query": query, "variables": variables})

    refused = asked(FOREIGN)
    assert refused.status_code == 403 and "no part of a run's configuration" in refused.text, refused.text
    own = asked(OWN)
    assert own.status_code != 403 and "no part of" not in own.text, own.text
    entry = ui.corpus.store.fetch(progress.audit_page, who=None, action="dagster", before=None, limit=1)["entries"][0]
    assert "key_prefix" in json.dumps(entry["detail"]["arguments"])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a: &a [" + "x," * 99 + "]\nb: &b [" + "*a," * 99 + "]\nc: [" + "*b," * 99 + "]",
        "a: [",
        "&a [*a]",
        "x" * 70_000,
    ],
)
def test_a_configuration_that_nobody_can_read_is_refused(web, text):
    query = "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename } }"
    given = {"p": {"selector": {}, "runConfigData": text}}
    assert web.post("/graphql", json={"query": query, "variables": given}).status_code == 400


def test_what_changes_the_code_is_for_admins(team):
    with visitor(team, "otto") as operator:
        for name in ("setAppManagedComponent", "deleteAppManagedComponent"):
            arguments = {key: "x" for key in MUTATIONS[name].args}
            query = f"mutation {{ {name}({', '.join(f'{k}: {inline(v)}' for k, v in arguments.items())}) {{ __typename }} }}"
            assert operator.post("/graphql", json={"query": query}).status_code == 403


def test_fragments_that_name_each_other_twice_are_read_once():
    """As who executes them reads them; followed each time, forty of them would be 2^40 fields."""
    chain = " ".join(f"fragment F{n} on M {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    assert change(f"mutation {{ ...F0 }} {chain} fragment F40 on M {{ deleteRun ...F0 }}") == (("deleteRun",), ())


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ " + " ".join(f"a{n}: version" for n in range(101)) + " }", "too much at once"),
        ("{ ...F } fragment F on Q { " + " ".join(f"a{n}: version" for n in range(101)) + " }", "too much at once"),
        ("{ version(a: [" + "1 " * 20_000 + "]) }", "faulty"),
        ("{ version } #" + "x" * 300_000, "too long"),
        ("{ ...F0 } " + " ".join(f"fragment F{n} on Q {{ ...F{n + 1} }}" for n in range(3000)), "faulty"),
    ],
    ids=["aliases", "aliases in a fragment", "tokens", "letters", "depth of fragments"],
)
def test_a_question_that_would_keep_dagster_busy_is_refused(query, said):
    with pytest.raises(ValueError, match=said):
        asked_of({"query": query})


def test_a_socket_carries_questions_only():
    def start(query: str) -> str:
        return json.dumps({"id": "1", "type": "start", "payload": {"query": query}})

    def passed(text: str | None) -> Any:
        message = _live_only({"type": "websocket.receive", "text": text})
        return message and json.loads(message["text"])

    assert passed('{"type": "connection_init", "payload": {}}') == {"type": "connection_init", "payload": {}}
    assert passed(start("subscription { logs }"))["payload"]["query"] == "subscription { logs }"
    for text in (None, "", "no", "[]", start(SET), start("subscription { logs } mutation { deleteRun }"), start("{")):
        assert passed(text) is None


def test_a_socket_has_bounds(team):
    """Of messages, and of questions that run at the same time; those that have ended make room."""
    with visitor(team, "vera") as client:
        own_cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = {"Origin": team, "Cookie": own_cookie}
        address = f"{team.replace('http', 'ws', 1)}/graphql"
        with connect(address, subprotocols=["graphql-ws"], additional_headers=headers) as socket:
            assert socket.response.headers.get("Sec-WebSocket-Extensions") is None  # nothing is unpacked
            with pytest.raises(ConnectionClosed) as closed:
                socket.send("x" * (600 << 10))
                socket.recv(timeout=30)
            assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    asked: set[str] = set()

    def message(kind: str, number: int) -> dict[str, str]:
        return {"type": "websocket.receive", "text": json.dumps({"type": kind, "id": str(number)})}

    assert all(_is_one_more(message("start", number), asked) for number in range(100))
    assert not _is_one_more(message("start", 100), asked) and not _is_one_more(message("start", 5), asked)
    assert _is_one_more(message("stop", 5), asked) and _is_one_more(message("start", 5), asked)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    ended = {"type": "websocket.send", "text": json.dumps({"type": "complete", "id": "7"})}
    asyncio.run(_noting_ends(send, asked)(ended))
    assert sent == [ended] and _is_one_more(message("start", 100), asked)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no",
        b"[]",
        b'"x"',
        b"{}",
        body(["mutation"]),
        body("mutation {"),
        body("mutation { a" * 5000),
        b"[" * 99999,
    ],
)
def test_what_cannot_be_read_is_refused(web, text):
    assert web.post("/graphql", content=text, headers={"content-type": JSON}).status_code == 400


def test_a_variable_that_is_named_often_is_looked_at_once(monkeypatch: pytest.MonkeyPatch):
    """60 references to a list of 20,000 names are one list, and no more than so many values of a request are looked at."""
    lists = []
    monkeypatch.setattr(dagster_guard, "islice", lambda names, most: lists.append(len(names)) or names[:most])
    names, references = [f"p{number}" for number in range(20_000)], ", ".join(["$v"] * 60)
    query = f"mutation($v: X) {{ {' '.join(f'a{n}(partitionNames: $v, x: [{references}])' for n in range(3))} }}"
    _, about = change(query, variables={"v": names})
    assert about == tuple(names[: dagster_guard._MOST_NAMES]) and lists == [20_000]
    monkeypatch.setattr(dagster_guard, "_MOST_VALUES", 11)
    runs = [{"runId": f"r{number}"} for number in range(50)]
    assert list(dagster_guard._about(runs)) == [f"r{number}" for number in range(5)]
