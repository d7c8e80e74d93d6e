"""One corpus on every database: the same rows, the same verdicts, the same bytes in the export."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus_pipeline.store import invariants, rows
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.conftest import fresh_database

RECIPE = """
name: plain
ingest: {batch_size: 4}
clean: {batch_size: 5}
augment: {strategies: [paraphrase]}
export: {gate: {max_rejected: 1}}
"""
ROWS = [
    *(small_corpus.pair(number) for number in range(1, 13)),
    {
        "question": "Zero \0 and \ufdd0 and \ufdd00 and \\0 in one line?",
        "answer": "All of them: \0\0\ufdd01 come back.",
    },
    {"question": "Ärger, ärger, ANGER and \U0001f9ff 汉字?", "answer": "Four ' words \" with ` marks \\ and % signs."},
    small_corpus.pair(3),  # a duplicate
    b'{"question": "half a pair \\ud800", "answer": "is a reject"}',
    b"no JSON at all",
]
NAMES = ("b", "a0", "a", "a_b", "a-c", "_z")  # as the rules of a language would not have them
EXPECTED: dict[str, tuple[str, ...]] = {}  # by what is compared: of the first database that was seen


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgres"])
def test_the_whole_path_gives_the_same_bytes(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    request.param = kind  # type: ignore[attr-defined]
    url = fresh_database(request, tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=url) as corpus:
        for name in NAMES:
            own = ROWS if name == "a" else [small_corpus.pair(1, name)]
            corpus.add(small_corpus.write_jsonl(tmp_path / f"{name}.jsonl", own), name=name, recipe=str(recipe))
        small_corpus.run_path(corpus, "a")
        (place,) = corpus.export_places("a")
        (file,) = corpus.files(["a"])
        seen = {
            "export": (Path(place).read_bytes().hex(),),
            "names": tuple(known.name for known in corpus.files()),
            "rejects": tuple(map(str, corpus.store.fetch(rows.reject_rows, file.id, 0, 9))),
        }
        assert corpus.store.fetch(invariants.violations) == []
    assert seen["names"] == tuple(sorted(NAMES))
    for what, found in seen.items():
        assert found == EXPECTED.setdefault(what, found)
