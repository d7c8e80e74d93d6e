"""The recipe: one YAML text that says how a dataset file is worked. Versioned by its hash; validated as a whole.

Rules and strategies validate their own parameters (see `Rule.Params` and `Strategy.Params`); this module knows the frame.
"""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from typing import Annotated, Any, Literal

import orjson
import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from corpus_pipeline import recipe_yaml
from corpus_pipeline.errors import UsageError
from corpus_pipeline.model import CallOptions
from corpus_pipeline.states import BudgetScope, Stage

DEFAULT_RECIPE_NAME = "default"


_MOST_ROWS = 10_000_000  # of one batch
_MOST_DOLLARS = 1e9  # what fits into the sums of nano-dollars


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML reads yes, no, on and off as truth values, and a truth value would count as 1 or 0."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation not in (bool, bool | None):
            raise ValueError(f"needs a number or a text, got {'yes' if value else 'no'}")
        return value


class NamedStep(_Section):
    """A rule or a strategy by name, with its parameters: `name` or `{name: {parameter: value}}` in YAML."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def parse(cls, value: Any) -> NamedStep:
        if isinstance(value, NamedStep):
            return value
        if isinstance(value, str):
            return cls(name=value)
        if isinstance(value, dict) and len(value) == 1:
            ((name, params),) = value.items()
            if params is None or isinstance(params, dict):
                return cls(name=str(name), params={str(key): given for key, given in (params or {}).items()})
        hint = "; indent the parameters below the name" if isinstance(value, dict) and len(value) > 1 else ""
        raise ValueError(f"needs a name or {{name: {{parameter: value}}}}, got {value!r}{hint}")


_Step = Annotated[NamedStep, BeforeValidator(NamedStep.parse)]


class IngestSection(_Section):
    """How records are read. `columns` maps our field (see `formats.mapped.FIELDS`) to a place in the record."""

    format: str = Field("auto", description="a format by name, or auto: found out from the records")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="where our fields (system, prompt, context, history, response, reasoning, chosen, rejected, label, score,"
        " tools, images, videos, audios, id, messages) lie in a record: a key, a path (data.q, turns[0].text) or a Jinja"
        " template of keys; for records that detection does not know",
    )
    batch_size: int = Field(5000, ge=1, le=_MOST_ROWS, description="rows of one transaction")
    max_record_bytes: int = Field(16 * 1024 * 1024, ge=1024, description="longer records are rejected")
    max_depth: int = Field(64, ge=2, le=200, description="records that are nested deeper are rejected")


# keys that name a record instead of saying something: rows that differ in these alone are the same
RECORD_KEYS = (
    "id _id uuid guid uid index idx __index_level_0__ row_id row_number line_number source_line "
    "source source_id source_file source_url data_source origin provenance file_name filename file_path "
    "doc_id document_id sample_id example_id record_id instance_id item_id prompt_id question_id message_id "
    "conversation_id conv_id dialog_id dialogue_id conversation_hash thread_id session_id turn_id turn_identifier "
    "url permalink hash hashed_ip md5 sha1 sha256 checksum timestamp timestamps created created_at create_time updated "
    "updated_at update_time crawled_at crawl_time fetched_at date_added dataset dataset_name"
).split()


class DedupSection(_Section):
    """Which rows count as the same, part by part; docs/duplicates.md has the definition."""

    exact: bool = Field(True, description="rows of which everything that is exported is equal but for form")
    near: bool = Field(True, description="rows of which each part (question, answer, ...) is nearly equal by itself")
    scope: Literal["file", "corpus"] = Field(
        "file", description="within each file, or over all files that compare in the same way"
    )
    same_prompt: Literal["keep", "keep_first", "keep_longest"] = Field(
        "keep", description="several answers to one prompt: keep all, the first or the longest (scope: file only)"
    )
    threshold: int = Field(
        16,
        ge=0,
        le=32,
        description="bits of the 64-bit fingerprint that may differ, of whatever is dropped as near; 0: equal fingerprints",
    )
    similarity: float = Field(
        0.8, ge=0.5, le=1, description="share (0.5 to 1) of a long part that must be common; 1: form alone may differ"
    )
    long_part: int = Field(
        40,
        ge=8,
        le=100_000,
        description="words from which a part is long (a Chinese, Japanese or Thai character is 0.4); "
        "a shorter one must be equal but for form",
    )
    other_words: int = Field(
        0,
        ge=0,
        le=1000,
        description="words of a long text that may stand in place of others and are no form, spelling, typing error or "
        "synonym of them",
    )
    statement_words: int = Field(
        5,
        ge=1,
        le=1000,
        description="words on both sides from which an edit of a long text puts one statement in place of another",
    )
    item_words: int = Field(
        4,
        ge=0,
        le=1000,
        description="words at most of a line that is an item of a list, in which no word may stand in place of another",
    )
    quoted_words: int = Field(
        8, ge=0, le=1000, description="words at most of a text in quotation marks that is a name and must be equal"
    )
    least_own: float = Field(
        0.1,
        ge=0,
        le=1,
        description="share (0 to 1) of the common text of question or answer that must not be shared by other rows; with "
        "less of it, only equal texts count as the same",
    )
    shared_rows: int = Field(
        20,
        ge=2,
        le=1_000_000,
        description="rows of a file that have a piece of text from which on it carries no weight",
    )
    shared_answers: int = Field(
        3,
        ge=2,
        le=1_000_000,
        description="different answers in a file to prompts that have a piece of text (or prompts to answers that do) "
        "from which on it carries no weight",
    )
    window: int = Field(
        8, ge=1, le=1000, description="lowest rows of a file with a piece of text that later rows are compared with"
    )
    record_keys: tuple[str, ...] = Field(
        tuple(RECORD_KEYS),
        description="keys of a record and of its messages that only name it and are not compared; all others are",
    )
    features: str = Field("default", description="what is compared: a scheme by name")
    params: dict[str, Any] = Field(default_factory=dict, description="parameters of the scheme")

    @model_validator(mode="after")
    def _one_answer_within_a_file(self) -> DedupSection:
        if self.same_prompt != "keep" and self.scope != "file":
            raise ValueError(f"same_prompt: {self.same_prompt} works within each file; set scope: file")
        return self


class CleanGate(_Section):
    """What cleaning may drop before the export is held."""

    max_dropped: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of a file's rows that cleaning may drop, exact duplicates aside; more hold the export",
    )


class CleanSection(_Section):
    batch_size: int = Field(10_000, ge=1, le=_MOST_ROWS, description="rows of one transaction")
    rules: tuple[_Step, ...] | None = Field(
        None, description="rules in the order in which they work; null: the default ones"
    )
    dedup: DedupSection = DedupSection()
    gate: CleanGate = CleanGate()


class Limits(_Section):
    """Ceilings per minute at the provider; None: learn them from its rate-limit headers."""

    requests_per_minute: int | None = Field(None, ge=1, description="null: learnt from the provider's headers")
    tokens_per_minute: int | None = Field(
        None, ge=1, description="input and output; null: learnt from the provider's headers"
    )


class Budget(_Section):
    """US dollars that may be spent; None: no limit of this kind."""

    task_usd: float | None = Field(
        None, ge=0, le=_MOST_DOLLARS, description="for this file under this recipe; null: no limit"
    )
    consumer_usd: float | None = Field(None, ge=0, le=_MOST_DOLLARS, description="for all files of its consumer")
    day_usd: float | None = Field(None, ge=0, le=_MOST_DOLLARS, description="for all that is asked on a day (UTC)")

    def ceilings(self) -> dict[BudgetScope, int]:
        """The limits that are set, in nano-dollars."""
        said = {BudgetScope.TASK: self.task_usd, BudgetScope.CONSUMER: self.consumer_usd, BudgetScope.DAY: self.day_usd}
        return {scope: int(dollars * 1_000_000_000) for scope, dollars in said.items() if dollars is not None}


class Price(_Section):
    """US dollars per million tokens."""

    input: float = Field(ge=0, le=_MOST_DOLLARS, description="of input tokens")
    output: float = Field(ge=0, le=_MOST_DOLLARS, description="of output tokens, reasoning included")
    cached_input: float | None = Field(
        None,
        ge=0,
        le=_MOST_DOLLARS,
        description="of input tokens that the provider had cached; null: as dear as others",
    )
    cache_write: float | None = Field(
        None, ge=0, le=_MOST_DOLLARS, description="of input tokens that the provider wrote to its cache; null: as input"
    )
    tiers: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict, description="factors of these prices by service tier: {flex: 0.5, priority: 2}"
    )


_RESERVED_KEYS = frozenset({"messages", "model", "n", "max_tokens", "max_completion_tokens", "temperature", "stream"})
_RESERVED_HEADERS = frozenset(
    {"authorization", "api-key", "x-api-key", "x-goog-api-key", "host", "cookie", "content-length", "content-type"}
    | {"transfer-encoding", "connection", "accept-encoding", "x-corpus-attempt", "x-corpus-attempt-id"}
)


MediaKind = Literal["image", "audio", "video", "file"]


class CallParams(_Section):
    """How requests are put to an endpoint; null: as its settings say, or as its first answers teach."""

    output_limit: Literal["max_completion_tokens", "max_tokens", "both"] | None = Field(
        None, description="the name of the output limit in a request"
    )
    system: Literal["role", "developer", "first_user"] | None = Field(
        None, description="where the system text goes: a role of its own, or before the first user message"
    )
    stream: bool | None = Field(None, description="true: for servers that answer only as a stream")
    service_tier: str | None = Field(None, max_length=32, description="flex is half the price, and slower")
    reasoning_effort: str | None = Field(None, max_length=32, description="how long the model is to think")
    extra_body: dict[str, Any] | None = Field(None, description="further keys of the request's body")
    headers: dict[str, str] | None = Field(None, description="further headers of the request")

    @field_validator("extra_body")
    @classmethod
    def _no_reserved_key(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if reserved := sorted(_RESERVED_KEYS & set(value or ())):
            raise ValueError(f"{', '.join(reserved)}: has a parameter of its own, or is the product's to set")
        return value

    @field_validator("headers")
    @classmethod
    def _sendable(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        for name, text in (value or {}).items():
            if name.lower() in _RESERVED_HEADERS or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
                raise ValueError(f"{name!r} is no header that may be set here; keys belong to the endpoint")
            if not (text.isascii() and text.isprintable()):
                raise ValueError(f"the value of {name} holds a character that no header may have")
        return value


def options_of(params: CallParams) -> CallOptions:
    """The options of requests that parameters say."""
    return CallOptions(**{name: getattr(params, name) for name in CallOptions._fields})


class Completion(_Section):
    """When a stage counts as done, and what its report holds for people to look at."""

    min_success: float = Field(
        0.0, ge=0, le=1, description="share of the samples that must succeed, else the stage is blocked"
    )
    tolerated_failures: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="share of samples that may fail; a strategy that fails much more often is paused early. null: what"
        " min_success leaves, else half",
    )
    same_scores: int | None = Field(
        50,
        ge=20,
        description="a task whose first so many scores are all the same is paused: its judge tells nothing apart. null:"
        " never",
    )
    review_sample: int = Field(
        10, ge=0, le=200, description="new rows in the report, drawn by the hash of their request"
    )


class AugmentSection(_Section):
    """`model: null` takes CORPUS_MODEL. Each strategy may name its own model, temperature, max_output_tokens, samples."""

    batch_size: int = Field(10, ge=1, le=_MOST_ROWS, description="rows between two positions of the cursor")
    concurrency: int = Field(
        50,
        ge=1,
        le=2000,
        description="calls at once, across batches and strategies; processes that ask one provider share them",
    )
    max_retries: int = Field(
        3, ge=0, le=20, description="of one call, for 5xx, timeouts and dropped connections; a 429 spends none"
    )
    answer_retries: int = Field(1, ge=0, le=20, description="of one question whose answer is no good")
    provider_patience_seconds: float = Field(
        600.0, gt=0, description="a provider that is down this long pauses the task"
    )
    backoff_cap_seconds: float = Field(
        600.0, gt=0, description="the longest wait before a retry; a Retry-After may be longer"
    )
    call_deadline_seconds: float = Field(600.0, gt=0, description="of one call, all in all")
    batch_poll_seconds: float = Field(30.0, gt=0, description="how often a provider batch is asked how far it is")
    model: str | None = Field(None, description="null: CORPUS_MODEL; each strategy may name its own")
    strategies: tuple[_Step, ...] = Field(
        (NamedStep(name="paraphrase"),), description="what is made of each row: names, with their parameters"
    )
    limits: Limits = Limits()
    budget: Budget = Budget()
    prices: dict[str, Price] = Field(
        default_factory=dict,
        description="by model, in US dollars per million tokens: input, output, cached_input, cache_write, tiers",
    )
    completion: Completion = Completion()
    until_accepted: int | None = Field(
        None,
        ge=1,
        le=_MOST_ROWS,
        description="rows are taken up until so many new ones would be exported, and exactly so many go out (source rows, where"
        " export.include has no new ones); the others are skipped as `enough`. null: all rows are worked",
    )

    @field_validator("strategies", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return () if value is None else value


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


_SHAPES_NO_ROW = {"augment": set(SHAPES_NO_ROW), "clean": {"gate"}, "export": {"gate"}}


class Review(_Section):
    """People's verdicts on a random sample of the new rows decide about the export (`corpus review`)."""

    max_defects: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="share of bad new rows, below which the rate must be; null: no review is asked for",
    )
    confidence: float = Field(0.95, ge=0.5, lt=1, description="with which it must be below")


