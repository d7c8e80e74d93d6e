"""The resource that holds the database cursor: assets ask it to go on from where a partition stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.defs import run_liveness, upstream
from corpus_pipeline.defs.checks import ASSETS
from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs.narration import Narrator
from corpus_pipeline.jobs.runner import Outcome
from corpus_pipeline.service import Corpus, structured_logs
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cursors

RESOURCE = "cursor"
VARIABLES = {
    "home": "CORPUS_HOME",
    "database_url": "CORPUS_DATABASE_URL",
    "export_url": "CORPUS_EXPORT_URL",
    "openai_base_url": "OPENAI_BASE_URL",
    "openai_api_key": "OPENAI_API_KEY",
    "model": "CORPUS_MODEL",
}


class CursorResource(dg.ConfigurableResource):
    """The execution cursors of one corpus.

    What is not given here comes from the environment (see `Settings`). Give secrets as `dg.EnvVar`: configuration is stored
    and shown, a variable's name is all that is seen of it.

    The configuration of a run changes none of it: who may start runs could send the key to another host otherwise, or have
    any variable of the environment read.
    """

    home: str | None = Field(default=None, description="CORPUS_HOME of this corpus")
    database_url: str | None = Field(default=None, description="CORPUS_DATABASE_URL")
    export_url: str | None = Field(default=None, description="CORPUS_EXPORT_URL")
    openai_base_url: str | None = Field(default=None, description="OPENAI_BASE_URL")
    openai_api_key: str | None = Field(default=None, description="OPENAI_API_KEY")
    model: str | None = Field(default=None, description="CORPUS_MODEL")
    key_prefix: list[str] = Field(default=[], description="of the assets of this corpus")

    _corpus: Corpus | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        refuse_changes(context)
        settings = self.settings()
        if settings.log_json:
            structured_logs.configure()
        self._corpus = kept(settings)
        if context.run is not None and context.instance is not None:  # none outside of a run
            run_liveness.hold(self._corpus.store, settings.lease_seconds, context.run, context.instance)

    def settings(self) -> Settings:
        """The settings of this corpus: the environment, with what is given here in its place."""
        given = {variable: getattr(self, name) for name, variable in VARIABLES.items()}
        return settings_with(given)

    def key(self, stage: Stage) -> dg.AssetKey:
        """The asset of a stage of this corpus."""
        return dg.AssetKey([*self.key_prefix, ASSETS[stage]])

    def upstream(self, partition_key: str, stage: Stage) -> dict[dg.AssetKey, str]:
        """The data versions of what a stage of a dataset file is made from, beside the stage before it."""
        (file,) = self.corpus.files([partition_key])
        found = upstream.versions(self.key_prefix, file, self.corpus.recipe_of(file))
        return {key: found[key] for key in upstream.keys_of(self.key_prefix, stage)}

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._corpus is not None:
            run_liveness.let_go(self._corpus.store)
        self._corpus = None

    @property
    def corpus(self) -> Corpus:
        """The open corpus of this run."""
        if self._corpus is None:
            raise RuntimeError("the cursor resource is used outside of a run")
        return self._corpus

    def go_on(
        self,
        partition_key: str,
        stage: Stage,
        *,
        stop: StopSignal,
        run_id: str,
        limit: int | None,
        narrator: Narrator,
        spread: bool = False,
    ) -> Outcome:
        """Work a stage of a dataset file from its cursor to its end (see `jobs.runner.run_stage`)."""
        return self.corpus.run_stage(
            partition_key, stage, stop=stop, run_id=run_id, limit=limit, spread=spread, narrator=narrator
        )

    def run_ids(self, partition_key: str, stage: Stage) -> set[str | None]:
        """The Dagster runs that last worked a stage of a dataset file."""
        return {position.run_id for position in self.positions(partition_key, stage)} - {None}

    def positions(self, partition_key: str, stage: Stage) -> list[cursors.Cursor]:
        """Where the cursors of a stage of a dataset file stand."""
        work = self.corpus.work(partition_key, stage)
        return work.store.fetch(lambda c: cursors.stage_cursors(c, work.task.id, stage))


def refuse_changes(context: dg.InitResourceContext) -> None:
    """Raises UsageError when the configuration of a run sets a field of this resource to another value than the definitions
    have. Those values are what Dagster proposes as a start, so they may be given again."""
    if context.run is None or context.resource_def is None or context.resource_def.config_field is None:
        return
    own: Any = context.resource_def.config_field.default_value
    given: Any = (context.run.run_config or {}).get("resources") or {}
    for name, known in context.all_resource_defs.items():
        if known is context.resource_def and (told := refusal(given.get(name), own)) is not None:
            raise UsageError(told)


def refusal(given: Any, own: Mapping[str, Any]) -> str | None:
    """Why the entry of this resource in the configuration of a run is refused: it sets fields to other values than the
    definitions have (`own`). None when it does not."""
    fields = given.get("config") if isinstance(given, Mapping) else None
    if not isinstance(fields, Mapping):
        return None
    changed = sorted(str(key) for key, value in fields.items() if key not in own or value != own[key])
    if not changed:
        return None
    return (
        f"the settings of a corpus ({', '.join(changed)[:200]}) are no part of a run's configuration: set them where"
        " the code runs, and start the run without them"
    )


@cache  # one for each corpus of the deployment
def kept(settings: Settings) -> Corpus:
    """The corpus of this process, open as long as it lives: a process that runs one partition after the other would spend
    more on opening it than on a small partition."""
    corpus = Corpus.open(settings)
    if settings.export_url.startswith("s3://"):
        corpus.__dict__["target"] = _s3_target(settings)
    return corpus


def _s3_target(settings: Settings) -> Any:
    """The S3 target over dagster-aws' resource, so that its settings (profile, region, retries) hold for exports too."""
    from dagster_aws.s3 import S3Resource

    from corpus_pipeline.stages.export.targets.s3 import S3Target

    bucket, _, prefix = settings.export_url.removeprefix("s3://").partition("/")
    # older S3-compatible stores refuse the checksum headers that boto3 adds by itself; our own hashes do not need them
    os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    os.environ.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    client = S3Resource(endpoint_url=settings.s3_endpoint_url).get_client()
    return S3Target(client, bucket, prefix)


def settings_with(given: Mapping[str, str | dg.EnvVar | None]) -> Settings:
    """The settings of the environment, with what is given by the name of its variable in the place of it."""
    found = {name: value.get_value() if isinstance(value, dg.EnvVar) else value for name, value in given.items()}
    return Settings.from_env({**os.environ, **{name: value for name, value in found.items() if value is not None}})


@contextmanager
def opened(settings: Settings) -> Iterator[Corpus]:
    """A corpus for sensors, which run outside of runs."""
    corpus = Corpus.open(settings)
    try:
        yield corpus
    finally:
        corpus.close()
