"""Secrets that a user wrote into dagster.yaml. Dagster shows that configuration on a page, hands it to other processes and
quotes it in errors: what goes there names variables of the environment instead."""

from __future__ import annotations

import copy
import importlib
import os
from typing import Any

import dagster as dg
import yaml

from corpus_pipeline import secret_words
from corpus_pipeline.defs.dagster_internals import ConfigurableClassData, process_config, resolve_to_config_type

_PREFIX = "DAGSTER_YAML_"


def sealed(reference: Any) -> Any:
    """The InstanceRef with each secret as a variable, which this process and its children have in their environment.

    A field that takes no variable stays as it is."""
    parts = {
        name: _sealed(part)
        for name, part in zip(reference._fields, reference, strict=True)
        if isinstance(part, ConfigurableClassData)
    }
    return reference._replace(**parts)


def _sealed(data: Any) -> Any:
    config = yaml.safe_load(data.config_yaml) or {}
    found = list(secret_words.leaves(config))
    if not found:
        return data
    try:
        kind = resolve_to_config_type(getattr(importlib.import_module(data.module_name), data.class_name).config_type())
    except (ImportError, AttributeError):  # whoever opens it says so
        return data
    plain = process_config(kind, config)
    for path, _ in found:
        variable = _PREFIX + "_".join((data.class_name, *map(str, path))).upper()
        tried, value = _with(config, path, {"env": variable})
        os.environ[variable] = value
        read = process_config(kind, tried)
        if read.success and read.value == plain.value:
            config = tried
        else:
            del os.environ[variable]
    return ConfigurableClassData(data.module_name, data.class_name, yaml.safe_dump(config))


def _with(config: Any, path: tuple[str | int, ...], value: Any) -> tuple[Any, str]:
    """A copy of a document with another value at a path, and the one that was there."""
    changed = copy.deepcopy(config)
    place = changed
    for part in path[:-1]:
        place = place[part]
    before, place[path[-1]] = place[path[-1]], value
    return changed, before


def without_reference(instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """The instance for what starts code servers: they find it by DAGSTER_HOME. Dagster hands its configuration to them as an
    argument, which every user of the machine can read, and which it prints when they do not start."""
    found = copy.copy(instance)
    found.get_ref = lambda: None  # type: ignore[method-assign, assignment, return-value]
    return found


def hide_in_pages(instance: dg.DagsterInstance) -> None:
    """Take out of Dagster's page of its configuration what could not be sealed: viewers see it, too."""
    written = instance.info_str

    def shown() -> str:
        text = written()
        return secret_words.hider(secret_words.in_yaml(text))(text)

    instance.info_str = shown  # type: ignore[method-assign]
