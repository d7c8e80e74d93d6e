"""Dataset files, recipes and tasks: what is registered, under which recipe version it is worked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.model import FileId
from corpus_pipeline.states import FileState
from corpus_pipeline.store.schema import dataset_files
from corpus_pipeline.store.statement_parts import parts
from corpus_pipeline.store.types import inserted_id, now_ms


class DatasetFile(NamedTuple):
    """One registered input; `columns` is the recipe's mapping as it stood at registration."""

    id: FileId
    name: str
    version: int
    path: str
    sha256: str
    bytes: int
    container: str
    compression: str
    format: str
    columns: dict[str, str]
    consumer: str
    recipe_id: int
    state: FileState
    lines: int | None
    conversations: int | None
    rejects: int | None
    blanks: int | None
    registered_at: int
    ingested_at: int | None
    superseded_at: int | None
    removed_at: int | None = None
    emptied_at: int | None = None


def title_of(path: str) -> str:
    """How people know a dataset file: the name of the file at a path or an address, in whatever script.

    >>> title_of("/data/数据集.jsonl"), title_of("hf://datasets/o/n@0a1b/data/train.parquet")
    ('数据集.jsonl', 'o/n/data/train.parquet')
    """
    if path.startswith("hf://datasets/"):
        return re.sub(r"@[^/]*", "", path.removeprefix("hf://datasets/"), count=1)
    return path.rstrip("/").rpartition("/")[2] or path


def is_elsewhere(file: DatasetFile) -> bool:
    """Whether a dataset file is a local path at which this host has no file: nothing, or a folder."""
    return "://" not in file.path and not Path(file.path).is_file()


def _file(row: Row) -> DatasetFile:
    values = row._asdict()
    values["columns"] = orjson.loads(values["columns"])
    values["state"] = FileState(values["state"])
    return DatasetFile(**values)


def add_file(connection: Connection, values: dict[str, object]) -> FileId:
    """Register a dataset file; `values` are its columns, the version is the next one of its name."""
    name = values["name"]
    last = connection.execute(select(func.max(dataset_files.c.version)).where(dataset_files.c.name == name)).scalar()
    if last is not None:
        connection.execute(
            update(dataset_files)
            .where(dataset_files.c.name == name, dataset_files.c.superseded_at.is_(None))
            .values(superseded_at=now_ms())
        )
    row = dict(values, version=(last or 0) + 1, state=FileState.REGISTERED.value)
    row["columns"] = orjson.dumps(row["columns"], option=orjson.OPT_SORT_KEYS).decode()
    return FileId(inserted_id(connection.execute(insert(dataset_files).values(row))))


def current_files(connection: Connection, names: Sequence[str] = ()) -> list[DatasetFile]:
    """The current version of each dataset file by name. Raises UnknownName for a name that is not registered."""
    query = select(dataset_files).where(dataset_files.c.superseded_at.is_(None)).order_by(dataset_files.c.name)
    if not names:
        return [_file(row) for row in connection.execute(query)]
    wanted = list(dict.fromkeys(names))
    by_name: dict[str, DatasetFile] = {}
    for part in parts(wanted):
        rows = connection.execute(query.where(dataset_files.c.name.in_(part)))
        by_name |= {row.name: _file(row) for row in rows}
    for name in wanted:
        if name not in by_name:
            raise UnknownName("dataset file", name, [file.name for file in current_files(connection)])
    return [by_name[name] for name in wanted]


def current_file(connection: Connection, name: str) -> DatasetFile | None:
    """The current version of one dataset file, or None."""
    query = select(dataset_files).where(dataset_files.c.name == name, dataset_files.c.superseded_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else _file(row)


def consumers(connection: Connection) -> list[str]:
    """The consumers of the current dataset files, in their order."""
    query = select(dataset_files.c.consumer).where(dataset_files.c.superseded_at.is_(None)).distinct()
    return sorted(connection.execute(query).scalars())


def file_by_id(connection: Connection, file_id: FileId) -> DatasetFile:
    """Any version of a dataset file."""
    return _file(connection.execute(select(dataset_files).where(dataset_files.c.id == file_id)).one())


def lock(connection: Connection, file_id: FileId) -> None:
    """Let others who lock the same file wait until this transaction ends."""
    connection.execute(select(dataset_files.c.id).where(dataset_files.c.id == file_id).with_for_update()).one()


def same_content(connection: Connection, sha256: str, size: int) -> list[DatasetFile]:
    """Current dataset files with these bytes, under whatever name."""
    query = select(dataset_files).where(
        dataset_files.c.sha256 == sha256, dataset_files.c.bytes == size, dataset_files.c.superseded_at.is_(None)
    )
    return [_file(row) for row in connection.execute(query)]


def move_file(connection: Connection, file_id: FileId, path: str) -> None:
    """The same bytes lie at another place now."""
    connection.execute(update(dataset_files).where(dataset_files.c.id == file_id).values(path=path))


def bind(connection: Connection, file_id: FileId, *, recipe_id: int | None = None, consumer: str | None = None) -> None:
    """Bind another recipe version or consumer to a dataset file."""
    values = {key: value for key, value in (("recipe_id", recipe_id), ("consumer", consumer)) if value is not None}
    if values:
        connection.execute(update(dataset_files).where(dataset_files.c.id == file_id).values(values))


def finish_ingest(
    connection: Connection, file_id: FileId, *, lines: int, conversations: int, rejects: int, blanks: int
) -> None:
    """Every line of the file is accounted for: its rows may be read."""
    connection.execute(
        update(dataset_files)
        .where(dataset_files.c.id == file_id)
        .values(
            state=FileState.INGESTED.value,
            lines=lines,
            conversations=conversations,
            rejects=rejects,
            blanks=blanks,
            ingested_at=now_ms(),
        )
    )


def reopen_ingest(connection: Connection, file_id: FileId) -> None:
    """The file's rows no longer exist: they will be read again."""
    connection.execute(
        update(dataset_files)
        .where(dataset_files.c.id == file_id)
        .values(
            state=FileState.REGISTERED.value,
            lines=None,
            conversations=None,
            rejects=None,
            blanks=None,
            ingested_at=None,
        )
    )
