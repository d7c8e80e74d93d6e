"""`corpus doctor --deep` on databases that were damaged in one place each: it says so, and says nothing of a sound one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from corpus_pipeline.service import Corpus, deep_checks
from corpus_pipeline.states import Stage
from corpus_pipeline_tests import small_corpus

ROWS = [small_corpus.pair(number) for number in range(1, 25)]
Harm = Callable[[Connection], None]


@pytest.fixture
def corpus(tmp_path: Path, database_url: str) -> Iterator[Corpus]:
    source = small_corpus.write_jsonl(tmp_path / "mill.jsonl", [*ROWS, ROWS[4], b'{"question": "cut'])
    recipe = tmp_path / "mill.yaml"
    recipe.write_text(
        "name: mill\naugment: {model: corpus-stub, strategies: [paraphrase]}\nexport: {gate: {max_rejected: 1}}\n"
    )
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        opened.add(source, recipe=str(recipe))
        small_corpus.run_path(opened, "mill")
        yield opened


def told(corpus: Corpus) -> dict[str, str]:
    """What is wrong, by the check that found it."""
    found = {subject: check(corpus) for subject, check in deep_checks.CHECKS.items()}
    return {subject: sentence for subject, (ok, sentence) in found.items() if not ok}


def sql(*statements: str) -> Harm:
    def harm(connection: Connection) -> None:
        for statement in statements:
            touched = connection.execute(text(statement)).rowcount
            assert touched != 0 or statement.startswith("SET"), f"nothing was harmed: {statement}"

    return harm


IN_TABLES = {
    "a count that is one too high": (
        "deep: records",
        sql("UPDATE dataset_files SET conversations = conversations + 1"),
        "lines are not its conversations",
    ),
    "a verdict that is gone": (
        "deep: records",
        sql("DELETE FROM cleaned_rows WHERE conversation_id % 4294967296 = 7"),
        "without a verdict",
    ),
    "a turn that is gone": (
        "deep: records",
        sql("DELETE FROM turns WHERE conversation_id % 4294967296 = 9"),
        "whose turns are not 1..n",
    ),
    "a sum that is wrong": ("deep: records", sql("UPDATE spending SET cost = cost + 1000"), "the ledger sums up"),
    "an answer that is gone": ("deep: records", sql("DELETE FROM answers"), "made of no usable answer"),
    "a new row that is gone": (
        "deep: records",
        sql("DELETE FROM augmented_rows WHERE conversation_id % 4294967296 = 3"),
        "an item that is done without a row",
    ),
    "a cursor beyond the end": (
        "deep: records",
        sql("UPDATE execution_cursors SET current_offset = total_rows + 5 WHERE stage = 'clean'"),
        "counted more rows",
    ),
    "a line map that is cut": ("deep: records", sql("DELETE FROM export_chunks"), "another number of lines"),
    "a text that was changed": (
        "deep: texts",
        sql("UPDATE turns SET data_response = 'another answer' WHERE conversation_id % 4294967296 = 11"),
        "mill:11",
    ),
    "a hash that was changed": (
        "deep: texts",
        sql("UPDATE cleaned_rows SET content_hash = "
            "(SELECT h FROM (SELECT content_hash AS h FROM cleaned_rows ORDER BY conversation_id DESC LIMIT 1) AS o)"
            " WHERE conversation_id % 4294967296 IN (2, 12)"),
        "rows have another text",
    ),
}  # fmt: skip


def test_nothing_is_said_of_a_sound_corpus(corpus: Corpus) -> None:
    assert told(corpus) == {}
    said = {subject: check(corpus)[1] for subject, check in deep_checks.CHECKS.items()}
    assert "24 rows have the text" in said["deep: texts"]
    assert said["deep: sources"].startswith("1 ") and said["deep: exports"].startswith("1 ")


@pytest.mark.parametrize("harm", sorted(IN_TABLES))
def test_each_damage_of_a_table_is_found(corpus: Corpus, harm: str) -> None:
    subject, work, words = IN_TABLES[harm]
    with corpus.store.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        work(connection)
    found = told(corpus)
    assert subject in found and set(found) <= {subject, "deep: texts"}
    assert words in found[subject] and "backup" in found[subject]


def test_a_changed_source_and_a_changed_export_are_found(corpus: Corpus) -> None:
    Path(corpus.files()[0].path).write_bytes(b"{}\n")
    (uri,) = corpus.export_places("mill")
    with Path(uri).open("ab") as file:
        file.write(b"{}\n")
    found = told(corpus)
    assert set(found) == {"deep: sources", "deep: exports"}
    assert "mill.jsonl" in found["deep: sources"] and uri in found["deep: exports"]


def test_a_changed_file_of_comparisons_is_found_and_not_used(tmp_path: Path) -> None:
    """Verdicts follow from it: with one bit changed, a repetition in another file would be taken for a row of its own."""
    recipe = tmp_path / "wide.yaml"
    recipe.write_text("name: wide\nclean: {dedup: {scope: corpus}}\naugment: {strategies: []}\n")
    with small_corpus.opened(tmp_path / "home") as corpus:
        for number, name in enumerate(("one", "two")):
            rows = [*ROWS, small_corpus.pair(90 + number)]
            corpus.add(small_corpus.write_jsonl(tmp_path / f"{name}.jsonl", rows), recipe=str(recipe))
        small_corpus.run_path(corpus, "one")
        (path,) = corpus.settings.work_folder.rglob("*.run")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        found = told(corpus)
        assert set(found) == {"deep: comparisons"} and str(path) in found["deep: comparisons"]
        small_corpus.run_path(corpus, "two")
        assert not path.exists() and told(corpus) == {}
        dropped = corpus.rows("two", Stage.CLEAN, where={"state": "dropped"}).rows
        assert len(dropped) == len(ROWS)


def test_index_entries_that_are_gone_are_found(tmp_path: Path) -> None:
    """SQLite: rows are written while the schema does not know of an index."""
    source = small_corpus.write_jsonl(tmp_path / "mill.jsonl", ROWS)
    with small_corpus.opened(tmp_path / "home") as corpus:
        corpus.add(source, recipe="default")
        path = Path(corpus.store.engine.url.database or "")
    _without_an_index(path, "UPDATE dataset_files SET sha256 = 'of nothing'")
    with small_corpus.opened(tmp_path / "home") as corpus:
        found = told(corpus)
        assert "deep: database" in found and "index" in found["deep: database"]


def _without_an_index(path: Path, statement: str) -> None:
    """Run a statement that one index of the table does not notice."""
    with sqlite3.connect(path) as connection:
        query = "SELECT rowid, * FROM sqlite_master WHERE type = 'index' AND name = 'ix_dataset_files_sha256'"
        entry = connection.execute(query).fetchone()
        assert entry is not None
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE rowid = ?", entry[:1])
    connection.close()
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", entry[1:])
    connection.close()
