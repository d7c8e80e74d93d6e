"""What is stored is what was given, whatever the text and however many rows."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.model import Conversation, Turn, id_range
from corpus_pipeline.store import Store, rows
from corpus_pipeline_tests.store import making

HOSTILE = [
    "",
    "'",
    "\\",
    "\\'",
    "'); DROP TABLE turns; --",
    "100 % %s %(x)s %%",
    'a\0b\x1a\r\n\t"`',
    "\u2028 \U0001f9ff 汉字 ´ ʼ ＇",
    "\\0\\n\\Z\\%\\_",
    "ends with a backslash\\",
    "x" * 3_000_000,
]
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.sampled_from(HOSTILE[:-1])


def stored(store: Store, turns: list[tuple[Turn, ...]]) -> list[tuple[Turn, ...]]:
    made = making.task(store)
    batch = [Conversation(n, own, "{}", None, n, n, 1) for n, own in enumerate(turns, 1)]
    store.write(lambda c: rows.insert_batch(c, store.backend, made.file_id, batch, []))
    return [row.conversation.turns for row in store.fetch(rows.page, *id_range(made.file_id), len(turns) + 1)]


def test_hostile_texts_come_back(store: Store) -> None:
    turns = [
        (Turn(text, prompt=text if n % 2 else None, weight=n / 3), Turn(response=text))
        for n, text in enumerate(HOSTILE)
    ]
    assert stored(store, turns) == turns


def test_more_rows_than_one_statement_holds_come_back_in_order(store: Store) -> None:
    turns = [(Turn(prompt=f"p'{n}", response="y" * (n % 700)),) for n in range(2_345)]
    assert stored(store, turns) == turns


def test_values_beyond_what_json_parsers_hold_come_back(store: Store) -> None:
    extra: dict[str, Any] = {
        "tool_calls": [{"id": 10**25, "of": -(10**19), "at": 0.1, "name": "1234567890123456789012"}]
    }
    assert stored(store, [(Turn(prompt="x", extra=extra),)]) == [(Turn(prompt="x", extra=extra),)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, TEXTS | st.none(), st.none() | st.floats(-1e300, 1e300)), min_size=1, max_size=20))
def test_any_text_comes_back(store: Store, values: list[tuple[str, str | None, float | None]]) -> None:
    turns = [(Turn(prompt=prompt, response=response, weight=weight),) for prompt, response, weight in values]
    assert stored(store, turns) == turns
