"""The statements of the row browser on SQLite and on MariaDB: both databases find the same rows."""

from __future__ import annotations

import pytest

from corpus_pipeline.service.queries import progress, row_detail, rows, statistics
from corpus_pipeline.states import Stage
from corpus_pipeline.store.row_queries import Filter, like_pattern
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.web.conftest import RECIPE

ROWS = [
    *(small_corpus.pair(number) for number in range(1, 13)),
    {"question": "ÜBER die Straße, 100% sure_thing! \\ or not", "answer": "Ja, natürlich: über die Brücke.\n#### 1"},
    {"question": "水壶怎么除垢？", "answer": "用柠檬酸和温水浸泡半小时，然后冲洗干净。\n#### 30"},
    {
        "question": "Where  does   the kettle \t stand in the old mill by the river?",
        "answer": "By the door. \n\n\n\nAt the window of the mill.",
    },
    small_corpus.pair(5),
]


@pytest.fixture
def corpus(tmp_path, database_url):
    recipe = tmp_path / "web.yaml"
    recipe.write_text(RECIPE)
    source = small_corpus.write_jsonl(tmp_path / "words.jsonl", ROWS)
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        opened.add(source, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(opened, "words")
        yield opened


def test_both_databases_find_the_same_rows(corpus):
    def numbers(**wanted):
        filter_ = Filter(**{"stage": Stage.INGEST, **wanted})
        page = corpus.store.fetch(rows.row_page, "words", filter_, limit=100)
        assert page.next_after is None
        return [rows.found_dict("words", row)["number"] for row in page.found]

    assert numbers() == list(range(1, 17))
    for text, found in (("über", [13]), ("STRAßE", [13]), ("straße", [13]), ("100%", [13]), ("sure_thing!", [13])):
        assert numbers(search=text) == found, text
    assert numbers(search="\\") == [13] and numbers(search="柠檬酸") == [14] and numbers(search="suresthing") == []
    assert numbers(search="KETTLE", stage=Stage.CLEAN) == [n for n in numbers(search="kettle") if n != 16]
    assert numbers(search="door.\n\n\nA") == [] and numbers(search="door.\n\n\nA", stage=Stage.CLEAN) == [15]
    assert numbers(changed=True) == [15] and numbers(reason="exact_duplicate") == [16] == numbers(state="dropped")
    assert numbers(state="kept", reason="exact_duplicate") == numbers(changed=False, reason="too_short") == []
    assert numbers(state="dropped", changed=False, reason="exact_duplicate") == [16]
    assert len(numbers(changed=False)) == 15 and numbers(state="pending", changed=True) == []
    assert numbers(state="pending") == [] and numbers(state="kept") == numbers(stage=Stage.CLEAN)
    made = numbers(stage=Stage.AUGMENT, strategy="paraphrase")
    assert made == numbers(stage=Stage.AUGMENT) != [] and numbers(stage=Stage.AUGMENT, strategy="none") == []

    fetch = corpus.store.fetch
    story = fetch(row_detail.story, "words", 5)
    assert [twin["number"] for twin in story["duplicates"]["twins"]] == [16]
    assert (story["previous"], story["next"]) == (4, 6)
    assert all(call["prompt"]["same"] for call in story["calls"])
    counted = statistics.file_statistics(corpus.store, "words")
    assert sum(entry["kept"] + entry["dropped"] for entry in counted["lengths"]) == counted["rows"] == 16
    assert counted["clusters"] == [{"size": 2, "clusters": 1}]
    estimated = fetch(statistics.estimate, "words")  # so small a file is looked at as a whole
    same = ("lengths", "turns", "rows", "characters", "drop_reasons")
    assert {key: estimated[key] for key in same} == {key: counted[key] for key in same}
    assert estimated["estimated_from"] == 16 and estimated["clusters"] is None
    assert counted["largest"] == [{"number": 5, "own": True, "repeats": 1}]
    spent = {key: fetch(progress.money, key)["total_usd"] for key in ("day", "consumer", "strategy", "model", "file")}
    assert len({round(total, 9) for total in spent.values()}) == 1
    assert fetch(progress.money, "file")["dearest"][0]["cost_usd"] > 0
    (file,) = fetch(progress.progress)
    assert file["cost_usd"] == pytest.approx(spent["file"]) and file["stages"]["clean"]["per_second"] > 0
    lines = fetch(rows.export_lines, 1, after=0, limit=100)
    assert len(lines["rows"]) == lines["lines"]
    assert fetch(progress.audit_page, limit=1)["entries"][0]["action"] == "add"
    assert fetch(progress.failed_words)["reasons"] == []


def test_a_pattern_holds_no_wildcard_of_the_text():
    assert like_pattern("50%_a!B") == "%50!%!_a!!b%"
    assert like_pattern("é水ß") == "%_水%%"
