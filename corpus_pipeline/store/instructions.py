"""Recipes and prompts that quote purged rows: examples that somebody copied out of a dataset file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import yaml
from sqlalchemy import Connection, func, select, update

from corpus_pipeline.store.own_words import is_ours
from corpus_pipeline.store.row_words import PURGED_WORDS, RowWords
from corpus_pipeline.store.schema import dataset_files, prompts, recipes

Place = tuple[str | int, ...]


class QuotingRecipe(NamedTuple):
    """A recipe version that quotes rows. places: of the values that do. needed: a dataset file is bound to it."""

    id: int
    name: str
    version: str
    places: tuple[Place, ...]
    needed: bool


def scrub_prompts(connection: Connection, words: RowWords) -> int:
    """Take the words out of what is kept of prompts that were sent; their versions stay. Returns how many were changed."""
    changed = 0
    for version, body in connection.execute(select(prompts.c.version, prompts.c.body)).all():
        document = json.loads(body)
        places = list(_places(document, words))
        if places:
            text = json.dumps(_without(document, places), ensure_ascii=False)
            connection.execute(update(prompts).where(prompts.c.version == version).values(body=text))
            changed += 1
    return changed


def quoting_recipes(connection: Connection, words: RowWords) -> list[QuotingRecipe]:
    """The stored recipe versions that quote the rows, the oldest first."""
    found = []
    for row in connection.execute(select(recipes).order_by(recipes.c.id)).all():
        places = tuple(_places(yaml.safe_load(row.body), words))
        if places:
            found.append(QuotingRecipe(row.id, row.name, row.version, places, _needed(connection, row.id)))
    return found


def quoting_recipe(connection: Connection, version: str, places: Sequence[Place]) -> QuotingRecipe | None:
    """A recipe version that was found to quote rows, as it is now; None when it is no more, or does so no longer."""
    row = connection.execute(select(recipes).where(recipes.c.version == version)).first()
    if row is None:
        return None
    body = yaml.safe_load(row.body)
    left = tuple(place for place in places if _at(body, place) not in (None, PURGED_WORDS))
    return QuotingRecipe(row.id, row.name, row.version, left, _needed(connection, row.id)) if left else None


def body_without(connection: Connection, recipe: QuotingRecipe) -> str:
    """The text of a recipe version without the values that quote rows."""
    body = connection.execute(select(recipes.c.body).where(recipes.c.id == recipe.id)).scalar_one()
    return yaml.safe_dump(_without(yaml.safe_load(body), recipe.places), sort_keys=False, allow_unicode=True)


def replace_body(connection: Connection, recipe_id: int, body: str) -> None:
    """Another text for a recipe version; its version stays, for work names it."""
    connection.execute(update(recipes).where(recipes.c.id == recipe_id).values(body=body))


def _needed(connection: Connection, recipe_id: int) -> bool:
    bound = (dataset_files.c.recipe_id == recipe_id) & dataset_files.c.superseded_at.is_(None)
    return bool(connection.execute(select(func.count()).select_from(dataset_files).where(bound)).scalar_one())


def _places(document: Any, words: RowWords) -> Iterator[Place]:
    """Where values quote the rows, by more than this program says itself in its own recipes and prompts."""
    waiting: list[tuple[Place, Any]] = [((), document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            if any(not is_ours(quote) for quote in words.long_quotes(value)):
                yield place
        elif isinstance(value, list):
            waiting += [((*place, index), one) for index, one in enumerate(value)]
        elif isinstance(value, dict):
            waiting += [((*place, key), one) for key, one in value.items()]


def _at(document: Any, place: Place) -> Any:
    for key in place:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _without(document: Any, places: Sequence[Place]) -> Any:
    for place in places:
        inner = cast(Any, _at(document, place[:-1]))
        inner[place[-1]] = PURGED_WORDS
    return document
