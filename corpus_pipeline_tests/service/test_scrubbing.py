"""The words of a purged row are nowhere: every column of text is classed, planted and looked through."""

from __future__ import annotations

import re
import sqlite3

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, LargeBinary, String, insert, select, update

from corpus_pipeline.model import conversation_id
from corpus_pipeline.store import scrubbing
from corpus_pipeline.store.own_words import own_words
from corpus_pipeline.store.row_words import PURGED_WORDS, RowWords
from corpus_pipeline.store.schema import llm_attempts, metadata
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.service.test_purge import RECIPE, SECRET, found, rows, sound

TEXTS = {
    f"{table.name}.{one.name}": one
    for table in metadata.sorted_tables
    for one in table.columns
    if isinstance(one.type, String | LargeBinary)
}
SCRUBBED = {f"{table}.{one}" for table, columns in scrubbing.SCRUBBED.items() for one in columns}
OF_CALLS = {f"llm_attempts.{one}" for one in scrubbing.OF_CALLS}


def short(name: str) -> bool:
    """Our own words, names and hashes: nothing of a row fits, or a row has no way there."""
    return (TEXTS[name].type.length or 1 << 30) <= 255


def test_every_column_of_text_is_in_a_class() -> None:
    """A new column fails here until somebody says what a purge does with it."""
    classed = SCRUBBED | OF_CALLS | scrubbing.STAYS | scrubbing.INSTRUCTIONS
    assert classed <= set(TEXTS)
    open_ones = [
        name
        for name in TEXTS
        if name not in classed and name.partition(".")[0] not in scrubbing.GO_WITH_THE_ROW and not short(name)
    ]
    assert open_ones == []


def _value(one, connection):
    """Something that the column takes."""
    if one.foreign_keys:
        (key,) = one.foreign_keys
        return connection.execute(select(key.column).limit(1)).scalar()
    if isinstance(one.type, String):
        for check in one.table.constraints:
            if isinstance(check, CheckConstraint) and str(check.sqltext).startswith(f"{one.name} IN"):
                return re.findall(r"'(\w+)'", str(check.sqltext))[0]
        return "x"
    return 1


def plant(corpus, name: str, words: str) -> None:
    """The words in a row of this column, in one that is made for it where the table has none."""
    one = TEXTS[name]
    table = one.table

    def write(connection) -> None:
        if connection.execute(select(table).limit(1)).first() is None:
            needed = [c for c in table.columns if not c.nullable and c.server_default is None]
            own = {c.name: _value(c, connection) for c in needed if c is not table.autoincrement_column}
            connection.execute(insert(table).values(own))
        connection.execute(update(table).values({one.name: words[: one.type.length or 1 << 30]}))

    corpus.store.write(write)


