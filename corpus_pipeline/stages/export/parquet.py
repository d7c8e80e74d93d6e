"""The exported lines once more as a Parquet file, for tools that would rather read columns.

Two passes over the finished JSONL: one that finds a type for every column which holds in all rows, one that writes group by
group. Memory follows the size of a group. A column with a number that 64 bits would round holds the texts of its numbers.
Where columns have values of different types, those that differ are JSON (Arrow's type), which `datasets` gives back as it was.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from corpus_pipeline.errors import SettingMissing, StopJob
from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.export.exact_numbers import Numbers, Where, with_texts
from corpus_pipeline.stages.export.files import CHUNK, create_temporary, explained, path_component
from corpus_pipeline.stages.export.hf_features import has_json
from corpus_pipeline.stages.export.writer import PART, FileFacts

_GROUP = 10_000  # rows
_GROUP_BYTES = 64 << 20  # of JSON, for rows that are long


def is_there() -> bool:
    """Whether Parquet can be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def require() -> None:
    """Raises SettingMissing, before any work, where Parquet cannot be written."""
    if not is_there():
        raise SettingMissing(
            "the recipe wants Parquet (export.parquet), which needs pyarrow: pip install 'corpus-pipeline[parquet]'"
        )


class Columns(NamedTuple):
    """The file, and by column how many of its numbers a 64-bit number would round: such a column holds texts."""

    facts: FileFacts
    as_text: dict[str, int]


def write_parquet(
    data: FileFacts, work_folder: Path, name: str, features: Sequence[Mapping[str, Any]] = (), *, exact: bool = False
) -> Columns:
    """A part in the work folder with the rows of a finished JSONL file. Remove it when it was published.

    features: `Features.columns` of the file, for rows whose columns differ in type. exact: objects with different keys are JSON
    as well, instead of objects in which the keys of others are null. Raises StopJob for rows that columns cannot hold,
    TargetUnavailable when the disk refuses.
    """
    import pyarrow as arrow

    if unfit := next((one["name"] for one in features if "\0" in one["name"]), None):
        raise StopJob(
            f"the rows cannot be written as Parquet: Arrow ends the name of the column {unfit!r:.80} at U+0000. Leave"
            " export.parquet out of the recipe; the JSONL file holds them as they are."
        )
    numbers = _rounded(data)
    places = frozenset(numbers.as_text)
    declared = _declared(arrow, features, places)
    if exact and declared is not None:
        return Columns(_written(_Rows(data, places, *declared), work_folder, name), numbers.in_words())
    try:
        facts = _written(_Rows(data, places, _schema(arrow, data, places)), work_folder, name)
    except StopJob:
        if declared is None:
            raise
        facts = _written(_Rows(data, places, *declared), work_folder, name)
    return Columns(facts, numbers.in_words())


class _Rows(NamedTuple):
    """What is written: `encoded` are the columns that hold JSON texts."""

    data: FileFacts
    places: frozenset[Where]
    schema: Any
    encoded: frozenset[str] = frozenset()


def _written(rows: _Rows, work_folder: Path, name: str) -> FileFacts:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    with explained(work_folder, "CORPUS_HOME"):
        descriptor, path = create_temporary(work_folder, path_component(name), mode=0o600, suffix=PART)
        try:
            with (
                _refusals(arrow),
                os.fdopen(os.dup(descriptor), "wb") as out,
                parquet.ParquetWriter(out, rows.schema, compression="zstd") as writer,
            ):
                for group in _groups(rows.data, rows.places):
                    if rows.encoded:
                        group = [_encoded(row, rows.encoded) for row in group]
                    writer.write_table(arrow.Table.from_pylist(group, schema=rows.schema), row_group_size=len(group))
            os.fsync(descriptor)
            size, digest = _digest(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
    return FileFacts(path, rows.data.lines, size, digest, "none")


def _encoded(row: dict[str, Any], columns: frozenset[str]) -> dict[str, Any]:
    return {key: jsontext.dumps(value) if key in columns and value is not None else value for key, value in row.items()}


def _declared(
    arrow: Any, features: Sequence[Mapping[str, Any]], places: frozenset[Where]
) -> tuple[Any, frozenset[str]] | None:
    """The schema of columns whose types are known, and those that are JSON; None when no column is."""
    rounded = {where[0] for where in places}
    encoded = frozenset(one["name"] for one in features if has_json(one) or one["name"] in rounded)
    if not encoded:
        return None
    fields = [
        arrow.field(one["name"], arrow.json_(arrow.string()) if one["name"] in encoded else _type(arrow, one))
        for one in features
    ]
    return arrow.schema(fields), encoded


def _type(arrow: Any, kind: Any) -> Any:
    """The Arrow type of a column, or of what is inside of one, in the words of `Features.columns`."""
    if isinstance(kind, str):
        return {"string": arrow.string, "bool": arrow.bool_, "int64": arrow.int64, "float64": arrow.float64}.get(
            kind, arrow.null
        )()
    if isinstance(kind, list):
        return arrow.struct([arrow.field(one["name"], _type(arrow, one)) for one in kind])
    if "list" in kind:
        return arrow.list_(_type(arrow, kind["list"]))
    return _type(arrow, kind.get("struct", kind.get("dtype", "null")))


def _rounded(data: FileFacts) -> Numbers:
    numbers = Numbers()
    for look in (numbers.take, numbers.take_beside_wide):
        with _opened(data) as stream:
            for line in stream:
                look(line)
        if not numbers.wide:
            break
    return numbers


def _schema(arrow: Any, data: FileFacts, places: frozenset[Where]) -> Any:
    """The types that hold in every row; a key that some rows do not have is null there."""
    found = arrow.schema([])
    with _refusals(arrow):
        for rows in _groups(data, places):
            found = arrow.unify_schemas(
                [found, arrow.RecordBatch.from_pylist(rows).schema], promote_options="permissive"
            )
    return found


@contextlib.contextmanager
def _refusals(arrow: Any) -> Iterator[None]:
    try:
        yield
    except (arrow.ArrowException, OverflowError) as error:
        raise StopJob(
            f"the rows cannot be written as Parquet: some column has values of different types, or of none that it holds"
            f" ({str(error)[:200]}). Leave export.parquet out of the recipe; the JSONL file holds them as they are."
        ) from error


def _opened(data: FileFacts) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(data.path, "rb")) if data.compression == "gzip" else data.path.open("rb")


def _groups(data: FileFacts, places: frozenset[Where]) -> Iterator[list[dict[str, Any]]]:
    with _opened(data) as stream:
        while lines := _some(iter(stream)):
            yield [with_texts(jsontext.loads(line), places) if places else jsontext.quickly(line) for line in lines]


def _some(lines: Iterator[bytes]) -> list[bytes]:
    found, size = [], 0
    for line in islice(lines, _GROUP):
        found.append(line)
        size += len(line)
        if size > _GROUP_BYTES:
            break
    return found


def _digest(path: Path) -> tuple[int, str]:
    value, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            value.update(block)
            size += len(block)
    return size, value.hexdigest()
