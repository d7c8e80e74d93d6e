"""Keys and row texts stay out of logs, errors and statuses, whatever goes wrong; SQL is never made of words."""

from __future__ import annotations

import contextlib
import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

import corpus_pipeline
from corpus_pipeline import llm_stub
from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.secret_words import hider
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import masked_url
from corpus_pipeline.states import Stage
from corpus_pipeline.store import rows
from corpus_pipeline.store.schema import (
    audit_log,
    completion_reports,
    cursor_events,
    execution_cursors,
    failed_samples,
    llm_attempts,
)
from corpus_pipeline_tests import small_corpus

KEY = "sk-canary-0b7c33d19ae2"
TEXT = "canary text of a row"
RECIPE = "name: s\naugment: {model: corpus-stub, strategies: [paraphrase], max_retries: 0}\nexport: {gate: {max_failed: 9}}\n"
FAULTS = ("401", "500", "html", "refusal")
PACKAGE = Path(corpus_pipeline.__file__).parent


def test_neither_key_nor_row_text_gets_into_logs_errors_and_statuses(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    recipe = tmp_path / "s.yaml"
    recipe.write_text(RECIPE)
    said = []
    with llm_stub.running(llm_stub.StubOptions(api_key=KEY)) as server:
        settings = small_corpus.settings(tmp_path / "home", OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY=KEY)
        with Corpus.open(settings) as corpus:
            source = [small_corpus.pair(n) | {"answer": f"{TEXT} {n}\n#### {n}"} for n in range(1, 9)]
            corpus.add(small_corpus.write_jsonl(tmp_path / "a.jsonl", source), recipe=str(recipe))
            small_corpus.run_path(corpus, "a", Stage.CLEAN)
            for fault in FAULTS:
                server.meet(**{fault: 1.0})
                try:
                    corpus.run_stage("a", Stage.AUGMENT, limit=1)
                except CorpusError as error:
                    said.append(f"{error!s} {error!r}")
                with contextlib.suppress(CorpusError):
                    corpus.resume(["a"], None, True)
                    corpus.redo("a", Stage.AUGMENT)
            assert len(said) >= 2
            with pytest.raises(DBAPIError) as caught:
                corpus.store.write(lambda c: _same_row_again(corpus, c))
            said.append(f"{caught.value!s} {caught.value!r} {settings!r} {corpus!r}")
            kept = corpus.store.fetch(lambda c: [tuple(row) for query in _SAID for row in c.execute(query)])
    assert len(kept) > 20
    shown = caplog.text + "\n".join(said) + repr(kept)
    assert "HTTP" in shown or "401" in shown  # something was said of the faults
    assert KEY not in shown and TEXT not in shown


def _same_row_again(corpus: Corpus, connection) -> None:
    (file,) = corpus.files(["a"])
    known = rows.by_ids(connection, [(file.id << 32) + 1])
    rows.insert_batch(connection, corpus.store.backend, file.id, [next(iter(known.values())).conversation], [])


# where errors and reasons are kept; the texts of failed samples themselves are in columns of their own
_SAID = (
    select(cursor_events.c.reason),
    select(execution_cursors.c.status_reason),
    select(failed_samples.c.error),
    select(audit_log.c.detail),
    select(completion_reports.c.body).where(completion_reports.c.stage != Stage.AUGMENT.value),
    select(*(column for column in llm_attempts.c)),
)


BY_HAND = re.compile(
    r"exec_driver_sql\(|literal_column\(|\bDDL\(|from sqlalchemy import (\([^)]*|[^\n(]*)\b(text|literal_column|DDL)\b"
)


def test_no_statement_is_made_of_words():
    """Outside the backends nobody hands text to the database: statements are built of columns and bound values."""
    assert BY_HAND.search("from sqlalchemy import (\n    select,\n    text,\n)") and BY_HAND.search(
        "c.exec_driver_sql(f'x')"
    )
    found = [
        place
        for path in sorted(PACKAGE.rglob("*.py"))
        if not (place := path.relative_to(PACKAGE).as_posix()).startswith(("store/backends/", "store/migrations/"))
        and BY_HAND.search(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("name", ["a'b", "a;b", "a b", "A", "../a", "", "a" * 65, "é", "a\n"])
def test_a_partition_key_is_a_plain_word(tmp_path, name):
    with small_corpus.opened(tmp_path / "home") as corpus:
        source = small_corpus.write_jsonl(tmp_path / "a.jsonl", [small_corpus.pair(1)])
        if name == "":
            assert corpus.add(source, name=name).file.name == "a"  # none was given
            return
        with pytest.raises(UsageError, match="a name has 1 to 64"):
            corpus.add(source, name=name)


@given(
    st.text(
        alphabet=st.characters(exclude_characters="@\n\r\0", min_codepoint=33, max_codepoint=0x2FF),
        min_size=6,
        max_size=20,
    ),
    st.sampled_from(["mysql+pymysql", "postgresql", "http", "mariadb+pymysql"]),
)
def test_no_password_is_left_in_a_url_whatever_it_holds(password: str, scheme: str) -> None:
    shown = masked_url(f"{scheme}://user:{password}@db.example.org:3306/corpus?ssl_ca=x")
    assert shown == f"{scheme}://{'' if scheme == 'http' else 'user:'}***@db.example.org:3306/corpus?ssl_ca=x"
    assert "CANARY" not in masked_url(f"{scheme}://db/corpus?user=u&password=CANARY&x=1")
    assert "CANARY" not in masked_url(f"{scheme}://db/corpus?ssl_key_password=CANARY")
    for name in ("X-Amz-Signature", "X-Amz-Credential", "sig", "Key", "api_key", "access%5ftoken", "auth"):
        assert "CANARY" not in masked_url(f"https://store.example.org/rows.jsonl?part=1&{name}=CANARY")


def test_a_token_in_the_place_of_a_user_name_is_masked() -> None:
    assert masked_url("https://ghp_CANARY@git.example/rows.jsonl") == "https://***@git.example/rows.jsonl"
    for url in (
        "https://CANARY:x@git.example/r@v1.jsonl",
        "https://CANARY@git.example/r@v1.jsonl",
        "https://CANARY:x-oauth@basic/x@git.example/",
        "redis://CANARY:@broker/0",
        "hf+https://CANARY:x@hub.example",
        "s3://CANARY:x@bucket/a",
        "HTTPS://CANARY:x/y@git.example",
        "https://a.example/,https://CANARY@git.example",
        "https://x@a.example/,https://CANARY@git.example",
        "sqlite:////a/b,https://CANARY@git.example",
    ):
        assert "CANARY" not in masked_url(url), url
        assert "CANARY" not in hider([])(f"fatal: unable to access '{url}': no"), url
        assert "CANARY" not in hider([])("a" * 50 + url), url
    assert masked_url("https://CANARY@git.example/r@v1") == "https://***@git.example/r@v1"
    for url in ("mysql+pymysql://me:CANARY@db/c", "see postgresql://me:CANARY@db/c", "MariaDB+pymysql://me:CANARY@db"):
        assert "CANARY" not in hider([])(url) and "me:" in hider([])(url)
    for name in ("pat", "code", "jwt", "hmac", "ticket", "session"):
        assert "CANARY" not in masked_url(f"https://store.example.org/?a=1&?{name}=CANARY")
    assert masked_url("https://store.example.org/rows@v1?codec=x") == "https://store.example.org/rows@v1?codec=x"


def test_masking_takes_time_linear_in_the_text() -> None:
    """With time in the square of it, this would take hours."""
    assert masked_url("https://h/" + "?" * 1_000_000).endswith("?")
    assert hider([])("://u:secret@h " + "://:" * 30_000).startswith("://[redacted]@h ")
    for piece in ("://a", "://a/", "://a@/", ":///", "://a:b", "mysql://", "://" + "a" * 300, "a", "://@"):
        hider([])(piece * (200_000 // len(piece)) + "@")


def test_what_has_no_password_stays_as_it_is() -> None:
    for url in (
        "sqlite:////data/a:b@c/corpus.db",
        "mysql+pymysql://user@db/corpus",
        "s3://bucket/a@b",
        "folder/x:y",
        "mysql+pymysql://db/c?ssl_key=/k",
    ):
        assert masked_url(url) == url
