"""From a recipe's steps to strategies."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from corpus_pipeline.errors import BadAnswer, UnknownName, UsageError
from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.augment.strategies import (
    STRATEGIES,
    accept,
    build,
    prompt_version,
    templates_code_hash,
    warm_up,
)
from corpus_pipeline.stages.augment.strategies.paraphrase import Paraphrase
from corpus_pipeline.stages.augment.validators.content import stems
from corpus_pipeline.stages.augment.validators.subject import Neighbours

OWN = "Rewrite it in the manner of a pirate.\n=== user ===\nThe message:\n{{ source_prompt }}"


def steps(*named: Any) -> list[NamedStep]:
    return [NamedStep.parse(step) for step in named]


def test_a_recipe_names_its_strategies() -> None:
    built = build(steps("translation", {"paraphrase": {"model": "own", "samples": 3}}), "default")
    assert [(s.label, s.model, s.samples) for s in built] == [("translation", "default", 1), ("paraphrase", "own", 3)]


def test_one_strategy_may_come_twice_under_two_labels() -> None:
    french, german = ({"translation": {"target_language": code, "label": f"to-{code}"}} for code in ("fr", "de"))
    assert [s.label for s in build(steps(french, german), "m")] == ["to-fr", "to-de"]
    with pytest.raises(UsageError, match="two strategies are called 'to-fr'"):
        build(steps(french, french), "m")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="did you mean 'paraphrase'"):
        build(steps("parafrase"), "m")
    with pytest.raises(UnknownName, match="numbers_kept"):
        build(steps({"paraphrase": {"without": ["numbers"]}}), "m")
    with pytest.raises(UnknownName, match="Known: feedback, refine"):
        build(steps({"self_refine": {"template": {"feed": OWN}}}), "m")


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("paraphrase", {"temprature": 1}, "did you mean 'temperature'"),
        ("paraphrase", {"temperature": 3}, "temperature"),
        ("paraphrase", {"samples": 0}, "samples"),
        ("paraphrase", {"label": "Not A Label"}, "label"),
        ("translation", {"target_language": "klingon"}, "unknown language 'klingon'"),
        ("evol_instruct", {"operations": ["explode"]}, "operations"),
        ("evol_instruct", {"operations": []}, "operations"),
        ("self_refine", {"template": OWN}, "give `template` by step"),
    ],
)
def test_wrong_parameters_are_said(name: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build(steps({name: params}), "m")


def test_no_recipe_can_switch_off_what_keeps_empty_answers_out() -> None:
    for validator in ("finished", "not_empty"):
        for way in ("without", "tag_only"):
            with pytest.raises(UsageError, match="whole and not empty"):
                build(steps({"paraphrase": {way: [validator]}}), "m")


def test_a_validator_can_be_switched_off_or_made_a_tag(kit: Any) -> None:
    row, answer = (
        kit.row(),
        kit.answer({"prompt": "How many rolls does the baker sell, 49 in the morning and half of it later?"}),
    )
    with pytest.raises(BadAnswer) as refused:
        accept(kit.strategy("paraphrase"), row, (answer,))
    assert refused.value.validator == "numbers_kept"
    assert accept(kit.strategy("paraphrase", without=["numbers_kept"]), row, (answer,)).tags == ()
    tagged = accept(kit.strategy("paraphrase", tag_only=["numbers_kept"]), row, (answer,))
    assert tagged.tags == ("invalid:numbers_kept",)


def test_a_regenerated_answer_off_its_subject_is_tagged_and_a_recipe_can_make_it_a_refusal(kit: Any) -> None:
    row = kit.row(Turn(prompt="Why do bakers knead dough?", response="Kneading builds gluten, which traps the gas."))
    text = "Glaciers carve broad valleys while creeping downhill, grinding bedrock."
    tagged = accept(kit.strategy("response_regeneration"), row, (kit.answer(text),))
    assert tagged.tags == ("invalid:on_subject",)
    with pytest.raises(BadAnswer) as refused:
        accept(kit.strategy("response_regeneration", tag_only=[]), row, (kit.answer(text),))
    assert refused.value.validator == "on_subject"


def test_an_answer_to_another_row_of_the_file_is_refused(kit: Any) -> None:
    dough = Turn(prompt="Why do bakers knead dough?", response="Kneading builds gluten, which traps the gas.")
    ice = Turn(
        prompt="How do glaciers shape valleys?",
        response="Glaciers creep downhill and grind the bedrock until a broad valley is left.",
    )
    rows = [Conversation(number, (turn,), "{}") for number, turn in enumerate((dough, ice), 1)]
    strategy = kit.strategy("response_regeneration")
    for row in rows:
        strategy.neighbours.add(row)
    stray = kit.answer("Glaciers carve broad valleys while creeping downhill, grinding bedrock.")
    with pytest.raises(BadAnswer, match="is about row 2") as refused:
        accept(strategy, rows[0], (stray,))
    assert refused.value.validator == "on_own_row"
    assert accept(strategy, rows[1], (stray,)).tags == ()


def test_only_the_newest_neighbours_are_remembered() -> None:
    neighbours = Neighbours(most=2)
    for number, subject in enumerate(("copper kettles whistle", "marble statues crumble", "violet orchids wither"), 1):
        neighbours.add(Conversation(number, (Turn(prompt=subject, response=subject),), "{}"))
    assert neighbours.owner(stems("copper kettles whistle"), other_than=9) is None
    assert neighbours.owner(stems("violet orchids wither"), other_than=9) == 3
    assert neighbours.owner(stems("violet orchids wither"), other_than=3) is None


def test_an_own_template_takes_the_place_of_the_bundled_one(kit: Any) -> None:
    strategy = kit.strategy("paraphrase", template=OWN)
    system, user = (message["content"] for message in strategy.next_request(kit.row()).messages)
    assert system == "Task: paraphrase\nStep: rewrite\n\nRewrite it in the manner of a pirate."
    assert user.startswith("The message:\n[[begin source_prompt ")
    assert user.endswith("\n\nOutput: json prompt")


def test_one_step_may_have_an_own_template_and_the_others_the_bundled_one(kit: Any) -> None:
    own = "Be harsh.\n=== user ===\n{{ source_prompt }}\n{{ source_response }}"
    strategy = kit.strategy("self_refine", template={"feedback": own})
    first = strategy.next_request(kit.row())
    second = strategy.next_request(kit.row(), (kit.answer("Shorter."),))
    assert first.messages[0]["content"].endswith("Be harsh.")
    assert "You improve the answer" in second.messages[0]["content"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("no second part", "the line '=== user ===' between system part and user part is missing"),
        ("{{ source_prompt }}\n=== user ===\n{{ source_prompt }}", "'source_prompt' is undefined"),
        ("a\n=== user ===\nnothing of the row", "does not show source_prompt"),
        ("a\n=== user ===\n{{ source_prompt|upper }}", "does not show source_prompt"),
        ("a\n=== user ===\n{{ source_prompt }}{{ password }}", "'password' is undefined"),
        ("a\n=== user ===\n{% if conversation %}{{ source_prompt }}{% endif %}", "does not show source_prompt"),
        ("a\n=== user ===\n{{ ''.__class__ }}{{ source_prompt }}", "'Getattr' is not available"),
        ("{% include 'x' %}\n=== user ===\n{{ source_prompt }}", "'Include' is not available"),
    ],
)
def test_a_template_that_is_no_good_is_refused_with_what_it_may_show(template: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        build(steps({"paraphrase": {"template": template}}), "m")
    assert "template of paraphrase, step rewrite" in str(caught.value)


def test_a_template_that_fails_for_one_row_parks_that_row(kit: Any) -> None:
    picky = "a\n=== user ===\n{{ source_prompt }}{% if conversation|length > 400 %}{{ conversation + 1 }}{% endif %}"
    strategy = kit.strategy("paraphrase", template=picky)
    assert strategy.next_request(kit.row()) is not None
    with pytest.raises(BadAnswer) as caught:
        strategy.next_request(kit.row(Turn(prompt="long " * 90, response="ok"), kit.word_problem))
    assert caught.value.reason == "template"


def test_samples_have_seeds_of_their_own(kit: Any) -> None:
    strategy = kit.strategy("paraphrase", seed=7, temperature=None, max_output_tokens=99)
    asked = [strategy.next_request(kit.row(), (), sample) for sample in range(3)]
    assert [request.seed for request in asked] == [7, 8, 9]
    assert asked[0]._replace(seed=8) == asked[1]
    assert (asked[0].temperature, asked[0].max_output_tokens) == (None, 99)


def test_the_prompt_version_follows_what_shapes_prompts(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = prompt_version(kit.strategy("paraphrase"))
    for same in ({"model": "other"}, {"samples": 4}, {"label": "x"}, {"without": ("language",)}):
        assert prompt_version(kit.strategy("paraphrase", **same)) == plain
    assert prompt_version(kit.strategy("paraphrase", template=Paraphrase.bundled_template("rewrite"))) == plain
    changed = [
        prompt_version(kit.strategy("paraphrase", template=OWN)),
        prompt_version(kit.strategy("paraphrase", temperature=0.1)),
        prompt_version(kit.strategy("paraphrase", max_output_tokens=7)),
        prompt_version(kit.strategy("translation")),
        prompt_version(kit.strategy("translation", target_language="fr")),
    ]
    monkeypatch.setattr(Paraphrase, "version", 2)
    changed.append(prompt_version(kit.strategy("paraphrase")))
    assert len({plain, *changed}) == 7


def test_the_code_hash_follows_templates_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    before = templates_code_hash()
    assert before == templates_code_hash()
    monkeypatch.setattr(Paraphrase, "version", 2)
    assert templates_code_hash() != before


def test_warming_up_loads_the_language_model_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_loaded", {})
    warm_up(build(steps({"paraphrase": {"without": ["language"]}}), "m"))
    assert languages._loaded == {}
    warm_up(build(steps("paraphrase"), "m"))
    assert len(languages._loaded) == 1


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_every_strategy_says_what_it_is_and_where_it_is_from(strategy: Any) -> None:
    assert strategy.summary and not strategy.summary.endswith(".")
    assert "arXiv:" in strategy.source
    assert issubclass(strategy.Params, BaseModel)
    assert strategy.Params.model_config["extra"] == "forbid"
    assert [name for name, field in strategy.Params.model_fields.items() if not field.description] == []
    assert [step.name for step in strategy.steps]
    built = build([NamedStep(name=strategy.name)], "m")[0]
    names = [validator.name for validator in built.validators]
    assert len(names) == len(set(names))
