"""Column mappings: every field, by keys, paths and templates; what comes back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.errors import CorpusError, LineRejected
from corpus_pipeline.formats import NotExportable, by_name, export_line, mapped
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.paths import found_at, leaves, parse_path

Record = dict[str, Any]


def exported(columns: dict[str, str], record: Record, target: str = "axolotl") -> tuple[Record, tuple[str, ...]]:
    format = mapped(columns)
    conversation = format.read(record)
    assert json.dumps(shapes.render(conversation)) == json.dumps(record)
    line, losses = export_line(conversation, format, by_name(target), checked=True)
    return json.loads(line), losses


@pytest.mark.parametrize(
    ("columns", "record", "target", "wanted"),
    [
        (
            {"prompt": "data.q", "response": "data.a"},
            {"data": {"q": "a?", "a": "b"}, "n": 1},
            "openai_sft",
            {"messages": [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "b"}], "n": 1},
        ),
        (
            {"prompt": "turns[0].text", "response": "turns[-1].text", "system": "rules"},
            {"rules": "Be brief.", "turns": [{"text": "a?"}, {"text": "b"}]},
            "prompt_response",
            {"prompt": "a?", "response": "b"},
        ),
        (
            {"prompt": "{{ title }}\n\n{{ data.q }}{% if note %}\n{{ note }}{% endif %}", "response": "data.a"},
            {"title": "Sums", "note": "", "data": {"q": "1+1?", "a": 2}, "n": 1},
            "prompt_response",
            {"prompt": "Sums\n\n1+1?", "response": "2", "n": 1},
        ),
        (
            {"prompt": "{{ q }}\n{{ options | join('\n') }}", "response": "a"},
            {"q": "Which?", "options": ["A oak", "B elm"], "a": "A"},
            "prompt_response",
            {"prompt": "Which?\nA oak\nB elm", "response": "A"},
        ),
        (
            {"prompt": "{{ record['the question'] }}", "response": "a"},
            {"the question": "a?", "a": "b"},
            "prompt_response",
            {"prompt": "a?", "response": "b"},
        ),
        (
            {
                "prompt": "q",
                "context": "facts",
                "response": "a",
                "reasoning": "why",
                "id": "meta.key",
                "score": "meta.s",
            },
            {"q": "a?", "facts": ["x", "y"], "a": "b", "why": "hm", "meta": {"key": "k1", "s": 0.5}},
            "axolotl",
            {
                "messages": [
                    {"role": "user", "content": "a?\nx\ny"},
                    {"role": "assistant", "content": "b", "reasoning_content": "hm"},
                ],
                "id": "k1",
                "score": 0.5,
            },
        ),
        (
            {"prompt": "q", "history": "before", "response": "a"},
            {"before": [["c?", "d"]], "q": "a?", "a": "b"},
            "alpaca",
            {"instruction": "a?", "input": "", "output": "b", "history": [["c?", "d"]]},
        ),
        (
            {"prompt": "q", "chosen": "good", "rejected": "bad"},
            {"q": "a?", "good": "b", "bad": "c"},
            "trl_preference",
            {"prompt": "a?", "chosen": "b", "rejected": "c"},
        ),
        (
            {"messages": "talk.list", "rejected": "other"},
            {"talk": {"list": [{"speaker": "User", "text": "a?"}, {"speaker": "Bot", "text": "b"}]}, "other": "c"},
            "trl_preference_chat",
            {
                "prompt": [{"role": "user", "content": "a?"}],
                "chosen": [{"role": "assistant", "content": "b"}],
                "rejected": [{"role": "assistant", "content": "c"}],
            },
        ),
        (
            {"prompt": "q", "response": "a", "label": "verdict"},
            {"q": "a?", "a": "b", "verdict": "good"},
            "trl_label",
            {"prompt": "a?", "completion": "b", "label": True},
        ),
        (
            {"prompt": "q", "response": "a", "images": "media.pics"},
            {"q": "<image>a?", "a": "b", "media": {"pics": ["1.png"]}},
            "alpaca",
            {"instruction": "<image>a?", "input": "", "output": "b", "images": ["1.png"]},
        ),
        (
            {"messages": "dialog", "tools": "kit", "system": "rules"},
            {
                "rules": "Be brief.",
                "dialog": [{"role": "user", "content": "a?"}],
                "kit": [{"name": "f", "parameters": {}}],
            },
            "trl_messages",
            {
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a?"}],
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
            },
        ),
    ],
)
def test_fields_are_read_from_their_places(
    columns: dict[str, str], record: Record, target: str, wanted: Record
) -> None:
    found, losses = exported(columns, record, target)
    assert found == wanted
    assert losses == (("system",) if "rules" in record and target == "prompt_response" else ())


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"promt": "q"}, "did you mean 'prompt'"),
        ({"system": "s"}, "at least the key of prompt or of response"),
        ({"prompt": "q", "response": "q"}, "a key of its own"),
        ({"prompt": "q", "context": "a", "input": "b"}, "name one of them"),
        ({"messages": "m", "prompt": "q"}, "inside the messages"),
        ({"prompt": "q", "chosen": "a"}, "chosen needs rejected"),
        ({"prompt": "q..r", "response": "a"}, "is no path"),
        ({"prompt": "{{ q", "response": "a"}, "not a valid template"),
        ({"prompt": "{{ q.__class__() }}", "response": "a"}, "range"),
        ({"prompt": "q", "response": "a", "images": "{{ x }}"}, "only texts"),
    ],
)
def test_mappings_that_cannot_be_are_refused(columns: dict[str, str], words: str) -> None:
    with pytest.raises(CorpusError, match=words):
        mapped(columns)


@pytest.mark.parametrize(
    ("columns", "record", "words"),
    [
        (
            {"prompt": "data.q", "response": "a"},
            {"data": {}, "a": "b"},
            r"'data.q' \(prompt\) is missing; .* 'data', 'a'",
        ),
        ({"prompt": "data.q", "response": "a"}, {"data": {"q": {}}, "a": "b"}, "is not text"),
        ({"prompt": "{{ q }}{{ z }}", "response": "a"}, {"q": "a?", "a": "b"}, "cannot be rendered"),
        ({"prompt": "q", "response": "a", "label": "v"}, {"q": "a?", "a": "b", "v": "maybe"}, "neither good nor bad"),
        ({"prompt": "q", "response": "a", "tools": "t"}, {"q": "a?", "a": "b", "t": "none"}, "no list of tools"),
    ],
)
def test_records_that_do_not_fit_are_rejected_with_a_reason(
    columns: dict[str, str], record: Record, words: str
) -> None:
    with pytest.raises(LineRejected, match=words):
        mapped(columns).read(record)


def test_changed_text_of_a_path_goes_back_to_it() -> None:
    format = mapped({"prompt": "data.q", "response": "data.a"})
    conversation = format.read({"data": {"q": "a?", "a": "b", "n": 1}})
    (turn,) = conversation.turns
    line, losses = export_line(conversation._replace(turns=(turn._replace(response="B"),)), format, format)
    assert (json.loads(line), losses) == ({"data": {"q": "a?", "a": "B", "n": 1}}, ())
    thoughtful = turn._replace(reasoning="hm")
    line, losses = export_line(conversation._replace(turns=(thoughtful,)), format, format)
    assert json.loads(line) == {"data": {"q": "a?", "a": "<think>\nhm\n</think>\n\nb", "n": 1}}


def test_changed_text_of_a_template_does_not_come_back_as_it_was() -> None:
    """A masked name must not return with the columns that the template read."""
    format = mapped({"prompt": "{{ title }}: {{ q }}", "response": "a"})
    conversation = format.read({"title": "Sums", "q": "1+1?", "a": "2"})
    masked = conversation._replace(turns=(conversation.turns[0]._replace(prompt="***: 1+1?"),))
    with pytest.raises(NotExportable, match="no_writer"):
        export_line(masked, format, format)
    line, _ = export_line(masked, format, by_name("prompt_response"), checked=True)
    assert json.loads(line) == {"prompt": "***: 1+1?", "response": "2"}


def test_paths_are_read_as_they_are_written() -> None:
    assert parse_path("a.b[0][-1].c") == ("a", "b", 0, -1, "c")
    record = {"a.b": 1, "a": {"b": 2, "c": [{"d": 3}]}}
    assert found_at(record, "a.b") == (("a.b",), 1)
    assert found_at(record, "a.c[-1].d") == (("a", "c", 0, "d"), 3)
    assert found_at(record, "a.c[1].d") is None
    assert dict(leaves(record)) == {"a.b": 2, "a.c[0].d": 3}


def test_templates_say_which_of_two_answers_won() -> None:
    won = "{{ a if winner == 'left' else b if winner == 'right' else '' }}"
    lost = "{{ b if winner == 'left' else a if winner == 'right' else '' }}"
    columns = {"prompt": "q", "chosen": won, "rejected": lost}
    record = {"q": "a?", "a": "Oak.", "b": "Elm.", "winner": "right"}
    found, losses = exported(columns, record, "trl_preference")
    assert (found, losses) == ({"prompt": "a?", "chosen": "Elm.", "rejected": "Oak."}, ())
    with pytest.raises(LineRejected, match="template of chosen makes no text"):
        mapped(columns).read({**record, "winner": "tie"})
