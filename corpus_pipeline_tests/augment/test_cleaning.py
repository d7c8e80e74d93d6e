"""What a model wrote passes the cleaning rules that the source rows passed."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.cleaning import NewRowCleaning
from corpus_pipeline.stages.clean.rules import build

SOURCE = Turn(
    prompt="Where do storks go in winter?", response="They fly to the south of Africa and come back in March."
)


def cleaned(response: str, *rules: str, source: Turn = SOURCE) -> Any:
    cleaning = NewRowCleaning(build([NamedStep(name=name, params={}) for name in rules] if rules else None))
    return cleaning(Conversation(1, (source,), "{}"), (source._replace(response=response),))


def test_a_good_answer_stays_as_it_is() -> None:
    said = "Storks spend the winter in southern Africa, and return in March."
    row = cleaned(said)
    assert row.turns[0].response == said and row.tags == () and row.changes == {}


@pytest.mark.parametrize(
    ("dirt", "rule"),
    [
        ("\0", "control_characters"),
        ("\x07\x1b", "control_characters"),
        (" Write to stork.watch@greenhouse-trust.org if you see one.", "personal_data"),
    ],
)
def test_what_a_rule_repairs_is_repaired_and_counted(dirt: str, rule: str) -> None:
    row = cleaned(f"Storks spend the winter in southern Africa{dirt}, and return in March.")
    assert dirt not in (row.turns[0].response or "") and set(row.changes) == {rule}


def test_what_a_rule_drops_fails_with_its_reason_and_names_the_rule() -> None:
    with pytest.raises(BadAnswer) as refused:
        cleaned("They fly south. " * 80, "repetition")
    assert refused.value.validator == "clean.repetition" and refused.value.reason == "looping_response"


def test_what_the_source_is_kept_for_anyway_is_no_fault_of_the_new_row() -> None:
    refrain = "They fly south. " * 80
    row = cleaned("They fly north. " * 80, "repetition", source=SOURCE._replace(response=refrain))
    assert row.tags == ("kept_anyway",)
