"""Sensors: new files in the inbox, the pause flags, webhooks that are due. A pause needs none: the assets look themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from corpus_pipeline.defs import agreement, automation, backfill_holds, run_liveness, run_tags, upstream
from corpus_pipeline.defs.backfill_holds import BACKFILL_TAG, HOLD_TAG, PARTITION_TAG, PAUSED
from corpus_pipeline.defs.dagster_internals import AssetGraphSubset, BulkActionsFilter, DefaultPartitionsSubset
from corpus_pipeline.defs.multi_partition import stages_of
from corpus_pipeline.defs.names import DEFAULT, Names
from corpus_pipeline.defs.resources import opened
from corpus_pipeline.errors import CorpusError, UnknownName
from corpus_pipeline.service.commands.pause import Resumable
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.service.queries import progress
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import pauses, start_requests
from corpus_pipeline.store.pauses import PauseFlag

WILL_RETRY_TAG = "dagster/will_retry"
RETRY_RUN_TAG = "dagster/auto_retry_run_id"
TAKEOVER_TAG = "corpus/takeover"  # "number@rows": how often in a row workers died at the same row
MAX_TAKEOVERS = 5
TAKEOVER = "takeover"
STARTED_FOR_TAG = "corpus/started_for"  # the person who asked the row browser for it
REQUEST_TAG = "corpus/request"  # what the sensor answered with a run
MAX_REMOVED = 200  # a tick
OWED = " owed"  # behind what was seen of a file: a change of it has yet to start a run
MAX_TOLD = 100  # a tick: each takes some 20 questions to Dagster's storage
_FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_WAITING = [DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED]
_ACTIVE = [*_WAITING, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def sensors_of(names: Names, settings: Callable[[], Settings]) -> list[dg.SensorDefinition]:
    """The sensors of one corpus; `settings` is asked at each tick."""
    return [make(names, settings) for make in (_inbox, _pause_flags, _webhooks, _retention, _upstream)]


def _inbox(names: Names, settings: Callable[[], Settings]) -> dg.SensorDefinition:
    @dg.sensor(
        name=names.unique("inbox"),
        asset_selection=names.keys,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Registers files that appear in the inbox folder, and makes partitions for all that are registered.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick: register what is new and has settled, then make the partitions that are missing."""
        with opened(settings()) as corpus:
            added, problems = corpus.scan_inbox()
            for problem in problems:
                context.log.warning(problem)
            known = set(context.instance.get_dynamic_partitions(names.partitions.name or ""))
            files = [file.name for file in corpus.files()]
        new = [name for name in files if name not in known]
        foreign = sorted(known - set(files))
        if not new and not foreign:
            return dg.SkipReason("; ".join(problems) or "no new dataset file")
        context.log.info(f"{len(added)} files registered, {len(new)} partitions made")
        requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
        if new:
            requests.append(names.partitions.build_add_request(new))
        if foreign:  # added by hand, or their file was removed: nothing can be made for them
            context.log.warning(
                f"partitions without a dataset file are removed: {', '.join(foreign)}. Use: corpus add FILE"
            )
            requests.append(names.partitions.build_delete_request(foreign))
        return dg.SensorResult(dynamic_partitions_requests=requests)

    return inbox


