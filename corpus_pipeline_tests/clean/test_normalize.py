from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.normalize import content_hash, normalized, text_for_fingerprint

TEXT = st.text(alphabet=st.characters(), max_size=30)


def same(left: tuple[Turn, ...], right: tuple[Turn, ...]) -> bool:
    return content_hash(left) == content_hash(right)


def test_case_composition_and_amount_of_whitespace_do_not_count() -> None:
    assert same((Turn(prompt="Über  Café\n", response="A\tb"),), (Turn(prompt="über cafe\u0301", response=" a b"),))
    assert same((Turn(response="STRASSE"),), (Turn(response="straße"),))
    assert same((Turn(response="你好　世界"),), (Turn(response="你好 世界"),))


def test_words_and_width_count() -> None:
    assert not same((Turn(response="now here"),), (Turn(response="nowhere"),))
    assert not same((Turn(response="ＡＢＣ"),), (Turn(response="abc"),))


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


def test_weights_do_not_count() -> None:
    assert same((Turn(response="a", weight=0),), (Turn(response="a", weight=1),))


def test_a_hash_is_32_bytes() -> None:
    assert len(content_hash((Turn(),))) == 32


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3), st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
def test_equal_hashes_are_equal_texts(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> None:
    def form(rows: list[tuple[str, str]]) -> list[tuple[str, ...]]:
        folded = [[unicodedata.normalize("NFC", text.casefold()) for text in row] for row in rows]
        return [tuple(" ".join(text.split()) for text in row) for row in folded]

    turns = [tuple(Turn(prompt=p, response=r) for p, r in rows) for rows in (left, right)]
    assert same(turns[0], turns[1]) == (form(left) == form(right))
    assert same(turns[0], turns[0])


@given(TEXT)
def test_ascii_is_not_a_special_case(text: str) -> None:
    alone = normalized((Turn(prompt=text.encode("ascii", "ignore").decode()),))
    beside = normalized((Turn(prompt=text.encode("ascii", "ignore").decode() + " é"),))
    assert beside.startswith(alone)


def test_the_text_for_fingerprints_is_all_the_text() -> None:
    turns = (Turn(system="s", prompt="p", reasoning="t", response="r", rejected="j"), Turn(prompt="", response="x"))
    assert text_for_fingerprint(turns) == "s\np\nt\nr\nj\nx"
