"""Registering dataset files: identity, name, format, recipe, consumer. A changed file under a known name is refused."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.errors import SourceChanged, UsageError
from corpus_pipeline.jobs.carrying import carry
from corpus_pipeline.jobs.clean.invalidation import compare_otherwise, compare_without
from corpus_pipeline.recipe import Recipe, parse
from corpus_pipeline.service.commands import recipes
from corpus_pipeline.stages.ingest import identity, sniff
from corpus_pipeline.store import Store, audit_log, dataset_files
from corpus_pipeline.store import recipes as store_recipes
from corpus_pipeline.store.dataset_files import DatasetFile

DEFAULT_CONSUMER = "default"


class _Found(NamedTuple):
    """A file as it is now; place: its path, or its address elsewhere."""

    place: str
    sha256: str
    size: int


class Added(NamedTuple):
    """A registered dataset file; `new` is False when it was known. `twins` hold the same bytes. again: other files,
    with rows that repeat what is replaced: the next run compares them again. evidence: why it is read in its format."""

    file: DatasetFile
    new: bool
    twins: tuple[str, ...]
    again: tuple[str, ...] = ()
    evidence: str = ""


def place_of(path: Path, *, follow: bool) -> Path:
    """Where a file lies, by which it is known again. follow: as of `add`; else its folder alone is resolved: others may swap
    the name for a link between two looks at it."""
    return path.resolve() if follow else path.parent.resolve() / path.name


def add(
    store: Store,
    path: Path,
    *,
    name: str | None = None,
    recipe: str | None = None,
    consumer: str | None = None,
    format: str | None = None,
    replace: bool = False,
    who: str = "unknown",
    follow: bool = True,
    address: str | None = None,
) -> Added:
    """Register the file at `path`, or the one at `address`, of which a copy is there.

    Registering the same bytes under the same name again changes nothing but what is asked.

    follow: a symbolic link is followed; others may have put it there.
    replace: a known name with other bytes gets a new version, which keeps recipe and consumer unless others are named; rows
    and exports of the old one stay for the audit trail.
    Raises SourceChanged (other bytes under a known name), UsageError (not a regular file, no known format).
    """
    found_as = identity.identify(path, follow=follow)
    place = place_of(path, follow=follow)
    source = _Found(address or str(_speakable(place)), *found_as)
    name = _checked(name) if name else identity.dataset_name(path)
    known = store.fetch(lambda c: dataset_files.current_file(c, name))
    chosen = _bound(store, known) if known is not None and recipe is None else recipes.resolve(store, recipe).recipe
    section = chosen.ingest.model_copy(update={"format": format}) if format else chosen.ingest
    if known is not None:
        same = (known.sha256, known.bytes) == (source.sha256, source.size)
        if not same and not replace:
            raise _changed(known, source)
        otherwise = recipes.reads_otherwise(known, section) if format or recipe else None
        if same and otherwise is None:
            return _again(store, known, source, chosen if recipe else None, consumer, who)
        if same and not replace:
            raise UsageError(otherwise)
    found = sniff.sniff(place, section)

    def register(connection: Connection) -> Added:
        current = dataset_files.current_file(connection, name)
        if (current and current.id) != (known and known.id):
            raise SourceChanged(
                f"{name} was registered by somebody else at this moment; the same command again looks anew."
            )
        recipe_id = store_recipes.save_recipe(connection, chosen.name, chosen.version, chosen.to_yaml())
        twins = tuple(
            twin.name
            for twin in dataset_files.same_content(connection, source.sha256, source.size)
            if twin.name != name
        )
        again = compare_without(connection, known, who) if known is not None else []
        file_id = dataset_files.add_file(
            connection,
            {
                "name": name,
                "path": source.place,
                "sha256": source.sha256,
                "bytes": source.size,
                "container": found.source.container.value,
                "compression": found.source.compression.value,
                "format": found.format.name,
                "columns": dict(section.columns),
                "consumer": consumer or (known.consumer if known is not None else DEFAULT_CONSUMER),
                "recipe_id": recipe_id,
            },
        )
        audit_log.log(connection, who, "add", name, {"path": source.place, "sha256": source.sha256})
        return Added(dataset_files.file_by_id(connection, file_id), True, twins, tuple(again), found.evidence)

    return store.write(register)


def _bound(store: Store, file: DatasetFile) -> Recipe:
    """The recipe that a dataset file is bound to."""
    row = store.fetch(store_recipes.recipe_row, file.recipe_id)
    return parse(row.body, origin=f"recipe {row.name}")


def _speakable(path: Path) -> Path:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{os.fsencode(path)!r}: the name is not UTF-8. Rename it, then add it.") from error
    return path


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_][a-z0-9_-]{0,63}", name):
        raise UsageError(
            f"--name {name!r}: a name has 1 to 64 of the characters a-z, 0-9, _ and -, and begins with no -"
        )
    return name


def _again(
    store: Store, known: DatasetFile, source: _Found, recipe: Recipe | None, consumer: str | None, who: str
) -> Added:
    def update(connection: Connection) -> Added:
        recipe_id, again = None, tuple[str, ...]()
        if recipe is not None:
            recipe_id = store_recipes.save_recipe(connection, recipe.name, recipe.version, recipe.to_yaml())
            again = tuple(compare_otherwise(connection, known, recipe_id, who))
            carry(connection, known, recipe_id, who)
        dataset_files.bind(connection, known.id, recipe_id=recipe_id, consumer=consumer)
        if known.path != source.place:
            dataset_files.move_file(connection, known.id, source.place)
            audit_log.log(connection, who, "move", known.name, {"path": source.place})
        return Added(dataset_files.file_by_id(connection, known.id), False, (), again)

    return store.write(update)


def _changed(known: DatasetFile, source: _Found) -> SourceChanged:
    command = f"corpus add {shlex.quote(source.place)} --name {known.name}"
    return SourceChanged(
        f"{source.place} is not the file that is registered as {known.name}: {source.size:,} bytes,"
        f" sha256 {source.sha256[:12]}, instead of {known.bytes:,} bytes, sha256 {known.sha256[:12]}."
        " Either register it beside the old one"
        f" (`{command}-2`) or let it take the old one's place"
        f" (`{command} --replace`); the old rows and exports stay for the audit trail."
    )
