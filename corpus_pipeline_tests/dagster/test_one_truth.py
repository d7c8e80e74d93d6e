"""One truth: after any history the command, the pages, the metrics and Dagster say the same of every stage."""

from __future__ import annotations

import random
import re
from collections import Counter
from contextlib import suppress

import dagster as dg
import orjson
import pytest
from click.testing import CliRunner

from corpus_pipeline import llm_stub
from corpus_pipeline.cli import cli
from corpus_pipeline.defs.assets import ASSETS
from corpus_pipeline.defs.checks import ASSETS as ASSET_OF
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.defs.sensors import pause_flags, upstream_versions
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.model import conversation_id
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.queries import metrics, progress
from corpus_pipeline.states import Stage
from corpus_pipeline.store.failed_samples import Where
from corpus_pipeline_tests.dagster.conftest import EVERYTHING, Home, stale, tick

STEPS = 9
ACTS = (
    "run",
    "run",
    "run",
    "run to a stage",
    "pause",
    "resume",
    "spoil",
    "mend",
    "replay",
    "dismiss",
    "redo",
    "limit",
    "recipe",
    "recipe",
    "elsewhere",
    "delete",
)
CHANGES = {  # the first stage that each of them touches
    ("format: same", "format: sharegpt"): Stage.EXPORT,
    ("  - paraphrase\n", "  - paraphrase:\n      min_length_ratio: 0.2\n"): Stage.AUGMENT,
    ("scope: file", "scope: corpus"): Stage.CLEAN,
}


def act(home: Home, model: llm_stub.RunningStub, name: str, chance: random.Random) -> str:
    """One thing that a person or the provider does; returns what."""
    what, corpus = chance.choice(ACTS), home.corpus
    stage = chance.choice(list(Stage))
    with suppress(CorpusError, dg.DagsterExecutionInterruptedError):
        if what.startswith("run") or what == "limit":
            ahead = corpus.incomplete_stages(name, Stage.EXPORT if what == "run" else stage)
            run(home, name, ahead, **({"corpus/limit": "2"} if what == "limit" else {}))
        elif what == "elsewhere":  # by somebody who has another Dagster, or none
            for one in corpus.incomplete_stages(name, stage):
                corpus.run_stage(name, one)
        elif what == "delete":
            corpus.delete_rows([conversation_id(corpus.files([name])[0].id, 1 + chance.randrange(5))], "the test")
        elif what == "pause":
            corpus.pause([name], chance.choice((None, stage)), False, "the test")
        elif what == "resume":
            corpus.resume([], None, True)
        elif what in ("spoil", "mend"):
            model.meet(**({"refusal": 0.5} if what == "spoil" else {}))
        elif what == "replay":
            corpus.replay(Where(file_name=name))
        elif what == "recipe":
            change_recipe(corpus, name, chance)
        elif what == "dismiss":
            corpus.dismiss(Where(file_name=name), "the test")
        else:
            corpus.redo(name, stage)
    return what


def change_recipe(corpus: Corpus, name: str, chance: random.Random) -> None:
    """Bind a recipe that cleans, asks or exports otherwise than the present one: nothing before that is to do again."""
    (old, new), touched = chance.choice(list(CHANGES.items()))
    text = corpus.recipe_of(corpus.files([name])[0]).to_yaml()
    assert (old in text) != (new in text), (old, text)
    changed = text.replace(old, new) if old in text else text.replace(new, old)
    changed = changed.replace("name: default", f"name: {name}")
    path = corpus.settings.home / f"{name}.yaml"
    path.write_text(changed, encoding="utf-8")
    before = said_by_the_command(name)
    corpus.bind_recipe(name, str(path))
    after = said_by_the_command(name)
    for stage in list(Stage)[: list(Stage).index(touched)]:
        if before[stage.value] != "done":
            break
        assert after[stage.value] == "done", (stage, touched, before, after)


def sums_of_money(home: Home) -> dict[str, float]:
    """What was spent, by everybody who says it: over recipes and versions of files."""
    corpus = home.corpus
    shown = {by: sum(float(row["cost_usd"]) for row in corpus.cost(by)) for by in ("file", "consumer", "day", "model")}
    shown["files page"] = sum(file["cost_usd"] for file in corpus.store.fetch(progress.progress))
    text = corpus.store.fetch(metrics.text)
    shown["metrics"] = sum(
        map(float, re.findall(r"^corpus_cost_dollars_total\{[^}]*\} (\S+)", text, flags=re.MULTILINE))
    )
    return shown


