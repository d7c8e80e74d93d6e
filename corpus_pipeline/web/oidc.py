"""Logging in by OpenID Connect: the provider says who somebody is, the roles are ours. authlib speaks the protocol.

The flow is that of an authorization code with PKCE, state and nonce. What has to be remembered until then is in a signed
cookie of the browser that began it, so that beginning many of them costs the server nothing.
"""

from __future__ import annotations

import base64
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request

from corpus_pipeline.error_words import in_words
from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.settings import Oidc
from corpus_pipeline.web.options import LOOPBACK, Role
from corpus_pipeline.web.sessions import CREDENTIAL, Person, Sessions

if TYPE_CHECKING:
    from starlette.responses import Response

COOKIE = "corpus_oidc"
DONE = "/login/oidc/done"
_NAME = "provider"
_LIFETIME = 600.0  # seconds from the first page of the provider to the last
_LEEWAY = 60  # seconds by which clocks may differ
# none of those that are made with a secret which both sides know: a public key could be taken for one
_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_log = logging.getLogger(__name__)


class LoginRefused(CorpusError):
    """The login failed. The text is for the person."""


class Begun(NamedTuple):
    """The way to the provider, and the cookie that remembers it."""

    answer: Response
    cookie: str


class Entered(NamedTuple):
    """Who came back from the provider, and the page that was wanted."""

    person: Person
    credential: str
    to: str
    life: float  # seconds for which the provider's word holds


class Provider:
    """A provider of identities, for both servers of a process."""

    def __init__(self, settings: Oidc, sessions: Sessions) -> None:
        """Raises UsageError when authlib is not installed."""
        try:
            from authlib.integrations.starlette_client import OAuth
        except ImportError as error:
            raise UsageError("--oidc needs authlib and httpx: pip install 'corpus-pipeline[oidc]'") from error
        self._settings = settings
        self._sessions = sessions
        self._client = OAuth().register(
            name=_NAME,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": settings.scope, "code_challenge_method": "S256", "timeout": 10.0},
        )

    async def begin(self, request: Request, redirect_uri: str, to: str) -> Begun:
        """Raises LoginRefused when the provider cannot be asked."""
        kept: dict[str, Any] = {}
        try:
            await self._metadata()
            answer = await self._client.authorize_redirect(_with(request, kept), redirect_uri)
        except Exception as error:  # of the network, of the provider, of the library
            raise self._refused(error, "The login provider cannot be asked. Try again later.") from error
        return Begun(answer, self._sealed({"kept": kept, "to": to, "ends": time.time() + _LIFETIME}))

    async def finish(self, request: Request) -> Entered:
        """Who came back, from the code in the address and the cookie. Raises LoginRefused."""
        remembered = self._opened(request.cookies.get(COOKIE, ""))
        if remembered is None or remembered["ends"] < time.time():
            raise LoginRefused("The login took too long, or was begun in another browser. Log in again.")
        try:
            await self._metadata()
            token = await self._client.authorize_access_token(
                _with(request, remembered["kept"]),
                leeway=_LEEWAY,
                claims_options={
                    "iss": {"essential": True, "values": [self._settings.issuer]},
                    "aud": {"essential": True, "values": [self._settings.client_id]},
                },
            )
        except Exception as error:
            raise self._refused(error, "The login provider did not confirm who you are. Log in again.") from error
        said = token.get("userinfo")
        if said is None:
            raise LoginRefused("The login provider said nothing about you.")
        role = self.role_of(said)
        if role is None:
            raise LoginRefused("You have no role here. Ask whoever runs this server.")
        name = f"{CREDENTIAL}{self._name_of(said)}"[:128]
        return Entered(
            Person(name, role), f"{CREDENTIAL}{said['sub']}", remembered["to"], self._settings.session_seconds
        )

    def role_of(self, said: dict[str, Any]) -> Role | None:
        """The highest role of a person's groups, None where no group has one."""
        groups = said.get(self._settings.role_claim)
        listed = groups if isinstance(groups, list) else [groups]
        own = {group for group in listed if isinstance(group, str)}
        known = [Role(role) for group, role in self._settings.roles if group == "*" or group in own]
        return max(known, key=tuple(Role).index) if known else None

    def _name_of(self, said: dict[str, Any]) -> str:
        # an address that was not confirmed may belong to another person
        email = said.get("email") if said.get("email_verified") is True else None
        return email if isinstance(email, str) and email.isprintable() else str(said["sub"])

    async def _metadata(self) -> None:
        """Compare what the provider says of itself with the settings. Raises ValueError."""
        found = await self._client.load_server_metadata()
        if found.get("issuer") != self._settings.issuer:
            raise ValueError("the provider has another issuer than CORPUS_OIDC_ISSUER")
        plain = urlsplit(self._settings.issuer).hostname in LOOPBACK
        for name in _ENDPOINTS:
            if not str(found.get(name)).startswith(("https://", "http://") if plain else "https://"):
                raise ValueError(f"the {name} of the provider is not https")
        said = found.get("id_token_signing_alg_values_supported") or ["RS256"]
        found["id_token_signing_alg_values_supported"] = [one for one in said if one in _ALGORITHMS] or ["RS256"]

    def _refused(self, error: Exception, sentence: str) -> LoginRefused:
        _log.warning("a login by OpenID Connect was refused: %s", in_words(error))
        return LoginRefused(sentence)

    def _sealed(self, what: dict[str, Any]) -> str:
        text = base64.urlsafe_b64encode(orjson.dumps(what)).decode()
        return f"{text}.{self._sessions.token(f'oidc {text}')}"

    def _opened(self, cookie: str) -> dict[str, Any] | None:
        text, _, token = cookie.partition(".")
        if not self._sessions.token_is_right(f"oidc {text}", token):
            return None
        found: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(text))
        return found


def _with(request: Request, kept: dict[str, Any]) -> Request:
    """The request with the session that authlib expects: what it has to remember of this one login."""
    return Request({**request.scope, "session": kept}, request.receive)
