"""Records of all shapes of the field, drawn at random: added, exported and read again they are equal, or counted."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.formats import by_name, jsontext
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.formats.test_shapes import CASES
from corpus_pipeline_tests.small_corpus import run_path, settings

NUMBERS = ("1E5", "-0", "1e20", "0.1234567890123456789", "123456789012345678901234567890", "2.50", "7", "-1.0e-7")
WORDS = ("Fäden", "水を", "“so”", "a\\b", "tab\there", "\u2028", "<b>", "🙂", "{x}", '"q"', "line\nend", "plain")
BROKEN = ('{"messages": [', "[1, 2]", '{"motto": 1}', "no JSON", '{"a": NaN}')
RECIPE = """name: {name}
clean: {{rules: [], dedup: {{exact: false, near: false}}}}
augment: {{strategies: []}}
export: {{format: {format}, gate: {{max_not_exportable: 1000, max_rejected: 1.0}}}}
"""


def drawn(chance: random.Random, number: int) -> str:
    """A record of any shape as text: other words in its texts, and keys beside them with numbers as people write them."""
    case = CASES[chance.choice(sorted(CASES))]
    before = by_name(case.kind).read(case.record)
    turns = tuple(
        turn._replace(
            **{
                field: f"{text} {chance.choice(WORDS)} {number}"
                for field, text in turn.texts()
                if not text.startswith("{") and text != "2"
            }
        )
        for turn in before.turns
    )
    record = shapes.render(before._replace(turns=turns))
    assert record is not None
    for at in range(chance.randint(0, 2)):
        record[f"beside {at}"] = jsontext.NumberText(chance.choice(NUMBERS))
    return jsontext.dumps(record)


def parsed(text: str) -> Any:
    """JSON in which a number is the text that stands there."""
    return json.loads(text, parse_float=lambda said: ("number", said), parse_int=lambda said: ("number", said))


def read_and_exported(
    home: Path, seed: int, container: str, format: str, count: int
) -> tuple[list[str], list[str], Any]:
    """The good records of a file with broken and blank ones between them, the exported lines, and the account."""
    chance = random.Random(f"{container} {format} {seed}")
    good = [drawn(chance, number) for number in range(count)]
    lines = list(good)
    for _ in range(count // 6):
        lines.insert(chance.randrange(len(lines)), chance.choice(BROKEN if container != "json" else BROKEN[1:3]))
    if container == "json":
        content = "[\n" + ",\n".join(lines) + "\n]\n"
    else:
        for _ in range(3):
            lines.insert(chance.randrange(len(lines)), chance.choice(("", "  ")))
        content = "\n".join(lines) + "\n"
    home.mkdir(parents=True)
    path = home / f"drawn.{container}"
    path.write_bytes(gzip.compress(content.encode()) if container.endswith("gz") else content.encode())
    recipe = home / "recipe.yaml"
    recipe.write_text(RECIPE.format(name=f"to-{format}", format=format))
    with Corpus.open(settings(home / "home")) as corpus:
        file = corpus.add(path, recipe=str(recipe)).file
        run_path(corpus, file.name)
        (report,) = corpus.report(file.name, Stage.EXPORT)
    uri = report["export_uri"]
    exported = Path(uri).read_text(encoding="utf-8").split("\n")[:-1] if uri else []
    account = report["account"]
    said = account["lines"]
    rejects = sum(said["rejects"].values())
    assert account["balanced"] and said["conversations"] == account["rows_in"] == count
    assert (said["lines"], rejects + said["blanks"]) == (len(lines), len(lines) - count)
    return good, exported, account


@pytest.mark.parametrize("container", ["json", "jsonl.gz"])
def test_what_comes_in_goes_out_as_it_was(tmp_path: Path, container: str) -> None:
    good, exported, account = read_and_exported(tmp_path / "a", 1, container, "same", 60)
    assert list(map(parsed, exported)) == list(map(parsed, good))
    assert (account["exported"], account["not_exportable"]) == (60, {})


@pytest.mark.parametrize("format", ["openai_sft", "trl_preference_chat"])
def test_what_another_format_cannot_hold_is_counted(tmp_path: Path, format: str) -> None:
    good, exported, account = read_and_exported(tmp_path / "a", 1, "jsonl", format, 60)
    assert 0 < len(exported) == account["exported"] < 60
    assert account["exported"] + sum(account["not_exportable"].values()) == 60
    beside = [_beside(text) for text in good]
    for line in exported:  # in the order of the records, each with what stood beside its texts, as it was written
        said = _beside(line)
        beside = beside[beside.index(said) + 1 :]


def _beside(text: str) -> list[Any]:
    return [value for key, value in parsed(text).items() if key.startswith("beside")]


def test_nothing_but_broken_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join(BROKEN) + "\n")
    with Corpus.open(settings(tmp_path / "home")) as corpus, pytest.raises(CorpusError):
        corpus.add(path)