class Gate(_Section):
    """What the export tolerates. What exceeds it holds the export: exit code 3, and the export that is there stays."""

    max_failed: int = Field(0, ge=0, description="failed samples that are neither resolved nor dismissed")
    max_empty: int = Field(0, ge=0, description="new rows without a response")
    max_unfinished: int = Field(0, ge=0, description="rows that a stage before has not finished")
    max_not_exportable: int = Field(0, ge=0, description="rows that the export format cannot hold")
    max_rejected: float = Field(
        0.01, ge=0, le=1, description="share of the file's records that could not be read; blank lines do not count"
    )
    min_rows: int = Field(1, ge=0, description="rows that the export must have, so that none takes the place of many")
    review: Review = Review()


class Selection(_Section):
    """Which rows go out, by what a task says of them. All that is set must hold."""

    value: str = Field(
        pattern=r"^[a-z0-9_-]{1,64}\.[\w-]{1,64}$", description="TASK.FIELD: what decides, as in quality.score"
    )
    rows: str = Field(
        "all", description="which rows it is about: cleaned, the label of the strategy that made them, or all"
    )
    at_least: float | None = Field(None, description="lower numbers stay behind")
    at_most: float | None = Field(None, description="higher numbers stay behind")
    one_of: tuple[str, ...] | None = Field(None, min_length=1, description="other words stay behind")
    none_of: tuple[str, ...] | None = Field(None, min_length=1, description="these words stay behind")
    best: int | None = Field(
        None,
        ge=1,
        le=64,
        description="of the samples that a strategy made of one row, so many with the highest numbers",
    )
    without_value: Literal["stay", "go"] = Field("stay", description="what rows do of which the task says nothing")

    @model_validator(mode="after")
    def _says_something(self) -> Selection:
        if all(said is None for said in (self.at_least, self.at_most, self.one_of, self.none_of, self.best)):
            raise ValueError("says nothing of the value: give it at_least, at_most, one_of, none_of or best")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"no row can pass: at_least {self.at_least:g} is above at_most {self.at_most:g}")
        if self.best is not None and self.rows in ("all", "cleaned"):
            raise ValueError("best chooses among the samples of one strategy: name it in `rows`")
        return self


