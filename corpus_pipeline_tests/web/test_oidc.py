"""Logging in by OpenID Connect, against a provider that is a real HTTP server and can be told to lie."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.queries import progress
from corpus_pipeline.settings import Oidc, Settings
from corpus_pipeline.web import create_app, users
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.serve import default_options, start_background
from corpus_pipeline_tests.web import identity_provider as idp
from corpus_pipeline_tests.web.identity_provider import CLIENT, SECRET, IdentityProvider

ROLES = (("curators", "reviewer"), ("owners", "admin"), ("*", "viewer"))


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with idp.running() as found:
        yield found


@pytest.fixture
def place(corpus, provider) -> Iterator[str]:
    """Our own server, which knows the provider; yields its address."""
    oidc = Oidc(provider.url, CLIENT, SECRET, ROLES)
    options = Options(port=0, oidc=oidc)
    running = start_background(create_app(corpus, options), options)
    yield running.url
    running.stop()


@pytest.fixture
def client(place: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place, timeout=60) as found:
        yield found


def back_at(client: httpx.Client, path: str = "/login/oidc") -> str:
    """Begins a login and goes to the provider; the address at which the browser comes back."""
    begun = client.get(path)
    assert begun.status_code == 302, begun.text
    sent = httpx.get(begun.headers["location"])
    assert sent.status_code == 302
    return sent.headers["location"]


def test_who_the_provider_knows_gets_in_with_the_role_of_their_groups(client, provider, corpus):
    assert client.get("/files").status_code == 303 and 'href="/login/oidc' in client.get("/login").text
    provider.claims["groups"] = ["curators", "cooks"]
    entered = client.get(back_at(client, "/login/oidc?to=/cost"))
    assert entered.status_code == 200 and 'content="0;url=/cost"' in entered.text
    assert client.get("/files").status_code == 200
    audit = client.get("/audit.json").json()["entries"]
    assert ("oidc:ann@example.org", "login") in [(entry["who"], entry["action"]) for entry in audit]
    (asked,) = provider.asked
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 16 and len(asked["nonce"]) >= 16 and provider.refused == []
    # a reviewer may not pause
    assert may(client, "/failed/dismiss") and not may(client, "/pause")
    assert progress.flags(corpus.store.engine.connect()) == []


def may(client: httpx.Client, action: str) -> bool:
    token = client.get("/failed").text.split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": token, "reason": "x", "ids": ""}
    answer = client.post(action, data=fields, headers={"Origin": str(client.base_url).rstrip("/")})
    return "needs the role" not in answer.text


def test_logging_out_ends_it(client, provider):
    client.get(back_at(client))
    token = client.get("/failed").text.split('name="csrf" value="')[1].split('"')[0]
    answer = client.post(
        "/logout", data={"csrf": token, "everywhere": "yes"}, headers={"Origin": str(client.base_url).rstrip("/")}
    )
    assert answer.status_code == 303 and client.get("/files").status_code == 303


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another client"},
        {"aud": ["another client"], "azp": CLIENT},
        {"iss": "https://evil.test"},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600, "nbf": int(time.time()) + 3600},
        {"nonce": "another login"},
        {"nonce": None},
        {"sub": None},
        {"exp": None},
        {"at_hash": "of another token"},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_token_that_is_not_for_this_login_is_refused(client, provider, lie):
    gone = [name for name, value in lie.items() if value is None]
    provider.mend = lambda claims: {k: v for k, v in (claims | lie).items() if k not in gone}
    refused(client, back_at(client))


@pytest.mark.parametrize(
    "sign",
    [idp.unsigned, idp.signed_by_the_public_key, idp.signed_by_the_client_secret, idp.signed_by_another_key],
    ids=lambda sign: sign.__name__,
)
@pytest.mark.parametrize("algorithms", [["RS256"], ["RS256", "HS256", "none"], ["none"], []], ids=str)
def test_a_token_that_the_provider_did_not_sign_is_refused(client, provider, sign, algorithms):
    provider.sign = sign
    provider.metadata["id_token_signing_alg_values_supported"] = algorithms
    refused(client, back_at(client))


def test_an_answer_without_a_token_is_refused(client, provider, monkeypatch):
    provider.sign = lambda *_: None  # type: ignore[assignment, return-value]
    refused(client, back_at(client))


def refused(client: httpx.Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 403, answer.text
    assert client.get("/files").status_code == 303


def test_a_login_that_another_browser_began_is_refused(client, place, provider):
    address = back_at(client)
    with httpx.Client(base_url=place, timeout=60) as victim:
        refused(victim, address)  # who gets a victim to open it does not log them in as somebody else
        back_at(victim)  # also when the victim has begun a login of their own
        refused(victim, address)


def test_a_code_is_good_once_and_the_state_must_be_ours(client, provider):
    address = back_at(client)
    state = parse_qs(urlsplit(address).query)["state"][0]
    refused(client, address.replace(state, "another"))
    assert client.get(address).status_code == 200
    token = client.cookies.get("corpus_session")
    client.cookies.delete("corpus_session")
    refused(client, address)
    assert token


def test_the_memory_of_a_login_cannot_be_forged_and_ends(client, place, provider, monkeypatch):
    address = back_at(client)
    own = client.cookies["corpus_oidc"]
    for forged in ("", "x", f"e30=.{'0' * 64}", own[:-1] + ("0" if own[-1] != "0" else "1"), "x" + own):
        answer = httpx.get(address, headers={"Cookie": f"corpus_oidc={forged}"})
        assert answer.status_code == 403
    monkeypatch.setattr("corpus_pipeline.web.oidc._LIFETIME", -1.0)
    refused(client, back_at(client))


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_a_provider_that_says_it_is_another_one_is_not_asked(client, provider, metadata):
    provider.metadata |= metadata
    assert client.get("/login/oidc").status_code == 403 and provider.asked == []


def test_a_provider_that_is_away_is_told_and_leaks_nothing(corpus):
    options = Options(port=0, oidc=Oidc("http://127.0.0.1:9", CLIENT, SECRET, ROLES))
    running = start_background(create_app(corpus, options), options)
    try:
        answer = httpx.get(f"{running.url}/login/oidc", timeout=60)
        assert answer.status_code == 403 and "cannot be asked" in answer.text and ":9" not in answer.text
    finally:
        running.stop()


def test_who_was_removed_at_the_provider_is_out_when_its_word_ends(corpus, provider):
    """However busy the session is: it ends, and the provider no longer lets them in."""
    options = Options(port=0, oidc=Oidc(provider.url, CLIENT, SECRET, ROLES, session_seconds=600.0))
    app, now = create_app(corpus, options), [1000.0]
    app.state.site.sessions._clock = lambda: now[0]
    running = start_background(app, options)
    try:
        with httpx.Client(base_url=running.url, timeout=60) as client:
            client.get(back_at(client))
            for _ in range(3):
                now[0] += 190.0
                assert client.get("/files").status_code == 200
            now[0] += 40.0
            assert client.get("/files").headers["location"] == "/login?to=/files"
    finally:
        running.stop()


def test_what_changed_at_the_provider_counts_when_its_word_ends_and_here_at_once(corpus, provider, tmp_path):
    """Another role, a session that ended there; `corpus serve --log-out` waits for no one's word."""
    path = tmp_path / "users.json"
    options = Options(port=0, users=path, oidc=Oidc(provider.url, CLIENT, SECRET, ROLES, session_seconds=600.0))
    app, now = create_app(corpus, options), [1000.0]
    sessions = app.state.site.sessions
    sessions._clock = lambda: now[0]
    running = start_background(app, options)

    def role(client: httpx.Client) -> str:
        return sessions.person(client.cookies["corpus_session"]).role

    try:
        with httpx.Client(base_url=running.url, timeout=60) as client:
            provider.claims["groups"] = ["owners"]
            client.get(back_at(client))
            assert role(client) == "admin"
            provider.claims["groups"] = ["curators"]
            now[0] += 601.0
            assert client.get("/files").status_code == 303
            client.get(back_at(client))
            assert role(client) == "reviewer"
            users.log_out(path, "oidc:bob@example.org")
            assert client.get("/files").status_code == 200
            users.log_out(path, "oidc:ann@example.org")
            assert client.get("/files").status_code == 303
            client.get(back_at(client))
            assert client.get("/files").status_code == 200 and users.read(path) == {}
            users.add(path, "vera", "a long enough password", Role.VIEWER)  # which keeps what was ended
            assert client.get("/files").status_code == 200
            now[0] += 601.0
            provider.signed_in = False
            sent = httpx.get(client.get("/login/oidc").headers["location"])
            assert (sent.status_code, "location" in sent.headers) == (200, False)
            assert client.get("/files").status_code == 303
    finally:
        running.stop()


