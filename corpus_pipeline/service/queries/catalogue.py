"""What is there to be named in a recipe, and where it comes from: rules, strategies, formats, validators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from corpus_pipeline import __version__, plugins
from corpus_pipeline.formats import FORMATS, GENERAL, Format
from corpus_pipeline.plugins import Group
from corpus_pipeline.service.records.progress import CatalogueEntry
from corpus_pipeline.stages.augment.strategies import BUILT_IN as STRATEGIES
from corpus_pipeline.stages.augment.strategies import Strategy
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.clean.rules import BUILT_IN as RULES
from corpus_pipeline.stages.clean.rules import DEFAULT_RULES
from corpus_pipeline.stages.clean.rules.base import Rule

OWN = "corpus-pipeline"


def listed(group: Group) -> list[CatalogueEntry]:
    """Everything of a kind, built-in ones first."""
    return list(_listed(group))


def problems() -> list[str]:
    """One sentence for each plugin that cannot be used."""
    return [
        f"{group.one} {entry['name']} of {entry['package']} {entry['version']}: {entry['problem']}"
        for group in Group
        for entry in listed(group)
        if entry.get("problem")
    ]


def _listed(group: Group) -> Iterator[CatalogueEntry]:
    base, built_in = _kinds()[group]
    for name, one in built_in.items():
        yield _entry(group, name, one, OWN, __version__, built_in=True)
    for plugin in plugins.checked(group, base, built_in):
        if plugin.problem:
            yield {
                "name": plugin.name,
                "summary": "",
                "package": plugin.package,
                "version": plugin.version,
                "built_in": False,
                "problem": plugin.problem,
            }
        else:
            yield _entry(group, plugin.name, plugin.target, plugin.package, plugin.version, built_in=False)


def _kinds() -> dict[Group, tuple[type[Any], Mapping[str, Any]]]:
    return {
        Group.RULES: (Rule, RULES),
        Group.STRATEGIES: (Strategy, STRATEGIES),
        Group.FORMATS: (Format, {format.name: format for format in (*FORMATS, *GENERAL)}),
        Group.VALIDATORS: (Validator, {}),
    }


def _entry(group: Group, name: str, one: Any, package: str, version: str, *, built_in: bool) -> CatalogueEntry:
    summary = getattr(one, "description" if group is Group.FORMATS else "summary", None)
    entry: CatalogueEntry = {
        "name": name,
        "summary": summary or (one.__doc__ or "").split("\n", 1)[0],
        "package": package,
        "version": version,
        "built_in": built_in,
    }
    return {**entry, "default": name in DEFAULT_RULES} if group is Group.RULES else entry
