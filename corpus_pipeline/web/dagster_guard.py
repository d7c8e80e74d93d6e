"""The door of the Dagster UI, which has none of its own: host names, origins, logins, roles, and the audit log.

Dagster's webserver runs a mutation for a plain link, for a form without JSON and for a WebSocket of any page, under any host
name, for anybody. None of these gets through here. It loads nothing from elsewhere, whatever a row's text says.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    Visitor,
    parse,
    value_from_ast_untyped,
    visit,
)
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.service.queries import progress
from corpus_pipeline.web.context import Site
from corpus_pipeline.web.options import Role
from corpus_pipeline.web.security import HEADERS, METHODS, Door, same_origin, session_of
from corpus_pipeline.web.sessions import Person
from corpus_pipeline.web.shares import Kind, Shares
from corpus_pipeline.web.told_arguments import RUN_CONFIG, Teller

# beside Dagster's own policy, which binds scripts only: a browser obeys both
CSP = (
    "img-src 'self' data: blob:; media-src 'self'; font-src 'self' data:; connect-src 'self' ws://{host} wss://{host};"
    " frame-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
_OURS = {name: value for name, value in HEADERS.items() if name not in ("Content-Security-Policy", "Cache-Control")}
_KEPT = ("/_next/static/", "/vendor/")  # files of the UI, which browsers may keep
_ROWS_PATHS = ("/login", "/logout", "/static/")  # pages of the row browser that are shown under this address, too
_MOST_BYTES = 8 << 20
# Dagster's own pages ask for less than a tenth of it in one request
_MOST_LETTERS, _MOST_TOKENS, _MOST_FIELDS = 256 << 10, 20_000, 100
_MOST_VALUES, _MOST_NAMES = 100_000, 10_000  # of a request that are looked at for what it is about
# mutations that begin so remove what nothing brings back, or change what the code is
_OF_ADMINS = ("delete", "wipe", "setAppManaged")
_MOST_CONFIG = 64 << 10  # characters of a run's configuration that is given as a text
_NO_CHANGE = {"logTelemetry", "setNuxSeen"}
_ABOUT = {
    "partitionNames",
    "partitionKey",
    "partitionKeys",
    "partition",
    "parentRunId",
    "runId",
    "runIds",
    "backfillId",
} | {
    "sensorName",
    "name",
    "concurrencyKey",
    "path",
    "start",
    "end",
}
_REPORTED_JSON = ("metadata", "passed")  # fields of a report that are JSON in a query string, too
_MOST_QUESTIONS = 100  # on one socket; a page of Dagster's asks for fewer than ten
_SOCKET_SECONDS = 5.0  # how often an open socket is asked for its person
_log = logging.getLogger(__name__)


class Change(NamedTuple):
    """What a GraphQL request wants done: names of mutations, and the partitions, runs and so on that it names. arguments: of
    each mutation by its name, as they were given."""

    mutations: tuple[str, ...]
    about: tuple[str, ...]
    arguments: tuple[tuple[str, dict[str, Any]], ...] = ()


class RunConfigs(Protocol):
    """How Dagster reads the configuration of a run, and what of it is refused."""

    def read(self, text: str) -> Any:
        """A configuration that was given as a text. Raises ValueError for what is none."""

    def refusal(self, config: Any) -> str | None:
        """Why a configuration is refused, None when it is not."""


class Asked(NamedTuple):
    """A GraphQL request as it was understood: what goes on to Dagster is written from this."""

    query: str
    variables: dict[str, Any] | None
    operation: str | None
    document: DocumentNode

    def body(self) -> bytes:
        return json.dumps({"query": self.query, "variables": self.variables, "operationName": self.operation}).encode()


class DagsterGuard:
    """Wraps Dagster's web application; `rows` is the row browser, which has the login. Puts `person` into the scope."""

    def __init__(self, app: ASGIApp, rows: Starlette, run_configs: RunConfigs | None = None) -> None:
        """run_configs: without it every configuration goes on, to be refused where the run begins."""
        self._app = app
        self._run_configs = run_configs
        self._teller = Teller(read_config=None if run_configs is None else run_configs.read)
        self._rows = rows
        self._site: Site = rows.state.site
        self._door = Door(self._site.options, self._site.sessions)
        self._shares = Shares()  # of this server's own loop; the row browser beside it has another one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._socket(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        scope["person"] = self._door.person(scope, headers, session_of(scope))
        if (
            scope["person"] is None
            or self._door.stranger(headers)
            or not same_origin(headers, secure=self._door.options.secure_cookies)
        ):
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            async with self._shares.of(scope["person"].name, Kind.SOCKET):
                asked: set[str] = set()
                watched = self._while_known(scope, headers, receive, send, asked)
                await self._app(scope, watched, _noting_ends(send, asked))
        except HTTPException:
            await send({"type": "websocket.close", "code": 1013})

    def _while_known(self, scope: Scope, headers: Headers, receive: Receive, send: Send, asked: set[str]) -> Receive:
        """`receive` that ends the socket when its person is known no longer: logged out, removed, with another password.

        asked: ids of the questions that run on this socket.
        """
        waiting: asyncio.Task[Message] | None = None

        async def watched() -> Message:
            nonlocal waiting
            while True:
                waiting = waiting or asyncio.ensure_future(receive())
                done, _ = await asyncio.wait({waiting}, timeout=_SOCKET_SECONDS)
                known = await run_in_threadpool(self._still_known, scope, headers)
                if known is None:
                    waiting.cancel()
                    await send({"type": "websocket.close", "code": 1008})
                    return {"type": "websocket.disconnect", "code": 1008}
                if done:
                    message, waiting = waiting.result(), None
                    passed = _live_only(message) if message["type"] == "websocket.receive" else message
                    if passed is not None and _is_one_more(passed, asked):
                        return passed
                    await send({"type": "websocket.close", "code": 1008})
                    return {"type": "websocket.disconnect", "code": 1008}

        return watched

    def _still_known(self, scope: Scope, headers: Headers) -> Person | None:
        return self._door.person(scope, headers, session_of(scope), active=False)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if self._door.options.has_login_page and scope["path"].startswith(_ROWS_PATHS):
            await self._rows({**scope, "home": "/"}, receive, send)
            return
        scope["person"] = self._door.person(scope, headers, session_of(scope))
        refused = self._door.entered(scope, headers) or self._refusal(scope, headers)
        if refused is None and scope["method"] == "POST":
            body = await _body(receive)
            refused, body = await self._considered(scope, body)
            scope, receive = _plain(scope, body), _again(body, receive)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _OURS.items():
                    answer[name] = value
                del answer["Feature-Policy"]  # the old name of what we set, which browsers complain of
                if not self._door.stranger(headers):
                    answer.append("Content-Security-Policy", CSP.format(host=headers["host"].lower()))
                if not scope["path"].startswith(_KEPT):
                    answer.setdefault("Cache-Control", "no-store")
            await send(message)

        if refused is not None or scope["path"].startswith(_KEPT):
            await (self._app if refused is None else refused)(scope, receive, with_headers)
            return
        try:
            async with self._shares.of(scope["person"].name, Kind.GRAPHQL):
                await self._app(scope, receive, with_headers)
        except HTTPException as busy:
            answer = PlainTextResponse(f"{busy.detail}\n", busy.status_code, busy.headers)
            await answer(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if refused := self._door.stranger(headers):
            return refused
        method, page = scope["method"], "text/html" in headers.get("accept", "")
        if method not in METHODS:
            return PlainTextResponse("Only GET, HEAD and POST.\n", 405, {"Allow": ", ".join(METHODS)})
        if method == "POST":
            # a browser always says where a POST comes from; programs need not, and cannot be tricked into sending one
            silent = "origin" not in headers and "sec-fetch-site" not in headers
            if not silent and not same_origin(headers, secure=self._door.options.secure_cookies):
                return PlainTextResponse("This was not sent from a page of this server.\n", 403)
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return PlainTextResponse("Send application/json.\n", 415)
        if scope["person"] is None:
            return self._door.login_first(scope, page=page and method != "POST")
        if method != "POST" and scope["path"].rstrip("/") == "/graphql" and not page:
            # with text/html Dagster answers with its GraphiQL page, whatever else is asked
            return PlainTextResponse("Questions are sent by POST.\n", 405, {"Allow": "POST"})
        return None

    async def _considered(self, scope: Scope, body: bytes | None) -> tuple[Response | None, bytes]:
        """Notes what a request changes in the audit log. The refusal of what this person may not do, and what goes on."""
        person: Person = scope["person"]
        if body is None:
            return PlainTextResponse("The request is too long.\n", 413), b""
        # what takes long for a long request is done in a thread, and for those who may: the loop serves everybody
        asked: Asked | None = None
        try:
            if scope["path"].rstrip("/") == "/graphql":
                asked = await run_in_threadpool(_asked_in, body)
                mutations = mutations_of(asked)
                if not mutations:
                    return None, await run_in_threadpool(asked.body)
            else:
                # what is no GraphQL are reports of what was made elsewhere: they change something, always
                mutations = (scope["path"][:200],)
            if (refusal := self._refusal_of(person, mutations)) is not None:
                return refusal, b""
            if asked is not None:
                change = await run_in_threadpool(change_of, asked)
                if (told := await run_in_threadpool(self._refused_config, change)) is not None:
                    return JSONResponse({"data": None, "errors": [{"message": told}]}, 403), b""
                passed_on = await run_in_threadpool(asked.body)
            else:
                change, passed_on = await run_in_threadpool(_report_of, scope, body)
        except ValueError as error:
            return PlainTextResponse(f"The request cannot be read: {error}\n", 400), b""
        if change is not None:
            await run_in_threadpool(self._note, person, change)
        return None, passed_on

    def _refusal_of(self, person: Person, mutations: Collection[str]) -> Response | None:
        """The refusal of mutations for which this person has not the role."""
        needed = Role.ADMIN if any(name.startswith(_OF_ADMINS) for name in mutations) else Role.OPERATOR
        if person.role.covers(needed):
            return None
        what = "This server is read-only." if self._door.options.read_only else f"This needs the role {needed}."
        return JSONResponse({"data": None, "errors": [{"message": what}]}, 403)

    def _refused_config(self, change: Change | None) -> str | None:
        """Why the configuration of a run that a change would start is refused. Raises ValueError for one that is none."""
        if change is None or self._run_configs is None:
            return None
        for config in _run_configs_in(change):
            if isinstance(config, str):
                if len(config) > _MOST_CONFIG:
                    raise ValueError("the configuration of a run is too long")
                config = self._run_configs.read(config)
            if (told := self._run_configs.refusal(config)) is not None:
                return told
        return None

    def _note(self, person: Person, change: Change) -> None:
        detail = {
            **({"about": ", ".join(change.about)[:2000]} if change.about else {}),
            **({"arguments": self._teller.told(change.arguments)} if change.arguments else {}),
        }
        try:
            progress.note(self._site.corpus.store, person.name, "dagster", ", ".join(change.mutations), detail)
        except StoreUnavailable:  # anyone who wants to stop something then must be able to
            _log.warning("not in the audit log, the database is away: %s by %s", change.mutations, person.name)


def _asked_in(body: bytes) -> Asked:
    return asked_of(_json(body))


def asked_of(asked: Any) -> Asked:
    """The GraphQL request in the JSON of a body. Raises ValueError for what no one can read."""
    query = asked.get("query") if isinstance(asked, dict) else None
    if not isinstance(query, str):
        raise ValueError("it is no GraphQL request")
    variables, operation = asked.get("variables"), asked.get("operationName")
    if isinstance(variables, str):
        variables = _json(variables.encode())
    if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
        raise ValueError("it is no GraphQL request")
    if len(query) > _MOST_LETTERS:
        raise ValueError("its GraphQL is too long")
    try:
        document = parse(query, max_tokens=_MOST_TOKENS)
        fields = sum(1 for _ in _root_fields(document, tuple(OperationType)))
    except (GraphQLError, RecursionError):
        raise ValueError("its GraphQL is faulty") from None
    if fields > _MOST_FIELDS:
        raise ValueError("its GraphQL asks for too much at once")
    return Asked(query, variables, operation, document)


def mutations_of(asked: Asked) -> tuple[str, ...]:
    """The names of the mutations of a request that change something."""
    return _names_of(field for _, field in _changing(asked))


def _changing(asked: Asked) -> list[tuple[OperationDefinitionNode, FieldNode]]:
    fields = _root_fields(asked.document, (OperationType.MUTATION,))
    return [(operation, field) for operation, field in fields if field.name.value not in _NO_CHANGE]


def _names_of(fields: Iterable[FieldNode]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field.name.value for field in fields))


