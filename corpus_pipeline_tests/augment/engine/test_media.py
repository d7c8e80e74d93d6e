"""Rows about pictures: asked with the picture where the endpoint takes it, else skipped; the new rows keep it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.queries import row_detail
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.augment.engine.conftest import Kit
from corpus_pipeline_tests.augment.engine.test_endpoints import PRICES, Reply, Server

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def paraphrase(body: dict[str, Any], number: int) -> Reply:
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    mark = "<image>\n" if "<image>\nWhich" in text else ""
    page = re.findall(r"on page (\d+)", text)[-1]
    again = f"{mark}Can you say what kind of bird the photograph on page {page} of the album shows in the reeds?"
    said = orjson.dumps({"prompt": again})
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said.decode()}}
    usage = {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}
    return 200, {"id": f"c{number}", "model": body["model"], "choices": [choice], "usage": usage}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., tuple[Kit, Server]]]:
    """A corpus whose endpoint `e0` takes these media."""
    with ExitStack() as stack:

        def made(behave: Callable[..., Reply] = paraphrase, **entry: Any) -> tuple[Kit, Server]:
            server = Server(behave)
            stack.callback(server.close)
            entries = {"e0": {"base_url": server.base_url, "prices": PRICES, **entry}}
            env = {"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_ENDPOINTS": yaml.safe_dump({"endpoints": entries})}
            corpus = stack.enter_context(Corpus.open(Settings.from_env(env)))
            return Kit(corpus, None, tmp_path, tmp_path / "none"), server  # type: ignore[arg-type]

        yield made


def add(kit: Kit, records: list[dict[str, Any]], strategy: str = "paraphrase", **params: Any) -> None:
    path = kit.folder / "birds.jsonl"
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    (kit.folder / "heron.png").write_bytes(PNG)
    steps = [{strategy: {"model": "e0/small", **params}}]
    kit.corpus.add(path, name="birds", recipe=kit.recipe(strategies=steps, model=None))
    for stage in (Stage.INGEST, Stage.CLEAN):
        kit.corpus.run_stage("birds", stage)


def with_part(row: int) -> dict[str, Any]:
    content = [
        {"type": "text", "text": f"Which bird stands in the reeds on page {row} of the album?"},
        {"type": "image_url", "image_url": {"url": URL}},
    ]
    return {
        "messages": [
            {"role": "user", "content": content},
            {"role": "assistant", "content": f"A grey heron, as on page {row}."},
        ]
    }


def with_file(row: int, name: str = "heron.png") -> dict[str, Any]:
    return {
        "prompt": f"<image>\nWhich bird stands in the reeds on page {row} of the album?",
        "response": f"A grey heron, as on page {row}.",
        "images": [name],
    }


@pytest.mark.parametrize("record", [with_part, with_file])
@pytest.mark.parametrize("said_by", ["recipe", "endpoint"])
def test_rows_are_asked_with_their_picture_and_new_ones_keep_it(make: Any, record: Any, said_by: str) -> None:
    kit, server = make(**({"media": ["image"]} if said_by == "endpoint" else {}))
    add(kit, [record(row) for row in range(4)], **({"media": ["image"]} if said_by == "recipe" else {}))
    line = kit.corpus.estimate("birds")["strategies"][0]
    assert line["items"] == 4 and line["input_tokens"] > 4 * 1000
    assert kit.run("birds").report["succeeded"] == 4
    parts = [body["messages"][-1]["content"] for body in server.bodies]
    assert [part[0] for part in parts] == [{"type": "image_url", "image_url": {"url": URL}}] * 4
    assert kit.run("birds") and len(server.bodies) == 4  # nothing is asked twice
    kit.corpus.run_stage("birds", Stage.EXPORT)
    rows = [
        orjson.loads(line)
        for path in kit.settings.home.rglob("birds*.jsonl")
        for line in path.read_bytes().splitlines()
    ]
    new = [row for row in rows if b"photograph" in orjson.dumps(row)]
    assert len(new) == 4 and all(
        (URL if record is with_part else "heron.png") in orjson.dumps(row).decode() for row in new
    )
    story = kit.corpus.store.fetch(row_detail.story, "birds", 1)
    (call,) = [call for call in story["calls"] if call["prompt"]]
    assert call["prompt"]["same"] and call["prompt"]["messages"][-1]["media"][0]["mime"] == "image/png"


def test_rows_without_a_taker_are_skipped(make: Any) -> None:
    kit, server = make()
    add(kit, [with_part(row) for row in range(3)])
    assert kit.run("birds").report["skip_reasons"] == {"media": 3} and not server.bodies


def test_rows_without_a_file_are_skipped(make: Any) -> None:
    kit, server = make()
    add(kit, [with_file(0), with_file(1, "gone.png"), with_file(2, "../heron.png")], media=["image"])
    assert kit.run("birds").report["skip_reasons"] == {"media": 2} and len(server.bodies) == 1


def test_a_new_text_that_loses_the_mark_of_its_picture_is_no_row(make: Any) -> None:
    def loses(body: dict[str, Any], number: int) -> Reply:
        status, said = paraphrase(body, number)
        said["choices"][0]["message"]["content"] = said["choices"][0]["message"]["content"].replace("<image>\\n", "")
        return status, said

    kit, _ = make(loses)
    add(kit, [with_file(row) for row in range(2)], media=["image"])
    assert kit.run("birds").report["failed"] == 2
    assert {row.reason for row in kit.rows_of("SELECT reason FROM failed_samples")} == {"media"}


def test_a_kind_that_an_api_does_not_take_is_said_before_anything_is_asked(make: Any) -> None:
    kit, server = make(style="anthropic")
    add(kit, [with_part(0)], media=["audio"])
    with pytest.raises(UsageError, match=r"style anthropic .*takes no audio; it takes file, image"):
        kit.run("birds")
    assert not server.bodies


@pytest.mark.parametrize("asked", [False, True])
def test_a_server_of_ones_own_network_fetches_what_rows_name_only_where_that_is_said(make: Any, asked: bool) -> None:
    """A name that reads as a public one may lead to what the author of a row cannot reach, and the server can."""
    kit, server = make(media=["image"], **({"media_addresses": True} if asked else {}))
    records = orjson.loads(orjson.dumps([with_part(0)]).replace(URL.encode(), b"https://pictures.example/heron.png"))
    add(kit, [*records, with_part(1)])
    assert kit.run("birds").report["succeeded"] == 1 + asked
    assert len(server.bodies) == 1 + asked and (b"pictures.example" in orjson.dumps(server.bodies)) is asked
