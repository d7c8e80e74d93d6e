"""Recipes as they are stored: one row per name and version."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, insert, select, update

from corpus_pipeline.store.schema import recipes
from corpus_pipeline.store.types import inserted_id


def save_recipe(connection: Connection, name: str, version: str, body: str) -> int:
    """The id of the recipe version; inserted when it is new. The newest body of a version holds: budgets, limits and prices
    may change without another version."""
    found = connection.execute(
        select(recipes.c.id, recipes.c.body).where(recipes.c.name == name, recipes.c.version == version)
    ).first()
    if found is not None:
        if found.body != body:
            connection.execute(update(recipes).where(recipes.c.id == found.id).values(body=body))
        return int(found.id)
    result = connection.execute(insert(recipes).values(name=name, version=version, body=body))
    return inserted_id(result)


def recipe_row(connection: Connection, recipe_id: int) -> Row:
    """(id, name, version, body, created_at) of a recipe version."""
    return connection.execute(select(recipes).where(recipes.c.id == recipe_id)).one()


def recipe_rows(connection: Connection, name: str | None = None) -> Sequence[Row]:
    """All recipe versions, the newest last."""
    query = select(recipes).order_by(recipes.c.id)
    return connection.execute(query if name is None else query.where(recipes.c.name == name)).all()