def change_of(asked: Asked) -> Change | None:
    """What a request asks Dagster to change, None when it only looks; of several operations in it, all are meant."""
    changing = _changing(asked)
    if not changing:
        return None
    written, arguments = list[dict[str, Any]](), list[tuple[str, dict[str, Any]]]()
    for operation, field in changing:  # each operation has defaults of its own for variables of one name
        given = {**_defaults(operation), **(asked.variables or {})}
        written += _arguments(field, given)
        arguments.append((field.name.value, _given(field, given)))
    about = tuple(dict.fromkeys(_about(asked.variables, written)))
    return Change(_names_of(field for _, field in changing), about, tuple(arguments))


def _given(field: FieldNode, variables: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a field by their names; what a variable stands for that nobody gave is not among them."""
    read = {node.name.value: value_from_ast_untyped(node.value, variables) for node in field.arguments}
    return {name: value for name, value in read.items() if value is not Undefined}


def _run_configs_in(change: Change) -> Iterator[Any]:
    """The configurations of runs in the arguments of a change: GraphQL takes them in these places only."""
    for _, given in change.arguments:
        for value in given.values():
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, dict) and item.get(RUN_CONFIG):
                    yield item[RUN_CONFIG]


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """What the variables of an operation are where a request gives none."""
    return {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }


def _root_fields(
    document: DocumentNode, kinds: Collection[OperationType]
) -> Iterator[tuple[OperationDefinitionNode, FieldNode]]:
    """The fields at the root of all operations of these kinds, those of their fragments among them."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode) and operation.operation in kinds:
            yield from ((operation, field) for field in _fields(operation.selection_set, fragments, set()))


def _fields(
    chosen: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[FieldNode]:
    """The fields of a selection; those of a fragment once, as who executes it reads them: some name each other twice."""
    for node in chosen.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments and node.name.value not in seen:
            seen.add(node.name.value)
            yield from _fields(fragments[node.name.value].selection_set, fragments, seen)


def _arguments(field: FieldNode, variables: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The arguments of a field and of those under it, as they are written in the query."""
    found: list[dict[str, Any]] = []

    class Collect(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
            found.append({node.name.value: value_from_ast_untyped(node.value, variables)})

    visit(field, Collect())
    return found


def _report_of(scope: Scope, body: bytes) -> tuple[Change, bytes]:
    """What is reported to Dagster; what the query string says of it moves into the body."""
    said = _json(body) if body.strip() else {}
    if not isinstance(said, dict):
        raise ValueError("it is no JSON object")
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    said = {name: _json(value.encode()) if name in _REPORTED_JSON else value for name, value in asked.items()} | said
    path = scope["path"][:200]
    return Change((path,), tuple(dict.fromkeys(_about(said))), ((path, said),)), json.dumps(said).encode()


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None


def _live_only(message: Message) -> Message | None:
    """A message for the socket written again, None for one that is none or asks for a change: a subscription can carry one."""
    try:
        said = json.loads(message.get("text") or "")
        if not isinstance(said, dict):
            return None
        if said.get("type") == "start":
            payload = said.get("payload")
            asked = asked_of(payload)
            kinds = {node.operation for node in asked.document.definitions if isinstance(node, OperationDefinitionNode)}
            if OperationType.MUTATION in kinds:
                return None
        return {"type": "websocket.receive", "text": json.dumps(said)}
    except (ValueError, RecursionError):
        return None


def _is_one_more(message: Message, asked: set[str]) -> bool:
    """Whether there is room for what a message asks; keeps the ids of the questions that run."""
    said = json.loads(message.get("text") or "{}")
    number = str(said.get("id"))
    if said.get("type") == "stop":
        asked.discard(number)
    if said.get("type") != "start":
        return True
    if number in asked or len(asked) >= _MOST_QUESTIONS:
        return False
    asked.add(number)
    return True


def _noting_ends(send: Send, asked: set[str]) -> Send:
    """`send` that takes note of the questions that end by themselves."""

    async def noting(message: Message) -> None:
        text = message.get("text") or ""
        if len(text) < 200 and '"complete"' in text:
            said = json.loads(text)
            if said.get("type") == "complete":
                asked.discard(str(said.get("id")))
        await send(message)

    return noting


def _about(*values: Any) -> Iterator[str]:
    """Names and ids of partitions, runs and the like, wherever they are in the variables of a request.

    A variable that is named often is looked at once, and so many values at most: the work is no product of both.
    """
    waiting, seen, named = list(reversed(values)), set[int](), set[int]()
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, _Named):
            yield from map(str, islice(value.names, _MOST_NAMES))
        if not isinstance(value, list | dict) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, list):
            waiting.extend(reversed(value))
            continue
        if value.get("key") == "dagster/partition":
            yield str(value.get("value"))
        for key, item in reversed(value.items()):
            if key not in _ABOUT or not isinstance(item, str | list):
                waiting.append(item)
            elif isinstance(item, str):
                waiting.append(_Named([item]))
            elif id(item) not in named:
                named.add(id(item))
                waiting.append(_Named(item))


class _Named(NamedTuple):
    """What a request calls by name."""

    names: list[Any]


async def _body(receive: Receive) -> bytes | None:
    """The body of a request, None for one that is too long."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _plain(scope: Scope, body: bytes) -> Scope:
    """The scope of a POST as Dagster is to read it: nothing in the query string, JSON of this length in the body."""
    ours = (b"content-type", b"content-length", b"content-encoding", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in ours]
    said = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return {**scope, "query_string": b"", "headers": kept + said}


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that has been read, once more."""
    waiting = [body]

    async def once_more() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return once_more
