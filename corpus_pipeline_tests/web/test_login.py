"""Who gets in and who may do what: hosts, origins, tokens, roles, logins, proxies. One test for each way around it."""

from __future__ import annotations

import html
import re
import stat
import threading
from types import SimpleNamespace

import pytest
from starlette.requests import Request
from starlette.websockets import WebSocketDisconnect

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.queries import progress
from corpus_pipeline.settings import Settings
from corpus_pipeline.web import Options, create_app, users
from corpus_pipeline.web.app import _routes
from corpus_pipeline.web.options import Role
from corpus_pipeline.web.pages.login import address_of
from corpus_pipeline.web.security import CSP
from corpus_pipeline.web.serve import default_options
from corpus_pipeline.web.sessions import Brake, Person, Sessions
from corpus_pipeline_tests.web.conftest import ORIGIN, Browser, browser

PASSWORD = "a long enough password"
ACTIONS = sorted(route.path for route in _routes() if "POST" in route.methods)


@pytest.fixture(scope="module")
def users_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("users") / "users.json"
    users.add(path, "vera", PASSWORD, Role.VIEWER)
    users.add(path, "otto", PASSWORD, Role.OPERATOR)
    return path


def flags(corpus):
    return corpus.store.fetch(progress.flags)


# --- headers ---


