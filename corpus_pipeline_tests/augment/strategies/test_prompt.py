"""The strategy `prompt`: what a recipe may ask, how answers are read, and what is refused before money is spent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import BadAnswer, UnknownName, UsageError
from corpus_pipeline.llm.json_schemas import is_strict
from corpus_pipeline.llm_stub.schema_values import sample
from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.service.commands.recipes import checked
from corpus_pipeline.stages.augment import foreign_schemas
from corpus_pipeline.stages.augment.strategies import build
from corpus_pipeline.stages.augment.strategies.base import accept as accepted
from corpus_pipeline.stages.augment.strategies.tasks import graph, schemas
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.skip_reasons import SkipReason

TEMPLATE = {"system": "You look at questions.", "user": "{{ prompt }}"}


def task(**params: Any) -> Any:
    (built,) = build((NamedStep(name="prompt", params={"template": TEMPLATE} | params),), "m", alone=True)
    return built


def row(*turns: Turn, **more: Any) -> Conversation:
    return Conversation(
        1, turns or (Turn(prompt="Which bird sings at night?", response="The nightingale."),), "{}", **more
    )


def said(text: Any) -> Answer:
    return Answer(text if isinstance(text, str) else json.dumps(text), "stop", "m", Usage(1, 1))


def accept(strategy: Any, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
    return accepted(strategy, conversation, answers).turns


def reason(error: pytest.ExceptionInfo[BadAnswer]) -> str:
    return str(error.value.reason)


class TestOutputs:
    @pytest.mark.parametrize(
        "text", ["birds", " Birds. ", '"birds"', '{"label": "birds"}', '```json\n{"label":"Birds"}\n```']
    )
    def test_a_label_is_read_however_it_is_dressed(self, text: str) -> None:
        assert task(output={"labels": ["birds", "trees"]}).values_of(row(), (said(text),)) == {"label": "birds"}

    @pytest.mark.parametrize(
        "text", ["birds or trees", "fish", '{"label": "fish"}', "{}", "It is about birds, I think"]
    )
    def test_what_is_no_label_is_no_answer(self, text: str) -> None:
        with pytest.raises(BadAnswer) as error:
            task(output={"labels": ["birds", "trees"]}).values_of(row(), (said(text),))
        assert reason(error) == "malformed"

    def test_fields_are_held_to_their_schema_and_numbers_in_quotes_are_numbers(self) -> None:
        output = {
            "fields": {
                "year": {"type": "integer", "minimum": 1900},
                "names": {"type": "array", "items": {"type": "string"}},
            }
        }
        one = task(output=output)
        assert one.values_of(row(), (said({"year": "1950", "names": ["a"], "more": 1}),)) == {
            "year": 1950,
            "names": ["a"],
        }
        for bad in ({"year": 1850, "names": []}, {"year": 1950}, {"year": "soon", "names": []}, ["x"], "nothing"):
            with pytest.raises(BadAnswer) as error:
                one.values_of(row(), (said(bad),))
            assert reason(error) == "malformed"

    def test_lone_surrogates_do_not_reach_the_store(self) -> None:
        values = task(output={"fields": {"names": {"type": "array"}}}).values_of(
            row(), (said('{"names": ["\\ud800", 1]}'),)
        )
        assert json.dumps(values, ensure_ascii=False).encode("utf-8")

    def test_a_schema_that_an_endpoint_cannot_take_as_strict_is_not_sent_as_one(self) -> None:
        assert is_strict(task(output="score").output.schema)
        loose = {
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "required": [],
            "additionalProperties": True,
        }
        assert not is_strict(task(output={"schema": loose}).output.schema)


class TestMakes:
    def test_a_new_row_takes_its_messages_from_fields_and_from_the_row(self) -> None:
        one = task(
            output={"fields": {"q": {"type": "string"}, "a": {"type": "string"}}},
            makes={"row": {"system": "system", "prompt": "q", "response": "a"}},
        )
        source = row(Turn(system="Be kind.", prompt="p", response="r"))
        assert accept(one, source, (said({"q": "What?", "a": "That."}),)) == (
            Turn(system="Be kind.", prompt="What?", response="That."),
        )

    def test_an_answer_and_a_rejected_one_stand_beside_the_old_one(self) -> None:
        source = row(Turn(prompt="a", response="b"), Turn(prompt="c", response="d"))
        assert accept(task(), source, (said("better"),))[-1] == Turn(prompt="c", response="better")
        assert accept(task(makes="rejected"), source, (said("worse"),))[-1] == Turn(
            prompt="c", response="d", rejected="worse"
        )

    def test_values_make_no_turns_and_tags_are_words(self) -> None:
        one = task(output={"labels": ["birds", "trees"]}, makes="tag")
        assert accept(one, row(), (said("trees"),)) == () and not one.makes_rows
        assert one.tag_of({"label": "trees"}) == "trees"
        switch = task(label="odd", output={"fields": {"is": {"type": "boolean"}}}, makes={"tag": "is"})
        assert [switch.tag_of({"is": value}) for value in (True, False)] == ["odd", None]

    def test_an_answer_for_a_row_that_has_only_a_question(self) -> None:
        unanswered = row(Turn(prompt="Which bird sings at night?"))
        assert task().applies(unanswered) is None
        assert accept(task(), unanswered, (said("The nightingale."),))[-1].response == "The nightingale."
        assert task(makes="rejected").applies(unanswered) is SkipReason.NO_EXCHANGE


class TestAsking:
    def test_texts_of_the_row_are_behind_fences_unless_the_recipe_wants_them_bare(self) -> None:
        request = task().next_request(row())
        assert "[[begin prompt " in request.messages[1]["content"] and "night?" not in request.messages[0]["content"]
        bare = task(fences=False).next_request(row()).messages[1]["content"]
        assert bare.startswith("Which bird sings at night?") and "[[begin" not in bare

    def test_an_input_of_one_word_stands_bare_and_a_longer_one_does_not(self) -> None:
        one = task(template={"user": "{{ t }} {{ u }}"}, inputs={"t": "a.label", "u": "a.text"})
        asked = one.next_request(row(values={"a": {"label": "birds", "text": "Now obey."}})).messages[1]["content"]
        assert asked.startswith("birds \n[[begin u ")

    def test_inputs_come_from_the_record_from_turns_and_from_tasks(self) -> None:
        shape = json.dumps({"record": {"meta": {"stars": 4, "tags": ["x", "y"]}}, "slots": [], "extra": []})
        one = task(
            template={"user": "{{ stars }} {{ second }} {{ first }} {{ topic }}"},
            fences=False,
            inputs={
                "stars": "record.meta.stars",
                "second": "record.meta.tags.1",
                "first": "turns.1.prompt",
                "topic": "t.label",
            },
        )
        source = row(Turn(prompt="one", response="r"), Turn(prompt="two", response="s"))._replace(
            shape=shape, values={"t": {"label": "birds"}}
        )
        assert one.next_request(source).messages[1]["content"].startswith("4 y one birds")

    def test_a_row_without_what_the_template_always_shows_is_skipped(self) -> None:
        always = task(template={"user": "{{ prompt }} {{ reasoning }}"})
        sometimes = task(template={"user": "{{ prompt }}{% if reasoning %} {{ reasoning }}{% endif %}"})
        assert always.applies(row()) is SkipReason.NO_INPUT
        assert sometimes.applies(row()) is None
        read = task(template={"user": "{{ topic }}"}, inputs={"topic": "t.label"})
        assert read.applies(row(values={"t": {"label": None}})) is SkipReason.NO_INPUT

    def test_rows_with_tools_are_looked_at_but_nothing_is_made_of_them(self) -> None:
        source = row(tools='[{"type": "function"}]')
        assert task(output="score").applies(source) is None
        assert task().applies(source) is SkipReason.TOOLS
        pictures = row(Turn(prompt="p", response="r", extra={"prompt_parts": [{"type": "image_url"}]}))
        assert task(output="score").applies(pictures) is not None

    def test_turns_can_be_looped_over(self) -> None:
        one = task(template={"user": "{% for turn in turns %}<{{ turn['prompt'] }}>{% endfor %}"}, fences=False)
        source = row(Turn(prompt="a", response="b"), Turn(prompt="c", response="d"))
        assert one.next_request(source).messages[1]["content"].startswith("<a><c>")


class TestChecks:
    @pytest.mark.parametrize(
        ("check", "good", "bad"),
        [
            ({"matches": "^[A-Z]"}, "Yes", "no"),
            ({"matches_not": "(?i)sorry"}, "Yes", "Sorry"),
            ({"min_characters": 3}, "abc", "ab"),
            ({"max_characters": 3}, "abc", "abcd"),
            ({"min": 2, "max": 4}, "3", "5"),
            ({"min": 2}, "2.5", "many"),
            ({"one_of": ["a", "b"]}, " a ", "c"),
            ({"equals": "response"}, "The nightingale.", "The owl."),
            ({"differs_from": "prompt"}, "The owl.", "Which  bird sings at night?"),
            ({"fits": {"type": "object", "required": ["x"]}}, '{"x": 1}', "{}"),
            ({"fits": {"type": "object"}}, "{}", "no JSON"),
        ],
    )
    def test_each_lets_the_good_pass_and_names_itself(self, check: dict[str, Any], good: str, bad: str) -> None:
        one = task(validators=[{"field": "text", **check}])
        assert accept(one, row(), (said(good),))
        with pytest.raises(BadAnswer) as error:
            accept(one, row(), (said(bad),))
        assert reason(error) == "check_failed" and f"text_{next(iter(check))}" in error.value.detail
        off = task(validators=[{"field": "text", **check}], without=["text_" + "_".join(check)])
        assert accept(off, row(), (said(bad),))

    def test_a_pattern_that_other_engines_never_finish_is_quick(self) -> None:
        one = task(validators=[{"field": "text", "matches_not": "(a+)+$"}], without=["not_repetitive"])
        assert accept(one, row(), (said("a" * 50_000 + "b"),))


def refused(**params: Any) -> str:
    with pytest.raises(UsageError) as error:
        task(**params)
    return str(error.value)


class TestRefusals:
    def test_labels_and_scores_that_say_nothing(self) -> None:
        assert "at least two" in refused(output={"labels": ["one"]})
        assert "case or punctuation" in refused(output={"labels": ["Yes", "yes."]})
        assert "says nothing" in refused(output={"score": {"min": 3, "max": 3}})
        assert "one of `labels`" in refused(output={"labels": ["a", "b"], "score": {}})

    @pytest.mark.parametrize(
        "schema",
        [
            {"a": {"enum": []}},
            {"a": {"type": "string", "enum": [1, 2]}},
            {"a": {"type": "integer", "minimum": 3, "maximum": 2}},
            {"a": {"type": "number", "exclusiveMinimum": 2, "maximum": 2}},
            {"a": {"type": "string", "minLength": 9, "maxLength": 8}},
            {"a": False},
            {"a": {"anyOf": [False, {"type": "integer", "minimum": 2, "maximum": 1}]}},
            {"a": {"type": "array", "minItems": 1, "items": False}},
            {"type": "object", "properties": {"a": {}}, "required": ["b"]},
            {"a": {"type": "strin"}},
            {"a": {"$ref": "#/nowhere"}},
        ],
    )
    def test_schemas_that_no_answer_can_fit(self, schema: dict[str, Any]) -> None:
        assert "no answer can fit" in refused(output={"fields": schema})

    def test_templates_that_loop_or_name_what_is_not_there(self) -> None:
        loop = "{{ prompt }}{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}"
        assert "loop steps" in refused(template={"user": loop})
        assert "promt" in refused(template={"user": "{{ promt }}"})
        assert "promt" in refused(template={"user": "{{ prompt }}{% if system %}{{ promt }}{% endif %}"})
        assert "goes to the user part" in refused(template={"system": "{{ prompt }}", "user": "{{ prompt }}"})
        assert "nothing of the row" in refused(template={"user": "Say something."})
        assert "needs `template`" in refused(template=None)
        assert "Getattr" in refused(template={"user": "{{ prompt.__class__ }}"})

    def test_what_is_made_of_fields_that_are_not_there(self) -> None:
        assert "no such field" in refused(makes={"row": {"prompt": "question"}})
        assert "no message" in refused(makes={"row": {"promt": "text"}})
        assert "cannot be the score" in refused(makes="score")
        assert "cannot be the answer" in refused(output={"fields": {"n": {"type": "integer"}}}, makes="answer")
        assert "holds nothing of the answer" in refused(makes={"row": {"prompt": "prompt"}})
        assert "say one of" in refused(makes={"answer": "text", "tag": "text"})

    def test_checks_and_inputs_that_cannot_work(self) -> None:
        assert "RE2" in refused(validators=[{"field": "text", "matches": "(?=a)"}])
        assert "above max" in refused(validators=[{"field": "text", "min": 3, "max": 2}])
        assert "says nothing" in refused(validators=[{"field": "text"}])
        assert "'txt'" in refused(validators=[{"field": "txt", "min": 1}])
        assert "used nowhere" in refused(inputs={"x": "record.a"})
        assert "needs TASK.FIELD" in refused(inputs={"x": "nothing"}, template={"user": "{{ x }}"})
        assert "cannot name an input" in refused(inputs={"prompt": "record.a"})


RECIPE = """augment:
  strategies:
    - prompt:
        label: one
        inputs: {{x: {first}}}
        template: {{user: "{{{{ x }}}} {{{{ prompt }}}}"}}
    - prompt:
        label: two
        inputs:
          x: {second}
        template: {{user: "{{{{ x }}}}"}}
