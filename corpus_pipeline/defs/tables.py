"""What the assets say of their tables and their code: columns as the database has them, and the module that works a stage."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import dagster as dg
from sqlalchemy import Table

from corpus_pipeline.jobs.stage_handlers import WORKERS
from corpus_pipeline.states import Stage
from corpus_pipeline.store import schema

# the table that an asset is known by; the others of a stage are in the schema
TABLES: Mapping[Stage, Table] = {
    Stage.INGEST: schema.turns,
    Stage.CLEAN: schema.cleaned_rows,
    Stage.AUGMENT: schema.augmented_rows,
}


def definition_metadata(stage: Stage, prefix: Sequence[str]) -> dict[str, Any]:
    """Column schema and name of the stage's table, and where its code is. An export has its columns with each partition."""
    found: dict[str, Any] = {"dagster/code_references": _code(stage)}
    if stage in TABLES:
        found["dagster/column_schema"] = _columns(TABLES[stage])
        found["dagster/table_name"] = ".".join([*prefix, TABLES[stage].name])
    return found


def export_columns(columns: Sequence[tuple[str, str]]) -> dg.TableSchema:
    """The columns of an export, (name, type) each."""
    return dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns])


@cache
def _columns(table: Table) -> dg.TableSchema:
    keys = [column.name for column in table.primary_key]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type),
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=keys == [column.name]),
            )
            for column in table.columns
        ],
        constraints=dg.TableConstraints(other=[f"PRIMARY KEY ({', '.join(keys)})"]),
    )


def _code(stage: Stage) -> dg.CodeReferencesMetadataValue:
    code = inspect.unwrap(WORKERS[stage]).__code__
    place = dg.LocalFileCodeReference(
        file_path=code.co_filename, line_number=code.co_firstlineno, label=f"what works {stage}"
    )
    return dg.CodeReferencesMetadataValue(code_references=[place])