@pytest.mark.parametrize(
    "path", ["/files", "/files.json", "/nothing", "/static/app.css", "/exports/1/download", "/pause"]
)
def test_every_answer_has_the_headers_that_bind_browsers(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CSP
    assert "default-src 'none'" in CSP and "unsafe" not in CSP and "*" not in CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers
    assert path.startswith("/static/") or headers["cache-control"] == "no-store"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(client):
    cookie = client.get("/files").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie


def test_an_error_that_nobody_foresaw_tells_nothing(corpus, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret text of a row")

    monkeypatch.setattr(progress, "progress", broken)
    # an error that comes out of the application would be written to the log with its message by the server
    client = Browser(create_app(corpus, Options()), base_url=ORIGIN, raise_server_exceptions=True)
    answer = client.get("/files")
    assert answer.status_code == 500 and answer.headers["content-security-policy"] == CSP
    assert "secret" not in answer.text + caplog.text
    assert "RuntimeError at" in caplog.text


# --- forged requests ---


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:8787", "", "[::1", "evil.test:80@127.0.0.1"]
)
def test_another_host_name_is_refused_so_that_rebinding_fails(client, host):
    assert client.get("/files", headers={"Host": host}).status_code == 421


def test_a_host_name_that_was_allowed_is_answered(corpus):
    own = browser(corpus, allow_hosts=("corpus.example.org",))
    assert own.get("/files", headers={"Host": "corpus.example.org:443"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "file://127.0.0.1:8787"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_even_with_the_token(client, corpus, headers):
    answer = client.post("/pause", data={"csrf": client.token(), "reason": "forged"}, headers=headers)
    assert answer.status_code == 403 and flags(corpus) == []


@pytest.mark.parametrize("path", ACTIONS)
def test_every_action_demands_the_token_of_the_session(client, corpus, path):
    other = browser(corpus).token()
    for token in ("", "0" * 64, other):
        answer = client.form(path, csrf=token, reason="forged", flag="1", name="x", password="y")
        assert answer.status_code in (403, 404)  # 404: nobody logs in here
    assert flags(corpus) == []


@pytest.mark.parametrize("path", [path for path in ACTIONS if path != "/login"])
def test_no_action_is_done_by_a_get(client, path):
    assert client.get(path, params={"csrf": client.token(), "reason": "x"}).status_code == 405


@pytest.mark.parametrize("origin", [ORIGIN, "http://evil.test"])
def test_no_websocket_is_opened_to_anybody(client, origin):
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/files", headers={"Origin": origin}):
        pass
    assert caught.value.code == 1008


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client, method):
    assert client.request(method, "/files").status_code == 405


def test_only_forms_are_read(client):
    headers = {"Origin": ORIGIN}
    assert client.post("/pause", json={"reason": "x"}, headers=headers).status_code == 415
    assert client.post("/pause", content=b"x=1", headers=headers | {"Content-Type": "text/plain"}).status_code == 415
    assert client.form("/pause", reason="x" * 300_000).status_code == 413


@pytest.mark.parametrize(
    "back", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b"]
)
def test_nobody_is_sent_elsewhere_after_an_action(client, corpus, back):
    answer = client.form("/pause", file="hostile", stage="export", reason="back", back=back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/files")
    client.form("/resume", flag=flags(corpus)[0]["id"])


# --- actions ---


def test_pause_and_resume_by_scope_with_reason_and_name(client, corpus):
    scopes = [{"stage": "augment"}, {"file": "hostile"}, {}]
    for scope in scopes:
        client.form("/pause", reason="the price went up", back="/pauses", **scope)
    shown = client.get("/pauses.json").json()["flags"]
    assert [flag["scope"] for flag in shown] == [
        "augment of every file",
        "every stage of file hostile",
        "every stage of every file",
    ]
    assert all(flag["by"] == "local" and flag["reason"] == "the price went up" and flag["stopped"] for flag in shown)
    client.form("/resume", flag=shown[2]["id"])  # everything: clears its own flag only
    assert [flag["id"] for flag in flags(corpus)] == [shown[0]["id"], shown[1]["id"]]
    for flag in flags(corpus):
        client.form("/resume", flag=flag["id"])
    assert client.form("/resume", flag=shown[0]["id"]).status_code == 400
    log = client.get("/audit.json").json()["entries"]
    assert [(entry["who"], entry["action"]) for entry in log[:6]] == [("local", "resume")] * 3 + [
        ("local", "pause")
    ] * 3


def test_a_pause_without_a_reason_or_of_nothing_known_is_refused(client, corpus):
    assert client.form("/pause", reason="  ").status_code == 400
    assert client.form("/pause", reason="x", stage="nope").status_code == 400
    assert client.form("/pause", reason="x", file="nope").status_code == 404
    assert flags(corpus) == []


def test_failed_samples_are_replayed_and_dismissed_one_some_and_all_that_match(client, fail_some):
    ids = fail_some(6)
    assert client.form("/failed/dismiss", id=str(ids[0])).status_code == 400  # says no reason
    assert client.form("/failed/replay").status_code == 400  # says no sample
    client.form("/failed/dismiss", id=str(ids[0]), reason="not worth it")
    assert client.form("/failed/replay", id=str(ids[1]), model="no-price").status_code == 400
    client.form("/failed/replay", id=[str(ids[1]), str(ids[2])], model="gpt-4o", max_output_tokens="99", then="run")
    (wish,) = client.get("/files/hostile.json").json()["start_requests"]
    assert wish["to"] == "export"
    state = {i: client.get(f"/failed/{i}.json").json() for i in ids}
    assert [state[i]["state"] for i in ids] == ["dismissed", "replayed", "replayed", "open", "open", "open"]
    assert (state[ids[0]]["by"], state[ids[0]]["why"]) == ("local", "not worth it")
    client.form("/failed/dismiss", scope="matching", reason="all", filter_reason="refused", filter_state="open")
    assert client.get("/failed.json").json()["samples"] == []


# --- roles ---


@pytest.mark.parametrize("options", [{"read_only": True}], ids=["read-only"])
def test_a_read_only_server_shows_no_button_and_does_nothing(corpus, options, fail_some):
    fail_some(1)
    own = browser(corpus, **options)
    for path in ("/files", "/pauses", "/failed"):
        assert 'action="/pause"' not in own.get(path).text and "formaction" not in own.get(path).text
    token = own.token("/failed")
    for path in ("/pause", "/resume", "/failed/replay", "/failed/dismiss"):
        answer = own.form(path, csrf=token, reason="x", flag="1", scope="matching")
        assert answer.status_code == 403 and "read-only" in answer.text
    assert flags(corpus) == []


def client_of(app):
    """Another browser of the same server."""
    return Browser(app, base_url=ORIGIN, client=("127.0.0.1", 50_000), raise_server_exceptions=False)


def log_in(own, name, password=PASSWORD):
    return own.form("/login", csrf=own.token("/login"), name=name, password=password)


def test_with_logins_nothing_is_shown_to_strangers(corpus, users_file):
    own = browser(corpus, login=True, users=users_file)
    assert own.get("/files", follow_redirects=False).headers["location"] == "/login?to=/files"
    assert own.get("/files.json").status_code == 401
    assert own.get("/metrics", follow_redirects=False).headers["location"] == "/login?to=/metrics"
    assert own.form("/pause", csrf=own.token("/login"), reason="x").status_code == 401
    for name, password in (("vera", "wrong password"), ("nobody", PASSWORD), ("", ""), ("vera", "")):
        assert log_in(own, name, password).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [("/files/hostile/rows?search=a%20b&limit=5", None), ("", "/files"), ("//evil.test", "/files"), ("x:y", "/files")],
)
def test_a_login_leads_to_the_page_that_was_asked_for(corpus, users_file, wanted, reached):
    own = browser(corpus, login=True, users=users_file)
    if reached is None:
        asked = own.get(wanted, follow_redirects=False).headers["location"]
        shown = re.search(r'name="to" value="([^"]*)"', own.get(asked).text)
        assert shown and html.unescape(shown[1]) == wanted
    token = own.token("/login")
    assert own.form("/login", csrf=token, name="vera", password="wrong password", to=wanted).status_code == 403
    answer = own.form("/login", csrf=token, name="vera", password=PASSWORD, to=wanted)
    assert answer.headers["location"] == (reached or wanted)


def test_a_page_that_renews_itself_leads_to_the_login_when_its_session_has_ended(corpus, users_file):
    own = browser(corpus, login=True, users=users_file)
    answer = own.get("/files", headers={"HX-Request": "true"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["hx-refresh"]) == (401, "true")  # and not a page without what it selects


def test_what_was_done_is_said_to_the_page_that_did_it(client, corpus):
    client.form("/pause", reason="a look", file="hostile", back="/files")
    assert "Pausing" not in client.get("/files", headers={"HX-Request": "true"}).text  # another tab that renews itself
    assert 'role="status">Pausing' in client.get("/files").text
    client.form("/resume", flag=flags(corpus)[0]["id"])


def test_viewers_look_and_operators_act_under_their_own_names(corpus, users_file):
    viewer, operator = (browser(corpus, login=True, users=users_file) for _ in range(2))
    before = viewer.get("/login").cookies.get("corpus_session")
    assert log_in(viewer, "vera").status_code == log_in(operator, "otto").status_code == 303
    assert viewer.cookies.get("corpus_session") != before  # the session is a new one after the login
    assert viewer.get("/files").status_code == 200
    assert viewer.form("/pause", csrf=viewer.token("/files"), reason="x").status_code == 403
    assert operator.form("/pause", reason="by otto", file="hostile").status_code == 303
    assert flags(corpus)[0]["by"] == "otto"
    operator.form("/resume", flag=flags(corpus)[0]["id"])
    entry = operator.get("/audit.json?action=pause").json()["entries"][0]
    assert (entry["who"], entry["detail"]["reason"]) == ("otto", "by otto")
    operator.form("/logout", csrf=operator.token())
    assert operator.get("/files.json").status_code == 401


def test_who_is_removed_is_out_at_once(corpus, tmp_path):
    path = tmp_path / "users.json"
    users.add(path, "vera", PASSWORD, Role.OPERATOR)
    own = browser(corpus, login=True, users=path)
    log_in(own, "vera")
    users.add(path, "vera", PASSWORD, Role.VIEWER)  # a password that is set again ends sessions, be it the same
    assert own.get("/files.json").status_code == 401
    log_in(own, "vera")
    assert own.form("/pause", csrf=own.token("/files"), reason="x").status_code == 403
    users.remove(path, "vera")
    assert own.get("/files.json").status_code == 401
    users.add(path, "vera", PASSWORD, Role.OPERATOR)  # another person of the same name, perhaps
    assert own.get("/files.json").status_code == 401


def test_logging_out_everywhere_ends_the_other_browsers_too(corpus, users_file):
    options = Options(login=True, users=users_file)
    app = create_app(corpus, options)
    one, other = client_of(app), client_of(app)
    for own in (one, other):
        log_in(own, "vera")
    assert one.form("/logout", csrf=one.token("/files"), everywhere="yes").status_code == 303
    assert other.get("/files.json").status_code == 401


def test_a_session_without_a_page_for_hours_ends():
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    used, idle = (sessions.begin(Person("vera", Role.VIEWER)) for _ in range(2))
    for _ in range(5):
        now[0] += 3600
        assert sessions.person(used) is not None
    assert sessions.person(idle) is None
    now[0] += 12 * 3600
    assert sessions.person(used) is None


def test_guessing_is_slowed_down(corpus, users_file):
    own = browser(corpus, login=True, users=users_file)
    token = own.token("/login")
    answers = [own.form("/login", csrf=token, name="vera", password="guess").status_code for _ in range(7)]
    assert answers == [403] * Brake().free + [429] * 2
    assert own.form("/login", csrf=token, name="vera", password=PASSWORD).status_code == 429  # the right one waits, too


def test_the_wait_doubles_up_to_a_minute_and_ends():
    now = [0.0]
    brake = Brake(clock=lambda: now[0])
    waits = []
    for _ in range(10):
        assert brake.begin("a") == 0
        waits.append(max(0.0, brake.begin("a")) if brake._known["a"][1] > now[0] else 0)
        now[0] += waits[-1]
    assert waits == [0, 0, 0, 0, 5, 10, 20, 40, 60, 60] and brake.begin("b") == 0
    brake.passed("a")
    assert [brake.begin("a") for _ in range(4)] == [0, 0, 0, 0]


def test_tries_at_the_same_moment_are_counted_before_they_are_checked():
    brake, barrier, let_through = Brake(), threading.Barrier(40), list[float]()

    def attempt() -> None:
        barrier.wait()
        let_through.append(brake.begin("name vera"))

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_through.count(0.0) == brake.free


def test_guesses_for_one_name_keep_neither_others_out_nor_a_known_browser(corpus, users_file):
    app = create_app(corpus, Options(login=True, users=users_file))
    known = client_of(app)
    log_in(known, "vera")
    guesser = client_of(app)
    token = guesser.token("/login")
    answers = [guesser.form("/login", csrf=token, name="vera", password="guess").status_code for _ in range(40)]
    assert answers.count(403) == Brake().free
    assert log_in(client_of(app), "otto").status_code == 303
    known.form("/logout", csrf=known.token("/files"))
    assert log_in(known, "vera").status_code == 303


def test_a_proxy_is_believed_only_from_its_address_and_with_its_secret(corpus, users_file):
    options = {"proxy_header": "X-Remote-User", "trusted_proxies": ("10.1.0.0/24",), "users": users_file}
    options |= {"proxy_secret": "0123456789abcdef"}
    near, far = browser(corpus, "10.1.0.9", **options), browser(corpus, "10.2.0.9", **options)
    bare = {"X-Remote-User": "otto", "X-Forwarded-For": "10.1.0.9"}
    for proof in ({}, {"X-Corpus-Proxy-Secret": ""}, {"X-Corpus-Proxy-Secret": "0123456789abcdeF"}):
        assert near.get("/files", headers=bare | proof).status_code == 401
    proof = {"X-Corpus-Proxy-Secret": "0123456789abcdef"}
    header = bare | proof
    assert far.get("/files", headers=header).status_code == 401
    assert near.get("/files").status_code == 401
    assert "otto" in near.get("/files", headers=header).text
    assert 'action="/pause"' in near.get("/files", headers=header).text
    assert 'action="/pause"' not in near.get("/files", headers={"X-Remote-User": "stranger"} | proof).text


def test_what_a_client_wrote_before_the_lines_of_a_proxy_counts_for_nothing(corpus, users_file):
    options = {"proxy_header": "X-Remote-User", "trusted_proxies": ("10.1.0.0/24",), "users": users_file}
    near = browser(corpus, "10.1.0.9", **options, proxy_secret="0123456789abcdef")
    named, proof = ("X-Remote-User", "otto"), ("X-Corpus-Proxy-Secret", "0123456789abcdef")
    assert near.get("/files", headers=[named, proof]).status_code == 200
    for doubled in ([named, ("x-remote-user", "vera"), proof], [named, proof, proof]):
        assert near.get("/files", headers=doubled).status_code == 401


def test_the_address_is_the_one_that_the_nearest_proxy_wrote():
    site = SimpleNamespace(options=Options(trusted_proxies=("10.1.0.9",)))
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"7.7.7.7, 203.0.113.9")]
    scope = {"type": "http", "client": ("10.1.0.9", 1), "app": SimpleNamespace(state=SimpleNamespace(site=site))}
    for given, address in ((lines, "203.0.113.9"), (lines[::-1], "6.6.6.6"), ([], "10.1.0.9")):
        assert address_of(Request(scope | {"headers": given})) == address


@pytest.fixture
def team_file(tmp_path):
    path = tmp_path / "users.json"
    for role in Role:
        users.add(path, f"the-{role}", PASSWORD, role)
    return path


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_those_before_it_may_and_no_more(corpus, team_file, role):
    own = browser(corpus, login=True, users=team_file)
    assert log_in(own, f"the-{role}").status_code == 303
    token = own.token("/files")
    # faulty on purpose: whoever gets past the role gets another answer than 403, and nothing changes
    asked = {
        "/keep": (Role.REVIEWER, {"row": "nothing:1", "reason": "r"}),
        "/failed/dismiss": (Role.REVIEWER, {"id": "987654", "reason": "r"}),
        "/failed/replay": (Role.OPERATOR, {"id": "987654"}),
        "/resume": (Role.OPERATOR, {"flag": "987654"}),
        "/start": (Role.OPERATOR, {"file": "nothing"}),
        "/backfill": (Role.OPERATOR, {"stage": "wash"}),
        "/try": (Role.OPERATOR, {}),
        "/remove": (Role.ADMIN, {"file": "hostile", "sure": "another"}),
        "/purge": (Role.ADMIN, {"file": "nothing", "row": "1", "reason": "r", "sure": "yes"}),
    }
    for path, (needed, fields) in asked.items():
        assert (own.form(path, csrf=token, **fields).status_code == 403) != role.covers(needed), path
    shown = own.get("/files/hostile/rows/2").text
    assert ('action="/purge"' in shown) == (role is Role.ADMIN)
    assert ('action="/remove"' in own.get("/files/hostile").text) == (role is Role.ADMIN)
    assert ('action="/pause"' in own.get("/pauses").text) == role.covers(Role.OPERATOR)


def test_logging_out_everywhere_ends_the_sessions_at_other_servers_too(corpus, team_file):
    here, there = (browser(corpus, login=True, users=team_file) for _ in range(2))
    for one in (here, there):
        assert log_in(one, "the-operator").status_code == 303 and one.get("/files.json").status_code == 200
    here.form("/logout", csrf=here.token(), everywhere="yes")
    assert here.get("/files.json").status_code == there.get("/files.json").status_code == 401
    assert log_in(there, "the-operator").status_code == 303
    users.log_out(team_file, "the-operator")
    assert there.get("/files.json").status_code == 401
    with pytest.raises(UsageError, match="no user"):
        users.log_out(team_file, "stranger")


def test_an_idle_session_ends_and_a_page_that_renews_itself_keeps_none_alive():
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    used, watched, lasting = (
        sessions.begin(Person("ann", Role.VIEWER), lasting=lasting) for lasting in (False, False, True)
    )
    for _ in range(3):
        now[0] += 3600
        sessions.person(used), sessions.person(watched, active=False)
    assert sessions.person(used) and not sessions.person(watched)
    now[0] += 1_000_000
    assert not sessions.person(used) and sessions.person(lasting)


# --- the token of a server without a login ---

TOKEN = "a-token-of-these-tests-0123456789"


def test_without_the_token_another_user_of_the_machine_gets_nothing(corpus):
    for path in [
        route.path
        for route in _routes()
        if "{" not in route.path and route.path not in ("/healthz", "/login", "/login/oidc", "/login/oidc/done")
    ]:
        own = browser(corpus, token=TOKEN)
        for address in (path, f"{path}?token={TOKEN[:-1]}", f"{path}?token=", f"{path}.json"):
            answer = own.get(address, follow_redirects=False)
            assert answer.status_code in (401, 405) and "conversations" not in answer.text, address
        assert own.form(path, csrf="x").status_code == 401
    assert browser(corpus, token=TOKEN).get("/files", headers={"Authorization": TOKEN}).status_code == 401


def test_the_first_address_becomes_a_session_and_a_plain_address(corpus):
    own = browser(corpus, token=TOKEN, users=None)
    first = own.get(f"/files?token={TOKEN}&search=a+b", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/files?search=a+b")
    assert "HttpOnly" in first.headers["set-cookie"] and TOKEN not in first.headers["set-cookie"]
    assert 'action="/pause"' in own.get("/files").text
    elsewhere = own.get(f"//evil.test/x?token={TOKEN}", follow_redirects=False)
    assert not elsewhere.headers.get("location", "/").startswith("//")
    assert browser(corpus, token=TOKEN).get("/files", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_listening_server_has_a_token_or_a_login(corpus):
    one, other = default_options(corpus.settings), default_options(corpus.settings)
    assert one.token and other.token and one.token != other.token and one.token not in repr(one)
    assert default_options(corpus.settings, login=True).token is None
    with pytest.raises(UsageError, match="CORPUS_WEB_TOKEN"):
        Settings.from_env({"CORPUS_WEB_TOKEN": "short"})


# --- what may be started ---


def test_another_address_demands_a_login():
    for host in ("0.0.0.0", "::", "192.168.1.5", "corpus.example.org"):
        with pytest.raises(UsageError, match="--login"):
            Options(host=host)
        assert Options(host=host, login=True).demands_login
    with pytest.raises(UsageError, match="--trusted-proxy"):
        Options(proxy_header="X-Remote-User")
    with pytest.raises(UsageError, match="--trusted-proxy"):
        Options(proxy_header="X-Remote-User", trusted_proxies=("everybody",))
    for secret in (None, "", "short"):
        with pytest.raises(UsageError, match="CORPUS_PROXY_SECRET"):
            Options(proxy_header="X-Remote-User", trusted_proxies=("127.0.0.1",), proxy_secret=secret)


def test_a_wildcard_address_is_no_host_name():
    assert "0.0.0.0" not in Options(host="0.0.0.0", login=True).hosts


def test_the_users_file_holds_hashes_and_is_the_owners(users_file):
    text = users_file.read_text()
    assert PASSWORD not in text and len(set(re.findall(r"scrypt\$32768\$8\$3\$[0-9a-f]{32}\$[0-9a-f]{64}", text))) == 2
    assert stat.S_IMODE(users_file.stat().st_mode) == 0o600
    with pytest.raises(UsageError):
        users.add(users_file, "short", "short", Role.VIEWER)
    with pytest.raises(UsageError):
        users.add(users_file, "../x", PASSWORD, Role.VIEWER)
    with pytest.raises(UsageError):
        users.remove(users_file, "nobody")
