"""What a corpus holds, without what may differ between two runs of the same work: times, epochs, attempts, run ids."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from corpus_pipeline.store import schema

_LEFT_OUT = {
    "dataset_files": {"path", "registered_at", "ingested_at", "superseded_at"},
    "work_items": {"reused"},
    "augmented_rows": {"created_at"},
    "failed_samples": {"id", "attempts", "first_at", "last_at", "error", "answer"},
    "execution_cursors": {"run_id", "active_ms", "started_at", "updated_at", "finished_at", "position"},
    "export_chunks": {"export_id"},
}
_TABLES = (
    *(schema.dataset_files, schema.conversations, schema.turns, schema.rejects),
    *(schema.cleaned_rows, schema.cleaned_turns, schema.row_tags, schema.duplicates),
    *(schema.work_items, schema.augmented_rows, schema.augmented_turns, schema.failed_samples),
    schema.execution_cursors,
)


def corpus_digest(connection: Connection, export_root: Path | None = None) -> dict[str, str]:
    """One sha256 per table and per exported file."""
    tasks = _tasks(connection)
    found = {table.name: _hash(_rows(connection, table, tasks)) for table in _TABLES}
    current = select(schema.exports).where(schema.exports.c.superseded_at.is_(None)).order_by(schema.exports.c.task_id)
    exports = connection.execute(current).all()
    found["exports"] = _hash(sorted([tasks[e.task_id], e.sha256, e.bytes, e.lines, e.variants] for e in exports))
    chunks = schema.export_chunks.c
    for export in exports:
        rows = connection.execute(
            select(chunks.conversation_ids, chunks.variants)
            .where(chunks.export_id == export.id)
            .order_by(chunks.first_line)
        ).all()
        whole = [b"".join(bytes(row[at]) for row in rows).hex() for at in (0, 1)]
        found[f"chunks of {tasks[export.task_id]}"] = _hash(whole)
    if export_root is not None:
        found |= _exported(export_root)
    return found


def cursor_rows(connection: Connection) -> list[list[Any]]:
    """What the digest compares of the cursors, to be looked at when it differs."""
    return _rows(connection, schema.execution_cursors, _tasks(connection))


def _tasks(connection: Connection) -> dict[int, str]:
    """Tasks by the names of their files and recipes: two starts at once may leave a gap in the numbers."""
    tasks, named, recipes = schema.tasks.c, schema.dataset_files.c, schema.recipes.c
    found = connection.execute(
        select(tasks.id, named.name, named.version, recipes.name)
        .join(schema.dataset_files, named.id == tasks.file_id)
        .join(schema.recipes, recipes.id == tasks.recipe_id)
        .order_by(tasks.id)
    )
    return {number: " ".join(map(str, names)) for number, *names in found}


def _rows(connection: Connection, table: Table, tasks: dict[int, str]) -> list[list[Any]]:
    columns = [column for column in table.c if column.name not in _LEFT_OUT.get(table.name, ())]
    rows = [
        [
            tasks[value] if column.name == "task_id" else _plain(value)
            for column, value in zip(columns, row, strict=True)
        ]
        for row in connection.execute(select(*columns))
    ]
    return sorted(rows, key=lambda row: json.dumps(row, default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return int(value) if isinstance(value, bool) else value


def _exported(root: Path) -> dict[str, str]:
    """The files that readers see; what a manifest says about times is left out."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith(".overview") and path.name != "README.md":
            content = path.read_bytes()
            if path.name == "manifest.json":
                body = {k: v for k, v in json.loads(content).items() if "created" not in k}
                content = json.dumps(body, sort_keys=True).encode()
            found[str(path.relative_to(root))] = hashlib.sha256(content).hexdigest()
    return found


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def differences(left: dict[str, str], right: dict[str, str]) -> list[str]:
    """The parts that differ."""
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
