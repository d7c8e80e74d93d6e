"""The door of the row browser, before any page: host names, methods, origins, identity, and the headers of every answer."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpus_pipeline.web import users
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.sessions import COOKIE, Person, Sessions

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
# Referrer-Policy: with `no-referrer` browsers send `Origin: null` with our own forms, and the origin could not be checked;
# `same-origin` sends as little to anybody else: nothing.
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NO_COOKIE = ("/static/", "/healthz")
_OPEN = ("/login", "/static/", "/healthz")  # may be seen by those who have not logged in


class Guard:
    """Wraps the pages. Puts `person`, `session` and `json` into the scope of what it lets through."""

    def __init__(self, app: ASGIApp, options: Options, sessions: Sessions) -> None:
        self._app = app
        self._options = options
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        session = self._sessions.known_form(Request(scope).cookies.get(COOKIE))
        fresh = session is None
        scope["session"] = session or self._sessions.new_id()
        scope["person"] = self._person(scope, headers)
        scope["json"] = wants_json(scope, headers)
        if scope["path"].endswith(".json") and not scope["path"].startswith("/static/"):
            # every page has a twin: the same path with .json behind it
            scope["path"] = scope["path"].removesuffix(".json")
            scope["raw_path"] = scope["path"].encode()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                answer["Vary"] = "Accept, Cookie"
                if fresh and "set-cookie" not in answer and not scope["path"].startswith(_NO_COOKIE):
                    answer.append("Set-Cookie", cookie(scope["session"], self._options))
            await send(message)

        refused = self._refusal(scope, headers)
        await (self._app if refused is None else refused)(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if host_name(headers.get("host", "")) not in self._options.hosts:
            return PlainTextResponse(
                "This server does not answer to that host name. Start `corpus serve` with --allow-host NAME.\n", 421
            )
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("Only GET, HEAD and POST.\n", 405, {"Allow": "GET, HEAD, POST"})
        if scope["method"] == "POST" and not same_origin(headers):
            return PlainTextResponse("This form was not sent from a page of this server.\n", 403)
        if scope["person"] is None and not scope["path"].startswith(_OPEN):
            if scope["json"] or scope["method"] == "POST" or not self._options.login:
                return PlainTextResponse("Log in first.\n", 401)
            return RedirectResponse("/login", 303)
        return None

    def _person(self, scope: Scope, headers: Headers) -> Person | None:
        options = self._options
        client = scope.get("client")
        if options.proxy_header and options.is_trusted_proxy(client[0] if client else None):
            name = headers.get(options.proxy_header, "").strip()
            if name:
                known = users.role_of(options.users, name) if options.users else None
                return self._limited(Person(name[:128], known or options.proxy_role))
        person = self._sessions.person(scope["session"])
        if person is not None and options.users is not None:
            # who was removed or got another role meanwhile is treated so at once
            role = users.role_of(options.users, person.name)
            person = None if role is None else person._replace(role=role)
        if person is None and not options.demands_login:
            person = Person(options.loopback_user, Role.OPERATOR)
        return None if person is None else self._limited(person)

    def _limited(self, person: Person) -> Person:
        return person._replace(role=Role.VIEWER) if self._options.read_only else person


def cookie(session: str, options: Options) -> str:
    """The header that gives a browser its session."""
    secure = "; Secure" if options.secure_cookies else ""
    return f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict{secure}"


def host_name(host: str) -> str:
    """The name in a Host header, without its port; "" for what is none."""
    found = _HOST.fullmatch(host.lower())
    return found[1].strip("[]") if found else ""


def same_origin(headers: Headers) -> bool:
    """Whether a request was made by a page of this server. What says nothing about its origin is refused, too."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    if origin is None or origin == "null":
        return site == "same-origin"
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == headers.get("host", "").lower()


def wants_json(scope: Scope, headers: Headers) -> bool:
    """Whether the twin is asked for: by its path, or by a client that accepts JSON and not HTML."""
    accept = headers.get("accept", "")
    return scope["path"].endswith(".json") or ("application/json" in accept and "text/html" not in accept)
