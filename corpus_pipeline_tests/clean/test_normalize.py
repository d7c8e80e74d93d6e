from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.normalize import content_hash as hash_of
from corpus_pipeline.stages.clean.normalize import frame_of, normalized, text_for_fingerprint

QUOTES = str.maketrans("‘’‚‛´“”„‟«»", '\'\'\'\'\'""""""')
TEXT = st.text(alphabet=st.characters(), max_size=30)


def content_hash(turns: tuple[Turn, ...], tools: str | None = None) -> bytes:
    """The content hash of a conversation without unknown keys."""
    return hash_of(turns, frame_of(turns, tools))


def same(left: tuple[Turn, ...], right: tuple[Turn, ...]) -> bool:
    return content_hash(left) == content_hash(right)


def test_case_composition_quotes_and_amount_of_whitespace_do_not_count_in_prose() -> None:
    assert same((Turn(prompt="Über  Café\n", response="A\tb"),), (Turn(prompt="über cafe\u0301", response=" a b"),))
    assert same((Turn(response="Die STRASSE."),), (Turn(response="die straße."),))
    assert same((Turn(response="你好　世界"),), (Turn(response="你好 世界"),))
    assert same((Turn(response="It’s “here”."),), (Turn(response='it\'s "here".'),))


def test_case_counts_in_labels_and_in_code() -> None:
    assert not same((Turn(response="True"),), (Turn(response="TRUE"),))
    assert not same((Turn(response="x = A + 1"),), (Turn(response="x = a + 1"),))
    assert not same((Turn(response="if a:\n    b()"),), (Turn(response="if a:\n  b()"),))


def test_words_count_and_width_does_not() -> None:
    assert not same((Turn(response="now here"),), (Turn(response="nowhere"),))
    assert same((Turn(response="ＡＢＣ ４２"),), (Turn(response="abc 42"),))


def test_roles_and_borders_count() -> None:
    rows = [
        (Turn(prompt="a", response="b"),),
        (Turn(prompt="a b", response=""),),
        (Turn(prompt="a b"),),
        (Turn(prompt="", response="a b"),),
        (Turn(system="a", prompt="b"),),
        (Turn(reasoning="a", response="b"),),
        (Turn(response="a", rejected="b"),),
        (Turn(prompt="a"), Turn(response="b")),
        (Turn(prompt="a"), Turn(prompt="b")),
        (Turn(prompt="a", response="b", extra={"prompt_role": "tool"}),),
        (),
    ]
    assert len({content_hash(row) for row in rows}) == len(rows)


def test_tools_and_calls_count_but_not_their_layout() -> None:
    turns = (Turn(prompt="a", extra={"tool_calls": [{"x": 1, "y": 2}]}),)
    assert same(turns, (Turn(prompt="a", extra={"tool_calls": [{"y": 2, "x": 1}]}),))
    assert not same(turns, (Turn(prompt="a", extra={"tool_calls": [{"x": 1, "y": 3}]}),))
    assert content_hash(turns, '[{"a": 1, "b": 2}]') == content_hash(turns, '[{"b":2,"a":1}]')
    assert content_hash(turns, "[]") != content_hash(turns, None)
    assert content_hash(turns, "not json") != content_hash(turns, "[]")


def test_weights_and_labels_count() -> None:
    assert not same((Turn(response="a", weight=0),), (Turn(response="a", weight=1),))
    assert not same((Turn(response="a", extra={"label": True}),), (Turn(response="a", extra={"label": False}),))


def test_ids_of_calls_do_not_count_but_which_call_a_result_answers_does() -> None:
    def row(one: str, other: str, answered: str) -> tuple[Turn, ...]:
        calls = [{"id": name, "function": {"name": "f", "arguments": "{}"}} for name in (one, other)]
        result = Turn(prompt="3", extra={"prompt_role": "tool", "tool_call_id": answered})
        return (Turn(prompt="a", extra={"tool_calls": calls}), result)

    assert same(row("x", "y", "x"), row("p", "q", "p"))
    assert not same(row("x", "y", "x"), row("x", "y", "y"))


def test_a_hash_is_32_bytes() -> None:
    assert len(content_hash((Turn(),))) == 32


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3), st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
def test_equal_hashes_are_equal_texts(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> None:
    def form(rows: list[tuple[str, str]]) -> list[tuple[str, ...]]:
        folded = [[unicodedata.normalize("NFKC", text.casefold()).translate(QUOTES) for text in row] for row in rows]
        return [tuple(" ".join(text.split()) for text in row) for row in folded]

    turns = [tuple(Turn(prompt=p, response=r) for p, r in rows) for rows in (left, right)]
    if same(turns[0], turns[1]):
        assert form(left) == form(right)
    assert same(turns[0], turns[0])


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=30))
def test_ascii_is_not_a_special_case(text: str) -> None:
    beside = normalized((Turn(prompt=f"one more {text} word"),), b"")
    assert beside == normalized((Turn(prompt=f"one more {text} word\u3000"),), b"")


def test_the_text_for_fingerprints_is_all_the_text() -> None:
    turns = (Turn(system="s", prompt="p", reasoning="t", response="r", rejected="j"), Turn(prompt="", response="x"))
    assert text_for_fingerprint(turns) == "s\np\nt\nr\nj\nx"