@pytest.fixture
def corpus(tmp_path, database_url):
    recipe = tmp_path / "purge.yaml"
    recipe.write_text(RECIPE)
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        source = small_corpus.write_jsonl(tmp_path / "a.jsonl", rows(12))
        opened.add(source, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(opened, "a")
        yield opened


def test_a_canary_in_every_free_text_is_gone_after_the_purge(corpus, tmp_path) -> None:
    own = conversation_id(corpus.files(["a"])[0].id, 5)
    for name in SCRUBBED:
        document = orjson.dumps({"reason": f"the provider said: {SECRET}!", "count": 3}).decode()
        plant(
            corpus, name, document if name.endswith((".body", ".detail", ".position", ".trouble")) else f"no: {SECRET}"
        )
    for name in OF_CALLS:
        value = {name.partition(".")[2]: SECRET[: TEXTS[name].type.length or 99]}
        corpus.store.write(
            lambda c, value=value: c.execute(
                update(llm_attempts).where(llm_attempts.c.conversation_id == own).values(value)
            )
        )
    storage = tmp_path / "home" / "dagster" / "events.db"
    storage.parent.mkdir(exist_ok=True)
    with sqlite3.connect(storage) as events:
        events.execute("CREATE TABLE event_logs (id INTEGER PRIMARY KEY, event TEXT, run_id VARCHAR(255))")
        text = orjson.dumps({"big": 12345678901234567, "md": f"```\n{SECRET}\n```"}).decode()
        events.execute("INSERT INTO event_logs (event, run_id) VALUES (?, 'r')", (text,))
    events.close()
    log = storage.parent / "storage" / "r" / "compute_logs" / "step.err"
    log.parent.mkdir(parents=True)
    log.write_text(f"begun\nit says {SECRET}, at once\n{{'escaped': {SECRET!r}}}\nended\n")
    size = log.stat().st_size
    planted = set(found(corpus, SECRET[:20]))
    assert planted >= SCRUBBED | OF_CALLS

    report = corpus.purge("a", [5, 13, 14], reason="request 7")
    assert found(corpus, SECRET[:20]) == []
    assert report["removed"]["quotes"] >= len(SCRUBBED) and report["removed"]["quotes_in_dagster"] >= 1
    with sqlite3.connect(storage) as events:
        kept = [row[0] for row in events.execute("SELECT event FROM event_logs")]
    events.close()
    assert orjson.loads(kept[0])["big"] == 12345678901234567 and SECRET not in kept[0]
    printed = log.read_text()
    assert SECRET[:20] not in printed and log.stat().st_size == size
    assert printed.startswith("begun\n[purged") and printed.endswith("\nended\n")
    (kept_count,) = [
        orjson.loads(body)["count"]
        for body in corpus.store.fetch(lambda c: c.execute(select(TEXTS["webhook_events.body"])).scalars().all())
    ][:1]
    assert kept_count == 3


def test_what_does_not_quote_the_row_stays(corpus) -> None:
    plant(corpus, "cursor_events.reason", "the provider is down")
    before = corpus.store.fetch(lambda c: c.execute(select(TEXTS["cursor_events.reason"])).scalars().all())
    corpus.purge("a", [5], reason="request 7")
    after = corpus.store.fetch(lambda c: c.execute(select(TEXTS["cursor_events.reason"])).scalars().all())
    assert before and [one for one in after if one == "the provider is down"] == list(before)
    sound(corpus)


WORDS = st.text(st.characters(categories=("Ll", "Lu", "Nd", "Lo")), min_size=16, max_size=40)


@given(WORDS, st.text(max_size=20), st.text(max_size=20))
def test_a_quote_is_found_however_it_is_escaped(words: str, before: str, after: str) -> None:
    own = RowWords([f"a row about {words} and more"])
    for text in (words, repr(words)[1:-1], words.upper() if words.upper().casefold() == words.casefold() else words):
        assert own.out_of(f"({before} {text} {after}") == PURGED_WORDS
    document = orjson.dumps({"n": [1, {"said": f"{before} {words} {after}"}], "other": 2.5}).decode()
    left = orjson.loads(own.out_of(document))
    assert left["other"] == 2.5 and left["n"] == [1, {"said": PURGED_WORDS}]


@pytest.mark.parametrize("word", ["ann@example.org", "4929-1231-2312-7788", "AKIAIOSFODNN7EXAMPLE"])
def test_a_telling_word_alone_is_a_quote(word: str) -> None:
    assert RowWords([f"ask {word} for it"]).are_in(f"refused for <{word}>.")


@pytest.mark.parametrize("text", ["yes", "", "the answer", "no, 42"])
def test_short_and_common_texts_are_no_quotes(text: str) -> None:
    own = RowWords([text], ours=own_words())
    assert not own.are_in("the answer is: yes or no, 42 rows failed on 2026-11-26")


@pytest.mark.parametrize(
    ("row", "quote"),
    [
        ("Ask Odalys Vrbka about the mill.", "refused: Vrbka is no word"),
        ("Ask Mark Long about the rows.", "asked for by Mark  LONG"),
        ("Ring 0049 30 901820 at noon.", "a number, 901820, was said"),
        ("王小明住在杭州。", "不能回答关于王小明的问题"),
        ("ถามคุณสมชายเรื่องบ้าน", "ไม่รู้จักคุณสมชาย"),
        ("김철수는 서울에 산다", "김철수를 모른다"),
        ("Zoë Ökmen wohnt da.", r"it said \u00d6kmen"),
    ],
)
def test_a_short_quote_that_tells_somebody_is_found(row: str, quote: str) -> None:
    assert len(quote) < 40
    assert RowWords([row], ours=own_words()).are_in(quote)


def test_what_several_rows_say_is_nobodys() -> None:
    others = [["Ask at the lantern shop."], ["The lantern is new."]]
    own = RowWords(["A lantern of Quuxfield"], others=others)
    assert not own.are_in("no lantern") and own.are_in("no quuxfield")
    long = "You are an assistant who answers briefly."
    rows = [[f"{long} {number}"] for number in range(30)]
    assert RowWords([long]).are_in(long) and not RowWords([long], others=rows).are_in(f"it was sent {long}")


def test_names_of_files_and_people_are_no_quotes(corpus) -> None:
    plant(corpus, "audit_log.subject", "a")
    own = RowWords(
        ["all about customer-support-2024 by operator-marlene"], names=["customer-support-2024", "operator-marlene"]
    )
    assert not own.are_in("customer-support-2024") and not own.are_in("operator-marlene")
    assert RowWords(["all about customer-support-2024"]).are_in("customer-support-2024")


QUOTING = RECIPE.replace(
    "[paraphrase, self_refine]",
    f"""
    - paraphrase:
        template:
          rewrite: |
            Put it in other words, as somebody did with {SECRET}.
            === user ===
            {{{{ source_prompt }}}}""",
)


def test_examples_in_recipes_and_prompts_go_when_nothing_needs_them(tmp_path, database_url) -> None:
    recipe = tmp_path / "quoting.yaml"
    recipe.write_text(QUOTING)
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        source = small_corpus.write_jsonl(tmp_path / "a.jsonl", rows(6))
        opened.add(source, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(opened, "a")
        assert {"prompts.body", "recipes.body"} <= set(found(opened, SECRET))
        report = opened.purge("a", [5, 7, 8], reason="request 7")
        assert found(opened, SECRET) == ["recipes.body"] and report["removed"]["quotes_in_prompts"] == 1
        (one,) = report["recipes"]
        assert one["needed"] and "template" in one["places"][0]
        (said,) = [left for left in report["left"] if left.startswith("recipe purge")]
        assert "template" in said and "--recipe" in said and SECRET not in said

        recipe.write_text(RECIPE)
        opened.bind_recipe("a", str(recipe))
        again = opened.purge("a", [5, 7, 8], reason="request 7")
        assert found(opened, SECRET) == [] and again["removed"]["quotes_in_recipes"] == 1
        small_corpus.run_path(opened, "a")
        sound(opened)