"""


class TestGraph:
    def test_a_circle_is_refused_with_its_line(self) -> None:
        with pytest.raises(
            UsageError, match=r"mine\.yaml, line \d: tasks wait for each other in a circle: (one -> two|two -> one)"
        ):
            checked(RECIPE.format(first="two.response", second="one.response"), origin="mine.yaml")
        with pytest.raises(UsageError, match=r"line \d: .*circle: one -> one"):
            checked(RECIPE.format(first="one.response", second="one.response"), origin="mine.yaml")

    def test_unknown_tasks_and_fields_are_refused_with_their_line(self) -> None:
        with pytest.raises(UsageError, match=r"mine\.yaml, line 10: unknown task 'on'"):
            checked(RECIPE.format(first="record.a", second="on.response"), origin="mine.yaml")
        with pytest.raises(UsageError, match=r"mine\.yaml, line 10: unknown field of one 'label'"):
            checked(RECIPE.format(first="record.a", second="one.label"), origin="mine.yaml")

    @given(st.data())
    def test_each_task_comes_after_what_it_reads(self, data: Any) -> None:
        """Any order in the recipe, any graph without a circle."""

        class Fake:
            def __init__(self, reads: list[str]) -> None:
                self.task_inputs = {name: type("F", (), {"task": name, "field": "f"}) for name in reads}

        size = data.draw(st.integers(1, 8))
        reads = {
            str(n): data.draw(st.lists(st.sampled_from([str(m) for m in range(n)]), unique=True)) if n else []
            for n in range(size)
        }
        order = data.draw(st.permutations(list(reads)))
        levels = graph.levels({label: Fake(reads[label]) for label in order})  # type: ignore[misc, arg-type]
        level_of = {label: at for at, group in enumerate(levels) for label in group}
        assert sorted(level_of) == sorted(reads)
        assert all(level_of[other] < level_of[label] for label, others in reads.items() for other in others)

    def test_the_six_can_be_read_and_nobody_reads_what_is_not_made(self) -> None:
        judge = {"template": {"user": "{{ new }}"}, "inputs": {"new": "paraphrase.prompt"}, "output": "score"}
        build((NamedStep(name="prompt", params=judge), NamedStep(name="paraphrase")), "m")
        with pytest.raises(UnknownName):
            build(
                (
                    NamedStep(name="prompt", params=judge | {"inputs": {"new": "paraphrase.score"}}),
                    NamedStep(name="paraphrase"),
                ),
                "m",
            )


_SIMPLE = st.one_of(
    st.fixed_dictionaries({"type": st.just("integer"), "minimum": st.integers(-9, 0), "maximum": st.integers(0, 9)}),
    st.fixed_dictionaries({"type": st.just("boolean")}),
    st.fixed_dictionaries({"type": st.just("string"), "maxLength": st.integers(1, 9)}),
    st.fixed_dictionaries({"enum": st.lists(st.text(max_size=3) | st.integers(), min_size=1, max_size=3)}),
)
_ANY = st.recursive(
    _SIMPLE,
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("array"), "items": inner, "minItems": st.integers(0, 2)})
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(schemas.object_schema)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from("xyz"), _ANY, min_size=1), st.text(max_size=8))
def test_a_schema_that_can_be_met_is_let_pass_and_the_stand_in_meets_it(fields: dict[str, Any], salt: str) -> None:
    output = Output.model_validate({"fields": fields})
    value = sample(output.schema, salt, "Some text.")
    assert foreign_schemas.misfit(value, output.schema or {}) is None
    assert output.read(json.dumps(value)).keys() == value.keys()


@pytest.mark.parametrize(
    ("labels", "word"), [([True, False], "bare yes, on, true"), ([1, 2], "1 is no text"), (["a", None], "null")]
)
def test_labels_that_yaml_reads_as_something_else_are_to_be_quoted(labels: list[Any], word: str) -> None:
    with pytest.raises(UsageError, match=word) as refused:
        task(output={"labels": labels}, makes="tag")
    assert "put labels in quotes" in str(refused.value)


@pytest.mark.parametrize(
    ("output", "text", "read"),
    [
        ({"labels": ["science", "日常"]}, "Label: science", {"label": "science"}),
        ({"labels": ["science", "日常"]}, '{"Label": ["Science"]}', {"label": "science"}),
        ({"labels": ["science", "日常"]}, "{'label': 'science'}", {"label": "science"}),
        ({"labels": ["science", "日常"]}, "「日常」。", {"label": "日常"}),
        ({"labels": ["science", "日常"]}, "science, 日常", None),
        ("score", '{"Because": "short", "Score": "4/5"}', {"because": "short", "score": 4}),
        ("score", '{"because": "short", "score": "4/10"}', None),
        ("score", '{"because": "short", "score": 4,}', {"because": "short", "score": 4}),
        ("score", 'a draft: {"because": "a", "score": 2} {"because": "a", "score": 2}', {"because": "a", "score": 2}),
        ("score", '{"because": "a", "score": 2} no: {"because": "b", "score": 5}', None),  # which of them is meant?
        ("score", '{"because": "short", "score": true}', None),
        ("score", "Score: 4", None),
    ],
)  # fmt: skip
def test_answers_are_read_in_the_shapes_that_servers_give_them_and_never_guessed(
    output: Any, text: str, read: dict[str, Any] | None
) -> None:
    wanted = Output.model_validate(output)
    if read is None:
        with pytest.raises(BadAnswer):
            wanted.read(text)
    else:
        assert wanted.read(text) == read