class ExportSection(_Section):
    """`format: same` gives each file back in the format it came in. `include` says which rows go out."""

    format: str = Field("same", description="a format by name, or same: as each file came in")
    include: tuple[Literal["cleaned", "augmented"], ...] = Field(
        ("cleaned", "augmented"), description="which rows go out"
    )
    only_tags: tuple[str, ...] = Field(
        (), description="only rows with one of these tags of the cleaning rules go out; empty: all"
    )
    without_tags: tuple[str, ...] = Field((), description="rows with one of these tags stay behind; they are counted")
    repeats: Literal["keep", "drop"] = Field(
        "keep", description="new rows that nearly repeat a row of their file or another new row; they are counted"
    )
    select: tuple[Selection, ...] = Field(
        (),
        max_length=32,
        description="which rows go out by what tasks say of them: scores, labels, the best of several",
    )
    compression: Literal["none", "gzip"] = Field("none", description="of the JSONL")
    parquet: bool = Field(
        False, description="the same rows as a Parquet file beside the JSONL; needs corpus-pipeline[parquet]"
    )
    batch_size: int = Field(10_000, ge=1, le=_MOST_ROWS, description="rows that are read at once")
    gate: Gate = Gate()


class Notify(_Section):
    """A webhook that is called when a stage is completed, failed or paused. Its host must be in CORPUS_WEBHOOK_HOSTS."""

    url: str | None = Field(None, description="who is told; its host must be in CORPUS_WEBHOOK_HOSTS")
    stages: tuple[Stage, ...] = Field((Stage.AUGMENT, Stage.EXPORT), description="of which stages")


