"""`corpus serve` as a process: it listens where it says, refuses what would let anybody in, and keeps users."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request

import httpx
import pytest

from corpus_pipeline import cli
from corpus_pipeline.errors import UsageError
from corpus_pipeline.web import create_app, peers, users
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.serve import listen, start_background, url_for_others

COMMAND = [sys.executable, "-m", "corpus_pipeline", "serve"]


def run(*arguments: str, text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return cli._run(["serve", *arguments])


def test_it_answers_where_it_says_and_ends_with_ctrl_c(tmp_path):
    environment = os.environ | {"CORPUS_HOME": str(tmp_path / "home")}
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        line = child.stderr.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)", line)
        assert found, line
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{found[1]}/files.json", timeout=20)
        asked = urllib.request.Request(f"{found[1]}/files.json", headers={"Authorization": f"Bearer {found[2]}"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.read() == (
                b'{"files":[],"flags":[],"backfills":[],"totals":{"files":0,"bytes":0,"conversations":0,"cost_usd":0,'
                b'"open_failed_samples":0,"running":0}}\n'
            )
            assert "server" not in answer.headers
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
    assert child.returncode in (0, 130)


def test_users_are_made_and_removed_and_an_open_door_is_refused(corpus_home, monkeypatch, capsys):
    path = corpus_home / "users.json"
    arguments = ("--add-user", "ann", "--role", "operator")
    assert run(*arguments, text="a password of ann\n", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert "a password of ann" not in said.out + said.err
    user = users.check(path, "ann", "a password of ann")
    assert user and user.role is Role.OPERATOR
    assert users.check(path, "ann", "another password") is None
    for arguments, word in (
        (("--host", "0.0.0.0"), "--login"),
        (("--add-user", "bob"), "characters or more"),
        (("--remove-user", "bob"), "no user"),
        (("--proxy-header", "X-User"), "--trusted-proxy"),
    ):
        assert run(*arguments, text="short\n", monkeypatch=monkeypatch) == 2
        assert word in capsys.readouterr().err
    assert run("--remove-user", "ann", text="", monkeypatch=monkeypatch) == 0
    assert users.read(path) == {}


def test_a_port_in_use_is_told():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="--port"):
            listen(Options(port=other.getsockname()[1]))


def test_links_lead_others_to_a_name_that_is_theirs_too():
    own = "http://127.0.0.1:8787"
    assert url_for_others(Options(allow_hosts=("corpus.test",)), own) == own
    assert url_for_others(Options(host="0.0.0.0", login=True), own) == own
    asked = Options(host="0.0.0.0", login=True, allow_hosts=("corpus.test", "other.test"))
    assert url_for_others(asked, own) == "http://corpus.test:8787"


def test_a_proxy_at_a_socket_is_believed_by_its_file(corpus, tmp_path):
    """Who may connect is said by the mode of the file; a name is then taken from the header, as a viewer by default."""
    path = tmp_path / "web.sock"
    options = Options(socket=path, proxy_header="X-Remote-User", allow_hosts=("corpus.test",))
    running = start_background(create_app(corpus, options), options)
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://corpus.test") as proxy:
            assert proxy.get("/files").status_code == 401
            assert proxy.get("/files", headers={"X-Remote-User": "ann"}).status_code == 200
            assert proxy.get("/files", headers={"X-Remote-User": "ann", "Host": "evil.test"}).status_code == 421
        with pytest.raises(UsageError, match="in use"):
            listen(options)
    finally:
        running.stop()
    listen(options).close()  # what a killed one left behind is taken over
    path.unlink()
    path.write_text("a file of somebody")
    with pytest.raises(UsageError, match="--socket"):
        listen(options)
    assert path.read_text() == "a file of somebody"
    with pytest.raises(UsageError, match="--proxy-header"):
        Options(socket=path)


ASK = """
import http.client, os, sys
"x".encode("idna")  # what another user may not load any more
os.setuid(int(sys.argv[5]))
asked = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=20)
asked.request("GET", "/files.json", headers={"Cookie": sys.argv[3], "Authorization": sys.argv[4]})
print(asked.getresponse().status)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="asks as another user of the machine")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_cookie_that_another_user_of_the_machine_read_is_worth_nothing(corpus, host):
    """Browsers send it to every port of the machine."""
    options = Options(host=host, port=0, token="a-token-of-these-tests-0123456789")
    server = start_background(create_app(corpus, options), options)
    port = server.url.rpartition(":")[2]

    def asked(user: int, cookie: str, authorization: str = "") -> str:
        command = [sys.executable, "-I", "-c", ASK, host, port, cookie, authorization, str(user)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()

    try:
        with httpx.Client(base_url=server.url) as own:
            own.get(f"/?token={options.token}")
            cookie = f"corpus_session={own.cookies['corpus_session']}"
            assert own.get("/files.json").status_code == 200
            assert (asked(0, cookie), asked(65534, cookie)) == ("200", "401")
            assert own.get("/files.json").status_code == 200  # what somebody else tried ends no session
            assert asked(65534, "", f"Bearer {options.token}") == "200"
    finally:
        server.stop()


def test_whose_a_connection_is_says_the_system_while_it_is_held():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with server:
            scope = {"client": client.getsockname(), "server": server.getsockname()}
            assert peers.user_of(scope) == os.geteuid()
            assert peers.user_of({**scope, "client": (scope["client"][0], 1)}) is None
            assert peers.user_of({**scope, "client": ("192.0.2.1", scope["client"][1])}) is None
            client.close()
            assert peers.user_of(scope) is None  # and not root, who holds what nobody does
    for scope in ({}, {"client": None, "server": None}, {"client": ("x", 1), "server": ("y", 2)}):
        assert peers.user_of(scope) is None
