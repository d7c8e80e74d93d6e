"""Packing messages into turns and back."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.formats.messages import Message, pack, places, unpack
from corpus_pipeline.model import Turn
from corpus_pipeline_tests.formats.examples import bare_calls, names, texts

maybe = st.none() | texts


def message(roles: list[str], **parts: st.SearchStrategy) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries({"role": st.sampled_from(roles), "text": maybe, **parts}).map(lambda d: Message(**d))


system = message(["system", "developer"], name=st.none() | names)
prompt = message(["user", "tool", "critic"], name=st.none() | names, tool_call_id=maybe)
answer = message(
    ["assistant", "function_call"],
    name=st.none() | names,
    reasoning=maybe,
    weight=st.none() | st.sampled_from([0.0, 1.0]),
    tool_calls=st.none() | st.lists(bare_calls, min_size=1, max_size=2),
    refusal=maybe,
    rejected=maybe,
)


@given(st.lists(system | prompt | answer, max_size=8))
def test_unpack_is_the_inverse_of_pack(messages: list[Message]) -> None:
    assert unpack(pack(messages)) == messages


@given(st.lists(system | prompt | answer, max_size=8))
def test_packing_is_greedy(messages: list[Message]) -> None:
    """No message could have joined the turn before it."""
    found = list(places(message.role for message in messages))
    assert len(found) == len(messages)
    for earlier, later in pairwise(found):
        assert (later.turn == earlier.turn) is (later.side > earlier.side)
        assert later.turn <= earlier.turn + 1


def test_an_exchange_is_one_turn() -> None:
    assert pack([Message("system", "s"), Message("user", "u"), Message("assistant", "a", reasoning="r")]) == (
        Turn(system="s", prompt="u", reasoning="r", response="a"),
    )


def test_a_tool_result_opens_a_turn() -> None:
    turns = pack(
        [
            Message("user", "u"),
            Message("assistant", tool_calls=[{"name": "f", "arguments": {}}]),
            Message("tool", "5", tool_call_id="c"),
            Message("assistant", "five"),
        ]
    )
    assert turns == (
        Turn(prompt="u", extra={"tool_calls": [{"name": "f", "arguments": {}}]}),
        Turn(prompt="5", response="five", extra={"prompt_role": "tool", "tool_call_id": "c"}),
    )
