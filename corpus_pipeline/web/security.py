"""The door, before any page: host names, methods, origins, identity, and the headers of every answer."""

from __future__ import annotations

import hmac
import logging
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpus_pipeline.error_words import in_words
from corpus_pipeline.web import peers, users
from corpus_pipeline.web.options import PROXY_PROOF, Options, Role
from corpus_pipeline.web.sessions import COOKIE, CREDENTIAL, DEVICE, Person, Sessions

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
METHODS = ("GET", "HEAD", "POST")
TOKEN = "token"  # its name in an address
_NO_TOKEN = (
    "Open the address that `corpus serve` or `corpus ui` printed when it started: it has a token, by which you are told from"
    " other users of this machine. Programs send it as `Authorization: Bearer TOKEN`; CORPUS_WEB_TOKEN sets it.\n"
)
_NO_COOKIE = ("/static/", "/healthz")
_OPEN = ("/login", "/static/", "/healthz")  # may be seen by those who have not logged in
_log = logging.getLogger(__name__)


class Door:
    """What every guard of ours decides alike: under which name we are asked, from which page, and by whom."""

    def __init__(self, options: Options, sessions: Sessions) -> None:
        self.options = options
        self._sessions = sessions

    def stranger(self, headers: Headers) -> Response | None:
        """The refusal of a host name that is not ours: it was made to point here."""
        if host_name(headers.get("host", "")) in self.options.hosts:
            return None
        return PlainTextResponse(
            "This server does not answer to that host name. Start it with --allow-host NAME.\n", 421
        )

    def entered(self, scope: Scope, headers: Headers) -> Response | None:
        """The answer to an address with the token: a session, and the same page without the token in its address."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = dict(asked).get(TOKEN)
        if self.options.token is None or token is None or scope["method"] != "GET" or self.stranger(headers):
            return None
        if not self._is_token(token):
            return PlainTextResponse(_NO_TOKEN, 401)
        # one slash in front: with two it would be the address of another server
        path = "/" + quote(scope["path"].lstrip("/\\"), safe="/")
        query = urlencode([(name, value) for name, value in asked if name != TOKEN])
        answer = RedirectResponse(path + (f"?{query}" if query else ""), 303)
        session = self._sessions.begin(self._owner(), lasting=True, user=peers.user_of(scope))
        answer.headers.append("Set-Cookie", cookie(session, self.options))
        return answer

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest((self.options.token or "").encode(), given.encode())

    def _owner(self) -> Person:
        return Person(self.options.loopback_user, Role.ADMIN)

    def _named_by_proxy(self, scope: Scope, headers: Headers) -> Person | None:
        """The user whom a trusted proxy names: its address alone proves nothing, any program there has it.

        A header that comes twice names nobody: one of them may be the client's own, which the proxy passed on.
        """
        options, client = self.options, scope.get("client")
        if not options.proxy_header or not (options.proxy_secret or options.socket):
            return None
        if not options.is_trusted_proxy(client[0] if client else None):
            return None
        names, proofs = headers.getlist(options.proxy_header), headers.getlist(PROXY_PROOF)
        if len(names) != 1 or len(proofs) > 1:
            return None
        if options.proxy_secret and not hmac.compare_digest(options.proxy_secret.encode(), "".join(proofs).encode()):
            return None
        name = names[0].strip()
        known = users.role_of(options.users, name) if options.users and name else None
        return Person(name[:128], known or options.proxy_role) if name else None

    def person(self, scope: Scope, headers: Headers, session: str | None, *, active: bool = True) -> Person | None:
        """The person who asks: whom a trusted proxy names, or who logged in, or (where no one has to) who has the token.

        active: something was asked for, which puts off the end of an idle session.
        """
        options = self.options
        if named := self._named_by_proxy(scope, headers):
            return self._limited(named)
        person = self._sessions.person(session, active=active)
        if person is not None and self._is_of_another_user(scope, session):
            _log.warning("a session of %s was used by another user of this machine, and refused", person.name)
            person = None
        if person is not None and not self._is_foreign(session) and options.login and options.users is not None:
            # a removed user, another password and another role count at once
            known_user = users.user(options.users, person.name)
            if known_user is None or known_user.credential != self._sessions.credential(session):
                self._sessions.end(session)
                person = None
            else:
                person = person._replace(role=known_user.role)
        if person is not None and self._is_foreign(session) and self._was_ended(session, person.name):
            self._sessions.end(session)
            person = None
        if person is None and not options.demands_login:
            kind, _, token = headers.get("authorization", "").partition(" ")
            if options.token is None or (kind.lower() == "bearer" and self._is_token(token.strip())):
                person = self._owner()
        return None if person is None else self._limited(person)

    def _is_of_another_user(self, scope: Scope, session: str | None) -> bool:
        """Whether a session that a process of this machine began comes from a process of somebody else: browsers send the
        cookie to every port of the machine."""
        user = self._sessions.user(session)
        return user is not None and peers.user_of(scope) != user

    def _is_foreign(self, session: str | None) -> bool:
        """Whether the session is of somebody whom a provider named: the users file says nothing of them."""
        return self._sessions.credential(session).startswith(CREDENTIAL)

    def _was_ended(self, session: str | None, name: str) -> bool:
        """Whether `corpus serve --log-out` was told to end what a provider began."""
        mark = self._sessions.credential(session).rpartition(" ")[2]
        return mark != users.ended(self.options.users, name)

    def _limited(self, person: Person) -> Person:
        return person._replace(role=Role.VIEWER) if self.options.read_only else person

    def login_first(self, scope: Scope, page: bool) -> Response:
        """What somebody gets whom we do not know: the way to the login when it is a page that they ask for."""
        if self.options.token is not None:
            return PlainTextResponse(_NO_TOKEN, 401, {"WWW-Authenticate": "Bearer"})
        if not page or not self.options.has_login_page:
            return PlainTextResponse("Log in first.\n", 401)
        query = scope["query_string"].decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse("/login" + (f"?to={quote(wanted, safe='/')}" if len(wanted) > 1 else ""), 303)


class Guard:
    """Wraps the pages. Puts `person`, `session` and `json` into the scope of what it lets through."""

    def __init__(self, app: ASGIApp, options: Options, sessions: Sessions) -> None:
        self._app = app
        self._options = options
        self._sessions = sessions
        self._door = Door(options, sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        session = session_of(scope)
        fresh = session is None
        scope["session"] = session or self._sessions.new_id()
        # a part of a page that renews itself is nothing that anybody does
        active = headers.get("hx-request") != "true"
        scope["person"] = self._door.person(scope, headers, scope["session"], active=active)
        scope["json"] = wants_json(scope, headers)
        if scope["path"].endswith(".json") and not scope["path"].startswith("/static/"):
            # every page is there as JSON: the same path with .json behind it
            scope["path"] = scope["path"].removesuffix(".json")
            scope["raw_path"] = scope["path"].encode()

        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                answer["Vary"] = "Accept, Cookie"
                if fresh and "set-cookie" not in answer and not scope["path"].startswith(_NO_COOKIE):
                    answer.append("Set-Cookie", cookie(scope["session"], self._options))
            await send(message)

        refused = self._door.entered(scope, headers) or self._refusal(scope, headers)
        try:
            await (self._app if refused is None else refused)(scope, receive, with_headers)
        except ClientDisconnect:  # no one is left to be answered
            return
        except Exception as error:
            _log.error("%s", in_words(error))
            if begun:
                raise RuntimeError("an answer broke off; the line above names the place") from None
            await _broken()(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if refused := self._door.stranger(headers):
            return refused
        if scope["method"] not in METHODS:
            return PlainTextResponse("Only GET, HEAD and POST.\n", 405, {"Allow": ", ".join(METHODS)})
        if scope["method"] == "POST" and not same_origin(headers, secure=self._options.secure_cookies):
            return PlainTextResponse("This form was not sent from a page of this server.\n", 403)
        if scope["person"] is None and not scope["path"].startswith(_OPEN):
            answer = self._door.login_first(scope, page=not scope["json"] and scope["method"] != "POST")
            if headers.get("hx-request") != "true":
                return answer
            # the part of a page that renews itself: the page is loaded again as a whole, and leads to the login
            return PlainTextResponse("Log in first.\n", 401, {"HX-Refresh": "true"})
        return None


def _broken() -> Response:
    return PlainTextResponse(
        "Something went wrong in the row browser; its log names the place. The corpus is untouched.\n", 500
    )


def session_of(scope: Scope) -> str | None:
    """The session that a browser says it has."""
    return Sessions.known_form(HTTPConnection(scope).cookies.get(COOKIE))


def cookie(session: str, options: Options) -> str:
    """The header that gives a browser its session."""
    secure = "; Secure" if options.secure_cookies else ""
    return f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict{secure}"


def device_cookie(token: str, options: Options) -> str:
    """The header that marks a browser in which somebody logged in, for a month."""
    secure = "; Secure" if options.secure_cookies else ""
    return f"{DEVICE}={token}; Path=/login; Max-Age=2592000; HttpOnly; SameSite=Strict{secure}"


def host_name(host: str) -> str:
    """The name in a Host header, without its port; "" for what is none."""
    found = _HOST.fullmatch(host.lower())
    return found[1].strip("[]") if found else ""


def same_origin(headers: Headers, *, secure: bool) -> bool:
    """Whether a request was made by a page of this server. What says nothing about its origin is refused, too.

    secure: the server is known by https, so that a page of the same name without it is somebody else's.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    if origin is None or origin == "null":
        return site == "same-origin"
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (
        parts.scheme in (("https",) if secure else ("http", "https"))
        and parts.netloc.lower() == headers.get("host", "").lower()
    )


def wants_json(scope: Scope, headers: Headers) -> bool:
    """Whether JSON is asked for: by its path, or by a client that accepts JSON and not HTML."""
    accept = headers.get("accept", "")
    return scope["path"].endswith(".json") or ("application/json" in accept and "text/html" not in accept)
