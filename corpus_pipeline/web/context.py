"""What every page needs: the corpus, who is there, templates, answers as HTML or JSON, and forms that cannot be forged."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import orjson
from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from corpus_pipeline import __version__, units
from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs.conservation import account_line
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.records.pages import Done
from corpus_pipeline.states import Stage
from corpus_pipeline.web import rendering
from corpus_pipeline.web.oidc import Provider
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.progress_rate import Pace
from corpus_pipeline.web.sessions import Brake, Person, Sessions
from corpus_pipeline.web.shares import Shares
from corpus_pipeline.web.stale_cache import Kept

_MOST_FORM_BYTES = 256 << 10
_NAME = re.compile(r"[a-z0-9_-]{1,64}")

Form = Mapping[str, list[str]]


def _template(name: str) -> str:
    return (resources.files("corpus_pipeline.web") / "templates" / name).read_text(encoding="utf-8")


def environment() -> Environment:
    """Templates: everything is escaped, an unknown name is an error."""
    found = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(_template),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "visible": rendering.visible,
        "with_evidence": rendering.with_evidence,
        "elsewhere": rendering.elsewhere,
        "excerpt": rendering.excerpt,
        "number": units.number,
        "money": units.money,
        "rate": units.rate,
        "span": units.span,
        "size": units.size,
        "moment": units.moment,
        "words": rendering.words,
        "account": account_line,
        "plain": rendering.plain,
        "run_link": rendering.run_link,
        "runs_link": rendering.runs_link,
        "counted": rendering.counted,
        "pretty": lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(),
        "query": lambda values: urlencode({k: v for k, v in values.items() if v not in (None, "")}),
        "part": lambda value: quote(str(value), safe=""),
    }
    found.globals |= {"version": __version__, "stages": [stage.value for stage in Stage]}
    return found


@dataclass
class Site:
    """One row browser: what its pages share."""

    corpus: Corpus
    options: Options
    sessions: Sessions = field(default_factory=Sessions)
    brake: Brake = field(default_factory=Brake)  # by name, or by browser where the person logged in before
    crowd_brake: Brake = field(default_factory=lambda: Brake(free=100, longest=30.0))  # by address
    # a pool of its own: pages do not wait; of threads, because two servers with a loop each may share it
    hashing: Executor = field(default_factory=lambda: ThreadPoolExecutor(2, "hashing"))
    provider: Provider | None = field(init=False)
    shares: Shares = field(default_factory=Shares)
    pace: Pace = field(default_factory=Pace)
    kept: Kept = field(default_factory=Kept)
    templates: Environment = field(default_factory=environment)

    def __post_init__(self) -> None:
        oidc = self.options.oidc
        self.provider = Provider(oidc, self.sessions) if oidc is not None else None


def site_of(request: Request) -> Site:
    return request.app.state.site


def person_of(request: Request) -> Person:
    return request.scope["person"]


def acting(request: Request) -> Corpus:
    """The corpus, for what the person who asks does."""
    return site_of(request).corpus.acting_as(person_of(request).name)


def reply(request: Request, template: str, data: Mapping[str, Any], *, status: int = 200, **more: Any) -> Response:
    """A page, or `data` as JSON. `more` is for the template only."""
    if request.scope["json"]:
        return json_reply(data, status)
    site, session = site_of(request), request.scope["session"]
    html = site.templates.get_template(template).render(
        **data,
        **more,
        person=request.scope["person"],
        may_act=_may(request, Role.OPERATOR),
        may_review=_may(request, Role.REVIEWER),
        may_remove=_may(request, Role.ADMIN),
        can_log_out=site.options.has_login_page and request.scope["person"] is not None,
        home=home(request),
        by_password=site.options.login,
        by_provider=site.provider is not None,
        csrf=site.sessions.token(session),
        # not to the part of another tab that renews itself: it would be lost
        said=None if "hx-request" in request.headers else site.sessions.said(session),
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        path=request.url.path,
        asked=dict(request.query_params),
    )
    return HTMLResponse(html, status)


def _may(request: Request, role: Role) -> bool:
    person: Person | None = request.scope["person"]
    return person is not None and person.role.covers(role)


def json_reply(data: Any, status: int = 200) -> Response:
    """JSON with a line end, for curl."""
    body = orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    return Response(body, status, media_type="application/json")


def action(
    handler: Callable[[Request, Form], tuple[str, str]], role: Role = Role.OPERATOR
) -> Callable[[Request], Awaitable[Response]]:
    """A POST endpoint. `handler` does it and returns (sentence, where to go next); it is called only for anyone who has the
    role, with the token of the session in the form.
    """

    async def endpoint(request: Request) -> Response:
        form = await _form_for(request, role)
        sentence, target = await run_in_threadpool(handler, request, form)
        if request.scope["json"]:
            done: Done = {"done": sentence}
            return json_reply(done)
        if sentence:
            site_of(request).sessions.say(request.scope["session"], sentence)
        return RedirectResponse(local(target), 303)

    return endpoint


def page_action(handler: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """As `action`, for what shows its result at once."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request, await _form_for(request, Role.OPERATOR))

    return endpoint


def require_token(request: Request, form: Form) -> None:
    """Raises HTTPException for a form without the token of the session."""
    if not site_of(request).sessions.token_is_right(request.scope["session"], first(form, "csrf")):
        raise HTTPException(403, "The form has expired: reload the page and repeat what you did.")


async def _form_for(request: Request, role: Role) -> Form:
    """The form of somebody who has this role, with the token of the session. Raises HTTPException."""
    form = await read_form(request)
    require_token(request, form)
    if not _may(request, role):
        what = "This server is read-only." if site_of(request).options.read_only else f"This needs the role {role}."
        raise HTTPException(403, what)
    return form


async def read_form(request: Request) -> Form:
    """The fields of a posted form. Raises HTTPException for anything but a form of ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Forms are sent as application/x-www-form-urlencoded.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise HTTPException(413, "The form is too long.")
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=5000, errors="strict")
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error


def first(form: Form, name: str) -> str:
    """The value of a field, stripped; "" when there is none."""
    return form.get(name, [""])[0].strip()


def local(target: str) -> str:
    """A path of this server; `/files` for what leads elsewhere."""
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if inside else "/files"


def home(request: Request) -> str:
    """The first page of the address that was asked: the files, or what Dagster's guard says is its own."""
    return request.scope.get("home", "/files")


def number_in(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A number of the query. Raises UsageError."""
    value = request.query_params.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or len(value) > 18 or not low <= int(value) <= high:
        raise UsageError(f"{name} must be a number from {low} to {high}")
    return int(value)


def word_in(request: Request, name: str, known: list[str] | None = None) -> str | None:
    """A word of the query, None when it is empty or absent. Raises UsageError for one that is not known."""
    value = request.query_params.get(name) or None
    if value is not None and known is not None and value not in known:
        raise UsageError(f"{name} must be one of {', '.join(known)}")
    return value


def file_name(request: Request) -> str:
    """The dataset file of the path; 404 for what cannot be a name."""
    name: str = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise HTTPException(404, "There is no such page.")
    return name
