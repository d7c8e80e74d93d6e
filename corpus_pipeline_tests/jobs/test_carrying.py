"""A recipe is bound to a file that is worked already: what it leaves as it was stays done, with its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.states import Stage
from corpus_pipeline.store import exports
from corpus_pipeline.store.failed_samples import Where
from corpus_pipeline_tests.jobs.conftest import Bench
from corpus_pipeline_tests.torture import small

DONE = {stage.value: "done" for stage in Stage}
EXPORT_OTHERWISE = ("export:\n", "export:\n  include: [augmented]\n")
ASK_OTHERWISE = ("strategies: [paraphrase, self_refine]", "strategies: [paraphrase]")
CLEAN_OTHERWISE = ("threshold: 3", "threshold: 4")


def bind(bench: Bench, name: str = "birds", *changes: tuple[str, str]) -> None:
    text = small.RECIPE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = bench.folder / f"{'otherwise' if changes else 'small'}.yaml"
    path.write_text(text.replace("name: small", f"name: {path.stem}"), encoding="utf-8")
    bench.corpus.bind_recipe(name, str(path))


def words(bench: Bench, name: str = "birds") -> dict[str, str]:
    (state,) = bench.corpus.status([name])
    return {stage: own["status"] for stage, own in state["stages"].items()}


def exported(bench: Bench, name: str = "birds") -> list[bytes]:
    task = bench.corpus.work(name, Stage.EXPORT).task
    place = bench.corpus.store.fetch(exports.places, [task.id])[task.id]
    return Path(place.uri).read_bytes().splitlines()


def test_another_export_leaves_all_else_done_and_makes_no_call(bench: Bench) -> None:
    bench.run_all()
    before, calls = exported(bench), bench.calls()
    failed = [sample["reason"] for sample in bench.corpus.failed_samples(Where(file_name="birds"))]
    bind(bench, "birds", EXPORT_OTHERWISE)
    assert words(bench) == DONE | {"export": "pending"}
    assert bench.problems() == []
    found = bench.corpus.failed_samples(Where(file_name="birds"))
    assert sorted(sample["reason"] for sample in found[: len(failed)]) == sorted(failed)
    bench.run("birds")
    assert words(bench) == DONE and bench.calls() == calls
    after = exported(bench)
    assert 0 < len(after) < len(before) and set(after) < set(before)
    assert bench.problems() == []


@pytest.mark.parametrize(
    ("change", "left"),
    [(ASK_OTHERWISE, (Stage.INGEST, Stage.CLEAN)), (CLEAN_OTHERWISE, (Stage.INGEST,))],
)
def test_only_what_the_change_touches_is_to_do(
    sqlite_bench: Bench, change: tuple[str, str], left: tuple[Stage, ...]
) -> None:
    bench = sqlite_bench
    bench.run_all()
    bind(bench, "birds", change)
    assert {stage for stage, word in words(bench).items() if word == "done"} == {stage.value for stage in left}
    assert bench.problems() == []
    bench.run("birds")
    assert words(bench) == DONE and bench.problems() == []


def test_a_change_that_is_taken_back_was_none(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_all()
    bind(bench, "birds", EXPORT_OTHERWISE)
    bind(bench)
    assert words(bench) == DONE
    assert bench.corpus.incomplete_stages("birds") == []


def test_an_export_that_another_recipe_wrote_over_is_to_do_again(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_all()
    first = exported(bench)
    bind(bench, "birds", EXPORT_OTHERWISE)
    bench.run("birds")
    bind(bench)
    assert words(bench) == DONE | {"export": "pending"}
    assert bench.corpus.incomplete_stages("birds") == [Stage.EXPORT]
    bench.run("birds")
    assert exported(bench) == first


def test_what_happened_under_the_other_recipe_comes_back_with_it(bench: Bench) -> None:
    """Its rows are those that people looked at last, not those of before."""
    bench.run_all()
    bind(bench, "birds", EXPORT_OTHERWISE)
    bench.run("birds")
    bench.corpus.redo("birds", Stage.CLEAN)
    bench.run("birds")
    bind(bench)
    assert words(bench) == DONE | {"export": "pending"}
    assert bench.problems() == []
    bench.run("birds")
    assert words(bench) == DONE and bench.problems() == []


@pytest.mark.parametrize("stage", [Stage.INGEST, Stage.CLEAN, Stage.AUGMENT])
def test_what_was_started_over_is_to_do_whatever_recipe_comes(sqlite_bench: Bench, stage: Stage) -> None:
    bench = sqlite_bench
    bench.run_all()
    first, calls = exported(bench), bench.calls()
    failed = len(bench.corpus.failed_samples(Where(file_name="birds")))
    bind(bench, "birds", EXPORT_OTHERWISE)
    bench.corpus.redo("birds", stage)
    to_do = {one.value: "pending" for one in list(Stage)[list(Stage).index(stage) :]}
    assert words(bench) == DONE | to_do
    if stage is not Stage.INGEST:  # a recipe between the two that says something else
        bind(bench, "birds", CLEAN_OTHERWISE if stage is Stage.CLEAN else ASK_OTHERWISE)
    bind(bench)
    assert words(bench) == DONE | to_do
    assert bench.corpus.incomplete_stages("birds") == list(Stage)[list(Stage).index(stage) :]
    bench.run("birds")
    assert words(bench) == DONE and bench.problems() == []
    assert exported(bench) == first
    assert bench.calls() - calls <= failed, "of the answers that were paid; what failed is asked again"
    bind(bench, "birds", EXPORT_OTHERWISE)
    assert words(bench) == DONE | {"export": "pending"}, "it was asked for once"


def test_a_stage_at_work_is_carried_when_it_is_through(sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = sqlite_bench
    bench.run("birds", to=Stage.CLEAN)
    old = bench.corpus.work("birds", Stage.AUGMENT)
    bind(bench, "birds", EXPORT_OTHERWISE)
    assert words(bench)["augment"] == "pending"
    with monkeypatch.context() as patch:  # a run that was under way when the recipe was bound
        patch.setattr(type(bench.corpus), "work", lambda *_, **__: old)
        patch.setattr(type(bench.corpus), "_look_at_checks", lambda *_: None)
        assert bench.corpus.run_stage("birds", Stage.AUGMENT).worked
    assert words(bench) == DONE | {"export": "pending"}
    assert bench.problems() == []


def test_nobody_is_disturbed(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_all()
    task = bench.corpus.work("birds", Stage.AUGMENT).task
    with holding(bench.corpus.store, task.id, Stage.AUGMENT, 30):
        bind(bench, "birds", EXPORT_OTHERWISE)
        assert words(bench) == DONE | {"augment": "pending", "export": "pending"}
    bench.run("birds")
    assert words(bench) == DONE and bench.problems() == []


def test_what_holds_the_next_stage_holds_it_under_the_new_recipe_too(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_all()
    assert bench.corpus.failed_samples(Where(file_name="birds"))
    bind(bench, "birds", ("max_failed: 100", "max_failed: 0"))
    assert words(bench)["export"] == "blocked"
    bind(bench)
    assert words(bench)["export"] != "blocked"
