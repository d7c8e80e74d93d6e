"""A corpus as a Dagster component: `type: corpus_pipeline.CorpusComponent` in a `defs.yaml` of any project."""

# no postponed annotations here: Dagster reads the types of the fields

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg

from corpus_pipeline.defs.build import build
from corpus_pipeline.defs.names import POOLS, Names
from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import Stage

_ENV = "env:"


@dataclass
class CorpusComponent(dg.Component, dg.Resolvable):
    """A corpus of LLM training data: four partitioned assets (ingest, clean, augment, export), their checks, job and sensors.

    name: makes jobs, sensors, partitions and the resource unique; each corpus of a deployment has another one.
    key_prefix, group, owners: of the assets (owners: by default the consumers of the files). pools: the pool of a stage.
    home, database_url, export_url, openai_base_url, openai_api_key, default_model: as CORPUS_HOME and so on, for this
    corpus alone; `env:NAME` takes the value from the variable NAME when a run begins, so that no secret is in the definitions.
    """

    name: str
    key_prefix: Sequence[str] = ()
    group: str = "corpus"
    owners: Sequence[str] = ()
    pools: dict[str, str] = field(default_factory=dict)
    home: str | None = None
    database_url: str | None = None
    export_url: str | None = None
    openai_base_url: str | None = None
    openai_api_key: str | None = None
    default_model: str | None = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of this corpus. Raises UsageError for a name, a prefix or a pool that cannot be."""
        if not self.name.isidentifier():
            raise UsageError(f"name must be a word of letters, digits and _, not {self.name!r}")
        names = Names(
            name=self.name,
            key_prefix=tuple(self.key_prefix) or (self.name,),
            group=self.group,
            owners=tuple(self.owners),
            pools=POOLS | {_stage(stage): pool for stage, pool in self.pools.items()},
        )
        given = {
            "home": self.home,
            "database_url": self.database_url,
            "export_url": self.export_url,
            "openai_base_url": self.openai_base_url,
            "openai_api_key": self.openai_api_key,
            "model": self.default_model,
        }
        if self.home is None and self.database_url is None and "CORPUS_HOME" not in os.environ:
            raise UsageError(
                f"say where the corpus {self.name!r} lies: home, database_url, or the variable CORPUS_HOME"
            )
        return build(names, {key: _value(value) for key, value in given.items()})


def _stage(word: str) -> Stage:
    if word not in list(Stage):
        raise UsageError(f"pools: there is no stage {word!r}; the stages are {', '.join(Stage)}")
    return Stage(word)


def _value(text: str | None) -> str | dg.EnvVar | None:
    if text is not None and text.startswith(_ENV):
        return dg.EnvVar(text.removeprefix(_ENV))
    return text
