"""Every command on a corpus whose names, texts, reasons and errors would steer a terminal: none of it comes out raw."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import click
import pytest

import corpus_pipeline
from corpus_pipeline import llm_stub
from corpus_pipeline.cli import _run, cli
from corpus_pipeline.model import conversation_id
from corpus_pipeline.plain_text import filtered_streams, plain_json
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.structured_logs import JsonFormatter
from corpus_pipeline.states import Stage
from corpus_pipeline.store import failed_samples
from corpus_pipeline_tests.cli.conftest import below, run
from corpus_pipeline_tests.small_corpus import pair, write_jsonl

# title, colours, a line that erases the one before, the clipboard, 8-bit forms of the same, direction marks, a bell, DEL
HOSTILE = (
    "Qy\x1b]0;owned\x07 \x1b[31mred \x1b[2K\x1b[1A\x1b]52;c;cm0=\x1b\\ \x9b31m \x9d0;owned\x9c"
    " \u202egnp\u202c \u2066in\u2069 \u200f\u061c \x07\x7f\x08 \x85"
)
# all of C0 but tab and line feed, DEL, C1, marks of direction; CR only as the end of a line
FOREIGN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, one in below(command).items():
            yield from leaves(one, (*path, name))
    else:
        yield path, command


COMMANDS = {" ".join(path): command for path, command in leaves(cli)}

# what each is asked, so that it shows what the corpus holds, or refuses what it is given; in this order
ASKED: dict[str, tuple[tuple[str, ...], ...]] = {
    "status": ((), ("hostile",)),
    "report": (("hostile",),),
    "rows": (("hostile",), ("hostile", "--stage", "clean"), ("hostile", "--search", HOSTILE, "--limit", "1")),
    "rejects": (("hostile",),),
    "duplicates": (("hostile",), ("hostile", "--kept-anyway")),
    "keep": (("hostile:1", "--reason", HOSTILE), (HOSTILE,)),
    "review": (("hostile",), ("hostile", "--note", HOSTILE, "--bad", "1")),
    "preview": (("hostile", "--examples", "3"),),
    "show": (("hostile:1",), (f"hostile:{HOSTILE}",)),
    "trace": (("hostile", "1"), (HOSTILE, "1")),
    "verify": ((HOSTILE,),),
    "attest": ((HOSTILE,),),
    "ui": (("--host", HOSTILE),),
    "serve": (("--add-user", HOSTILE), ("--remove-user", HOSTILE), ("--host", HOSTILE)),
    "estimate": (("hostile",),),
    "try": (("hostile", "--strategy", "paraphrase", "--row", "1"), ("hostile", "--model", HOSTILE)),
    "cost": ((), ("--by", "consumer"), ("--by", "model")),
    "cost reconcile": ((HOSTILE,), ("{folder}/bill.jsonl",)),
    "prices show": ((HOSTILE,),),
    "prices update": ((HOSTILE,), ("{folder}/bill.jsonl",)),
    "failed list": ((), ("--where", f"model={HOSTILE}")),
    "failed show": (("1",), (HOSTILE,)),
    "failed dismiss": (("1", "--reason", HOSTILE), (HOSTILE, "--reason", HOSTILE)),
    "failed replay": (("2", "--model", HOSTILE), (HOSTILE,)),
    "batches list": ((), (HOSTILE,)),
    "batches show": ((HOSTILE,),),
    "batches cancel": ((HOSTILE, "--reason", HOSTILE),),
    "batches refetch": ((HOSTILE,),),
    "batches forget": ((HOSTILE, "--reason", HOSTILE),),
    "recipe show": ((HOSTILE,), ("hostile",)),
    "recipe new": (("{folder}/no\x1b]0;owned\x07folder/x.yaml",),),
    "recipe check": (("{folder}/hostile.yaml",), (HOSTILE,)),
    "rules list": ((),),
    "strategies list": ((),),
    "formats list": ((),),
    "validators list": ((),),
    "doctor": ((), ("--s3-policy",)),
    "upgrade": ((),),
    "index": ((), (HOSTILE,), ("--status",)),
    "llm-stub": (("--faults", HOSTILE),),
    "completion": (("bash",), (HOSTILE,)),
    "demo": (("--home", "{folder}/bill.jsonl/\x1b]0;owned\x07"), (HOSTILE,)),
    "pause": (("hostile", "--reason", HOSTILE), (HOSTILE, "--reason", HOSTILE)),
    "run": (("hostile",), (HOSTILE,)),
    "worker": (("--once", "--consumer", HOSTILE), ("--to", HOSTILE)),
    "unlock": (("hostile", "--stage", "clean", "--reason", HOSTILE), (HOSTILE, "--reason", HOSTILE)),
    "resume": (("--all",), (HOSTILE,)),
    "add": (("{folder}/" + "new\x1b]0;owned\x07\u202e.jsonl", "--consumer", HOSTILE), (HOSTILE,)),
    "purge": (("hostile", "2", "--reason", HOSTILE, "--copies", HOSTILE, "--yes"), (HOSTILE, "1", "--reason", "x")),
    "remove": ((HOSTILE, "--reason", HOSTILE, "--yes"), ("hostile", "--reason", HOSTILE, "--yes")),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """The environment of a corpus in which everything that others can write is hostile."""
    folder = tmp_path_factory.mktemp("terminal")
    rows = [pair(n) | {"question": f"{pair(n)['question']} {HOSTILE}"} for n in range(1, 9)]
    rows += [rows[0], {"question": "", "answer": HOSTILE}]
    write_jsonl(folder / "hostile.jsonl", [*rows, b'{"question": "\xc2\x9b31m \x1b[2K cut'])
    write_jsonl(folder / "new\x1b]0;owned\x07\u202e.jsonl", rows[:2])
    (folder / "bill.jsonl").write_text(json.dumps({"model": HOSTILE, "request": HOSTILE}) + "\n")
    (folder / "hostile.yaml").write_text(f"name: x\nclean:\n  rules: [{json.dumps(HOSTILE)}]\n")
    with llm_stub.running(llm_stub.StubOptions()) as server:
        environment = os.environ | {
            "CORPUS_HOME": str(folder / "home"),
            "CORPUS_MODEL": "corpus-stub",
            "OPENAI_BASE_URL": server.base_url,
        }
        assert run(environment, "add", str(folder / "hostile.jsonl"), "--consumer", HOSTILE).returncode == 0
        run(environment, "run", "hostile")
        with mock.patch.dict(os.environ, environment), Corpus.open() as corpus:
            record_failures(corpus)
        yield environment, folder


def record_failures(corpus: Corpus) -> None:
    (file,) = corpus.files(["hostile"])
    task = corpus.work("hostile", Stage.AUGMENT).task
    failures = [
        failed_samples.Failure(
            key=(conversation_id(file.id, number), "paraphrase", 7),
            request_key=None,
            reason="refused",
            error=HOSTILE,
            prompt=json.dumps([{"role": "user", "content": HOSTILE}]),
            answer=HOSTILE,
            model=HOSTILE,
            attempts=1,
        )
        for number in range(1, 4)
    ]
    corpus.store.write(lambda c: failed_samples.record(c, corpus.store.backend, task.id, Stage.AUGMENT, failures))


def test_every_command_is_asked():
    assert set(ASKED) - {"cost"} == set(COMMANDS)


def test_no_command_passes_on_what_steers_a_terminal(hostile):
    environment, folder = hostile
    shown = []
    for name, all_arguments in ASKED.items():
        for arguments in all_arguments:
            filled = [word.replace("{folder}", str(folder)) for word in arguments]
            has_json = any("--json" in parameter.opts for parameter in getattr(COMMANDS.get(name), "params", ()))
            for more in ((), ("--json",)) if has_json else ((),):
                done = run(environment, *name.split(), *filled, *more)
                said = done.stdout + done.stderr
                assert not FOREIGN.search(said), (name, arguments, more, said)
                if "Qy" in said:
                    shown.append(name)
                for line in done.stdout.splitlines() if more and done.returncode == 0 else ():
                    json.loads(line)  # it is still JSON
    assert len(set(shown)) >= 20, sorted(set(shown))  # the hostile words were there to be shown


def test_json_says_the_same_with_escapes():
    for value in (HOSTILE, "plain", "水 \u202e", {"a\x9b": ["\x7f", "\\", '"']}):
        raw = json.dumps(value, ensure_ascii=False).encode()
        shown = plain_json(raw)
        assert json.loads(shown) == value and not FOREIGN.search(shown.decode())


def test_logs_and_tracebacks_go_through_the_filter():
    """What our own functions do not say: the logging of libraries, an exception that nobody caught."""
    said = io.StringIO()
    with redirect_stderr(said), filtered_streams():
        handler = logging.StreamHandler()
        logger = logging.getLogger("a library")
        logger.addHandler(handler)
        try:
            logger.error("it says %s", HOSTILE)
            try:
                raise ValueError(HOSTILE)
            except ValueError as error:
                sys.excepthook(type(error), error, error.__traceback__)
        finally:
            logger.removeHandler(handler)
    assert said.getvalue().count("Qy") >= 2 and not FOREIGN.search(said.getvalue())


def test_structured_logs_hold_escapes():
    record = logging.LogRecord("corpus_pipeline", logging.WARNING, __file__, 1, "%s", (HOSTILE,), None)
    line = JsonFormatter().format(record)
    assert json.loads(line)["message"] == HOSTILE and not FOREIGN.search(line)


def test_what_the_servers_under_a_command_say_goes_through_its_streams():
    """`corpus ui` starts a webserver, a daemon and code servers, each with a stderr of its own."""
    child = f"import sys; sys.stderr.write({HOSTILE!r} + chr(10)); sys.stdout.write({HOSTILE!r})"
    program = (
        "import sys; from corpus_pipeline.cli.process_supervisor import supervise;"
        " from corpus_pipeline.plain_text import filtered_streams\n"
        f"with filtered_streams(): sys.exit(supervise([sys.executable, '-c', {child!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    for said in (done.stdout, done.stderr):
        assert "Qy" in said and not FOREIGN.search(said)


def test_a_secret_that_a_server_or_a_library_says_is_masked():
    """A server that does not start prints its arguments, its environment, its configuration."""
    secret, address = 'c4n/"ary 1', "postgresql://me:c4n-other@db/x"
    said = f"{secret} {json.dumps([json.dumps(secret)])} {quote(secret, safe='')} {address} {secret!r}"
    child = f"import sys; print({said!r}); print({said!r}, file=sys.stderr)"
    program = (
        "import sys; from corpus_pipeline import secret_words;"
        " from corpus_pipeline.cli.process_supervisor import supervise\n"
        f"hide = secret_words.hider(secret_words.in_yaml({json.dumps({'a': [{'password': secret}]})!r}))\n"
        f"sys.exit(supervise([sys.executable, '-c', {child!r}], hide))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    for text in (done.stdout, done.stderr):
        assert "c4n" not in text and "postgresql://me:[redacted]@db/x" in text
    program = (
        "import sys, corpus_pipeline.cli as c\n"
        "c._run_filtered = lambda _: sys.stderr.write('has c4n-key-77, /a/path'); c._run([])"
    )
    given = os.environ | {"SOME_API_KEY": "c4n-key-77", "OTHER_KEY": "/a/path", "CORPUS_WEB_TOKEN": "has"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=given, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == "has [redacted], /a/path"


def test_nothing_is_shown_but_by_the_module_that_makes_it_printable():
    """Held by the source: no other module of the command writes to a stream, styles or asks by itself."""
    ways = {f"click.{way}" for way in ("echo", "secho", "style", "prompt", "confirm")}
    ways |= {f"sys.{stream}.write" for stream in ("stdout", "stderr", "stdout.buffer")} | {"print", "Console"}
    found = []
    for path in (Path(corpus_pipeline.__file__).parent / "cli").glob("*.py"):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ways:
                found.append(f"{path.name}:{node.lineno} {called}")
    assert found == []


def test_an_error_on_a_terminal_is_coloured_by_us_alone():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    said = Terminal()
    with mock.patch.dict(os.environ), redirect_stderr(said):
        os.environ.pop("NO_COLOR", None)
        _run(["status", HOSTILE])
    sequences = set(re.findall("\x1b[^m]*m", said.getvalue()))
    assert sequences == {"\x1b[31m", "\x1b[1m", "\x1b[0m"}
    assert not FOREIGN.search(re.sub("\x1b\\[(31|1|0)m", "", said.getvalue()))
