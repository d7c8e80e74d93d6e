"""Attacks on the door as programs make them: raw requests, chosen sessions, many addresses."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote

import pytest

from corpus_pipeline.addresses import neighbourhood
from corpus_pipeline.cli import _OneLine
from corpus_pipeline.web import users
from corpus_pipeline.web.options import Role
from corpus_pipeline.web.sessions import COOKIE, Brake
from corpus_pipeline_tests.web.conftest import browser
from corpus_pipeline_tests.web.test_limits import TOKEN, connected, rest, served

PASSWORD = "a long enough password"
PLACE = b"Host: 127.0.0.1\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"
HIDDEN = b"GET /audit.json HTTP/1.1\r\n" + PLACE + b"\r\n"  # what a proxy in between would take for a body
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://127.0.0.1\r\n"


def post(headers: bytes, body: bytes) -> bytes:
    return b"POST /pause HTTP/1.1\r\n" + PLACE + FORM + headers + b"\r\n" + body


# what two readers could take for another request each, and what it is answered with at most once
SMUGGLED = {
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(HIDDEN), HIDDEN),
    "a length and chunks": post(
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (len(HIDDEN) + 5), b"0\r\n\r\n" + HIDDEN
    ),
    "chunks and a length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n" + HIDDEN),
    "an odd coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "a coding twice": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + HIDDEN),
    "a space before the colon": post(b"Content-Length : %d\r\n" % len(HIDDEN), HIDDEN),
    "a signed length": post(b"Content-Length: +%d\r\n" % len(HIDDEN), HIDDEN),
    "a folded header": post(b"X-A: b\r\n Content-Length: 0\r\n", HIDDEN),
    "a chunk with an odd size": post(b"Transfer-Encoding: chunked\r\n", b"0x0\r\n\r\n" + HIDDEN),
}


def test_no_second_request_hides_in_the_body_of_a_first(corpus):
    with served(corpus, limits_of_a_moment()) as place:
        for name, raw in SMUGGLED.items():
            with connected(place) as own:
                own.sendall(raw)
                own.shutdown(1)
                said = rest(own)
            assert said.startswith(b"HTTP/1.1 4"), (name, said[:80])
            assert b'"entries"' not in said, name


def limits_of_a_moment():
    from corpus_pipeline.web.connections import Limits

    return Limits(header_seconds=2.0, body_seconds=2.0)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_header_makes_no_other_method_of_a_get(client, header):
    """And no field or word of the query does."""
    before = client.get("/audit.json").json()["entries"]
    for path in ("/pause?reason=x&_method=POST", "/remove?name=hostile&method=POST"):
        assert client.get(path, headers={header: "POST"}).status_code == 405
    assert client.get("/audit.json").json()["entries"] == before


def test_names_of_hosts_in_other_headers_get_into_no_page_and_no_address(client):
    headers = {
        "X-Forwarded-Host": "evil.test",
        "X-Original-URL": "/audit",
        "X-Rewrite-URL": "/audit",
        "Forwarded": "host=evil.test",
    }
    for path in ("/files", "/", "/nothing", "/files/hostile"):
        answer = client.get(path, headers=headers, follow_redirects=False)
        assert "evil.test" not in answer.text + str(answer.headers) and answer.request.url.path != "/audit"


def test_a_session_that_was_chosen_before_the_login_is_not_the_one_after_it(corpus, tmp_path):
    path = tmp_path / "users.json"
    users.add(path, "vera", PASSWORD, Role.VIEWER)
    victim, chosen = browser(corpus, login=True, users=path), "ab" * 32
    victim.cookies.set(COOKIE, chosen)
    answer = victim.form("/login", csrf=victim.token("/login"), name="vera", password=PASSWORD)
    assert answer.status_code == 303 and f"{COOKIE}={chosen}" not in str(answer.headers)
    other = browser(corpus, login=True, users=path)
    other.cookies.set(COOKIE, chosen)
    assert other.get("/files.json").status_code == 401


def test_the_addresses_of_one_network_are_slowed_down_as_one(corpus, tmp_path):
    """Each host of an IPv6 network has 2^64 addresses to guess from."""
    path = tmp_path / "users.json"
    own = browser(corpus, "2001:db8::1", login=True, users=path)
    brake = own.app.state.site.crowd_brake = Brake(free=2, clock=lambda: 1.0)

    def guess(address: str, name: str) -> int:
        own._transport.client = (address, 50_000)
        return own.form("/login", csrf=own.token("/login"), name=name, password="a guess of many").status_code

    assert [guess(f"2001:db8::{n}", f"name{n}") for n in range(1, 4)] == [403, 403, 429]
    assert guess("2001:db8:0:1::1", "name9") == 403
    assert set(brake._known) == {"2001:db8::/64", "2001:db8:0:1::/64"}
    assert neighbourhood("::ffff:192.0.2.7") == neighbourhood("192.0.2.7") == "192.0.2.7"


def test_cookies_and_headers_of_any_size_are_read_or_refused_and_nothing_else(corpus):
    with served(corpus, limits_of_a_moment()) as place:
        for lines in (
            b"Cookie: " + b"a=b; " * 10_000,
            b"Cookie: " + b'"\\' * 20_000,
            b"X-A: 1\r\n" * 5_000,
            b"Cookie: " + b"=;" * 25_000,
        ):
            with connected(place) as own:
                own.sendall(
                    b"GET /healthz HTTP/1.1\r\n" + PLACE + b"Connection: close\r\n" + lines.rstrip() + b"\r\n\r\n"
                )
                assert rest(own)[9:12] in (b"200", b"431")


def test_templates_are_never_made_of_what_addresses_say(client):
    for path in (
        "/files/{{7*191}}",
        "/files/hostile/rows?search={{7*191}}",
        "/cost?by={{7*191}}",
        "/failed?reason={{7*191}}",
    ):
        answer = client.get(path)
        assert answer.status_code < 500 and "1337" not in answer.text


WORDS = ("after", "limit", "before", "stage", "state", "rule", "format", "by", "model", "turn", "line", "day", "order")
ODD = ("99999999999999999999", "a\0b", "١")  # more than any column holds, what no text column takes, another digit


@pytest.mark.parametrize("odd", ODD, ids=["huge", "NUL", "digit"])
def test_no_page_fails_over_a_number_or_a_text_that_no_one_means(client, odd):
    """Each address that is read by GET, with the word in its path and in every parameter: 400 or 404, or a page."""
    paths = {route.path for route in client.app.routes if "GET" in (getattr(route, "methods", None) or ())}
    assert len(paths) > 20
    for path in sorted(paths):
        known = re.sub(r"\{[^}]*\}", "1", path.replace("{name}", "hostile"))
        strange = re.sub(r"\{[^}]*\}", quote(odd), path.replace("{name}", "hostile"))
        for address, params in ((known, dict.fromkeys(WORDS, odd)), (known, {"after": odd}), (strange, {})):
            answer = client.get(address, params=params)
            assert answer.status_code < 500, (address, params)


def test_a_line_of_a_log_is_one_record_whatever_it_quotes():
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "%s", ("a\nerror: forged\r\nb",), None)
    assert _OneLine().format(record) == "a\\nerror: forged\\r\\nb"
