"""Plugins: rules, strategies, formats and validators of other installed packages, found by entry points.

An entry point of one of the `Group`s names a class or an object as its built-in fellows are one, under its own name. The
module that it names says for which interface it was written: `PLUGIN_INTERFACE = 1`. The number is raised when a
plugin written for the one before would no longer work. A plugin that cannot be used stops no one who does not name it: it
is listed with what is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from corpus_pipeline.errors import UnknownName, UsageError

INTERFACE = 1
DECLARED = "PLUGIN_INTERFACE"
T = TypeVar("T")


class Group(StrEnum):
    """What a plugin may add; the words are the groups of entry points."""

    RULES = "corpus_pipeline.rules"
    STRATEGIES = "corpus_pipeline.strategies"
    FORMATS = "corpus_pipeline.formats"
    VALIDATORS = "corpus_pipeline.validators"

    @property
    def one(self) -> str:
        """The word for one of them."""
        return {"strategies": "strategy"}.get(word := self.value.rpartition(".")[2], word.removesuffix("s"))


class Plugin(NamedTuple):
    """One entry point. target: what it names, None when it cannot be used; problem: why, else empty."""

    name: str
    package: str
    version: str
    target: Any
    problem: str


@cache
def installed(group: Group) -> tuple[Plugin, ...]:
    """Every plugin of a group, in the order of their names; of two with one name the first package's counts."""
    found: list[Plugin] = []
    for entry in sorted(entry_points(group=group.value), key=lambda e: (e.name, e.dist.name if e.dist else "")):
        plugin = _loaded(entry)
        if any(plugin.name == other.name for other in found):
            plugin = plugin._replace(target=None, problem="another package has one of this name")
        found.append(plugin)
    return tuple(found)


def usable(group: Group, base: type[Any], builtin: Mapping[str, T]) -> dict[str, T]:
    """The plugins of a group that can be used, by name."""
    return {plugin.name: plugin.target for plugin in checked(group, base, builtin) if not plugin.problem}


def checked(group: Group, base: type[Any], builtin: Mapping[str, Any]) -> list[Plugin]:
    """Every plugin of a group; one that is no `base` (a class of it, or an object) or has the name of a built-in one has a
    problem."""
    return [_fitting(plugin, base, builtin) for plugin in installed(group)]


def named(group: Group, base: type[Any], builtin: Mapping[str, T], name: str) -> T:
    """What a name means, built in or of a plugin. Raises UnknownName; UsageError for a plugin that cannot be used."""
    if name in builtin:
        return builtin[name]
    plugins = {plugin.name: plugin for plugin in checked(group, base, builtin)}
    plugin = plugins.get(name)
    if plugin is None:
        raise UnknownName(group.one, name, [*builtin, *plugins])
    if plugin.problem:
        raise UsageError(
            f"{group.one} '{name}' of the package {plugin.package} {plugin.version} cannot be used: {plugin.problem}"
        )
    found: T = plugin.target
    return found


@cache
def code_hash(*groups: Group) -> str:
    """A hash over version and files of every package with a plugin of these groups; empty without plugins."""
    packages = {
        (entry.dist.name, entry.dist.version, entry.module)
        for group in groups
        for entry in entry_points(group=group.value)
        if entry.dist is not None
    }
    if not packages:
        return ""
    digest = hashlib.sha256()
    for package, version, module in sorted(packages):
        digest.update(f"{package} {version}\n".encode())
        for path in _files(module.partition(".")[0]):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def forget() -> None:
    """Look again at what is installed, when something is asked for."""
    installed.cache_clear()
    code_hash.cache_clear()


def _loaded(entry: EntryPoint) -> Plugin:
    package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("?", "?")
    bare = Plugin(entry.name, package, version, None, "")
    try:
        target = entry.load()
        declared = getattr(import_module(entry.module), DECLARED, None)
    except Exception as error:  # whatever a module of others does when it is imported
        return bare._replace(problem=f"{type(error).__name__}: {error}"[:300])
    if declared != INTERFACE:
        said = f"is written for interface {declared}" if declared is not None else f"does not say {DECLARED}"
        return bare._replace(problem=f"{entry.module} {said}; this program has interface {INTERFACE}")
    own = getattr(target, "name", None)
    if own != entry.name:
        return bare._replace(problem=f"its entry point is called {entry.name}, and it calls itself {own}")
    return bare._replace(target=target)


def _fitting(plugin: Plugin, base: type[Any], builtin: Mapping[str, Any]) -> Plugin:
    if plugin.problem:
        return plugin
    if plugin.name in builtin:
        return plugin._replace(problem="its name is that of a built-in one, which counts")
    target = plugin.target
    fits = issubclass(target, base) if isinstance(target, type) else isinstance(target, base)
    return plugin if fits else plugin._replace(problem=f"it is no {base.__module__}.{base.__name__}")


def _files(package: str) -> list[Path]:
    """The files of a package or module that is installed, without what Python makes of them."""
    spec = find_spec(package)
    if spec is None:
        return []
    if not spec.submodule_search_locations:
        return [Path(spec.origin)] if spec.origin else []
    folders = map(Path, spec.submodule_search_locations)
    return sorted(
        path for folder in folders for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