def _pause_flags(names: Names, settings: Callable[[], Settings]) -> dg.SensorDefinition:
    @dg.sensor(
        name=names.unique("pause_flags"),
        asset_selection=names.keys,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Follows the pause flags: marks and cancels what they cover; requests runs for what may go on, and for"
        " what people asked the row browser to start.",
    )
    def pause_flags(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick: flags that are set stop queued runs of their scope, cleared ones get the paused stages going again."""
        with opened(settings()) as corpus:
            run_liveness.end_lost(context.instance, corpus.store, corpus.settings.lease_seconds, names.owns)
            active = corpus.mark_flags()
            _pause_abandoned(context.instance, corpus, names)
            released = backfill_holds.release(context.instance, corpus, names, active)
            cancelled = _stop_queued(context.instance, corpus, names, active) if active else 0
            requests = [
                *backfill_holds.requests(context.instance, corpus, names),
                *_resume_requests(context.instance, corpus, names, active),
                *_start_requests(context.instance, corpus, names, active),
            ]
        if not requests and not cancelled and not released:
            return dg.SkipReason("nothing to stop and nothing to go on with")
        context.log.info(
            f"{cancelled} queued runs stopped, {released} waiting runs released, {len(requests)} runs requested"
        )
        return dg.SensorResult(run_requests=requests)

    return pause_flags


def _webhooks(names: Names, settings: Callable[[], Settings]) -> dg.SensorDefinition:
    @dg.sensor(
        name=names.unique("webhooks"),
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Delivers webhooks that no run could: its process had ended, or the receiver was away.",
    )
    def webhooks(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """One tick: due deliveries are tried once; a receiver that is away is tried again, later each time."""
        with opened(settings()) as corpus:
            arrived = corpus.deliver_webhooks()
        return dg.SkipReason(f"{arrived} webhooks delivered" if arrived else "no webhook was due or could be delivered")

    return webhooks


def _retention(names: Names, settings: Callable[[], Settings]) -> dg.SensorDefinition:
    @dg.sensor(
        name=names.unique("retention"),
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Removes finished runs and their events after CORPUS_DAGSTER_RETENTION_DAYS.",
    )
    def retention(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """One tick: some of the runs that are past their time; what is true of the rows is not in them."""
        with opened(settings()) as corpus:
            days = corpus.settings.dagster_retention_days
        if not days:
            return dg.SkipReason("runs are kept for ever: CORPUS_DAGSTER_RETENTION_DAYS is 0")
        past = RunsFilter(statuses=_FINISHED, updated_before=_days_ago(days))
        old = context.instance.get_run_ids(past, limit=MAX_REMOVED)
        for run_id in old:
            context.instance.delete_run(run_id)
        return dg.SkipReason(f"{len(old)} runs that ended more than {days} days ago were removed")

    return retention


def _upstream(names: Names, settings: Callable[[], Settings]) -> dg.SensorDefinition:
    @dg.sensor(
        name=names.unique("upstream"),
        asset_selection=names.keys,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells Dagster what no run told it: a changed file or recipe, a stage that was started over, work that was"
        " done elsewhere. So what is done is fresh, and what is to do is stale.",
    )
    def upstream_versions(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick: the files of which something has changed since the last one, and which no run works on."""
        seen: dict[str, str] = json.loads(context.cursor or "{}")
        prefix, now, told = list(names.key_prefix), dict[str, str](), 0
        requests, bodies = list[dg.RunRequest](), dict[int, str]()
        partitions = set(context.instance.get_dynamic_partitions(names.partitions.name or ""))
        with opened(settings()) as corpus:
            flags = corpus.store.fetch(pauses.active)
            stages_of_files = {state["name"]: state["stages"] for state in corpus.status()}
            for file in corpus.files():
                words = {stage: Status(stages_of_files[file.name][stage.value]["status"]) for stage in Stage}
                recipe = corpus.recipe_of(file)
                if file.recipe_id not in bodies:  # with its budget and gates, which are no part of its version
                    bodies[file.recipe_id] = upstream.digest([recipe.model_dump_json()])
                versions = upstream.versions(prefix, file, recipe).values()
                first = next((stage for stage in Stage if words[stage] is not Status.DONE), None)
                waits = first is not None and any(flag.covers(file.name, first) for flag in flags)
                now[file.name] = f"{upstream.digest([*versions, *words.values()])} {bodies[file.recipe_id]}"
                before, owed, _ = seen.get(file.name, "").partition(OWED)
                if before == now[file.name] and (not owed or waits):
                    now[file.name] = seen[file.name]
                    continue
                if (
                    told >= MAX_TOLD
                    or file.name not in partitions
                    or _at_work(context.instance, names, file.name, words)
                ):
                    now[file.name] = seen.get(file.name, "")  # at a later tick
                    continue
                told += 1
                changed = agreement.agree(context.instance, corpus, prefix, file, words)
                changed |= bool(owed) or before.partition(" ")[2] not in ("", bodies[file.recipe_id])
                if (
                    changed
                    and first is not None
                    and first in corpus.settings.automate
                    and words[first] is Status.PENDING
                ):
                    if waits:  # a run would only be refused: it is asked for when the flag is cleared
                        now[file.name] += OWED
                    else:
                        requests.append(_changed(names, file.name, first))
        context.update_cursor(json.dumps(now))
        if not requests:
            return dg.SkipReason(f"{told} dataset files looked at" if told else "nothing has changed")
        return dg.SensorResult(run_requests=requests)

    return upstream_versions


def _at_work(instance: dg.DagsterInstance, names: Names, name: str, words: Mapping[Stage, Status]) -> bool:
    """Whether somebody works on a dataset file, or has just done so in a run that has yet to tell of it."""
    if any(word in (Status.RUNNING, Status.PAUSING) for word in words.values()):
        return True
    return any(names.owns(run) and run.status not in _WAITING for run in _active(instance, name))


def _changed(names: Names, file: str, stage: Stage) -> dg.RunRequest:
    """A run of the stage that a change begins with; conditions start what is behind it. They do not see the change itself:
    it is an observation of an external asset."""
    return dg.RunRequest(
        partition_key=file,
        asset_selection=[names.key(stage)],
        tags={automation.AUTOMATION_TAG: "true"},
    )


def _pause_abandoned(instance: dg.DagsterInstance, corpus: Corpus, names: Names) -> None:
    """Leave as paused what a flag covers and no worker holds any more: no one else would."""
    for work, flag in corpus.abandoned():
        run = instance.get_run_by_id(work.run_id) if work.run_id else None
        if run is None:
            continue  # not a run of this instance: its owner goes on
        if not run.is_finished:
            run_liveness.report_dead(instance, run)
        with suppress(CorpusError):  # somebody works on it after all
            corpus.mark_paused(work.name, [work.stage], str(flag), run.run_id)


def _stop_queued(instance: dg.DagsterInstance, corpus: Corpus, names: Names, flags: list[PauseFlag]) -> int:
    """Leave the next stage of queued runs as paused where a flag covers it. Runs of an open backfill wait, others are
    cancelled."""
    stopped = 0
    for run in instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.QUEUED])):
        name, stages = run.tags.get(PARTITION_TAG), stages_of(run)
        if not name or not stages or not names.owns(run) or run.tags.get(HOLD_TAG) == PAUSED:
            continue
        try:
            flag = backfill_holds.covering(corpus, run, flags)
            if flag is None:
                continue
            corpus.mark_paused(name, stages, str(flag), run.run_id)
        except CorpusError:
            continue  # somebody works on it right now: the asset looks at the flag itself
        stopped += backfill_holds.keep(instance, run) or bool(instance.run_coordinator.cancel_run(run.run_id))
    return stopped


