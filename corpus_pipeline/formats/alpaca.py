"""LLaMA-Factory's alpaca: `instruction`, `input`, `output`, `system`, `history`; `chosen` and `rejected`; `kto_tag`.

Source: its `AlpacaDatasetConverter`: the prompt is instruction and input joined by a line end, and so it is in our
turns. A row whose prompt was changed so much that the two cannot be told apart is written with all of it in
`instruction`. Reasoning goes into the answer as `<think>...</think>`.
"""

from __future__ import annotations

from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.sharegpt import MEDIA_COLUMNS

_SHARED = {"prompt": "instruction", "query": "input"}
_AROUND = {"system": "system", "history": "history", **MEDIA_COLUMNS}

ALPACA = FlatFormat(
    "alpaca",
    "LLaMA-Factory with formatting alpaca",
    Columns(prompt="instruction", input="input", response="output", system="system", history="history"),
    media=MEDIA_COLUMNS,
    entry={"formatting": "alpaca", "columns": {**_SHARED, "response": "output", **_AROUND}},
)
ALPACA_PREFERENCE = FlatFormat(
    "alpaca_preference",
    "LLaMA-Factory with formatting alpaca, pairs of answers",
    Columns(
        prompt="instruction", input="input", response="chosen", rejected="rejected", system="system", history="history"
    ),
    media=MEDIA_COLUMNS,
    entry={
        "formatting": "alpaca",
        "ranking": True,
        "columns": {**_SHARED, "chosen": "chosen", "rejected": "rejected", **_AROUND},
    },
)
ALPACA_KTO = FlatFormat(
    "alpaca_kto",
    "LLaMA-Factory with formatting alpaca, answers marked good or bad",
    Columns(
        prompt="instruction", input="input", response="output", label="kto_tag", system="system", history="history"
    ),
    media=MEDIA_COLUMNS,
    entry={
        "formatting": "alpaca",
        "columns": {**_SHARED, "response": "output", **_AROUND, "kto_tag": "kto_tag"},
    },
)
