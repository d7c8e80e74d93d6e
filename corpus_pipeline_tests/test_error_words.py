"""What is said of an error: our own sentences as they are, of others the kind and the place."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import orjson
import pytest

from corpus_pipeline import cli, error_words
from corpus_pipeline.errors import StopJob
from corpus_pipeline.service.structured_logs import JsonFormatter

SECRET = "Mrs Quillfeather owes 40 crowns"


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("kind", [ValueError, KeyError, RuntimeError, TypeError, AssertionError])
def test_of_an_unforeseen_error_kind_and_place_are_said(kind: type[Exception]) -> None:
    said = error_words.in_words(raised(kind(SECRET)))
    assert SECRET not in said and said.startswith(f"{kind.__name__} at test_error_words.py:")
    assert SECRET not in error_words.steps(raised(kind(SECRET)).__traceback__)


def test_errors_of_ours_and_of_the_system_are_said_as_they_are() -> None:
    assert error_words.in_words(StopJob("no such file; add it")) == "no such file; add it"
    with pytest.raises(OSError) as caught:
        Path("/no/such/file").read_bytes()
    assert error_words.in_words(caught.value) == "FileNotFoundError: No such file or directory (/no/such/file)"


def test_a_fault_inside_the_package_is_placed_there() -> None:
    with pytest.raises(AttributeError) as caught:
        error_words.place(None)  # type: ignore[arg-type]
    assert error_words.place(caught.value).startswith("corpus_pipeline/error_words.py:")


def test_a_structured_log_tells_the_way_to_an_error_and_not_its_words() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.LogRecord("corpus_pipeline", 40, __file__, 1, "failed", (), sys.exc_info())
    document = orjson.loads(JsonFormatter().format(record))
    assert SECRET not in str(document) and "test_error_words.py" in document["exception"]


def test_a_command_that_fails_unforeseen_says_where_and_not_what(monkeypatch, capsys) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(cli.cli, "main", fail)
    assert cli._run([]) == 1
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "ValueError at corpus_pipeline/cli/" in said and "test_error_words.py" in said
