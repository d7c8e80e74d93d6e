"""Tasks of a recipe's own in whole runs: their order, what is kept, replays, purges, and what a change costs."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import yaml

from corpus_pipeline.cli.value_words import values_line
from corpus_pipeline.errors import Interrupted, UsageError
from corpus_pipeline.jobs.augment import reading
from corpus_pipeline.model import AugmentedRow, ConversationId
from corpus_pipeline.stages.augment.strategies import TASKS
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants, row_values
from corpus_pipeline.store.failed_samples import Where

TOPIC = {
    "label": "topic",
    "template": {"system": "Sort it.", "user": "{{ prompt }}"},
    "output": {"labels": ["water", "plants"]},
    "makes": "tag",
}
ANSWER = {"label": "short", "samples": 2, "template": {"system": "Answer in a word.", "user": "{{ prompt }}"}}
QUALITY = {
    "label": "quality",
    "samples": 2,
    "inputs": {"topic": "topic.label", "answer": "short.response"},
    "template": {"system": "Rate it.", "user": "{{ prompt }} {{ topic }} {{ answer }}"},
    "output": "score",
}


def tasks(*params: dict[str, Any]) -> list[Any]:
    return [{"prompt": one} for one in params]


def values(kit: Any, label: str) -> dict[tuple[int, int, str], Any]:
    found = kit.rows_of(
        "SELECT conversation_id, sample_index, name, value FROM row_values WHERE strategy = :s", s=label
    )
    return {(row[0] & 0xFFFFFFFF, row[1], row[2]): orjson.loads(row[3]) for row in found}


def test_a_task_reads_what_others_made_whatever_the_order_in_the_recipe(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(7, strategies=tasks(QUALITY, ANSWER, TOPIC), batch_size=2)
    report = kit.run().report
    assert (report["succeeded"], report["failed"], report["skipped"]) == (35, 0, 0)
    topics, scores = values(kit, "topic"), values(kit, "quality")
    assert len(topics) == 7 and {value for value in topics.values()} <= {"water", "plants"}
    assert {sample for _, sample, _ in scores} == {0, 1} and all(
        1 <= scores[key] <= 5 for key in scores if key[2] == "score"
    )
    assert kit.one("SELECT COUNT(*) FROM augmented_turns WHERE strategy = 'short'") == 14
    assert kit.one("SELECT COUNT(*) FROM augmented_turns WHERE strategy IN ('topic', 'quality')") == 0
    assert kit.corpus.store.fetch(invariants.violations) == []
    kit.books_agree()
    before = len(kit.invoice())
    assert not kit.run().worked and len(kit.invoice()) == before


def test_what_a_task_says_is_shown_found_by_tag_and_selects_the_export(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(8, strategies=tasks(TOPIC))
    kit.run()
    topics = {row: value for (row, _, _), value in values(kit, "topic").items()}
    shown = kit.corpus.show("rows:1")
    assert [(one["strategy"], one["name"], one["value"], one["tag"]) for one in shown["values"]] == [
        ("topic", "label", topics[1], topics[1])
    ]
    found = kit.corpus.rows("rows", Stage.CLEAN, where={"tag": "water"}).rows
    assert [row["number"] for row in found] == [row for row, topic in sorted(topics.items()) if topic == "water"]
    call = shown["calls"][0]
    assert call["strategy"] == "topic" and call["cost_usd"] > 0


def test_a_prompt_of_a_task_that_reads_others_is_rendered_again_as_it_was_sent(make_kit: Any) -> None:
    from corpus_pipeline.service.queries.row_detail import story

    kit = make_kit()
    kit.add(2, strategies=tasks(TOPIC, ANSWER, QUALITY))
    kit.run()
    calls = kit.corpus.store.fetch(lambda c: story(c, "rows", 1))["calls"]
    assert len(calls) == 5 and all(call["prompt"]["same"] for call in calls)


def test_a_failure_parks_what_reads_it_and_both_are_replayed_in_order(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(4, strategies=tasks(QUALITY, ANSWER, TOPIC), answer_retries=0, completion={"tolerated_failures": 0.99})
    kit.run()
    reasons = [sample["reason"] for sample in kit.corpus.failed_samples(Where())]
    assert sorted(reasons) == ["no_input"] * 8 + ["refused"] * 12
    paid = len(kit.invoice())
    kit.stub.meet()
    assert len(kit.corpus.replay(Where())) == 20
    report = kit.run().report
    assert (report["succeeded"], report["failed"]) == (20, 0)
    assert len(kit.invoice()) == paid + 20 and len(values(kit, "quality")) == 16
    assert kit.corpus.store.fetch(invariants.violations) == []
    kit.books_agree()


def test_what_a_task_left_alone_is_left_alone_by_those_that_read_it(make_kit: Any) -> None:
    kit = make_kit()
    picky = TOPIC | {"first": {"rule": {"field": "prompt", "matches": "bed [12] "}}}
    read = {"label": "why", "inputs": {"t": "topic.label"}, "template": {"user": "{{ t }}: {{ prompt }}"}}
    kit.add(5, strategies=tasks(read, picky))
    report = kit.run().report
    assert [(s["strategy"], s["error"]) for s in kit.corpus.failed_samples(Where())] == []
    assert (report["succeeded"], report["skipped"]) == (4, 6)
    assert kit.corpus.failed_samples(Where()) == []
    assert report["skip_reasons"] == {"cascade": 3, "no_input": 3}


def test_only_what_a_change_touches_is_paid_again(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(6, strategies=tasks(TOPIC, ANSWER, QUALITY))
    kit.run()
    paid = len(kit.invoice())
    louder = QUALITY | {"template": {"system": "Rate it well.", "user": "{{ prompt }} {{ topic }} {{ answer }}"}}
    kit.rebind(strategies=tasks(TOPIC, ANSWER, louder))
    kit.run()
    assert 0 < len(kit.invoice()) - paid <= 12
    assert not [line for line in kit.invoice()[paid:] if line["outcome"] != "answered"]


def test_tasks_go_by_provider_batch_in_their_order(make_kit: Any) -> None:
    kit = make_kit()
    by_batch = {"provider_batch": True}
    kit.add(3, strategies=tasks(QUALITY | by_batch, ANSWER, TOPIC | by_batch), batch_poll_seconds=0.05)
    report = kit.run().report
    assert (report["succeeded"], report["failed"]) == (15, 0)
    assert len(values(kit, "quality")) == 12
    kit.books_agree()


def test_a_purged_row_takes_its_values_along(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=tasks(TOPIC))
    kit.run()
    kit.corpus.purge("rows", [2], reason="asked to")
    assert {row for row, _, _ in values(kit, "topic")} == {1, 3}
    assert kit.corpus.store.fetch(invariants.violations) == []


def test_values_are_no_rows_of_the_export(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=tasks(TOPIC, QUALITY | {"samples": 1, "inputs": {}, "template": {"user": "{{ response }}"}}))
    kit.run()
    kit.corpus.run_stage("rows", Stage.EXPORT)
    report = kit.corpus.report("rows", Stage.EXPORT)[0]
    assert report["total"] == 3 and report["succeeded"] == 3


def test_the_best_of_several_go_out_and_all_others_are_counted(make_kit: Any) -> None:
    kit = make_kit()
    answer = {"label": "short", "samples": 3, "template": {"system": "Answer.", "user": "{{ prompt }}"}, "seed": 1}
    judge = QUALITY | {"samples": 3, "inputs": {"answer": "short.response"}, "template": {"user": "{{ answer }}"}}
    kit.add(5, strategies=tasks(answer, judge))
    recipe = kit.folder / "engine.yaml"
    select = {"rows": "short", "value": "quality.score", "at_least": 2, "best": 1}
    recipe.write_text(yaml.safe_dump(yaml.safe_load(recipe.read_text()) | {"export": {"select": [select]}}))
    kit.corpus.bind_recipe("rows", str(recipe))
    for stage in Stage:
        kit.corpus.run_stage("rows", stage)
    scores = {(row, n): value for (row, n, name), value in values(kit, "quality").items() if name == "score"}
    best = {row: max(scores[row, n] for n in range(3)) for row in range(1, 6)}
    report = kit.corpus.report("rows", Stage.EXPORT)[0]
    good = sum(score >= 2 for score in best.values())
    assert report["account"]["exported"] == 5 + good and report["account"]["left_out"] == 15 - good
    assert report["account"]["balanced"] and report["account"]["rows_in"] == 20
    manifest = kit.corpus.target.manifest("rows")
    assert manifest["left_behind"] == {"quality.score": 15 - good}
    assert manifest["rows_by_origin"] == {"cleaned": 5} | ({"short": good} if good else {})


def test_values_are_searched_shown_in_lists_and_summed_up(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(9, strategies=tasks(TOPIC, QUALITY | {"samples": 1, "inputs": {}, "template": {"user": "{{ response }}"}}))
    kit.run()
    scores = {row: value for (row, _, name), value in values(kit, "quality").items() if name == "score"}
    for sign, holds in ((">=", int.__ge__), ("<", int.__lt__), ("=", int.__eq__), ("!=", int.__ne__)):
        found = kit.corpus.rows("rows", Stage.CLEAN, where={"value": f"quality.score{sign}3"}).rows
        assert [row["number"] for row in found] == [row for row, score in sorted(scores.items()) if holds(score, 3)]
        assert all(row["values"]["quality.score"] == scores[row["number"]] for row in found)
    words = kit.corpus.rows("rows", Stage.CLEAN, where={"value": "topic.label = water"}).rows
    assert {row["values"]["topic.label"] for row in words} <= {"water"}
    report = kit.report()["values"]
    assert report["quality.score"] == {
        "rows": 9,
        "mean": sum(scores.values()) / 9,
        "min": min(scores.values()),
        "max": max(scores.values()),
    }
    assert sum(report["topic.label"]["words"].values()) == 9
    for wrong in ("quality", "quality.score>=high", "quality.score ~ 3"):
        with pytest.raises(UsageError):
            kit.corpus.rows("rows", Stage.CLEAN, where={"value": wrong})


def test_free_texts_are_not_summed_up_as_if_they_were_labels(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(12, strategies=[])
    store, task = kit.corpus.store, kit.corpus.work("rows", Stage.AUGMENT).task
    made = [
        AugmentedRow(ConversationId(n), "t", 0, (), {"note": f"number {n}", "label": "odd" if n % 2 else "even"})
        for n in range(1, 13)
    ]
    store.write(lambda c: row_values.insert(c, store.backend, task.id, made))
    assert store.fetch(row_values.counts, task.id) == {"t.label": {"rows": 12, "words": {"even": 6, "odd": 6}}}


def test_a_judge_that_always_says_the_same_is_named() -> None:
    assert "tells nothing apart" in values_line("quality.score", {"rows": 30, "mean": 5.0, "min": 5.0, "max": 5.0})
    assert "tells nothing apart" in values_line("topic.label", {"rows": 30, "words": {"a": 30}})
    assert "tells nothing" not in values_line("quality.score", {"rows": 30, "mean": 4.0, "min": 1.0, "max": 5.0})
    assert "tells nothing" not in values_line("quality.score", {"rows": 3, "mean": 5.0, "min": 5.0, "max": 5.0})


def test_an_estimate_counts_tasks_before_what_they_read_is_there(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(4, strategies=tasks(TOPIC, ANSWER, QUALITY))
    lines = {line["strategy"]: line for line in kit.corpus.estimate("rows")["strategies"]}
    assert {label: line["calls"] for label, line in lines.items()} == {"topic": 4, "short": 8, "quality": 8}


def test_the_tasks_with_a_template_of_ours_run_against_the_stand_in(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=[kind.name for kind in TASKS], completion={"tolerated_failures": 0.99})
    report = kit.run().report
    failed = [(one["strategy"], one["error"]) for one in kit.corpus.failed_samples(Where())]
    assert failed == [] and report["succeeded"] == 3 * (len(TASKS) - 1)
    assert report["skip_reasons"] == {"no_final_answer": 3}, "these answers have no end that a program could check"
    assert kit.one("SELECT COUNT(*) FROM augmented_turns WHERE data_rejected IS NOT NULL") == 6
    assert kit.corpus.store.fetch(invariants.violations) == []
    kit.books_agree()


def test_pairs_and_continuations_run_against_the_stand_in(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(6, strategies=[{"best_and_worst": {"candidates": 3}}, {"continuation": {"exchanges": 2}}])
    lines = {line["strategy"]: line["calls"] for line in kit.corpus.estimate("rows")["strategies"]}
    assert 36 <= lines["best_and_worst"] <= 38 and 24 <= lines["continuation"] <= 26, "a few are asked twice"
    report = kit.run().report
    assert kit.corpus.failed_samples(Where()) == []
    assert report["succeeded"] + report["skipped"] == 12 and set(report["skip_reasons"]) <= {"no_difference"}
    assert len(kit.invoice()) == 60
    pairs = report["succeeded"] - 6
    assert kit.one("SELECT COUNT(*) FROM augmented_turns WHERE data_rejected IS NOT NULL") == pairs
    assert kit.one("SELECT COUNT(*) FROM augmented_turns WHERE strategy = 'continuation'") == 18
    assert kit.corpus.store.fetch(invariants.violations) == []
    kit.books_agree()


def test_tools_are_called_in_new_rows(make_kit: Any) -> None:
    kit = make_kit()
    tools = [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}]
    path = kit.folder / "tools.jsonl"
    messages = [{"role": "user", "content": "When is high water?"}, {"role": "assistant", "content": "At noon."}]
    path.write_bytes(orjson.dumps({"messages": messages, "tools": tools}) + b"\n")
    kit.corpus.add(path, name="tools", recipe=kit.recipe(strategies=["tool_calls"]))
    for stage in Stage:
        kit.corpus.run_stage("tools", stage)
    (line,) = [one for one in kit.corpus.target.manifest("tools")["files"] if one["path"].endswith(".jsonl")][:1]
    assert line["lines"] == 2 and kit.corpus.report("tools", Stage.EXPORT)[0]["account"]["balanced"]


def test_numbers_that_no_column_holds_do_not_end_the_job(make_kit: Any) -> None:
    made = AugmentedRow(ConversationId(1), "t", 0, (), {"a": float("nan"), "b": 10**400, "c": float("inf"), "d": 3})
    kit = make_kit()
    store = kit.corpus.store
    kit.add(1, strategies=[])
    task = kit.corpus.work("rows", Stage.AUGMENT).task
    store.write(lambda c: row_values.insert(c, store.backend, task.id, [made]))
    assert kit.rows_of("SELECT name, number FROM row_values ORDER BY name") == [
        ("a", None),
        ("b", None),
        ("c", None),
        ("d", 3),
    ]


def test_the_samples_of_all_groups_of_a_graph_count_for_the_reader_of_answers(
    make_kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"samples": 1, "inputs": {"topic": "topic.label"}, "template": {"user": "{{ prompt }} {{ topic }}"}}
    kit = make_kit()
    kit.add(10, strategies=tasks(TOPIC, ANSWER | short, QUALITY | {"samples": 1}))
    monkeypatch.setattr(reading, "_FROM_SAMPLES", 30)  # as many as all three tasks have together
    real, told = reading.is_worth_it, list[tuple[list[str], bool]]()

    def looked_at(held: Any, plan: Any) -> bool:
        told.append((sorted(plan), real(held, plan)))
        return False  # no process is started here: `llm/test_reader.py` does that

    monkeypatch.setattr(reading, "is_worth_it", looked_at)
    with pytest.raises(Interrupted):
        kit.run(limit=9)
    assert told == [(["topic"], False), (["short"], False), (["quality"], False)], "no more than 27 were asked for"
    told.clear()
    kit.run()  # a single sample is left of each, and the stage has as much to lose as before
    assert told == [(["topic"], True), (["short"], True), (["quality"], True)]
