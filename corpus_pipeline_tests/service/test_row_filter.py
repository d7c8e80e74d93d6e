"""One row search: command, page, JSON twin and Python find the same rows for every condition at every stage, or all refuse."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from corpus_pipeline.cli import cli
from corpus_pipeline.errors import UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.queries import row_filter
from corpus_pipeline.states import Stage
from corpus_pipeline.web import Options, create_app
from corpus_pipeline_tests import small_corpus

WORDS = {
    "state": ("kept", "dropped", "pending", "absent"),
    "reason": ("exact_duplicate", "too_short", "absent"),
    "changed": ("true", "false", "whitespace", "length_bounds", "perhaps"),
    "tag": ("absent",),
    "strategy": ("paraphrase", "absent"),
    "empty": ("true", "false", "yes"),
    "colour": ("red",),
}
PAIRS = [(key, value) for key, values in WORDS.items() for value in values]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory):
    """A corpus with kept, changed, dropped and repeated rows, and rows that a strategy made."""
    folder = tmp_path_factory.mktemp("filters")
    recipe = folder / "filters.yaml"
    recipe.write_text(
        "clean: {rules: [whitespace, {length_bounds: {min_response_characters: 4}}], dedup: {near: false}}\n"
        "augment: {model: corpus-stub, strategies: [paraphrase]}\n"
        "export: {gate: {max_failed: 1000}}\n"
    )
    rows = [
        {"question": f"How many pears are in {n} crates?", "answer": f"There are {n * 12} pears."} for n in range(8)
    ]
    rows += [{"question": "Why?   \n\n\n", "answer": "Because it rains a lot in spring.   "}, rows[2], rows[3]]
    rows += [{"question": "And then?", "answer": "No"}]
    source = small_corpus.write_jsonl(folder / "pears.jsonl", rows)
    with small_corpus.opened(folder / "home") as corpus:
        corpus.add(source, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(corpus, "pears")
        yield corpus


def by_python(corpus: Corpus, stage: Stage, where: dict[str, str], search: str | None) -> list[str] | None:
    try:
        return [row["row"] for row in corpus.rows("pears", stage, where=where, search=search, limit=100).rows]
    except UsageError:
        return None


def by_command(corpus: Corpus, stage: Stage, where: dict[str, str], search: str | None) -> list[str] | None:
    conditions = [f"--where={key}={value}" for key, value in where.items()]
    asked = ["rows", "pears", "--stage", stage.value, *conditions, "--limit", "100", "--json"]
    done = CliRunner().invoke(
        cli, asked + ([f"--search={search}"] if search else []), env={"CORPUS_HOME": str(corpus.settings.home)}
    )
    if isinstance(done.exception, UsageError) or done.exit_code == 2:
        return None
    assert done.exit_code == 0, done.output
    return [json.loads(line)["row"] for line in done.stdout.splitlines()]


def by_page(client: TestClient, stage: Stage, where: dict[str, str], search: str | None) -> list[str] | None:
    query = {"stage": stage.value, "limit": "100", **where} | ({"search": search} if search else {})
    answers = [client.get(f"/files/pears/rows{ending}", params=query) for ending in (".json", "")]
    assert len({answer.status_code for answer in answers}) == 1
    if answers[0].status_code == 400:
        return None
    return [row["row"] for row in answers[0].json()["rows"]]


def test_every_surface_finds_the_same_rows_for_every_condition_at_every_stage(worked: Corpus) -> None:
    client = TestClient(create_app(worked, Options()), base_url="http://127.0.0.1:8787")
    found_some = set()
    for stage in Stage:
        single = [dict([pair]) for pair in PAIRS]
        double = [dict(two) for two in itertools.combinations(PAIRS, 2) if two[0][0] != two[1][0]]
        for where in [{}, *single, *double[:: 1 + len(double) // 25]]:
            for search in (None, "pears"):
                python = by_python(worked, stage, where, search)
                assert python == by_command(worked, stage, where, search) == by_page(client, stage, where, search), (
                    stage,
                    where,
                    search,
                )
                if python and len(where) == 1:
                    found_some.add((stage, *where.items()))
    assert (Stage.INGEST, ("changed", "true")) in found_some
    assert by_python(worked, Stage.CLEAN, {"changed": "whitespace"}, None) == ["pears:9"]
    assert by_python(worked, Stage.INGEST, {"changed": "length_bounds"}, None) == []  # it drops, and changes nothing
    assert (Stage.CLEAN, ("state", "dropped")) in found_some
    assert (Stage.CLEAN, ("reason", "exact_duplicate")) in found_some
    assert (Stage.EXPORT, ("strategy", "paraphrase")) in found_some


def test_the_rows_of_each_stage_are_those_of_its_report(worked: Corpus) -> None:
    (report,) = worked.report("pears", Stage.CLEAN)
    sizes = {
        where: len(worked.rows("pears", Stage.CLEAN, where=dict([where]), limit=100).rows)
        for where in (("state", "kept"), ("state", "dropped"), ("changed", "true"))
    }
    assert sizes["state", "kept"] == report["succeeded"] == len(worked.rows("pears", Stage.CLEAN, limit=100).rows)
    assert sizes["state", "dropped"] == report["dropped"] > 0 < sizes["changed", "true"]
    (export,) = worked.report("pears", Stage.EXPORT)
    assert len(worked.rows("pears", Stage.EXPORT, limit=100).rows) == export["succeeded"]


@pytest.mark.parametrize(
    ("stage", "where", "says"),
    [
        (Stage.INGEST, {"strategy": "x"}, "augment and export"),
        (Stage.AUGMENT, {"state": "kept"}, "ingest and clean"),
        (Stage.CLEAN, {"state": "pending"}, "kept"),
        (Stage.CLEAN, {"colour": "red"}, "Known: "),
        (Stage.CLEAN, {"changed": "perhaps"}, "Known: .*, true, .*whitespace"),
        (Stage.INGEST, {"state": "kept", "reason": "too_short"}, "no row has a reason"),
    ],
)
def test_a_refused_condition_names_what_would_have_a_meaning(stage: Stage, where: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        row_filter.parse(stage, where)


@pytest.mark.parametrize("stage", list(Stage))
def test_the_pairs_of_a_filter_are_read_back(stage: Stage) -> None:
    for key, condition in row_filter.CONDITIONS.items():
        for word in (*(condition.words.get(stage) or ()), *condition.more()[:2]) or (
            ("judge.score>=4" if key == "value" else "word"),
        ):
            if stage in condition.words:
                wanted = row_filter.parse(stage, {key: word})
                assert row_filter.parse(stage, row_filter.pairs(wanted)) == wanted and not wanted.is_open


def test_the_folder_of_the_home_is_not_needed_to_parse(tmp_path: Path) -> None:
    assert row_filter.parse(Stage.EXPORT, {}, "  ").search == "  "
