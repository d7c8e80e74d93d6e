"""Numbers keep their text from the file to the export, at any depth, in every format; none of them ends a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline.states import Stage
from corpus_pipeline_tests import small_corpus

NUMBERS = (
    "0.1000000000000000055",
    "-0",
    "-0.0",
    "1E5",
    "1e20",
    "1.50",
    "9007199254740993",
    "1" * 40,
    "1e400",
    "-1e-400",
)
RECIPE = "name: raw\nclean: {rules: [], dedup: {exact: true, near: true}}\naugment: {strategies: []}\nexport: {parquet: %s}\n"
NESTED = '{"a": [N, {"b": N, "c": [[N]]}], "k": N}'
SHAPES = {
    "question_answer": '{"question": "Q", "answer": "A", "meta": M}',
    "openai_sft": '{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}], "meta": M}',
    "sharegpt": '{"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}], "meta": M}',
    "trl_preference": '{"prompt": "Q", "chosen": "A", "rejected": "B", "meta": M}',
    "instruction": '{"instruction": "Q", "context": "C", "response": "A", "category": "x", "meta": M}',
}


def rows(shape: str) -> list[str]:
    said = []
    for at, number in enumerate(NUMBERS):
        question = f"What is {small_corpus.THINGS[at % 10]} number {at * 31} of the {at}th shelf?"
        meta = NESTED.replace("N", number)
        said.append(shape.replace('"Q"', json.dumps(question)).replace('"A"', f'"It is {at * 7}."').replace("M", meta))
    return said


def worked(tmp_path: Path, path: Path, parquet: str = "false") -> str:
    recipe = tmp_path / "raw.yaml"
    recipe.write_text(RECIPE % parquet)
    with small_corpus.opened(tmp_path / "home") as corpus:
        name = corpus.add(path, recipe=str(recipe)).file.name
        small_corpus.run_path(corpus, name, Stage.EXPORT)
        return corpus.target.open(name).read().decode()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("array", [False, True])
def test_numbers_keep_their_text_at_any_depth(tmp_path: Path, shape: str, array: bool) -> None:
    said = rows(SHAPES[shape])
    path = tmp_path / "rows.json"
    path.write_text("[" + ",\n".join(said) + "]" if array else "\n".join(said))
    assert [line.replace(" ", "") for line in worked(tmp_path, path).splitlines()] == [
        line.replace(" ", "") for line in said
    ]


def test_a_number_beyond_a_double_does_not_end_the_parquet_either(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"question": "q{n}", "answer": "a{n}", "m": {n}e308}}\n' for n in (1, 10)))
    assert "10e308" in worked(tmp_path, path, "true")


def test_numbers_in_cells_of_a_table_keep_their_text(tmp_path: Path) -> None:
    def cell(number: str, at: int) -> Any:
        talk = (
            f'[{{"role": "user", "content": "q{at}"}}, {{"role": "assistant", "content": "a{at}", "score": {number}}}]'
        )
        return '"' + talk.replace('"', '""') + '"'

    path = tmp_path / "rows.csv"
    path.write_text("messages\n" + "\n".join(cell(number, at) for at, number in enumerate(NUMBERS)) + "\n")
    lines = worked(tmp_path, path).splitlines()
    assert len(lines) == len(NUMBERS)
    assert all(f'"score":{number}}}' in line.replace(" ", "") for number, line in zip(NUMBERS, lines, strict=True))