def _resume_requests(
    instance: dg.DagsterInstance, corpus: Corpus, names: Names, flags: list[PauseFlag]
) -> Iterator[dg.RunRequest]:
    """One run for each stage of a partition that may go on: the stage and what its run would have done behind it."""
    for work in corpus.resumable():
        before = instance.get_run_by_id(work.run_id) if work.run_id else None
        if before is None:
            continue  # the run was deleted, or there never was one: its owner goes on
        if work.why == TAKEOVER and not before.is_finished:
            before = run_liveness.report_dead(instance, before)
        if _others_go_on(instance, names, work, before):
            continue
        tags = {"corpus/resume": work.why}
        if work.why == TAKEOVER and not _worth_another(corpus, work, before, tags):
            continue
        backfill = before.tags.get(BACKFILL_TAG)
        if backfill and backfill_holds.is_open(instance, backfill):
            tags[BACKFILL_TAG] = backfill  # counts towards it, which then ends complete
        tags |= run_tags.carried(before.tags)
        stages = _still_wanted(corpus, work, stages_of(before))
        if any(flag.covers(work.name, stages[0]) for flag in flags):
            continue  # what has come before it is paused itself
        base = f"{work.why}:{work.task_id}:{work.stage}:{work.generation}"
        failures = instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.FAILURE], tags={REQUEST_TAG: base}))
        if failures >= MAX_TAKEOVERS:
            continue  # its runs fail before they begin to work: a person must look
        tags[REQUEST_TAG] = base
        yield dg.RunRequest(
            run_key=f"{base}:{failures}",  # Dagster remembers it for ever: it names all that may lie between two requests
            partition_key=work.name,
            asset_selection=[names.key(stage) for stage in stages],
            tags=tags,
        )


def _still_wanted(corpus: Corpus, work: Resumable, before: Sequence[Stage]) -> list[Stage]:
    """The stages of a run that goes on with another: from the one that stopped, or from one before it that has something to do
    again, as after a replay."""
    order = list(Stage)
    wanted = [stage for stage in before if order.index(stage) >= order.index(work.stage)] or [work.stage]
    ahead = corpus.incomplete_stages(work.name, work.stage)
    return [*(stage for stage in ahead if order.index(stage) < order.index(work.stage)), *wanted]


