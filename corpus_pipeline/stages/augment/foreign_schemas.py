"""JSON schemas of others: of a recipe, and of tools that a row of a dataset file defines.

The validator is imported with the first schema: it takes a fifth of a second, and most recipes have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import SchemaError


def fault(schema: Any) -> SchemaError | None:
    """Why something is no schema; None when it is one."""
    from corpus_pipeline.stages.augment import schema_validator

    return schema_validator.fault(schema)


def misfit(value: Any, schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a value, by its schema; None when it fits."""
    from corpus_pipeline.stages.augment import schema_validator

    return schema_validator.misfit(value, schema)
