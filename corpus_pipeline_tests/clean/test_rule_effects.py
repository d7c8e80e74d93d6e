"""What rules do to rows, counted as the rule pass itself does it."""

from __future__ import annotations

from collections import Counter

from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.stages.clean.rule_effects import Effect, Effects
from corpus_pipeline.stages.clean.rule_pass import clean
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.states import RowState

TEXTS = (
    "A kettle boils.",
    "A kettle boils.  \n",
    "Write to anna.berg@brandhof.de \x00",
    "",
    "I'm sorry, but I can't help with that request.",
    "Boil it. " * 40,
    "The `<|endoftext|>` of it.",
    "CafÃ© au lait<|im_end|>",
)


def rows() -> list[Conversation]:
    return [
        Conversation(n, (Turn(prompt=f"What is {n}?", response=text),), "{}") for n, text in enumerate(TEXTS * 5, 1)
    ]


def test_the_counts_are_those_of_the_rule_pass() -> None:
    effects = Effects(build(None))
    reasons, kept, changed = Counter[str](), 0, 0
    for row in rows():
        effects.take(row.row_identifier, row)
        verdict = clean(row.row_identifier, row, build(None))  # type: ignore[arg-type]
        kept += verdict.state is RowState.KEPT
        changed += verdict.state is RowState.KEPT and verdict.turns is not None
        reasons.update([verdict.reason] if verdict.reason else [])
    told = Counter[str]()
    for of_rule in effects.of_rule.values():
        told.update(of_rule.words[Effect.DROPPED])
    assert (effects.rows, effects.kept, effects.changed, told) == (len(rows()), kept, changed, reasons)
    assert set(reasons) == {"empty_response", "refusal", "looping_response"} and changed
    assert effects.of_rule["whitespace"].rows[Effect.CHANGED] and effects.of_rule["mojibake"].rows[Effect.CHANGED]


def test_examples_show_what_a_rule_did_and_are_drawn_alike_each_time() -> None:
    first, again = Effects(build(None), examples=2), Effects(build(None), examples=2)
    for row in rows():
        first.take(row.row_identifier, row)
    for row in reversed(rows()):
        again.take(row.row_identifier, row)
    masked = first.of_rule["personal_data"].examples(Effect.CHANGED)
    assert len(masked) == 2 and masked == again.of_rule["personal_data"].examples(Effect.CHANGED)
    (difference,) = masked[0].differences
    assert "anna.berg" in difference.left and "[EMAIL]" in difference.right
    (dropped, _) = first.of_rule["refusals"].examples(Effect.DROPPED)
    assert dropped.words == ("refusal",) and dropped.text.startswith("I'm sorry")
    assert not Effects(build(None), examples=0).of_rule["refusals"].examples(Effect.DROPPED)


def test_a_rule_that_judges_in_two_rounds_counts_once() -> None:
    effects = Effects(build(None))
    effects.take(1, Conversation(1, (Turn(prompt="Why?", response="CafÃ© a\x00u lait  \n<|im_end|>  \n"),), "{}"))
    assert effects.of_rule["whitespace"].rows == {Effect.CHANGED: 1}
