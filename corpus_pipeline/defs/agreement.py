"""One truth: what Dagster shows of a partition is what the corpus says of its dataset file.

A run tells Dagster what it did. This tells the rest: a recipe that was bound, a stage that somebody started over, rows that
were replayed or deleted, work that was done without this Dagster. What is done is materialized and fresh, whatever is to do is
missing or stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from corpus_pipeline.defs import checks, upstream
from corpus_pipeline.defs.dagster_internals import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from corpus_pipeline.defs.metadata import link_to
from corpus_pipeline.service.code_versions import code_version
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import cursors
from corpus_pipeline.store.dataset_files import DatasetFile

TO_DO = "~"  # behind a recipe's version: nothing of it changed, and its stage is to be done nevertheless
_AT_WORK = (Status.RUNNING, Status.PAUSING)
Reported = dg.AssetMaterialization | dg.AssetCheckEvaluation


def agree(
    instance: dg.DagsterInstance, corpus: Corpus, prefix: list[str], file: DatasetFile, words: Mapping[Stage, str]
) -> bool:
    """Tell Dagster what it does not know of a dataset file that no run works on. words: the status of each stage.

    Returns whether a stage has become stale by what was told now.
    """
    current = upstream.versions(prefix, file, corpus.recipe_of(file))
    found = False
    for stage in Stage:
        if words[stage] in _AT_WORK:
            break
        record = _materialized(instance, _key(prefix, stage), file.name)
        done = words[stage] == Status.DONE
        if record is None and not done:
            continue
        before = record is not None and is_fresh(instance, prefix, file.name, stage, record)
        _tell(instance, file.name, {key: current[key] for key in upstream.keys_of(prefix, stage)}, done)
        fresh = record is not None and is_fresh(instance, prefix, file.name, stage, record)
        if done and not fresh:
            _report(instance, corpus, prefix, file.name, stage)
        elif fresh and not done:
            _tell_to_do(instance, corpus, file.name, stage, upstream.recipe_key(prefix, stage), current)
        found |= before and not done
    return found


def is_fresh(
    instance: dg.DagsterInstance, prefix: list[str], name: str, stage: Stage, record: dg.EventLogRecord
) -> bool:
    """Whether nothing that a materialization was made from has another data version since, as Dagster decides it."""
    event = record.asset_materialization
    tags = (event.tags or {}) if event else {}
    for key in _inputs(prefix, stage):
        pointer = tags.get(get_input_event_pointer_tag(key))
        if pointer is None or not pointer.isdigit():
            continue  # it does not say what it was made from
        outside = key not in {_key(prefix, one) for one in Stage}
        later = instance.get_latest_data_version_record(key, outside, name, after_cursor=int(pointer))
        if later is None:
            continue
        earlier = instance.get_latest_data_version_record(key, outside, name, before_cursor=int(pointer) + 1)
        if earlier is None or _version(earlier) != _version(later):
            return False
    return True


def events_of(
    instance: dg.DagsterInstance,
    corpus: Corpus,
    prefix: list[str],
    name: str,
    stage: Stage,
    metadata: Mapping[str, Any],
    results: Sequence[dg.AssetCheckResult],
) -> Iterator[Reported]:
    """What a finished stage of one partition is told by, outside of a step of its own: with what it was made from."""
    tags = {
        DATA_VERSION_TAG: data_version(corpus, name, stage),
        DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        CODE_VERSION_TAG: code_version(stage),
    }
    for key in _inputs(prefix, stage):
        outside = key in upstream.keys_of(prefix, stage)
        record = instance.get_latest_data_version_record(key, outside, name)
        versions = [] if outside or record is None else [_version(record) or ""]  # as Dagster sums up what was read
        tags[get_input_data_version_tag(key)] = hashlib.sha256("".join(versions).encode()).hexdigest()
        if record is not None:
            tags[get_input_event_pointer_tag(key)] = str(record.storage_id)
    yield dg.AssetMaterialization(_key(prefix, stage), partition=name, metadata=dict(metadata), tags=tags)
    for result in results:
        yield dg.AssetCheckEvaluation(
            asset_key=_key(prefix, stage),
            check_name=str(result.check_name),
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
            blocking=stage is not Stage.EXPORT,
            partition=name,
        )


def data_version(corpus: Corpus, name: str, stage: Stage) -> str:
    """The hash of all that a stage of a dataset file was made from."""
    return hashlib.sha256("\n".join(corpus.data_version_parts(name, stage)).encode()).hexdigest()[:32]


def _report(instance: dg.DagsterInstance, corpus: Corpus, prefix: list[str], name: str, stage: Stage) -> None:
    metadata = {
        "row_browser": dg.MetadataValue.url(link_to(corpus.settings.web_url, name)),
        "reported": "done outside of a run of this Dagster, or before, under a recipe that says the same",
    }
    results = list(checks.results(corpus, name, stage, _key(prefix, stage)))
    for event in events_of(instance, corpus, prefix, name, stage, metadata, results):
        instance.report_runless_asset_event(event)


def _tell(instance: dg.DagsterInstance, name: str, current: dict[dg.AssetKey, str], done: bool) -> None:
    """Tell the versions of now. One that is known to be to do stays so until it is done."""
    for key, version in upstream.untold(instance, name, current):
        known = upstream.told(instance, key, name)
        if done or known is None or known.partition(TO_DO)[0] != version:
            instance.report_runless_asset_event(upstream.observation(key, name, version))


def _tell_to_do(
    instance: dg.DagsterInstance,
    corpus: Corpus,
    name: str,
    stage: Stage,
    key: dg.AssetKey,
    current: Mapping[dg.AssetKey, str],
) -> None:
    """Make a stage stale though nothing of the recipe changed: somebody started it over, or what it reads changed."""
    task = corpus.work(name, stage).task
    number = corpus.store.fetch(cursors.last_event, task.id, stage)
    version = f"{current[key]}{TO_DO}{task.content_version}.{number}"
    instance.report_runless_asset_event(upstream.observation(key, name, version))


def _key(prefix: Sequence[str], stage: Stage) -> dg.AssetKey:
    return dg.AssetKey([*prefix, checks.ASSETS[stage]])


def _inputs(prefix: list[str], stage: Stage) -> list[dg.AssetKey]:
    order = list(Stage)
    return [*(_key(prefix, one) for one in order[: order.index(stage)][-1:]), *upstream.keys_of(prefix, stage)]


def _materialized(instance: dg.DagsterInstance, key: dg.AssetKey, name: str) -> dg.EventLogRecord | None:
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[name])
    return next(iter(instance.fetch_materializations(wanted, limit=1).records), None)


def _version(record: dg.EventLogRecord) -> str | None:
    event = record.asset_materialization or record.event_log_entry.asset_observation
    return None if event is None else (event.tags or {}).get(DATA_VERSION_TAG)
