"""A judge that gives every row the same score is stopped long before all rows are paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from corpus_pipeline.errors import Paused
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Status
from corpus_pipeline_tests.augment.engine.conftest import Kit
from corpus_pipeline_tests.augment.engine.test_endpoints import PRICES, Reply, Server

JUDGE = {
    "label": "quality",
    "model": "e0/small",
    "template": {"system": "Rate it.", "user": "{{ prompt }} {{ response }}"},
    "output": "score",
}


def judging(score: Callable[[int], int]) -> Callable[[dict[str, Any], int], Reply]:
    def behave(body: dict[str, Any], number: int) -> Reply:
        said = orjson.dumps({"because": f"That is what reader {number} thinks of it.", "score": score(number)}).decode()
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        usage = {"prompt_tokens": 50, "completion_tokens": 30, "total_tokens": 80}
        return 200, {"id": f"c{number}", "model": body["model"], "choices": [choice], "usage": usage}

    return behave


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[Callable[[int], int]], tuple[Kit, Server]]]:
    with ExitStack() as stack:

        def made(score: Callable[[int], int]) -> tuple[Kit, Server]:
            server = Server(judging(score))
            stack.callback(server.close)
            entries = {"e0": {"base_url": server.base_url, "prices": PRICES}}
            env = {"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_ENDPOINTS": yaml.safe_dump({"endpoints": entries})}
            corpus = stack.enter_context(Corpus.open(Settings.from_env(env)))
            return Kit(corpus, None, tmp_path, tmp_path / "none"), server  # type: ignore[arg-type]

        yield made


def test_a_judge_that_tells_nothing_apart_is_paused(make: Any) -> None:
    kit, server = make(lambda number: 5)
    kit.add(120, strategies=[{"prompt": JUDGE}], model=None, concurrency=4, completion={"same_scores": 20})
    with pytest.raises(Paused, match="the first 20 scores of quality are all 5: its judge tells nothing apart"):
        kit.run()
    assert 20 <= len(server.bodies) < 60


@pytest.mark.parametrize(
    ("score", "same_scores"), [(lambda number: 4 if number == 7 else 5, 20), (lambda number: 5, None)]
)
def test_others_and_those_that_the_recipe_lets_be_go_on(make: Any, score: Any, same_scores: int | None) -> None:
    kit, server = make(score)
    completion = {"same_scores": same_scores}
    kit.add(40, strategies=[{"prompt": JUDGE}], model=None, concurrency=4, completion=completion)
    assert kit.run().status is Status.DONE and len(server.bodies) == 40
