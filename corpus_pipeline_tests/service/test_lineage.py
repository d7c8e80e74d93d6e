"""The audit trail of past exports: another version of the file, another recipe, a stage that was started over."""

from __future__ import annotations

import pytest

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.states import Stage
from corpus_pipeline.store.failed_samples import Where
from corpus_pipeline_tests import small_corpus

RECIPE = """
name: {name}
augment:
  model: corpus-stub
  strategies: [{strategy}]
export: {{gate: {{max_failed: 9, max_rejected: 1}}}}
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three exports of `a`: of its first version, of its second one, and of that under another recipe; then a redo."""
    folder = tmp_path_factory.mktemp("tracing")
    recipes = {}
    for name, strategy in (("one", "self_refine"), ("two", "paraphrase")):
        recipes[name] = folder / f"{name}.yaml"
        recipes[name].write_text(RECIPE.format(name=name, strategy=strategy))
    path = folder / "a.jsonl"
    with small_corpus.opened(folder / "home") as opened:
        small_corpus.write_jsonl(path, [small_corpus.pair(n) for n in range(1, 4)])
        opened.acting_as("ann").add(path, recipe=str(recipes["one"]), format="question_answer")
        small_corpus.run_path(opened, "a")
        small_corpus.write_jsonl(path, [b"cut off", *(small_corpus.pair(n) for n in range(4, 6))])
        opened.acting_as("bob").add(path, recipe=str(recipes["one"]), replace=True)
        opened.pause(["a"], None, False, "quota")
        opened.resume(["a"], None, False)
        small_corpus.run_path(opened, "a")
        opened.bind_recipe("a", str(recipes["two"]))
        small_corpus.run_path(opened, "a")
        opened.redo("a", Stage.CLEAN)
        yield opened


def exported(corpus, export: int, line: int, number: int):
    found = corpus.trace("a", line, str(export))
    assert found["export_id"] == export and found["source"]["row"] == number
    return found


def test_a_line_of_a_replaced_file_leads_to_the_version_that_it_was(corpus):
    found = exported(corpus, 1, 6, 3)
    assert (found["row"], found["source"]["version"]) == ("a@1:3/self_refine/0", 1)
    assert [step["redone_at"] for step in found["steps"]] == [None] * 4
    calls = found["steps"][2]["calls"]
    assert len(calls) > 1 and all(call["prompt"]["same"] and call["answer"] for call in calls)
    assert calls[0]["prompt"]["parameters"]["max_output_tokens"] > 0
    forward = corpus.show("a@1:3")
    assert {"export_id": 1, "line": 6} in [{k: e[k] for k in ("export_id", "line")} for e in forward["exported"]]


def test_a_line_that_was_made_under_another_recipe_keeps_its_own_story(corpus):
    second, third = exported(corpus, 2, 2, 2), exported(corpus, 3, 2, 2)
    assert [found["steps"][2]["strategy"] for found in (second, third)] == ["self_refine", "paraphrase"]
    assert second["manifest"]["recipe"]["name"] == "one" and third["manifest"]["recipe"]["name"] == "two"
    assert [person["action"] for person in second["people"]] == ["add", "pause", "resume", "bind", "redo"]
    assert second["people"][0]["who"] == "bob" and second["people"][1]["reason"] == "quota"


def test_what_was_started_over_since_says_so_and_is_still_traced(corpus):
    found = corpus.trace("a", 2)
    clean, augment = found["steps"][1:3]
    assert clean["redone_at"] and clean["state"] is None and augment["redone_at"]
    assert augment["model"] == "corpus-stub" and augment["calls"][-1]["answer"]


def test_an_export_is_found_by_the_digits_of_its_file(corpus):
    digits = corpus.trace("a", 1, "2")["export_sha256"][:12]
    assert corpus.trace("a", 1, digits)["export_id"] == 2
    with pytest.raises(UnknownName):
        corpus.trace("a", 1, "99")
    with pytest.raises(UsageError, match="lines 1 to 6"):
        corpus.trace("a", 7, "1")


def test_a_line_that_became_no_conversation_says_why(corpus):
    assert corpus.show("a:1")["rejected"]["reason"] == "broken_json"
    with pytest.raises(UnknownName, match="a@1"):
        corpus.show("a@7:1")
    assert corpus.failed_samples(Where()) == []