def run(home: Home, name: str, stages: list[Stage], **tags: str) -> None:
    if stages:
        dg.materialize(
            list(EVERYTHING),
            selection=[ASSET_OF[stage] for stage in stages],
            partition_key=name,
            instance=home.instance,
            resources={"cursor": CursorResource()},
            raise_on_error=False,
            tags=tags,
        )


def go_on(home: Home, name: str, history: list[str]) -> None:
    """What was paused goes on when no flag is left: a daemon is asked for a run, which does not fail for want of a stage."""
    for _ in range(len(Stage)):
        requests = [one for one in tick(home, pause_flags).run_requests or () if one.partition_key == name]
        if not requests:
            break
        (request,) = requests
        stages = [stage for stage in Stage if dg.AssetKey(ASSET_OF[stage]) in (request.asset_selection or ())]
        run(home, name, stages, **request.tags)
        (newest,) = home.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": name}), limit=1)
        assert newest.tags["corpus/end"] in ("done", "blocked"), (stages, newest.tags, history)
    assert "paused" not in said_by_the_command(name).values(), history


def said_by_the_command(name: str) -> dict[str, str]:
    found = CliRunner().invoke(cli, ["status", name, "--json"])
    (file,) = orjson.loads(found.stdout)["files"]
    return {stage: own["status"] for stage, own in file["stages"].items()}


def said_by_the_pages(home: Home, name: str) -> dict[str, str]:
    (file,) = home.corpus.store.fetch(lambda c: progress.progress(c, [name]))
    return {stage: own["status"] for stage, own in file["stages"].items()}


def counted_by_the_metrics(home: Home) -> Counter[tuple[str, str]]:
    text = home.corpus.store.fetch(metrics.text)
    found = re.findall(r'^corpus_files\{stage="(\w+)",status="(\w+)"\} (\d+)', text, flags=re.MULTILINE)
    return Counter({(stage, status): int(count) for stage, status, count in found})


def agrees_with_dagster(
    home: Home, name: str, words: dict[str, str], history: list[str], seen: dict[str, str | None]
) -> None:
    """After a tick of the sensor, what is done is fresh, and what is to do is missing or stale: Dagster's own words."""
    seen["cursor"] = tick(home, upstream_versions, seen.get("cursor")).cursor
    for stage in Stage:
        word, why = stale(home, ASSETS, ASSET_OF[stage], name)
        assert (word == "FRESH") == (words[stage.value] == "done"), (stage, word, why, words, history)
    runs = home.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": name}), limit=1)
    if history[-1] == "run" and runs and words["export"] == "blocked":
        assert runs[0].status is dg.DagsterRunStatus.FAILURE, history
    if history[-1] == "run" and "paused" in words.values():
        assert runs[0].tags["corpus/end"] == "paused", history


@pytest.fixture(scope="module")
def seen() -> dict[str, str | None]:
    """The cursor of the sensor."""
    return {}


@pytest.mark.parametrize("seed", range(6))
def test_all_who_are_asked_say_the_same(
    home: Home, model: llm_stub.RunningStub, seed: int, seen: dict[str, str | None]
) -> None:
    chance, name = random.Random(seed), home.add(f"truth_{seed}", rows=5)
    history = [f"seed {seed}"]
    try:
        for _ in range(STEPS):
            history.append(act(home, model, name, chance))
            words = said_by_the_command(name)
            assert said_by_the_pages(home, name) == words, history
            counted = Counter(
                (stage, own["status"]) for file in home.corpus.status() for stage, own in file["stages"].items()
            )
            assert counted_by_the_metrics(home) == counted, history
            agrees_with_dagster(home, name, words, history, seen)
            spent = sums_of_money(home)
            assert list(spent.values()) == pytest.approx([spent["file"]] * len(spent), abs=1e-9), (spent, history)
            held = home.corpus.status([name])[0]["stages"]["export"]
            assert held["status"] != "blocked" or held["reason"], history
    finally:
        model.meet()
        home.corpus.resume([], None, True)
    go_on(home, name, history)
    home.corpus.replay(Where(file_name=name))
    for _ in range(2):
        home.corpus.dismiss(Where(file_name=name), "the end")
        run(home, name, home.corpus.incomplete_stages(name))
    assert set(said_by_the_command(name).values()) == {"done"}, history