def test_nobody_without_a_role_gets_in(corpus, provider):
    options = Options(port=0, oidc=Oidc(provider.url, CLIENT, SECRET, ROLES[:2]))
    running = start_background(create_app(corpus, options), options)
    try:
        with httpx.Client(base_url=running.url, timeout=60) as client:
            for groups in (None, [], ["cooks"], "*", [{"a": 1}], {"owners": 1}):
                provider.claims["groups"] = groups
                refused(client, back_at(client))
            provider.claims["groups"] = "owners"
            assert client.get(back_at(client)).status_code == 200
    finally:
        running.stop()


def test_an_address_that_nobody_confirmed_is_no_name(client, provider, corpus):
    provider.claims = {"sub": "u-18", "email": "boss@example.org", "email_verified": False, "groups": ["owners"]}
    assert client.get(back_at(client)).status_code == 200
    entries = client.get("/audit.json").json()["entries"]
    assert entries[0]["who"] == "oidc:u-18"


@pytest.mark.parametrize("minutes", ["0", "721", "-5", "ten", "1.5"])
def test_a_session_by_openid_connect_is_no_longer_than_half_a_day(tmp_path, minutes):
    own = {"CORPUS_HOME": str(tmp_path), "CORPUS_OIDC_ISSUER": "https://id.example", "CORPUS_OIDC_CLIENT_ID": "c"}
    own |= {"CORPUS_OIDC_ROLES": "*=viewer"}
    assert Settings.from_env(own | {"CORPUS_OIDC_SESSION_MINUTES": "15"}).oidc.session_seconds == 900
    with pytest.raises(UsageError, match="CORPUS_OIDC_SESSION_MINUTES"):
        Settings.from_env(own | {"CORPUS_OIDC_SESSION_MINUTES": minutes})


