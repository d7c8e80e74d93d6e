"""Times the pages of the row browser on a large corpus, beside what they could be done with otherwise.

    python benchmarks/browse.py 10000000 --folder /tmp/large            # makes the corpus (again only if it is not there)
    python benchmarks/browse.py 1000000 --folder /tmp/large --database mysql+pymysql://...   # an empty database

One dataset file of short rows, a tenth of them Chinese: 100,000 are generated and worked by the pipeline, and their tables
are then multiplied in SQL, each copy with its number in the prompt, so that texts, verdicts, duplicates and keys are what
the pipeline would have written. The search index is built with `corpus index` (its CPU time and size are printed). Then every
page is asked for through the web application in this process: the median of several requests, each for another place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import generate_corpus
from sqlalchemy import Connection, Table, literal, select

SEED_ROWS = 100_000
NAME = "large"
RECIPE = """
name: browse
clean: {rules: [unicode, control_characters, whitespace, empty_turns, length_bounds: {max_text_characters: 140}]}
augment: {strategies: []}
export: {include: [cleaned]}
"""


# --- the corpus -------------------------------------------------------------------------------------------------------


def short_rows(count: int) -> Iterator[dict[str, str]]:
    """Question and the first sentence of an answer: some 150 characters, 30 in Chinese."""
    for row in generate_corpus.rows(count, seed=6, zh_share=0.1):
        end = "。" if row.language == "zh" else ". "
        yield {"question": row.question, "answer": row.answer.partition(end)[0].rstrip(".。") + end.strip()}


def make(folder: Path, rows: int, database: str | None) -> Any:
    """The open corpus, made when it is not there yet."""
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.states import Stage

    folder.mkdir(parents=True, exist_ok=True)
    env = {"CORPUS_HOME": str(folder / "home")} | ({"CORPUS_DATABASE_URL": database} if database else {})
    corpus = Corpus.open(Settings.from_env(env))
    if corpus.files():
        return corpus
    source, recipe = folder / f"{NAME}.jsonl", folder / "browse.yaml"
    recipe.write_text(RECIPE)
    with source.open("w", encoding="utf-8") as out:
        for row in short_rows(min(SEED_ROWS, rows)):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    corpus.add(source, recipe=str(recipe))
    for stage in (Stage.INGEST, Stage.CLEAN, Stage.AUGMENT):
        corpus.run_stage(NAME, stage)
    begun = time.perf_counter()
    multiply(corpus, rows)
    print(f"made {rows:,} rows in {time.perf_counter() - begun:.0f} s", flush=True)
    return corpus


def multiply(corpus: Any, rows: int) -> None:
    """Copy the rows of the file behind themselves until there are `rows` of them."""
    from corpus_pipeline.states import Stage
    from corpus_pipeline.store import schema

    (file,) = corpus.files([NAME])
    task = corpus.work(NAME, Stage.CLEAN).task
    seed = min(SEED_ROWS, rows)

    def copy(connection: Connection, table: Table, number: int) -> None:
        by = number * seed
        values = []
        for column in table.c:
            if column.name in ("id", "conversation_id", "nearest", "duplicate_of"):
                values.append(column + by)
            elif column.name == "data_prompt" and table is schema.turns:
                values.append(column + literal(f" Copy {number:05d}."))
            else:
                values.append(column)
        own = table.c.get("conversation_id", table.c[next(iter(table.c.keys()))])
        low = file.id << 32
        query = select(*values).where(own > low, own <= low + seed).order_by(own)
        if "task_id" in table.c:
            query = query.where(table.c.task_id == task.id)
        connection.execute(table.insert().from_select([column.name for column in table.c], query))

    tables = (schema.conversations, schema.turns, schema.cleaned_rows, schema.cleaned_turns, schema.duplicates)
    with corpus.store.engine.connect() as connection:
        if corpus.store.backend.name == "sqlite":  # nobody will miss it after a crash
            raw = connection.connection.driver_connection
            raw.execute("PRAGMA synchronous=OFF")
            raw.execute("PRAGMA cache_size=-400000")
        for table in tables:
            for number in range(1, rows // seed):
                with connection.begin():
                    copy(connection, table, number)
    files, cursors = schema.dataset_files, schema.execution_cursors

    def totals(connection: Connection) -> None:
        own = files.c
        times = rows // seed
        connection.execute(files.update().values(lines=own.lines * times, conversations=own.conversations * times))
        c = cursors.c
        names = ("current_offset", "total_rows", "processed_rows", "dropped_rows", "active_ms")
        connection.execute(cursors.update().values({name: c[name] * times for name in names}))
        grown = {c.last_id: c.last_id + (rows - seed), c.end_id: c.end_id + (rows - seed)}
        connection.execute(cursors.update().where(c.last_id > 0).values(grown))

    corpus.store.write(totals, repeatable=True)
