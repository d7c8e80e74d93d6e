"""The pages of a login by OpenID Connect."""

from __future__ import annotations

import math

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.addresses import neighbourhood
from corpus_pipeline.web import users
from corpus_pipeline.web.context import home, local, reply, site_of
from corpus_pipeline.web.oidc import COOKIE, DONE, LoginRefused, Provider
from corpus_pipeline.web.pages.login import address_of, note
from corpus_pipeline.web.peers import user_of
from corpus_pipeline.web.security import cookie


def _provider(request: Request) -> Provider:
    provider = site_of(request).provider
    if provider is None:
        raise HTTPException(404, "Nobody logs in by OpenID Connect here.")
    wait = site_of(request).crowd_brake.begin(_tries_of(request))
    if wait > 0:
        seconds = math.ceil(wait)
        raise HTTPException(429, f"Too many logins. Try again in {seconds} s.", {"Retry-After": str(seconds)})
    return provider


async def begin(request: Request) -> Response:
    """Send a browser to the provider."""
    provider = _provider(request)
    scheme = "https" if site_of(request).options.secure_cookies else "http"
    # the host name is one of ours: the guard has looked
    redirect_uri = f"{scheme}://{request.headers['host'].lower()}{DONE}"
    try:
        begun = await provider.begin(request, redirect_uri, local(request.query_params.get("to") or home(request)))
    except LoginRefused as refused:
        return _again(request, str(refused))
    begun.answer.headers.append("Set-Cookie", _remember(request, begun.cookie, 600))
    return begun.answer


async def done(request: Request) -> Response:
    """Log in the person whom the provider sent back."""
    provider, site = _provider(request), site_of(request)
    try:
        entered = await provider.finish(request)
    except LoginRefused as refused:
        await run_in_threadpool(note, site, "?", "login refused", address_of(request))
        return _again(request, str(refused))
    await run_in_threadpool(note, site, entered.person.name, "login", address_of(request))
    site.crowd_brake.passed(_tries_of(request))
    # a page, not a redirect: a browser that comes from elsewhere would not send the new cookie with one
    answer = reply(request, "entered.html", {"to": local(entered.to)})
    ended = users.ended(site.options.users, entered.person.name)
    credential = f"{entered.credential} {ended}"
    session = site.sessions.begin(entered.person, credential, life=entered.life, user=user_of(request.scope))
    answer.headers.append("Set-Cookie", cookie(session, site.options))
    answer.headers.append("Set-Cookie", _remember(request, "", 0))
    return answer


def _tries_of(request: Request) -> str:
    return f"oidc {neighbourhood(address_of(request))}"


def _remember(request: Request, value: str, seconds: int) -> str:
    """Lax, not Strict: the browser comes back from another site."""
    secure = "; Secure" if site_of(request).options.secure_cookies else ""
    return f"{COOKIE}={value}; Path=/login; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _again(request: Request, sentence: str) -> Response:
    return reply(request, "login.html", {"error": sentence}, status=403, to="")