def test_settings_are_held_to_what_is_safe(tmp_path):
    base = {"CORPUS_HOME": str(tmp_path), "CORPUS_OIDC_ISSUER": "https://id.example.org", "CORPUS_OIDC_CLIENT_ID": "c"}
    full = base | {"CORPUS_OIDC_CLIENT_SECRET": "s" * 20, "CORPUS_OIDC_ROLES": "owners=admin, *=viewer"}
    found = Settings.from_env(full)
    assert found.oidc and found.oidc.roles == (("owners", "admin"), ("*", "viewer"))
    assert "s" * 20 not in repr(found)
    assert default_options(found, oidc=True).demands_login
    for wrong, word in (
        ({"CORPUS_OIDC_ISSUER": "http://id.example.org"}, "https"),
        ({"CORPUS_OIDC_ROLES": "owners=king"}, "king"),
        ({"CORPUS_OIDC_ROLES": ""}, "CORPUS_OIDC_ROLES"),
        ({"CORPUS_OIDC_CLIENT_ID": ""}, "CORPUS_OIDC_CLIENT_ID"),
    ):
        with pytest.raises(UsageError, match=word):
            Settings.from_env(full | wrong)
    with pytest.raises(UsageError, match="CORPUS_OIDC_ISSUER"):
        default_options(Settings.from_env({"CORPUS_HOME": str(tmp_path)}), oidc=True)
    assert Options(host="0.0.0.0", oidc=found.oidc).demands_login
    assert Role("admin").covers(Role.VIEWER)
