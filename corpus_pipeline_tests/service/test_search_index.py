"""The search index beside a corpus: it finds what reading every row finds, on both databases, and forgets what is purged."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from corpus_pipeline import search
from corpus_pipeline.cli.single_instance import only_one
from corpus_pipeline.search import SPAN, Index, segment
from corpus_pipeline.search.grams import BUCKETS
from corpus_pipeline.service import Corpus, deep_checks, search_index
from corpus_pipeline.service.queries import rows as queries_rows
from corpus_pipeline.states import Stage
from corpus_pipeline.store import tasks
from corpus_pipeline.store.row_queries import Filter
from corpus_pipeline.web.index_worker import Indexer
from corpus_pipeline_tests import small_corpus

RECIPE = """
name: found
clean: {rules: [unicode, whitespace, length_bounds: {min_response_characters: 55}]}
augment: {strategies: []}
"""
SECRET = "Zacharias Quux of Nowhere"
PIECES = [
    *("kettle", "KETTLE", "Kessel", "Straße", "STRASSE", "İstanbul", "ﬁnger", "naïve", "e\u0301", "ΣΊΣΥΦΟΣ", "ς"),
    *("水壶", "除垢", "怎么", "柠檬酸", "ケトル", "주전자", "𠮷野家", "😀", "👩\u200d🚀"),
    *(
        "100%",
        "50_50",
        "a!b",
        "it's",
        '"quoted"',
        "back\\slash",
        "' OR 1=1 --",
        "\x01\x1b[31m",
        "\u202egnp",
        "x",
        "  ",
        "\n\n",
    ),
]


def hostile(count: int) -> list[dict[str, str]]:
    chance = random.Random(7)
    rows = [
        {
            "question": f"{n} " + "".join(chance.choice((" ", "", "  ")) + chance.choice(PIECES) for _ in range(9)),
            "answer": " ".join(chance.choice(PIECES) for _ in range(5)) + f" so many words are here as {n} needs.",
        }
        for n in range(count)
    ]
    secret = {
        "question": f"What did {SECRET} lend?",
        "answer": f"A boat of {SECRET}, with both of its oars and " + 3 * "a sail ",
    }
    return [*rows[:4], secret, *rows[4:]]


@pytest.fixture
def every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "LEAST_ROWS", 1)


@pytest.fixture
def corpus(tmp_path: Path, database_url: str, every_file: None):
    recipe = tmp_path / "found.yaml"
    recipe.write_text(RECIPE)
    source = small_corpus.write_jsonl(tmp_path / "a.jsonl", [*hostile(120), b'{"question": "cut off'])
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        opened.add(source, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(opened, "a", Stage.CLEAN)
        yield opened


def make(corpus: Corpus) -> None:
    search_index.make(corpus.store, corpus.settings.search_folder)


def found(corpus: Corpus, text: str, stage: Stage = Stage.INGEST, *, indexed: bool = True, **more: str) -> list[int]:
    folder = corpus.settings.search_folder if indexed else None
    wanted = Filter(stage, search=text, **more)
    page = corpus.store.fetch(queries_rows.row_page, "a", wanted, limit=200, index=folder)
    assert page.next_after is None
    return [queries_rows.found_dict("a", row)["number"] for row in page.found]


def test_a_search_finds_what_reading_every_row_finds(corpus):
    make(corpus)
    (state,) = search_index.states(corpus.store, corpus.settings.search_folder)
    assert state.is_done and state.bytes > 0
    chance = random.Random(11)
    for stage in (Stage.INGEST, Stage.CLEAN):
        page = corpus.store.fetch(queries_rows.row_page, "a", Filter(stage), limit=200)
        texts = {row.id & 0xFFFFFFFF: row.conversation.turns for row in page.found}
        assert len(texts) > 60
        some = [text for turns in texts.values() for turn in turns for _, text in turn.texts()]
        queries = [*PIECES, "absent word", "zz", SECRET.upper(), "没有的词"]
        for text in chance.choices(some, k=25):
            start = chance.randrange(len(text))
            queries.append(text[start : start + chance.randint(1, 9)])
        for query in queries:
            if query:
                expected = [number for number, turns in texts.items() if queries_rows.contains(turns, query)]
                assert found(corpus, query, stage) == expected, (stage, query)
        for query in (*PIECES[:12], SECRET):  # as it finds them without an index
            assert set(found(corpus, query, stage, indexed=False)) <= set(found(corpus, query, stage))
        for query in ("水壶", SECRET, "absent word"):
            every, further = corpus.rows("a", stage, search=query, limit=200)
            listed = [row["number"] for row in every]
            assert listed == found(corpus, query, stage) and further is None
            behind = corpus.rows("a", stage, search=query, after=60, limit=3).rows
            assert behind == every[sum(n <= 60 for n in listed) :][:3]
    kept = found(corpus, "水壶", state="kept")
    assert kept == [n for n in found(corpus, "水壶") if n in texts] != []


def test_a_changed_bit_of_the_index_hides_no_row_and_is_found_by_the_deep_check(corpus):
    """Most changes are where these very questions read, or in the head of the file."""
    make(corpus)
    path = search.paths(search_index.path_of(corpus.settings.search_folder, corpus.files(["a"])[0].id))[0]
    content, chance = path.read_bytes(), random.Random(5)
    queries = ("水壶", SECRET, "kettle")
    expected = {query: found(corpus, query) for query in queries}
    assert deep_checks.indexes(corpus)[0]
    asked = [bucket for query in queries for bucket in search.wanted(query).tolist()]
    start = len(content) - len(search.build(list(_texts_of(corpus))))  # of the only block
    directory = np.frombuffer(content, dtype=np.uint32, count=2 * (BUCKETS + 1), offset=start + segment.HEAD)
    offsets, places = directory.reshape(-1, 2)[:, 0].tolist(), list[int]()
    for bucket in asked:
        body = start + segment.HEAD + segment.DIRECTORY
        places += range(body + offsets[bucket], body + offsets[bucket + 1])
        places += range(start + segment.HEAD + bucket * 8, start + segment.HEAD + bucket * 8 + 12)
    places = [*chance.choices(places, k=60), *chance.choices(range(start + segment.HEAD), k=20)]
    places += chance.choices(range(len(content)), k=20)
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        assert {query: found(corpus, query) for query in queries} == expected, place
        if place >= start + segment.HEAD:
            is_well, said = deep_checks.indexes(corpus)
            assert not is_well and "corpus index" in said, place
    path.write_bytes(b"")
    assert "cannot be read" in deep_checks.indexes(corpus)[1]
    path.write_bytes(changed)
    make(corpus)
    assert deep_checks.indexes(corpus)[0]


def _texts_of(corpus):
    (want,) = corpus.store.fetch(search_index.wanted)
    return search_index._texts(corpus.store, want, 0)


def test_rows_are_taken_out_of_no_damaged_block_it_goes_as_a_whole(corpus):
    make(corpus)
    path = search.paths(search_index.path_of(corpus.settings.search_folder, corpus.files(["a"])[0].id))[0]
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    corpus.purge("a", [5], reason="request 7")
    assert not path.exists() and found(corpus, SECRET) == []


def test_filters_by_what_a_rule_did_ask_the_index_too(corpus, monkeypatch):
    def numbers(**wanted):
        folder = corpus.settings.search_folder
        page = corpus.store.fetch(
            queries_rows.row_page, "a", Filter(**{"stage": Stage.INGEST, **wanted}), limit=200, index=folder
        )
        return [queries_rows.found_dict("a", row)["number"] for row in page.found]

    questions = (
        {"changed": True},
        {"changed": True, "stage": Stage.CLEAN},
        {"reason": "too_short"},
        {"reason": "absent"},
        {"reason": "too_short", "search": "水壶"},
        {"changed": True, "state": "dropped"},
        {"reason": "exact_duplicate"},
    )
    looked_through = [numbers(**question) for question in questions]
    assert looked_through[0] and looked_through[1] and looked_through[2] and not looked_through[3]
    make(corpus)
    assert [numbers(**question) for question in questions] == looked_through
    monkeypatch.setattr(queries_rows._Look, "through", lambda self, start, stop: stop)  # nothing but the index
    assert [numbers(**question) for question in questions[:6]] == looked_through[:6]


def test_what_is_purged_leaves_the_index_and_that_of_other_machines_too(corpus, tmp_path):
    make(corpus)
    folder = corpus.settings.search_folder
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    assert found(corpus, SECRET) == [5] and named(corpus, folder, SECRET) == [5]
    (folder / "77.idx").write_bytes(b"of a file that was replaced")
    report = corpus.purge("a", [5], reason="request 7")
    assert not (folder / "77.idx").exists()
    assert not any("search index" in left for left in report["left"])
    assert named(corpus, folder, SECRET) == [] and found(corpus, SECRET) == []
    assert groups_of_row(corpus, folder, 5) == 0 < groups_of_row(corpus, folder, 6)
    assert not any(SECRET.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert named(corpus, other, SECRET) == [5]
    (state,) = search_index.states(corpus.store, other)
    assert state.purged == 1 and not state.is_done
    search_index.make(corpus.store, other)
    assert groups_of_row(corpus, other, 5) == 0 and search_index.states(corpus.store, other)[0].is_done


def test_rows_that_are_read_or_cleaned_again_are_looked_through_until_they_are_indexed_again(corpus):
    make(corpus)
    folder = corpus.settings.search_folder
    corpus.redo("a", Stage.CLEAN)
    assert named(corpus, folder, SECRET, Stage.CLEAN) is None and named(corpus, folder, SECRET) == [5]
    corpus.run_stage("a", Stage.CLEAN)
    assert named(corpus, folder, SECRET, Stage.CLEAN) is None and found(corpus, SECRET, Stage.CLEAN) == [5]
    make(corpus)
    assert named(corpus, folder, SECRET, Stage.CLEAN) == [5]
    corpus.redo("a", Stage.INGEST)
    corpus.run_stage("a", Stage.INGEST)
    assert named(corpus, folder, SECRET) is None and found(corpus, SECRET) == [5]
    make(corpus)
    assert named(corpus, folder, SECRET) == [5]


def test_small_files_need_none(corpus, monkeypatch):
    monkeypatch.setattr(search_index, "LEAST_ROWS", 10_000)
    make(corpus)
    assert search_index.states(corpus.store, corpus.settings.search_folder) == [] and found(corpus, SECRET) == [5]


def named(corpus: Corpus, folder: Path, text: str, stage: Stage = Stage.INGEST) -> list[int] | None:
    """What the index alone names; None when it is not to be asked."""
    buckets = search.wanted(text)
    (pair,) = corpus.store.fetch(tasks.current_tasks, ["a"])
    index = corpus.store.fetch(search_index.opened, folder, *pair, with_cleaned=stage is Stage.CLEAN)
    assert buckets is not None
    if index is None:
        return None
    with index:
        return [number for part in index.candidates(buckets, 0) for number in part.numbers or ()]


def groups_of_row(corpus: Corpus, folder: Path, number: int) -> int:
    """How many buckets of an index a row is in."""
    path = search_index.path_of(folder, corpus.files(["a"])[0].id)
    block = path.read_bytes()[128:]
    assert segment.is_sound(block)
    offsets = np.frombuffer(block, dtype=np.uint32, count=2 * (BUCKETS + 1), offset=segment.HEAD)[::2]
    assert int(np.diff(offsets).max()) < SPAN // 8  # so few rows are lists
    body = np.frombuffer(block, dtype=np.uint16, offset=segment.HEAD + segment.DIRECTORY)
    return int((body == number - 1).sum())


# --- the command, and what runs it ---


@pytest.fixture
def large(tmp_path: Path):
    """Forty thousand short rows, ingested: three blocks."""
    source = tmp_path / "a.jsonl"
    source.write_text(
        "".join(f'{{"question": "Number {n:05d}?", "answer": "Yes, {n:05d}."}}\n' for n in range(1, 40_001))
    )
    with small_corpus.opened(tmp_path / "home") as opened:
        opened.add(source, format="question_answer")
        opened.run_stage("a", Stage.INGEST)
        yield opened


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "corpus_pipeline", "index", *arguments]


def environment(corpus: Corpus) -> dict[str, str]:
    return os.environ | {"CORPUS_HOME": str(corpus.settings.home), "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.sqlite
def test_whoever_is_killed_goes_on_where_it_was(large):
    folder = large.settings.search_folder
    path = search.paths(search_index.path_of(folder, large.files(["a"])[0].id))[1]
    first = subprocess.Popen(command(), env=environment(large))
    deadline = time.monotonic() + 60
    while (own := Index.open(path)) is None or not own.blocks:
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    first.wait()
    (state,) = search_index.states(large.store, folder)
    assert SPAN <= state.indexed < 40_000
    assert found(large, "Number 39999") == [39_999] == found(large, "39999", indexed=False)  # behind its end
    second = subprocess.run(command("--json"), env=environment(large), capture_output=True, text=True, check=True)
    assert json.loads(second.stdout)["indexed"] == 40_000
    for number in (1, SPAN, SPAN + 1, 40_000):
        assert number in (named(large, folder, f"number {number:05d}") or ())
        assert found(large, f"number {number:05d}") == [number]


@pytest.mark.sqlite
def test_a_file_that_is_read_again_meanwhile_ends_it_without_a_fault(large):
    folder = large.settings.search_folder
    search_index.make(large.store, folder, told=lambda state: large.redo("a", Stage.INGEST))
    assert search_index.states(large.store, folder) == []  # nothing to index, until it is ingested
    large.run_stage("a", Stage.INGEST)
    search_index.make(large.store, folder)
    assert 20_000 in (named(large, folder, "number 20000") or ())


@pytest.mark.sqlite
def test_it_is_kept_up_beside_the_row_browser(large):
    folder = large.settings.search_folder
    with Indexer(large, look_seconds=0.2):
        deadline = time.monotonic() + 60
        while search_index.is_behind(large.store, folder):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert 20_000 in (named(large, folder, "number 20000") or ())
    shutil.rmtree(folder)
    large.settings = dataclasses.replace(large.settings, index=False)
    with Indexer(large, look_seconds=0.01):
        time.sleep(0.2)
    assert not folder.exists()


@pytest.mark.sqlite
def test_one_indexer_works_at_a_time(tmp_path):
    with small_corpus.opened(tmp_path / "home") as corpus:
        folder = corpus.settings.search_folder
        folder.mkdir(mode=0o700)
        with only_one(folder / "lock", "the indexer", "process 1"):
            refused = subprocess.run(command(), env=environment(corpus), capture_output=True, text=True)
            polite = subprocess.run(command("--polite"), env=environment(corpus), capture_output=True, text=True)
    assert refused.returncode == 2 and "the indexer" in refused.stderr and "process 1" in refused.stderr
    assert polite.returncode == 0