def _start_requests(
    instance: dg.DagsterInstance, corpus: Corpus, names: Names, flags: list[PauseFlag]
) -> Iterator[dg.RunRequest]:
    """One run for each dataset file that somebody wants started, as soon as no other run of it is under way and no flag
    covers it."""
    for wish in corpus.store.fetch(start_requests.waiting):
        if wish.file_name == start_requests.EVERY_FILE:
            yield from _backfill_request(instance, corpus, names, wish)
            continue
        mark = f"start:{wish.id}"
        (run,) = instance.get_runs(RunsFilter(tags={REQUEST_TAG: mark}), limit=1) or (None,)
        stages = _unfinished(corpus, wish) if run is None else []
        if run is not None or not stages:
            run_id = None if run is None else run.run_id
            corpus.store.write(partial(start_requests.take, identifier=wish.id, run_id=run_id), repeatable=True)
            continue
        if any(names.owns(run) for run in _active(instance, wish.file_name)):
            continue
        if any(flag.covers(wish.file_name, stages[0]) for flag in flags):
            continue  # set after the request: the run would only be refused
        yield dg.RunRequest(
            run_key=mark,  # Dagster remembers it for ever: a second tick before the run is there starts no second one
            partition_key=wish.file_name,
            asset_selection=[names.key(stage) for stage in stages],
            tags={REQUEST_TAG: mark, STARTED_FOR_TAG: _tag_value(wish.requested_by)},
        )


def _backfill_request(
    instance: dg.DagsterInstance, corpus: Corpus, names: Names, wish: start_requests.StartRequest
) -> Iterator[dg.RunRequest]:
    """One backfill of all that has failed or is missing, where no run works on it and no flag covers it."""
    mark = f"backfill:{wish.id}"
    (backfill,) = instance.get_backfills(BulkActionsFilter(tags={REQUEST_TAG: mark}), limit=1) or (None,)
    known = set(instance.get_dynamic_partitions(names.partitions.name or ""))
    ahead = [] if backfill else [name for name in corpus.store.fetch(progress.startable, wish.stage) if name in known]
    ahead = [name for name in ahead if not any(names.owns(run) for run in _active(instance, name))]
    if backfill is not None or not ahead:
        run_id = None if backfill is None else backfill.backfill_id
        corpus.store.write(partial(start_requests.take, identifier=wish.id, run_id=run_id), repeatable=True)
        return
    keys = names.keys[: list(Stage).index(wish.stage) + 1]  # what is complete is left as it is: each file has one run
    wanted = AssetGraphSubset(partitions_subsets_by_asset_key=dict.fromkeys(keys, DefaultPartitionsSubset(set(ahead))))
    tags = {REQUEST_TAG: mark, STARTED_FOR_TAG: _tag_value(wish.requested_by)}
    yield dg.RunRequest.for_asset_graph_subset(wanted, tags)


def _unfinished(corpus: Corpus, wish: start_requests.StartRequest) -> list[Stage]:
    """What is left to do of a wish; nothing of a file that is no more."""
    with suppress(UnknownName):
        return corpus.incomplete_stages(wish.file_name, wish.stage)
    return []


def _tag_value(text: str) -> str:
    """A name as Dagster takes it for the value of a tag."""
    return re.sub(r"[^\w.@-]", "_", text, flags=re.ASCII)[:63] or "_"


def _active(instance: dg.DagsterInstance, name: str) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(RunsFilter(statuses=_ACTIVE, tags={PARTITION_TAG: name}))


def _others_go_on(instance: dg.DagsterInstance, names: Names, work: Resumable, before: dg.DagsterRun) -> bool:
    """Whether a run of this partition is on its way, Dagster is about to repeat the dead one, or a person ended it."""
    if any(names.owns(run) for run in _active(instance, work.name)):
        return True
    if work.why != TAKEOVER:
        return False
    if before.status is DagsterRunStatus.CANCELED:
        return True
    return before.tags.get(WILL_RETRY_TAG) == "true" and RETRY_RUN_TAG not in before.tags


def _worth_another(corpus: Corpus, work: Resumable, before: dg.DagsterRun, tags: dict[str, str]) -> bool:
    """Whether to take over once more: not when the workers keep dying at the same row. Notes the count in the tags."""
    (state,) = corpus.status([work.name])
    offset = str(state["stages"][work.stage.value]["processed"])
    count, _, last = before.tags.get(TAKEOVER_TAG, "").partition("@")
    number = int(count) + 1 if last == offset else 1
    tags[TAKEOVER_TAG] = f"{number}@{offset}"
    return number <= MAX_TAKEOVERS


def _days_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


SENSORS = tuple(sensors_of(DEFAULT, Settings.from_env))
inbox, pause_flags, webhooks, retention, upstream_versions = SENSORS
