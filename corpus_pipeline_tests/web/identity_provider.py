"""A provider of identities as a real HTTP server, which can be told to misbehave: discovery, codes with PKCE, signed tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "corpus", "a secret of the client"

Claims = dict[str, Any]


def _own_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


@dataclass
class IdentityProvider:
    """What it says; tests change it.

    claims: beside those of the protocol. mend: the last look at the claims. sign: makes the token. metadata: beside its own.
    signed_in: whether the browser has a session there; else the provider asks for a password of its own.
    asked: the parameters of each request to the authorization endpoint.
    """

    url: str = ""
    key: RSAKey = field(default_factory=_own_key)
    claims: Claims = field(default_factory=lambda: {"sub": "u-17", "email": "ann@example.org", "email_verified": True})
    mend: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[IdentityProvider, Claims], str] | None = None
    metadata: Claims = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    signed_in: bool = True

    def described(self) -> Claims:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        } | self.metadata

    def public_keys(self) -> Claims:
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        base = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked.get("nonce")}
        claims = self.mend(base | self.claims)
        return (self.sign or signed)(self, claims)


def signed(provider: IdentityProvider, claims: Claims) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, provider.key)


def unsigned(provider: IdentityProvider, claims: Claims) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    return f"{head.decode()}.{body.decode()}."


def signed_by_the_public_key(provider: IdentityProvider, claims: Claims) -> str:
    """HS256 with what everybody knows as the secret: the PEM text of the public key."""
    secret = OctKey.import_key(provider.key.as_pem(private=False))
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, secret)


def signed_by_the_client_secret(provider: IdentityProvider, claims: Claims) -> str:
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(SECRET.ljust(32, "0")))


def signed_by_another_key(provider: IdentityProvider, claims: Claims) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, _own_key())


class _Handler(BaseHTTPRequestHandler):
    provider: IdentityProvider

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(self.provider.described())
        elif parts.path == "/keys":
            self._json(self.provider.public_keys())
        elif parts.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.provider.asked.append(asked)
            if not self.provider.signed_in:
                self._json({"log in": "here"})
                return
            code = secrets.token_hex(8)
            self.provider.codes[code] = asked
            back = urlencode({"code": code, "state": asked.get("state", "")})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self._json({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.provider.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proofs = {
            "code": asked is not None,
            "client": self._client() == [CLIENT, SECRET],
            "redirect_uri": asked is not None and form.get("redirect_uri") == asked["redirect_uri"],
            "verifier": asked is not None
            and asked.get("code_challenge_method") == "S256"
            and base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked.get("code_challenge"),
        }
        wrong = [name for name, holds in proofs.items() if not holds]
        if wrong or asked is None:
            self.provider.refused += wrong
            self._json({"error": "invalid_grant"}, 400)
            return
        token = self.provider.token(asked)
        self._json({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def _client(self) -> list[str]:
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return []
        return [unquote(part) for part in base64.b64decode(given).decode().split(":", 1)]

    def _json(self, value: Claims, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
