"""The failed-sample queue: replays are new attempts with the history kept, and are paid once."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.errors import GateRefused, ProviderRefused, UsageError
from corpus_pipeline.states import FailedState, Status
from corpus_pipeline.store.failed_samples import Where


def states(kit: Any) -> dict[str, int]:
    return dict(tuple(row) for row in kit.rows_of("SELECT state, COUNT(*) FROM failed_samples GROUP BY state"))


def test_a_failed_sample_holds_all_that_is_needed_to_judge_it(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(1, strategies=["paraphrase"], answer_retries=1)
    kit.run()
    (sample,) = kit.corpus.failed_samples(Where())
    assert sample["reason"] == "refused" and sample["attempts"] == 2
    assert "bed 1 " in str(sample["prompt"]) and "corpus-stub" in str(sample["answer"])
    assert sample["model"] == "corpus-stub" and sample["error"]
    shown = kit.corpus.failed_sample(sample["id"])
    assert shown["input"][0]["response"].startswith("With a can")
    assert [(call["attempt"], call["rejected"], call["model"]) for call in shown["calls"]] == [
        (1, "refused", "corpus-stub"),
        (2, "refused", "corpus-stub"),
    ]
    assert all(call["cost_usd"] > 0 and call["at"] for call in shown["calls"])


def test_a_replay_from_another_model_resolves_and_is_paid_once(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(12, strategies=["paraphrase"], answer_retries=0)
    kit.run()
    assert states(kit) == {"open": 12}
    assert kit.status()["failed"] == 12
    paid = len(kit.invoice())

    kit.stub.meet()
    one = kit.corpus.replay(Where(ids=(1,)))
    rest = kit.corpus.replay(Where(file_name="rows", strategy="paraphrase"), {"model": "corpus-stub-mini"})
    assert (one, len(rest)) == ([1], 11)
    assert kit.corpus.replay(Where()) == [], "what waits for its replay is not replayed twice"
    report = kit.run().report
    assert (report["succeeded"], report["failed"], report["open_failed_samples"]) == (12, 0, 0)
    assert states(kit) == {"resolved": 12}
    assert kit.status()["failed"] == 0, "as the report says"
    assert len(kit.invoice()) == paid + 12
    assert kit.one("SELECT COUNT(*) FROM augmented_rows WHERE model = 'corpus-stub-mini'") == 11
    assert kit.one("SELECT MAX(attempt) FROM llm_attempts") == 2, "the history of a sample goes on"
    kit.books_agree()

    assert kit.corpus.replay(Where()) == []
    assert not kit.run().worked
    assert len(kit.invoice()) == paid + 12


def test_a_replay_that_fails_is_open_again_with_its_attempts_added(make_kit: Any) -> None:
    kit = make_kit(faults={"cut": 1.0})
    kit.add(3, strategies=["paraphrase"], answer_retries=0)
    kit.run()
    kit.corpus.replay(Where(reason="cut"), {"max_output_tokens": 900})
    kit.run()
    assert states(kit) == {"open": 3}
    assert {sample["attempts"] for sample in kit.corpus.failed_samples(Where())} == {2}
    assert kit.corpus.dismiss(Where(model="corpus-stub"), "not worth it") == [1, 2, 3]
    assert states(kit) == {FailedState.DISMISSED.value: 3}


def test_a_stage_below_its_success_threshold_is_not_done(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 0.5})
    kit.add(
        20, strategies=["paraphrase"], answer_retries=0, completion={"min_success": 0.9, "tolerated_failures": 0.95}
    )
    with pytest.raises(GateRefused, match="of 20 samples succeeded"):
        kit.run()
    assert kit.status()["status"] == "blocked"
    kit.stub.meet()
    kit.corpus.replay(Where(state="open"))
    outcome = kit.run()
    assert outcome.status is Status.DONE and outcome.report["succeeded"] == 20


def test_the_report_holds_a_sample_for_review_that_is_the_same_every_time(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(40, strategies=["paraphrase"], completion={"review_sample": 6})
    review = kit.run().report["review"]
    assert len(review) == 6 and review == kit.report()["review"]
    assert len({entry["row"] for entry in review}) == 6
    rows = [int(entry["row"].partition(":")[2]) for entry in review]
    assert rows != sorted(rows), "a sample from the beginning is no random one"
    assert all(entry["before"] != entry["after"] and entry["model"] == "corpus-stub" for entry in review)


def test_the_prompt_behind_a_replay_with_another_limit_is_kept(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(2, strategies=["paraphrase"], answer_retries=0)
    kit.run()
    kit.stub.meet()
    kit.corpus.replay(Where(), {"max_output_tokens": 900})
    assert kit.run().report["succeeded"] == 2
    assert kit.one("SELECT COUNT(*) FROM prompts") == 2
    assert kit.one("SELECT COUNT(*) FROM augmented_rows a JOIN prompts p ON p.version = a.prompt_version") == 2


def test_a_replay_that_could_not_be_asked_is_refused_before_it_stops_the_file(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(2, strategies=[{"paraphrase": {"label": "first"}}, "paraphrase"], answer_retries=0)
    kit.run()
    for overrides, said in (({"max_output_tokens": 0}, "max_output_tokens"), ({"model": "nobody-knows"}, "price of")):
        with pytest.raises(UsageError, match=said):
            kit.corpus.replay(Where(), overrides)
    assert states(kit) == {"open": 4}


def test_a_replay_is_asked_for_anew_until_it_ran_and_each_strategy_keeps_its_own_name(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(1, strategies=[{"paraphrase": {"label": "first", "temperature": 0.1}}, "paraphrase"], answer_retries=0)
    kit.run()
    ids = tuple(row.id for row in kit.rows_of("SELECT id FROM failed_samples WHERE strategy = 'paraphrase'"))
    kit.stub.meet(model_not_found=1.0)
    assert kit.corpus.replay(Where(ids=ids), {"model": "gpt-4o"}) == list(
        ids
    )  # which the provider turns out not to have
    with pytest.raises(ProviderRefused):
        kit.run()
    kit.stub.meet()
    assert kit.corpus.replay(Where(ids=ids), {"model": "corpus-stub-mini"}) == list(ids)
    kit.run()
    made = kit.rows_of("SELECT strategy, model FROM augmented_rows")
    assert [tuple(row) for row in made] == [("paraphrase", "corpus-stub-mini")]
    assert states(kit) == {"open": 1, "resolved": 1}


def test_what_failed_under_an_earlier_recipe_waits_for_nobody(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(3, strategies=["paraphrase"], answer_retries=0)
    kit.run()
    kit.rebind(strategies=[{"paraphrase": {"temperature": 0.1}}], answer_retries=0)
    assert kit.corpus.failed_samples(Where()) == []
    assert (
        kit.corpus.replay(Where())
        == kit.corpus.replay(Where(ids=(1,)))
        == kit.corpus.dismiss(Where(ids=(1,)), "t")
        == []
    )
    kit.run()
    assert [sample["id"] for sample in kit.corpus.failed_samples(Where())] == [4, 5, 6]
    assert kit.corpus.failed_sample(1)["state"] == "open", "its history is kept"


def test_a_replay_of_a_row_whose_batch_is_not_finished_is_made_and_paid_once(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(latency="fixed:0.3", faults={"refusal": 1.0})
    kit.add(4, strategies=["paraphrase"], answer_retries=0, concurrency=1)
    with kit.running() as background:
        wait_until(lambda: states(kit))
        background.stop.set("stopped in the middle of a batch")
    failed = sum(states(kit).values())
    assert 0 < failed < 4 and kit.one("SELECT MAX(processed_rows) FROM execution_cursors WHERE stage = 'augment'") == 0
    paid = len(kit.invoice())
    kit.stub.meet()
    kit.corpus.replay(Where(), {"model": "corpus-stub-mini"})
    assert kit.run().report["succeeded"] == 4
    assert len(kit.invoice()) == paid + 4
    assert kit.one("SELECT COUNT(*) FROM augmented_rows WHERE model = 'corpus-stub-mini'") == failed
    kit.books_agree()


def test_an_answer_for_a_larger_limit_is_used_again_where_the_cut_one_is_known(make_kit: Any) -> None:
    kit = make_kit(faults={"cut": 1.0})
    kit.add(4, strategies=["paraphrase"], answer_retries=0)
    kit.run()
    kit.stub.meet()
    kit.corpus.replay(Where(reason="cut"))
    assert kit.run().report["succeeded"] == 4
    keys = kit.rows_of("SELECT DISTINCT request_key FROM llm_attempts")
    assert len(keys) == 8, "a limit that cut an answer is not asked with again"

    paid = len(kit.invoice())
    kit.rebind(strategies=["paraphrase"], answer_retries=2, completion={"review_sample": 3})
    assert kit.run().report["succeeded"] == 4
    assert len(kit.invoice()) == paid, "the second recipe asks the same"
    kit.books_agree()
