"""Tags of runs: whose file it is, under which recipe, and how the run ended; the run list can be searched by them."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from corpus_pipeline.defs.multi_partition import stages_of
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.settings import host_name
from corpus_pipeline.states import Stage

CONSUMER_TAG = "corpus/consumer"
RECIPE_TAG = "corpus/recipe"
HOST_TAG = "corpus/host"  # the machine that works it
END_TAG = "corpus/end"  # done, paused, interrupted, held, blocked, failed
LIMIT_TAG = "corpus/limit"  # the number of rows to work
SPREAD_TAG = "corpus/spread"  # the rows of the limit lie evenly over the file


def carried(tags: Mapping[str, str]) -> dict[str, str]:
    """Of the tags of a run those that the run which goes on with it has, too: how much it was to work."""
    return {key: tags[key] for key in (LIMIT_TAG, SPREAD_TAG) if key in tags}


def describe(context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, name: str) -> None:
    """Tag the run with the consumer and the recipe of its only partition and with this host, at its first stage.

    A run that Dagster tries again begins where the first one failed, with that one's tags, and may be on another host."""
    began_elsewhere = context.run.tags.get(HOST_TAG, host_name()) != host_name()
    if len(context.partition_keys) > 1 or (stages_of(context.run)[0] is not stage and not began_elsewhere):
        return
    (file,) = cursor.corpus.files([name])
    tags = {CONSUMER_TAG: file.consumer, RECIPE_TAG: cursor.corpus.recipe_of(file).name, HOST_TAG: host_name()}
    context.instance.add_run_tags(context.run.run_id, tags)


def end(context: dg.AssetExecutionContext, word: str) -> None:
    """Tag the run with how it ended; of several partitions each has an observation of its own."""
    if len(context.partition_keys) == 1:
        context.instance.add_run_tags(context.run.run_id, {END_TAG: word})


def done(context: dg.AssetExecutionContext, stage: Stage) -> None:
    """Tag the run as done when this is its last stage."""
    if stages_of(context.run)[-1] is stage:
        end(context, "done")
