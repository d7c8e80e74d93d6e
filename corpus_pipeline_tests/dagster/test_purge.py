"""A row that was worked by a real `corpus ui` and is purged beside it: its words are in no file of the home."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from corpus_pipeline.defs import instance as dagster_home
from corpus_pipeline.defs import partitions
from corpus_pipeline_tests.dagster.conftest import UI, write_file

NAME = "Odalys Vrbka"  # shorter than what is found by its length
LONG = f"a violin that {NAME} of Zlatna left beside the old observatory"
ROW = 3


def test_what_was_purged_is_in_no_file_of_the_home(ui: UI) -> None:
    file = "purged"
    source = write_file(ui.folder / "data", file, 8)
    lines = source.read_text().splitlines()
    lines[ROW - 1] = json.dumps({"question": f"Who knows of {LONG}?", "answer": f"{NAME} does, and mends it."})
    source.write_text("\n".join(lines) + "\n")
    recipe = ui.folder / "purged.yaml"
    recipe.write_text("name: purged\naugment: {model: corpus-stub, strategies: [paraphrase]}\n")
    ui.corpus.add(source, recipe=str(recipe))
    instance = dagster_home.instance(ui.corpus.settings)
    partitions.register(instance, [file])

    ui.corpus.pause([file], None, False, f"{NAME} asked us to wait")
    paused = ui.graphql.launch(file)
    ui.graphql.finished(paused)
    ui.corpus.resume([file], None, False)
    run = ui.graphql.launch(file)
    assert ui.graphql.finished(run)["status"] == "SUCCESS"
    instance.add_run_tags(run, {"asked-by": f"for {NAME}"})
    home = Path(ui.environment["CORPUS_HOME"])
    printed = [path for path in home.rglob("*.err") if path.is_file()]
    with printed[0].open("a") as log:
        log.write(f"it stopped at {NAME}\n")
    held = {path.relative_to(home).parts[0] for path in quoting(home)}
    assert {"corpus.db", "dagster", "exports"} <= {part.removesuffix("-wal") for part in held}

    assert purged(ui, file)["next"] == f"corpus run {file}"
    again = ui.graphql.launch(file)
    assert ui.graphql.finished(again)["status"] == "SUCCESS"
    purged(ui, file)
    assert [str(path.relative_to(home)) for path in quoting(home)] == []

    # Dagster still reads what it keeps of the runs
    for one in (paused, run, again):
        assert len(ui.graphql.run(one)["events"]) > 5
    assert ui.graphql.last_materialization("dataset_rows", file) is not None


def purged(ui: UI, file: str) -> dict:
    command = [sys.executable, "-m", "corpus_pipeline", "purge", file, str(ROW), "--reason", "r 7", "--yes", "--json"]
    done = subprocess.run(command, env=dict(ui.environment), capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def quoting(home: Path) -> Iterator[Path]:
    """The files below a home that hold the row's words; of databases also what is still in their log."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if content.startswith(b"SQLite format 3"):
                with closing(sqlite3.connect(path)) as database:
                    content += "\n".join(database.iterdump()).encode("utf-8", "replace")
            if any(word.encode() in content for word in (LONG, NAME, "Vrbka")):
                yield path
