"""Recipes by name: bundled, stored in the database, or a file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection

from corpus_pipeline import recipe_yaml
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.formats import MAPPED, by_name, mapped, target_by_name
from corpus_pipeline.jobs.carrying import carry
from corpus_pipeline.jobs.clean.invalidation import compare_otherwise
from corpus_pipeline.recipe import DEFAULT_RECIPE_NAME, IngestSection, Recipe, Selection, bundled, parse
from corpus_pipeline.recipe_yaml import below, located
from corpus_pipeline.stages.augment.strategies import Strategy
from corpus_pipeline.stages.augment.strategies import build as build_strategies
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.rules import build as build_rules
from corpus_pipeline.store import Store, audit_log, dataset_files, recipes
from corpus_pipeline.store.dataset_files import DatasetFile


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
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise UsageError(f"{name}: {error.strerror}. `corpus recipe new` writes one to start from.") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{name}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
        return Chosen(checked(text, origin=name), name)
    rows = store.fetch(lambda c: recipes.recipe_rows(c, name))
    if rows:
        return Chosen(parse(rows[-1].body, origin=f"recipe {name}"), "database")
    if name in bundled_names():
        return Chosen(checked(bundled(name), origin=f"recipe {name}"), "bundled")
    stored = store.fetch(recipes.recipe_rows)
    raise UnknownName("recipe", name, {row.name for row in stored} | set(bundled_names()))


def checked(text: str, *, origin: str) -> Recipe:
    """The recipe in a YAML text, once everything that it names is known to be there. Raises UsageError with the line."""
    recipe = parse(text, origin=origin)
    with located(recipe_yaml.read(text, origin)):
        with below("clean", "rules"):
            build_rules(recipe.clean.rules)
        with below("clean", "dedup", "features"):
            scheme_named(recipe.clean.dedup.features, recipe.clean.dedup.params)
        with below("augment", "strategies"):
            strategies = build_strategies(recipe.augment.strategies, recipe.augment.model or "not-named")
        with below("export", "select"):
            _require_values(recipe.export.select, strategies)
        with below("ingest", "format"):
            if recipe.ingest.format != "auto":
                by_name(recipe.ingest.format)
        with below("ingest", "columns"):
            if recipe.ingest.columns:
                mapped(recipe.ingest.columns)
        with below("export", "format"):
            if recipe.export.format != "same":
                target_by_name(recipe.export.format)
        with below("notify", "url"):
            _url(recipe.notify.url)
    return recipe


def _require_values(rules: Sequence[Selection], strategies: Sequence[Strategy]) -> None:
    """Raises UnknownName for a selection by what no task of the recipe makes."""
    known = {strategy.label: strategy for strategy in strategies}
    for index, rule in enumerate(rules):
        with below(index, "value"):
            task, field = rule.value.split(".", 1)
            if task not in known:
                raise UnknownName("task", task, known)
            if field not in known[task].fields:
                raise UnknownName(f"field of {task}", field, known[task].fields)
        with below(index, "value"):
            _require_reachable(rule, known[task], field)
        with below(index, "rows"):
            makers = [label for label, strategy in known.items() if strategy.makes_rows]
            if rule.rows not in ("all", "cleaned", *makers):
                raise UnknownName("kind of rows", rule.rows, ("all", "cleaned", *makers))


def _require_reachable(rule: Selection, strategy: Strategy, field: str) -> None:
    """Raises UsageError for a bound that no score of the task can reach, and for words that are none of its labels."""
    if field == "label" and strategy.labels is not None and rule.without_value == "stay":
        left = [
            label
            for label in strategy.labels
            if (rule.one_of is None or label in rule.one_of) and label not in (rule.none_of or ())
        ]
        if not left:
            raise UsageError(f"no row can pass: the labels of {strategy.label} are {', '.join(strategy.labels)[:200]}")
    if field != strategy.score_field or strategy.scores is None:
        return
    low, high = strategy.scores
    if (rule.at_least is not None and rule.at_least > high) or (rule.at_most is not None and rule.at_most < low):
        raise UsageError(f"no row can pass: the scores of {strategy.label} go from {low} to {high}")


def _url(url: str | None) -> None:
    """What every machine would refuse; whether a host may be called is said by the settings of the one that calls."""
    parts = urlsplit(url or "https://host")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("notify.url must be https://HOST/PATH, or http:// on this machine.")


def reads_otherwise(file: DatasetFile, section: IngestSection) -> str | None:
    """Why a file that is registered cannot take a recipe's way of reading, with the way out; None when it reads the same."""
    wanted = MAPPED if section.columns else section.format
    if wanted not in ("auto", MAPPED):
        by_name(wanted)  # an unknown one is the more helpful error
    if wanted in ("auto", file.format) and section.columns in ({}, file.columns):
        return None
    read = f"by the columns {file.columns}" if file.columns else f"as {file.format}"
    other = f"by the columns {section.columns}" if section.columns else f"as {wanted}"
    return (
        f"{file.name} is registered to be read {read}; to read it {other} register it under another --name, or anew"
        f" (`corpus add {shlex.quote(file.path)} --name {file.name} --replace` with that --format or --recipe)"
    )


class Bound(NamedTuple):
    """A recipe version that a dataset file is bound to now. again: other files, whose rows are compared again for it."""

    version: str
    again: tuple[str, ...]


def bind(store: Store, name: str, recipe: str, *, who: str) -> Bound:
    """Bind a recipe to a dataset file; work that runs keeps its version, new work gets this one. What is done and what both
    say the same of stays done."""
    chosen = resolve(store, recipe)

    def write(connection: Connection) -> Bound:
        (file,) = dataset_files.current_files(connection, [name])
        recipe_id = recipes.save_recipe(connection, chosen.recipe.name, chosen.recipe.version, chosen.recipe.to_yaml())
        otherwise = reads_otherwise(file, chosen.recipe.ingest)
        if otherwise is not None:
            raise UsageError(otherwise)
        again = compare_otherwise(connection, file, recipe_id, who)
        carry(connection, file, recipe_id, who)
        dataset_files.bind(connection, file.id, recipe_id=recipe_id)
        audit_log.log(connection, who, "bind", name, {"recipe": chosen.recipe.name, "version": chosen.recipe.version})
        return Bound(chosen.recipe.version, tuple(again))

    return store.write(write)
