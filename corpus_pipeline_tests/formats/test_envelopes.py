"""Records inside an object of their own: read, changed and written where they lie."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats import by_name, export_line, look_at
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.general import read_any

_PAIR = {"question": "2+3?", "answer": "5", "level": 3}
_TALK = [{"role": "user", "content": "2+3?"}, {"role": "assistant", "content": "5"}]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"row_idx": 7, "row": _PAIR, "truncated_cells": []}, "instruction"),
        ({"_index": "i", "_id": "1", "_source": {"messages": _TALK, "lang": "en"}}, "chat"),
        ({"id": "rec1", "createdTime": "2020", "fields": {"Frage": "2+3?", "Antwort": "5"}}, "instruction"),
        ({"type": "q", "id": "1", "attributes": {"prompt": "2+3?", "chosen": "5", "rejected": "6"}}, "preference"),
        ({"event": {"payload": _PAIR}}, "instruction"),
        ({"json": {"messages": _TALK, "label": True}}, "labelled"),
    ],
)
def test_the_record_inside_is_read_and_comes_back(record: dict[str, Any], name: str) -> None:
    best = look_at([record]).best
    assert best is not None and best.format.name == name
    conversation = best.format.read(record)
    assert shapes.render(conversation) == record
    turn = conversation.turns[-1]
    changed = conversation._replace(turns=(*conversation.turns[:-1], turn._replace(response="five")))
    assert json.loads(export_line(changed, best.format, best.format)[0]) == json.loads(
        json.dumps(record).replace('"5"', '"five"')
    )


def test_keys_of_both_follow_the_row() -> None:
    record = {"row_idx": 7, "row": {**_PAIR, "row_idx": 8}, "truncated_cells": []}
    best = look_at([record]).best
    assert best is not None
    line, losses = export_line(best.format.read(record), best.format, by_name("alpaca"))
    assert json.loads(line) == {
        "instruction": "2+3?", "input": "", "output": "5", "row_idx": 7, "truncated_cells": [], "level": 3
    }  # fmt: skip
    assert losses == ("top_keys",)


@pytest.mark.parametrize(
    "record",
    [
        {"row": {"chosen": "Yes.", "rejected": "No."}, "ask": {"problem": "Why?"}},
        {"row": _PAIR, "context": "Two and three."},
        {"row": _PAIR, "item": _PAIR},
        {"sheet": _PAIR, "id": 1},
    ],
)
def test_what_belongs_to_a_record_and_lies_elsewhere_is_not_left_out(record: dict[str, Any]) -> None:
    with pytest.raises(LineRejected):
        read_any(record)
