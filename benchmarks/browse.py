"""Times the pages of the row browser on a large corpus, beside what they could be done with otherwise.

    python benchmarks/browse.py 10000000 --folder /tmp/large            # makes the corpus (again only if it is not there)
    python benchmarks/browse.py 1000000 --folder /tmp/large --database mysql+pymysql://...   # an empty database

One dataset file of short rows, a tenth of them Chinese: 100,000 are generated and worked by the pipeline, and their tables
are then multiplied in SQL, each copy with its number in the prompt, so that texts, verdicts, duplicates and keys are what
the pipeline would have written. The search index is built with `corpus index` (its CPU time and size are printed). Then every
page is asked for through the web application in this process: the median of several requests, each for another place.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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


# --- the index ----------------------------------------------------------------------------------------------------------


def index(folder: Path, database: str | None, rows: int) -> None:
    """Make the search index in a process of its own and say what it took."""
    env = os.environ | {"CORPUS_HOME": str(folder / "home")} | ({"CORPUS_DATABASE_URL": database} if database else {})
    command = [sys.executable, "-m", "corpus_pipeline", "index", "--json"]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    answer = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    state = json.loads(answer)
    print(
        f"index: {state['indexed']:,} rows, {state['bytes'] / rows:.0f} bytes a row; {time.perf_counter() - begun:.0f} s,"
        f" {cpu:.0f} CPU s ({cpu / rows * 1e6:.1f} µs a row; next to nothing if it was there), peak {after.ru_maxrss >> 10} MB"
    )


def against_fts5(corpus: Any) -> None:
    """Texts into our blocks and into an FTS5 trigram table without text and positions: CPU (the better of two) and size."""
    from corpus_pipeline import search
    from corpus_pipeline.store import row_queries

    (file,) = corpus.files([NAME])
    first = file.id << 32
    found = corpus.store.fetch(row_queries.texts_between, None, first, first + search.SPAN)
    short = ["\n".join(found.get(first + number, ())) for number in range(1, search.SPAN + 1)]
    long = [f"{row.question}\n{row.answer}" for row in generate_corpus.rows(search.SPAN, seed=1, zh_share=0.0)]
    for texts in (short, long):
        ours, theirs = min(into_blocks(texts) for _ in range(2)), min(into_fts5(texts) for _ in range(2))
        size = sum(len(text.encode()) for text in texts)
        print(f"making it, {len(texts):,} rows of {size / len(texts):.0f} bytes, CPU a row and size beside the text:")
        for name, (seconds, length) in (("ours", ours), ("FTS5 trigram", theirs)):
            print(f"  {name}: {seconds / len(texts) * 1e6:.1f} µs, {length / size:.2f}")


def into_blocks(texts: list[str]) -> tuple[float, int]:
    """(CPU seconds, bytes)."""
    from corpus_pipeline import search

    begun = time.process_time()
    block = search.build([texts[start : start + search.CHUNK] for start in range(0, search.SPAN, search.CHUNK)])
    return time.process_time() - begun, len(block)


def into_fts5(texts: list[str]) -> tuple[float, int]:
    """(CPU seconds, bytes)."""
    import sqlite3

    database = sqlite3.connect(":memory:")
    begun = time.process_time()
    database.execute("CREATE VIRTUAL TABLE f USING fts5(t, content='', detail=none, columnsize=0, tokenize='trigram')")
    database.executemany("INSERT INTO f(rowid, t) VALUES (?, ?)", enumerate(texts, 1))
    database.execute("INSERT INTO f(f) VALUES ('optimize')")
    database.commit()
    took = time.process_time() - begun
    words = ("page_count", "freelist_count", "page_size")
    pages, free, size = (database.execute(f"PRAGMA {word}").fetchone()[0] for word in words)
    return took, (pages - free) * size


# --- the pages ----------------------------------------------------------------------------------------------------------


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def measure(corpus: Any, rows: int) -> None:
    from sqlalchemy import or_
    from starlette.testclient import TestClient

    from corpus_pipeline.store import schema
    from corpus_pipeline.store.row_queries import like_pattern
    from corpus_pipeline.web import Options, create_app

    (file,) = corpus.files([NAME])
    low, high = file.id << 32, (file.id << 32) + rows
    client = TestClient(create_app(corpus, Options()), base_url="http://127.0.0.1:8787", client=("127.0.0.1", 50_000))
    turns = schema.turns.c

    def ask(path: str) -> str:
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def by_offset(offset: int) -> Callable[[], object]:
        query = select(schema.turns).where(turns.conversation_id > low, turns.conversation_id <= high)
        query = query.order_by(turns.conversation_id, turns.turn_taking).limit(25).offset(offset)
        return lambda: corpus.store.fetch(lambda c: c.execute(query).all())

    def by_like(text: str, after: int) -> Callable[[], object]:
        words = (turns.data_prompt, turns.data_response)
        query = select(turns.conversation_id).where(turns.conversation_id > low + after, turns.conversation_id <= high)
        query = query.where(or_(*(word.ilike(like_pattern(text), escape="!") for word in words)))
        query = query.order_by(turns.conversation_id).limit(26)
        return lambda: corpus.store.fetch(lambda c: c.execute(query).all())

    def show(what: str, paths: list[str], other: Callable[[], object] | None = None) -> None:
        answers = [""]
        times = [timed(lambda path=path: answers.append(ask(path))) for path in paths]
        shown, note = answers[-1].count("data-row"), " (stopped early)" if "Stopped early" in answers[-1] else ""
        median = statistics.median(times)
        line = f"| {what} | {shown}{note} | {median:.0f} | {max(times):.0f} |"
        if other is not None:
            took = timed(other)
            line += f" {took:,.0f} | {took / median:,.0f} |"
        print(line, flush=True)

    print(f"load {os.getloadavg()[0]:.1f}")
    print("| page | rows shown | median ms | slowest ms | the other way ms | times |")
    print("|---|---|---|---|---|---|")
    ask("/files")  # templates
    for where, start in (("first", 0), ("middle", rows // 2), ("last", rows - 60)):
        paths = [f"/files/{NAME}/rows?after={start + 7 * n}" for n in range(5)]
        show(f"rows, {where} page (beside OFFSET)", paths, by_offset(start))
    middle = rows // 2
    show("cleaned rows, middle", [f"/files/{NAME}/rows?stage=clean&after={middle + 7 * n}" for n in range(5)])
    chosen_by = (
        "state=dropped",
        "state=pending",
        "reason=near_duplicate",
        "reason=too_long",
        "reason=absent",
        "changed=true",
    )
    for chosen in chosen_by:
        show(f"rows, {chosen}", [f"/files/{NAME}/rows?{chosen}&after={middle + 7 * n}" for n in range(5)])
    copy = f"Copy {rows // SEED_ROWS - 1:05d}"
    texts = ("the", "easelline", copy, "水壶", "不能", "没有这个", "Zacharias Quux", "xqz")
    for text in texts:
        paths = [f"/files/{NAME}/rows?search={text}&after={n}" for n in (0, rows // 3, rows // 10, 1, 2)]
        show(f"search {text} (beside LIKE)", paths, by_like(text, 0))
    show(
        "search easelline, cleaned", [f"/files/{NAME}/rows?stage=clean&search=easelline&after={n}" for n in (0, middle)]
    )
    show("files", ["/files"] * 5)
    show("one file", [f"/files/{NAME}"] * 5)
    show("one row", [f"/files/{NAME}/rows/{middle + 7 * n}" for n in range(5)])
    show("reports, first view", [f"/files/{NAME}/reports"])
    from corpus_pipeline.service.queries import statistics as queries_statistics

    show(
        "statistics, first view (beside counting)",
        [f"/files/{NAME}/statistics"],
        lambda: queries_statistics.file_statistics(corpus.store, NAME),
    )
    print(f"load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, help=f"at least {SEED_ROWS:,}, a multiple of it")
    parser.add_argument("--folder", type=Path, required=True, help="kept, so that another run need not make it again")
    parser.add_argument("--database", help="an empty MariaDB or MySQL database; SQLite in the folder without it")
    said = parser.parse_args()
    with make(said.folder, said.rows, said.database) as corpus:
        against_fts5(corpus)
        index(said.folder, said.database, said.rows)
        measure(corpus, said.rows)


if __name__ == "__main__":
    main()
