"""Figures of conservation: where every line and every row of a folder of files went, as sums that must be equal.

.venv/bin/python benchmarks/conservation.py [FOLDER] [--formats same,sharegpt,openai_sft] [--json]

Works every file of FOLDER (default ../shared/data, when it is there) under the default cleaning, without a model, in a
corpus of its own, once for each export format. Printed are, per file and format, lines = conversations + rejects + blanks
and rows in = exported + dropped + not exportable + ...; beside what the database says, the lines of the source and of the
exported file are counted again from the bytes. Ends with 1 when a sum does not come out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.jobs.conservation import account_line
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

DEFAULT = Path(__file__).parents[2] / "shared" / "data"
SUFFIXES = (".jsonl", ".json", ".jsonl.gz", ".json.gz")


def files_of(folder: Path) -> Iterator[Path]:
    """The dataset files below a folder, in a fixed order."""
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name.endswith(SUFFIXES))


def lines_in(path: Path) -> int:
    """Lines of a file, counted from its bytes."""
    with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as stream:
        return sum(1 for _ in stream)


def worked(path: Path, format: str, folder: Path) -> dict[str, Any]:
    """The account of one file under one export format."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"name: conservation\naugment: {{strategies: []}}\nexport: {{format: {format}}}\n")
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(folder / "home")})) as corpus:
        try:
            file = corpus.add(path, recipe=str(recipe)).file
        except CorpusError as error:
            return {"refused": str(error).splitlines()[0]}
        held = None
        for stage in Stage:
            try:
                corpus.run_stage(file.name, stage)
            except CorpusError as error:
                held = str(error)
        (report,) = corpus.report(file.name, Stage.EXPORT)
        account = report["account"]
        exported = lines_in(Path(report["export_uri"])) if report["export_uri"] else 0
        by_bytes = path.name.endswith((".jsonl", ".jsonl.gz"))
        counted = lines_in(path) if by_bytes else account["lines"]["lines"]
        right = account["balanced"] and exported == account["exported"] and counted == account["lines"]["lines"]
        return {
            "account": account,
            "held": held,
            "lines_by_bytes": counted,
            "exported_by_bytes": exported,
            "right": right,
        }


def said(name: str, format: str, found: dict[str, Any]) -> str:
    """One line for people."""
    if "refused" in found:
        return f"{name} as {format}: refused: {found['refused']}"
    lines = found["account"]["lines"]
    rejects = sum(lines["rejects"].values())
    word = "held" if found["held"] else "exported"
    return (
        f"{name} as {format} ({word}): {lines['lines']:,} lines = {lines['conversations']:,} conversations + {rejects:,}"
        f" rejects + {lines['blanks']:,} blanks; {account_line(found['account'])}{'' if found['right'] else '  <- WRONG'}"
    )


def main() -> int:
    """Work the files and print the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--formats", default="same,sharegpt,openai_sft")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    totals: dict[str, int] = {}
    wrong = 0
    for path in files_of(asked.folder):
        for format in asked.formats.split(","):
            with tempfile.TemporaryDirectory(prefix="conservation-") as scratch:
                found = worked(path, format, Path(scratch))
            name = str(path.relative_to(asked.folder))
            print(
                json.dumps({"file": name, "format": format, **found}) if asked.json else said(name, format, found),
                flush=True,
            )
            wrong += not found.get("right", True)
            for key in ("rows_in", "exported", "held"):
                totals[f"{format} {key}"] = totals.get(f"{format} {key}", 0) + found.get("account", {}).get(key, 0)
    print(f"{wrong} sums do not come out; " + ", ".join(f"{key} {count:,}" for key, count in totals.items()))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
