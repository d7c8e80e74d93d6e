"""Recipes by name: bundled, stored in the database, or a file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.jobs.augment.plan import labels
from corpus_pipeline.recipe import DEFAULT_RECIPE_NAME, Recipe, bundled, parse
from corpus_pipeline.stages.augment.strategies import build as build_strategies
from corpus_pipeline.stages.clean.rules import build as build_rules
from corpus_pipeline.store import Store, files, reports


class Chosen(NamedTuple):
    """A recipe and where it came from."""

    recipe: Recipe
    origin: str


def bundled_names() -> list[str]:
    """The names of the recipes that come with the package."""
    folder = resources.files("corpus_pipeline") / "recipes"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def resolve(store: Store, name: str | None) -> Chosen:
    """A recipe by file path (what ends in .yaml or .yml), stored name (its newest version), or bundled name.

    Raises UsageError for a faulty one, UnknownName.
    """
    name = name or DEFAULT_RECIPE_NAME
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{name}: {error.strerror}. `corpus recipe new` writes one to start from.") from error
        return Chosen(checked(parse(text, origin=name), origin=name), name)
    rows = store.fetch(lambda c: files.recipe_rows(c, name))
    if rows:
        return Chosen(parse(rows[-1].body, origin=f"recipe {name}"), "database")
    if name in bundled_names():
        return Chosen(checked(parse(bundled(name), origin=f"recipe {name}"), origin=name), "bundled")
    stored = store.fetch(files.recipe_rows)
    raise UnknownName("recipe", name, {row.name for row in stored} | set(bundled_names()))


def checked(recipe: Recipe, *, origin: str) -> Recipe:
    """The recipe, once every rule, strategy and parameter in it is known to be right. Raises UsageError."""
    build_rules(recipe.clean.rules)
    build_strategies(recipe.augment.strategies, recipe.augment.model or "not-named")
    names = labels(recipe.augment)
    if len(set(names)) != len(names):
        raise UsageError(f"{origin}: two strategies have the same label; give one of them another `label`")
    return recipe


def bind(store: Store, name: str, recipe: str, *, who: str) -> str:
    """Bind a recipe to a dataset file; work that runs keeps its version, new work gets this one. Returns the version."""
    chosen = resolve(store, recipe)

    def write(connection: Connection) -> str:
        (file,) = files.current_files(connection, [name])
        recipe_id = files.save_recipe(connection, chosen.recipe.name, chosen.recipe.version, chosen.recipe.to_yaml())
        files.bind(connection, file.id, recipe_id=recipe_id)
        reports.log(connection, who, "bind", name, {"recipe": chosen.recipe.name, "version": chosen.recipe.version})
        return chosen.recipe.version

    return store.write(write)
