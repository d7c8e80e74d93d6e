"""The recipe: one YAML text that says how a dataset file is worked. Versioned by its hash; validated as a whole.

Rules and strategies validate their own parameters (see `Rule.Params` and `Strategy.Params`); this module knows the frame.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any, Literal

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import BudgetScope, Stage

DEFAULT_RECIPE_NAME = "default"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedStep(_Section):
    """A rule or a strategy by name, with its parameters: `name` or `{name: {parameter: value}}` in YAML."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def parse(cls, value: Any) -> NamedStep:
        if isinstance(value, str):
            return cls(name=value)
        if isinstance(value, dict) and len(value) == 1:
            ((name, params),) = value.items()
            return cls(name=str(name), params=params or {})
        raise ValueError(f"expected a name or {{name: {{parameter: value}}}}, got {value!r}")


class IngestSection(_Section):
    """How records are read. `columns` maps our field (prompt, response, system, reasoning) to the record's key."""

    format: str = "auto"
    columns: dict[str, str] = Field(default_factory=dict)
    batch_size: int = Field(5000, ge=1)
    max_record_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    max_depth: int = Field(64, ge=2, le=200)


class DedupSection(_Section):
    """Which rows count as the same. `threshold` is in bits of the 64-bit fingerprint; 0 compares equal fingerprints."""

    exact: bool = True
    near: bool = True
    scope: Literal["file", "corpus"] = "file"
    threshold: int = Field(3, ge=0, le=16)
    features: str = "default"
    params: dict[str, Any] = Field(default_factory=dict)


class CleanSection(_Section):
    batch_size: int = Field(10_000, ge=1)
    rules: tuple[NamedStep, ...] | None = None  # None: the default rules in their documented order
    dedup: DedupSection = DedupSection()

    @field_validator("rules", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return None if value is None else tuple(NamedStep.parse(step) for step in value)


class Limits(_Section):
    """Ceilings per minute at the provider; None: learn them from its rate-limit headers."""

    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)


class Budget(_Section):
    """US dollars that may be spent; None: no limit of this kind."""

    task_usd: float | None = Field(None, ge=0)
    consumer_usd: float | None = Field(None, ge=0)
    day_usd: float | None = Field(None, ge=0)

    def ceilings(self) -> dict[BudgetScope, int]:
        """The limits that are set, in micro-dollars."""
        said = {BudgetScope.TASK: self.task_usd, BudgetScope.CONSUMER: self.consumer_usd, BudgetScope.DAY: self.day_usd}
        return {scope: int(dollars * 1_000_000) for scope, dollars in said.items() if dollars is not None}


class Price(_Section):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(None, ge=0)


class Completion(_Section):
    """When a stage counts as done, and what its report holds for people to look at."""

    min_success: float = Field(0.0, ge=0, le=1)  # share of the samples that must succeed, else the stage is blocked
    review_sample: int = Field(10, ge=0, le=200)  # new rows in the report, drawn by the hash of their request


class AugmentSection(_Section):
    """`model: null` takes CORPUS_MODEL. Each strategy may name its own model, temperature, max_output_tokens, samples."""

    batch_size: int = Field(10, ge=1)
    concurrency: int = Field(50, ge=1, le=2000)
    max_retries: int = Field(3, ge=0, le=20)  # of one call, for 5xx, timeouts and dropped connections
    answer_retries: int = Field(1, ge=0, le=20)  # of one question whose answer is no good
    provider_patience_seconds: float = Field(600.0, gt=0)  # a provider that is down this long pauses the task
    backoff_cap_seconds: float = Field(600.0, gt=0)
    call_deadline_seconds: float = Field(600.0, gt=0)
    batch_poll_seconds: float = Field(30.0, gt=0)  # how often a provider batch is asked how far it is
    model: str | None = None
    strategies: tuple[NamedStep, ...] = (NamedStep(name="paraphrase"),)
    limits: Limits = Limits()
    budget: Budget = Budget()
    prices: dict[str, Price] = Field(default_factory=dict)
    completion: Completion = Completion()

    @field_validator("strategies", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return tuple(step if isinstance(step, NamedStep) else NamedStep.parse(step) for step in value or ())


# settings of the augment section that may change while a task is under way
SHAPES_NO_ROW = (
    "concurrency",
    "max_retries",
    "provider_patience_seconds",
    "backoff_cap_seconds",
    "call_deadline_seconds",
    "limits",
    "budget",
    "prices",
    "completion",
    "batch_poll_seconds",
)


class Gate(_Section):
    """What the export tolerates, in rows; the default is nothing."""

    max_failed: int = Field(0, ge=0)
    max_empty: int = Field(0, ge=0)
    max_unfinished: int = Field(0, ge=0)


class ExportSection(_Section):
    """`format: same` gives each file back in the format it came in. `include` says which rows go out."""

    format: str = "same"
    include: tuple[Literal["cleaned", "augmented"], ...] = ("cleaned", "augmented")
    compression: Literal["none", "gzip"] = "none"
    parquet: bool = False  # the same rows as a Parquet file beside the JSONL; needs corpus-pipeline[parquet]
    batch_size: int = Field(10_000, ge=1)
    gate: Gate = Gate()


class Notify(_Section):
    """A webhook that is told when a stage is completed, failed or paused. Its host must be in CORPUS_WEBHOOK_HOSTS."""

    url: str | None = None
    stages: tuple[Stage, ...] = (Stage.AUGMENT, Stage.EXPORT)


class Recipe(_Section):
    """A validated recipe; `version` is the hash of its meaning, not of its layout."""

    name: str = Field(DEFAULT_RECIPE_NAME, pattern=r"^[a-z0-9_-]{1,64}$")
    description: str = ""
    ingest: IngestSection = IngestSection()
    clean: CleanSection = CleanSection()
    augment: AugmentSection = AugmentSection()
    export: ExportSection = ExportSection()
    notify: Notify = Notify()

    @property
    def version(self) -> str:
        """sha256 (hex) of the canonical content without name and description: same work, same version.

        How fast and for how much money models are asked is no part of it: a task whose budget is raised stays the same task.
        """
        return self.section_hash("ingest", "clean", "augment", "export")

    def section_hash(self, *sections: str) -> str:
        """sha256 (hex) of the canonical JSON of some sections, without what shapes no row."""
        body = self.model_dump(mode="json", include=set(sections), exclude={"augment": set(SHAPES_NO_ROW)})
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def to_yaml(self) -> str:
        """The recipe as YAML with every default written out, in the notation that `parse` reads."""
        body = self.model_dump(mode="json")
        for section, key in (("clean", "rules"), ("augment", "strategies")):
            steps = body[section][key]
            if steps is not None:
                body[section][key] = [{s["name"]: s["params"]} if s["params"] else s["name"] for s in steps]
        return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def parse(text: str, *, origin: str = "recipe") -> Recipe:
    """A recipe from YAML text.

    Raises UsageError that names the origin and the place of each fault.
    """
    try:
        body = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"{origin}: not valid YAML: {error}. Start from `corpus recipe new`.") from error
    if not isinstance(body, dict):
        raise UsageError(f"{origin}: a recipe is a mapping of sections. Start from `corpus recipe new`.")
    try:
        return Recipe.model_validate(body)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{origin}: {faults}. `corpus recipe show` prints every key.") from error


def bundled(name: str) -> str:
    """The YAML text of a recipe that comes with the package."""
    return (resources.files("corpus_pipeline") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
