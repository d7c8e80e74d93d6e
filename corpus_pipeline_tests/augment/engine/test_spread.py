"""A trial of rows that lie evenly over the file: kept, not paid again, and near the bill."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from click.testing import CliRunner

from corpus_pipeline.cli.run import run
from corpus_pipeline.errors import Interrupted
from corpus_pipeline.model import split_id
from corpus_pipeline_tests.augment.engine.conftest import NAME, prompt_of


def test_a_trial_lies_over_the_whole_file_and_is_not_paid_again(make_kit: Any) -> None:
    kit = make_kit()
    longer = lambda row: prompt_of(row) + " And why?" * row  # noqa: E731 - the file begins with its short rows
    kit.add(100, strategies=["paraphrase"], prompt=longer, batch_size=7)
    assert kit.corpus.estimate(NAME)["total"]["margin"] is None
    for _ in range(2):  # the second one has nothing left to ask
        with pytest.raises(Interrupted, match="limit of 25 rows"):
            kit.run(limit=25, spread=True)
        asked = [
            split_id(row[0])[1] for row in kit.rows_of("SELECT DISTINCT conversation_id FROM llm_attempts ORDER BY 1")
        ]
        assert len(asked) == 25 and {b - a for a, b in pairwise(asked)} == {4}
    said = kit.corpus.estimate(NAME)
    paid = sum(line["nano_dollars"] for line in kit.invoice())
    assert kit.run().report["succeeded"] == 100
    rest = (sum(line["nano_dollars"] for line in kit.invoice()) - paid) / 1e9
    assert len(kit.invoice()) == 100
    assert said["strategies"][0]["finished"] == 25 and 0 <= said["total"]["margin"] < 0.1
    assert said["total"]["cost_usd"]["expected"] == pytest.approx(rest, rel=0.05)
    kit.books_agree()


def test_more_rows_than_there_are_is_all_of_them(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(8, strategies=["paraphrase"])
    kit.run(limit=50, spread=True)
    assert len(kit.invoice()) == 8
    assert kit.run().report["succeeded"] == 8 and len(kit.invoice()) == 8


def test_it_wants_a_number(tmp_path: Any) -> None:
    said = CliRunner().invoke(run, ["rows", "--spread"])
    assert said.exit_code == 2 and "--limit N" in said.output
