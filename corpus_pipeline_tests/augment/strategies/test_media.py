"""Rows about pictures and sounds are found wherever these stand in the record, and text about them is none."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.formats import detect
from corpus_pipeline.model import Conversation
from corpus_pipeline.stages.augment.media import has_media

DATA = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg"


def asked(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "A heron."}], **more}


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


WITH: dict[str, dict[str, Any]] = {
    "an image_url part": asked([said("Which bird?"), {"type": "image_url", "image_url": {"url": DATA}}]),
    "a sound": asked([said("Who sings?"), {"type": "input_audio", "input_audio": {"data": "UklGRg", "format": "wav"}}]),
    "a part of another house": asked(
        [said("Which bird?"), {"type": "image", "source": {"type": "base64", "data": "iVBOR"}}]
    ),
    "a column": {"prompt": "Which bird?", "response": "A heron.", "image": "photos/heron.jpg"},
    "a column of addresses": {"prompt": "<image>Which?", "response": "A heron.", "images": ["https://a.example/1.png"]},
    "bytes as datasets write them": {
        "prompt": "Which?",
        "response": "A heron.",
        "image": {"bytes": "iVBO", "path": None},
    },
    "a column with a name of its own": {"prompt": "Which?", "response": "A heron.", "video_path": "clips/7.mp4"},
    "a placeholder alone": {"prompt": "<image>\nWhich bird is it?", "response": "A heron."},
}
WITHOUT: dict[str, dict[str, Any]] = {
    "plain": {"prompt": "Which bird stands in the reeds?", "response": "A heron."},
    "HTML": {
        "prompt": "What does <audio> do in HTML, and <video>?",
        "response": "It plays a sound: <audio src='a.mp3'>.",
    },
    "talk of pictures": {"prompt": "Describe an image of a heron.", "response": "A grey bird in a picture."},
    "a word at such a key": {"prompt": "Which?", "response": "A heron.", "image": "none"},
    "an empty column": {"prompt": "Which?", "response": "A heron.", "images": [], "audio": None},
    "a file name of the source": {"prompt": "Which?", "response": "A heron.", "source_file": "birds.jsonl"},
}


def read(record: dict[str, Any]) -> Conversation:
    format_found = detect([record])
    assert format_found is not None
    parsed = format_found.parse(record)
    return Conversation(1, parsed.turns, parsed.shape, parsed.tools)


@pytest.mark.parametrize("kind", WITH)
def test_rows_with_media(kind: str) -> None:
    assert has_media(read(WITH[kind]))


@pytest.mark.parametrize("kind", WITHOUT)
def test_rows_without(kind: str) -> None:
    assert not has_media(read(WITHOUT[kind]))