class Recipe(_Section):
    """A validated recipe; `version` is the hash of its meaning, not of its layout."""

    name: str = Field(DEFAULT_RECIPE_NAME, pattern=r"^[a-z0-9_-]{1,64}$", description="what it is called")
    description: str = Field("", description="for people")
    ingest: IngestSection = IngestSection()
    clean: CleanSection = CleanSection()
    augment: AugmentSection = AugmentSection()
    export: ExportSection = ExportSection()
    notify: Notify = Notify()

    @property
    def version(self) -> str:
        """sha256 (hex) of the canonical content without name and description: same work, same version.

        How fast and for how much money models are asked, and what the gates let pass, is no part of it: a task whose budget or
        gate is raised stays the same task.
        """
        return self.section_hash("ingest", "clean", "augment", "export")

    def section_hash(self, *sections: str) -> str:
        """sha256 (hex) of the canonical JSON of some sections, without what shapes no row."""
        body = self.model_dump(mode="json", include=set(sections), exclude=_SHAPES_NO_ROW)
        if not body.get("export", {}).get("select", True):
            del body["export"]["select"]  # recipes of before there was any keep their version
        if body.get("augment", {}).get("until_accepted", 0) is None:
            del body["augment"]["until_accepted"]
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

    Raises UsageError that names the origin, the line and the place of each fault.
    """
    read = recipe_yaml.read(text, origin)
    body = {} if read.body is None else read.body
    if not isinstance(body, dict):
        raise UsageError(f"{origin}: a recipe is a mapping of sections. `corpus recipe new` writes one to start from.")
    try:
        return Recipe.model_validate(body)
    except ValidationError as error:
        found = (f"{read.where(fault.place)}: {fault.message}" for fault in recipe_yaml.faults(error, Recipe))
        raise UsageError("\n".join((*found, "`corpus recipe show` prints every key with its default."))) from error


def bundled(name: str) -> str:
    """The YAML text of a recipe that comes with the package."""
    return (resources.files("corpus_pipeline") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
