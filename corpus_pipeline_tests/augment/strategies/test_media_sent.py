"""What of a row's media can be sent, from wherever it stands; what cannot be seen is asked about by nobody."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline.llm.adaptation import NOTHING_LEARNT
from corpus_pipeline.llm.batch_styles import BATCH_STYLES
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.llm.styles import STYLES
from corpus_pipeline.llm.tokens import expected_input, input_bound
from corpus_pipeline.model import Conversation, Medium, Request
from corpus_pipeline.stages.augment import media, media_bytes
from corpus_pipeline.stages.augment.media import MediaAccess, marks_of
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline_tests.augment.strategies.test_media import asked, read, said

INWARDS = (
    "http://pictures.example/a.png",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/a.png",
    "https://[::ffff:127.0.0.1]/a.png",
    "https://127.1/a.png",
    "https://0x7f000001/a.png",
    "https://localhost/a.png",
    "https://metadata.google.internal./a.png",
    "https://me:pw@pictures.example/a.png",
    "https://pictures.example\\@10.0.0.1/a.png",
    "https://[::1/a.png",
)


@pytest.mark.parametrize("url", INWARDS)
def test_an_address_that_leads_inwards_is_passed_on_to_no_provider(url):
    assert media_bytes.by_address("image", url, None) is SkipReason.MEDIA
    public = media_bytes.by_address("image", "https://1.1.1.1/a.png", None)
    assert isinstance(public, Medium)


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(40))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(30)
WEB = "https://pictures.example/heron.png"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


PICTURE = f"data:image/png;base64,{b64(PNG)}"
ROWS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a data URL": (asked([said("Which?"), {"type": "image_url", "image_url": {"url": PICTURE}}]), ("image",)),
    "two, one by its address": (
        asked(
            [
                said("Which of both?"),
                {"type": "image_url", "image_url": {"url": PICTURE}},
                {"type": "image_url", "image_url": {"url": WEB}},
            ]
        ),
        ("image", "image"),
    ),
    "a block with a source": (
        asked(
            [
                said("Which?"),
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": b64(PNG)}},
            ]
        ),
        ("image",),
    ),
    "a sound": (
        asked([said("Who?"), {"type": "input_audio", "input_audio": {"data": b64(WAV), "format": "wav"}}]),
        ("audio",),
    ),
    "a column of file names": (
        {"prompt": "<image>\nWhich bird is it?", "response": "A heron.", "images": ["pictures/heron.png"]},
        ("image",),
    ),
    "bytes in a column": (
        {"prompt": "Which?", "response": "A heron.", "image": {"bytes": b64(PNG), "path": None}},
        ("image",),
    ),
}
BLIND: dict[str, dict[str, Any]] = {
    "a mark without a picture": {"prompt": "<image>\nWhich bird is it?", "response": "A heron."},
    "more marks than pictures": {
        "prompt": "<image>\n<image>\nWhich?",
        "response": "A heron.",
        "images": ["pictures/heron.png"],
    },
    "a file that is not there": {"prompt": "Which?", "response": "A heron.", "image": "pictures/none.png"},
    "a file outside of the folder": {"prompt": "Which?", "response": "A heron.", "image": "../secret.png"},
    "a link that leads out": {"prompt": "Which?", "response": "A heron.", "image": "pictures/link.png"},
    "a text by the name of a picture": {"prompt": "Which?", "response": "A heron.", "image": "pictures/keys.png"},
    "base64 that is none": asked([said("Which?"), {"type": "image_url", "image_url": {"url": PICTURE + "=?"}}]),
    "bytes of nothing known": asked(
        [said("Which?"), {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64(b'hello there')}"}}]
    ),
    "too large": {"prompt": "Which?", "response": "A heron.", "image": "pictures/large.png"},
    "too large together": {"prompt": "Which?", "response": "A heron.", "images": ["pictures/allowed.png"] * 5},
    "too many": {"prompt": "Which?", "response": "A heron.", "images": ["pictures/heron.png"] * 21},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = tmp_path / "data" / "pictures"
    pictures.mkdir(parents=True)
    (pictures / "heron.png").write_bytes(PNG)
    (pictures / "keys.png").write_text("the key of the house: 1234")
    (pictures / "large.png").write_bytes(PNG + bytes(5 * 1024 * 1024))
    (pictures / "allowed.png").write_bytes(PNG + bytes(9 << 19))  # 4.5 MiB
    (tmp_path / "secret.png").write_bytes(PNG)
    (pictures / "link.png").symlink_to(tmp_path / "secret.png")
    return tmp_path / "data"


@pytest.mark.parametrize("kind", ROWS)
def test_media_are_found_and_read(kind: str, folder: Path) -> None:
    record, kinds = ROWS[kind]
    found = MediaAccess(lambda medium: True, str(folder)).of(read(record))
    assert not isinstance(found, SkipReason) and tuple(medium.kind for medium in found) == kinds
    assert all(medium.url or base64.b64decode(medium.data or "") in (PNG, WAV) for medium in found)


@pytest.mark.parametrize("kind", BLIND)
def test_what_cannot_be_sent_leaves_the_row_alone(kind: str, folder: Path) -> None:
    words = {"too large": SkipReason.MEDIA_TOO_LARGE, "too many": SkipReason.MEDIA_TOO_MANY}
    reason = words.get(" ".join(kind.split()[:2]), SkipReason.MEDIA)
    assert MediaAccess(lambda medium: True, str(folder)).of(read(BLIND[kind])) is reason


@pytest.mark.parametrize("swapped", ["pictures/heron.png", "pictures"], ids=["the file", "its folder"])
def test_a_picture_that_is_swapped_for_a_link_again_and_again_is_never_that_of_elsewhere(
    swapped: str, folder: Path
) -> None:
    secret = folder.parent / "secret"
    secret.mkdir()
    (secret / "heron.png").write_bytes(PNG + b"secret")
    shown, link, kept = folder / swapped, folder / "link", folder / "kept"
    link.symlink_to(secret / "heron.png" if shown.suffix else secret)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for one, other in ((shown, kept), (link, shown), (shown, link), (kept, shown)):
                one.rename(other)

    found, swapper = list[media_bytes.Read](), threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(1_500):
            media_bytes._read.cache_clear()
            found.append(media_bytes.of_file(folder, "pictures/heron.png"))
    finally:
        done.set()
        swapper.join()
    read = {base64.b64decode(one.data or "") for one in found if not isinstance(one, SkipReason)}
    assert read == {PNG}


def test_a_kind_that_nobody_takes_leaves_the_row_alone(folder: Path) -> None:
    record, _ = ROWS["a sound"]
    assert MediaAccess(lambda medium: medium.kind == "image", str(folder)).of(read(record)) is SkipReason.MEDIA
    assert MediaAccess().of(read(record)) is SkipReason.MEDIA


def test_the_words_of_a_bound_are_what_is_held_to() -> None:
    assert media_bytes.of_base64("A" * (21 << 20)) is SkipReason.MEDIA_TOO_LARGE
    picture, whole = media_bytes.MOST_BYTES["image"], media.MOST_BYTES_OF_ALL
    said = SkipReason.MEDIA_TOO_LARGE.in_words
    assert f"{picture >> 20} MiB a picture" in said and f"{whole >> 20} MiB a row" in said
    assert f"{media_bytes.MOST_BYTES_OF_OTHERS >> 20} MiB another" in said
    assert f"more than {media.MOST_MEDIA} media" in SkipReason.MEDIA_TOO_MANY.in_words


def test_marks_are_counted_by_their_text() -> None:
    turns = Conversation(1, read(asked("<image> and <image>, then <|image_pad|>")).turns, "").turns
    assert marks_of(turns) == {"<image>": 2, "<|image_pad|>": 1}


def request(*media: Medium) -> Request:
    return Request(
        "m",
        ({"role": "system", "content": "Look."}, {"role": "user", "content": "What is it?"}),
        100,
        media=media,
    )


IMAGE = Medium("image", "image/png", "00", data=b64(PNG), size=len(PNG))
LINKED = Medium("image", None, "01", url=WEB)
SOUND = Medium("audio", "audio/wav", "02", data=b64(WAV), size=len(WAV))


def test_each_api_has_them_before_the_text() -> None:
    where = endpoint("http://127.0.0.1:9/v1", None)
    sent = STYLES["openai"].wire(where, request(IMAGE, LINKED, SOUND), NOTHING_LEARNT).body["messages"][-1]["content"]
    assert [part["type"] for part in sent] == ["image_url", "image_url", "input_audio", "text"]
    assert sent[0]["image_url"]["url"] == PICTURE and sent[1]["image_url"]["url"] == WEB
    assert sent[2]["input_audio"] == {"data": b64(WAV), "format": "wav"} and sent[-1]["text"] == "What is it?"
    sent = STYLES["anthropic"].wire(where, request(IMAGE, LINKED), NOTHING_LEARNT).body["messages"][-1]["content"]
    assert sent[0]["source"] == {"type": "base64", "media_type": "image/png", "data": b64(PNG)}
    assert sent[1]["source"] == {"type": "url", "url": WEB} and sent[-1] == {"type": "text", "text": "What is it?"}
    sent = STYLES["gemini"].wire(where, request(IMAGE, SOUND), NOTHING_LEARNT).body["contents"][-1]["parts"]
    assert sent[0] == {"inlineData": {"mimeType": "image/png", "data": b64(PNG)}} and sent[-1] == {
        "text": "What is it?"
    }
    assert STYLES["anthropic"].media_part(SOUND) is None and STYLES["gemini"].media_part(LINKED) is None


def test_they_count_in_what_is_expected_and_reserved() -> None:
    assert expected_input(request(IMAGE)) - expected_input(request()) > 250
    assert input_bound(request(IMAGE)) - input_bound(request()) > 48_169  # the dearest picture that is published


@pytest.mark.parametrize("style", BATCH_STYLES)
def test_entries_of_batches_carry_them(style: str) -> None:
    where = endpoint("http://127.0.0.1:9/v1", None, style=style)
    entry = BATCH_STYLES[style].entry(where, "a", request(IMAGE))
    assert b64(PNG) in json.dumps(entry)
