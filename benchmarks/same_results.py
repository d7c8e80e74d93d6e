"""Whether a change of the code changes a result: a digest of every verdict and every export, to compare before and after.

    python benchmarks/same_results.py FOLDER_OR_FILE... > before.txt
    python benchmarks/same_results.py FOLDER_OR_FILE... --against before.txt     # exit 1 and the files that differ

Each file goes through ingest, clean and export with the built-in recipe without strategies (--all-rules: with every built-in
rule at its defaults), in an SQLite database of its own. A line of the output: the path, how many rows came in, the sha256 of
all that cleaning stored of them (verdicts, changed texts, tags, duplicates) and of the exported bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.clean.rules import DEFAULT_RULES, RULES
from corpus_pipeline.states import Stage
from corpus_pipeline.store import schema

_TABLES = (schema.cleaned_rows, schema.cleaned_turns, schema.row_tags, schema.duplicates)
_SUFFIXES = (".json", ".jsonl", ".jsonl.gz", ".csv", ".parquet")
_NEED_MORE = ("language", "token_length", "patterns", "score")  # a model or parameters
RECIPE = (
    "name: same\naugment: {strategies: []}\n"
    "export: {include: [cleaned], gate: {max_not_exportable: 1.0, max_rejected: 1.0, min_rows: 0}}\n"
    "clean: {gate: {max_dropped: 1.0}}\n"
)


def digests(path: Path, recipe: str) -> str:
    """One line about a dataset file."""
    with tempfile.TemporaryDirectory(prefix="corpus-same-") as name:
        written = Path(name) / "same.yaml"
        written.write_text(recipe, encoding="utf-8")
        with Corpus.open(Settings.from_env({"CORPUS_HOME": str(Path(name) / "home")})) as corpus:
            added = corpus.add(path, name="same", recipe=str(written)).file.name
            for stage in (Stage.INGEST, Stage.CLEAN):
                corpus.run_stage(added, stage)
            rows = corpus.files([added])[0].conversations
            verdicts = corpus.store.fetch(_stored)
            for stage in (Stage.AUGMENT, Stage.EXPORT):
                corpus.run_stage(added, stage)
            exported = hashlib.sha256(b"".join(Path(place).read_bytes() for place in corpus.export_places(added)))
            return f"{rows} {verdicts} {exported.hexdigest()[:16]}"


def _stored(connection: Connection) -> str:
    digest = hashlib.sha256()
    for table in _TABLES:
        columns = [column for column in table.c if not column.name.endswith("_at")]
        for row in connection.execute(select(*columns).order_by(*table.primary_key.columns)):
            digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def files_of(places: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """(name, path) of the dataset files at and below places."""
    for place in places:
        if place.is_file():
            yield place.name, place
        else:
            found = (path for path in sorted(place.rglob("*")) if path.is_file() and path.name.endswith(_SUFFIXES))
            yield from ((str(path.relative_to(place)), path) for path in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--against", type=Path, help="the output of an earlier run")
    parser.add_argument("--all-rules", action="store_true", help="with the rules that are off by default, too")
    said = parser.parse_args()
    recipe = RECIPE
    if said.all_rules:
        more = [rule.name for rule in RULES if rule.name not in (*DEFAULT_RULES, *_NEED_MORE)]
        recipe = RECIPE.replace("clean: {", f"clean: {{rules: [{', '.join((*DEFAULT_RULES, *more))}], ")
    found = {}
    for name, path in files_of(said.places):
        found[name] = digests(path, recipe)
        print(name, found[name], flush=True)
    if said.against is not None:
        before = {line.rsplit(" ", 3)[0]: line for line in said.against.read_text().splitlines()}
        differing = [name for name, line in found.items() if before.get(name) != f"{name} {line}"]
        if differing:
            sys.exit(f"{len(differing)} of {len(found)} differ: {', '.join(differing)}")
        print(f"all {len(found)} are as before", file=sys.stderr)


if __name__ == "__main__":
    main()
