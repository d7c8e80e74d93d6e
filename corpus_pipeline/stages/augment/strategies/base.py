"""What a strategy is: what to ask about a conversation, and how to read the answer. All of it pure.

The engine drives a strategy like this, for each sample of each conversation:

    reason = strategy.applies(conversation)             # a word: skipped, nothing is asked
    while request := strategy.next_request(conversation, answers, sample_index):
        answers += (await ask(request),)                # the previous answer is checked before the next question
    row = accept(strategy, conversation, answers)       # raises BadAnswer(reason, detail)

A request has a system message that is the same for every row (a provider can cache it) and a user message that holds
all text of the row behind fences. The format is in `prompts/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from corpus_pipeline import plugins
from corpus_pipeline.errors import BadAnswer, UnknownName, UsageError
from corpus_pipeline.model import Answer, CallOptions, Conversation, Medium, Request, Turn
from corpus_pipeline.recipe import CallParams, MediaKind, NamedStep, options_of
from corpus_pipeline.stages.augment.media import MediaAccess, has_media, marks_of
from corpus_pipeline.stages.augment.strategies import exchange, sections, structured
from corpus_pipeline.stages.augment.strategies.prefilter import First
from corpus_pipeline.stages.augment.strategies.tasks.references import TaskField
from corpus_pipeline.stages.augment.thinking import split_thinking
from corpus_pipeline.stages.augment.validators.answer import ALWAYS, ANSWER_VALIDATORS
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.refusing import looks_refused
from corpus_pipeline.stages.augment.validators.subject import Neighbours
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.templates import PromptTemplate, TemplateFault, check_template, compiled

USER_PART = "=== user ==="
INVALID = "invalid:"  # before the name of a validator, in tags of new rows
# raise it when the header, the sections, the output line or the schemas change: every prompt version changes with it
PROMPT_FORMAT = 1


class StrategyParams(CallParams):
    """What every strategy lets a recipe set."""

    label: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,64}$", description="its name in rows and reports")
    model: str | None = Field(
        None, description="MODEL or ENDPOINT/MODEL; null: the recipe's or the installation's model"
    )
    share: tuple[str, ...] = Field((), description="the same model at further endpoints: calls go where there is room")
    fallback_models: tuple[str, ...] = Field(
        (), description="models that are asked while `model` is down or its quota is gone"
    )
    temperature: float | None = Field(0.7, ge=0, le=2, description="null: the provider's default")
    max_output_tokens: int = Field(2048, ge=1, description="an answer that needs more is cut and fails")
    samples: int = Field(1, ge=1, le=64, description="new rows wanted for each conversation")
    seed: int | None = Field(None, description="sample n is asked with seed + n")
    max_input_characters: int = Field(60_000, ge=100, le=1_000_000, description="longer conversations are skipped")
    template: str | dict[str, str] | None = Field(None, description="own prompt text; by step where there are several")
    without: tuple[str, ...] = Field((), description="names of validators to leave out")
    tag_only: tuple[str, ...] = Field(
        (), description="names of validators that tag the new row (`invalid:NAME`) instead of failing the sample"
    )
    plugin_validators: tuple[Annotated[NamedStep, BeforeValidator(NamedStep.parse)], ...] = Field(
        (), description="further validators, of plugins: names, with their parameters"
    )
    structured_output: bool = Field(True, description="false: for providers that refuse a JSON schema in a request")
    media: tuple[MediaKind, ...] | None = Field(
        None,
        description="what its models are shown of rows: image, audio, video, file; rows with other media are skipped."
        " null: what the endpoints of its models say",
    )
    first: First | None = Field(None, description="a rule or a cheap judge that decides which rows are asked about")
    provider_batch: bool = Field(False, description="ask by the provider's Batch API: half the price, within 24 hours")
    fallback: Literal["live"] | None = Field(
        None,
        description="live: what provider batches cannot answer is asked at the full price; null: in further batches",
    )


class Step(NamedTuple):
    """One question of a strategy. `keys` are those of the wanted JSON object; without any, the answer is a text."""

    name: str
    needs: tuple[str, ...]  # sections that are always there: a template must show them
    may_have: tuple[str, ...] = ()  # sections that some conversations have
    keys: tuple[str, ...] = ()


class _Prompt(NamedTuple):
    system: str
    user: PromptTemplate


class Strategy(ABC):
    """Base of all strategies: subclasses say `_ask`, `parse`, `skips` and which validators judge the result."""

    name: ClassVar[str]
    version: ClassVar[int]  # raise it when parse or the sequence of questions changes
    summary: ClassVar[str]
    source: ClassVar[str]  # the paper: authors, year, title, arXiv id
    steps: ClassVar[tuple[Step, ...]]
    package: ClassVar[str] = "corpus_pipeline.stages.augment"  # whose folder `prompts` holds the templates
    writes_response: ClassVar[bool] = True  # a source that is itself a refusal is then no model to go by
    fields: tuple[str, ...] = ("system", "prompt", "reasoning", "response", "rejected")  # what other tasks may read
    task_inputs: Mapping[str, TaskField] = {}  # what it reads of other tasks, by the name in its template
    makes_rows: bool = True  # False: values beside the row
    score_field: str | None = None  # the value that is a judge's score
    scores: tuple[int, int] | None = None  # the lowest and the highest one
    labels: tuple[str, ...] | None = None  # what its field `label` may say
    tag_field: str | None = None  # the value that tags rows
    media: MediaAccess = MediaAccess()  # no one takes any, until the endpoints of its models are known
    answer_tokens: int | None = None  # how long an answer is; None: as long as what it is made from

    class Params(StrategyParams):
        """Parameters of the strategy."""

    def __init__(self, params: StrategyParams, default_model: str) -> None:
        """Raises UsageError for a template or a validator name that is no good."""
        self.params = params
        self.model = params.model or default_model
        self.label = params.label or self.name
        self.samples = params.samples
        self.options = options_of(params)
        self.templates = self._template_texts()
        self.neighbours = Neighbours()  # the rows that were taken up last, for validators
        self.validators = self._chosen_validators()
        self._prompts = {step.name: self._prepared(step) for step in self.steps}
        # whether a question follows an answer and whether it makes a row is asked one after the other: it is checked once
        self._checked: tuple[Answer | None, tuple[str, ...]] = (None, ())

    # --- what subclasses say -------------------------------------------------------------------------------------

    @abstractmethod
    def _validators(self) -> tuple[Validator, ...]:
        """Who judges the new turns, cheapest first."""

    @abstractmethod
    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        """The next question; None when the answers are all that is needed."""

    @abstractmethod
    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """The turns of the new row, up to and with the exchange that was worked on. Raises BadAnswer."""

    @property
    def questions(self) -> int:
        """How many questions a sample takes."""
        return len(self.steps)

    def values_of(self, conversation: Conversation, answers: tuple[Answer, ...]) -> dict[str, Any] | None:
        """The fields of the answers that are kept beside the row; None when there are none. Raises BadAnswer."""
        return None

    def tag_of(self, values: Mapping[str, Any] | None) -> str | None:
        """The word that these values tag the row with."""
        return None

    def worked_on(self, conversation: Conversation) -> int | None:
        """The index of the turn that is worked on, None where there is none."""
        return exchange.find_exchange(conversation)

    @property
    def carries_tools(self) -> bool:
        """Whether the recipe lets it work on rows with tool calls."""
        return getattr(self.params, "tools", "skip") == "carry"

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        """A reason of the strategy's own not to work on the exchange at `index`."""
        return None

    def _header_lines(self) -> dict[str, str]:
        """Further lines for the header of the system message."""
        return {}

    # --- what the engine calls -----------------------------------------------------------------------------------

    def applies(self, conversation: Conversation) -> str | None:
        """None when the strategy applies, else the reason word for which the sample is skipped."""
        index = self.worked_on(conversation)
        reason = exchange.skip_reason(
            conversation, self.params.max_input_characters, self.unseen, index, carries_tools=self.carries_tools
        )
        if reason is not None:
            return reason
        assert index is not None
        if self.writes_response and looks_refused(conversation.turns[index].response or ""):
            return SkipReason.REFUSED_SOURCE
        reason = self._skips(conversation, index)
        first = self.params.first
        if reason is None and first is not None and first.criterion and exchange.find_exchange(conversation) is None:
            return SkipReason.NO_EXCHANGE  # its judge looks at an answer
        if reason is None and first is not None and first.rule is not None:
            return None if first.rule.holds(conversation.turns[index]) else SkipReason.CASCADE
        return reason

    def unseen(self, conversation: Conversation) -> SkipReason | None:
        """Why the model would not see the media of a conversation; None when it would, or there are none."""
        shown = self.media.of(conversation) if has_media(conversation) else ()
        return shown if isinstance(shown, SkipReason) else None

    def next_request(
        self, conversation: Conversation, answers: tuple[Answer, ...] = (), sample_index: int = 0
    ) -> Request | None:
        """What to ask next, None when nothing. Raises BadAnswer when the last answer is not fit to go on from."""
        if answers:
            self.check_answer(conversation, answers[-1])
        request = self._ask(conversation, answers, sample_index)
        if request is None or not has_media(conversation):
            return request
        shown = self.media.of(conversation)
        if isinstance(shown, SkipReason):  # a file that was changed since
            why = "it is not there, or no medium" if shown is SkipReason.MEDIA else shown.in_words
            raise BadAnswer(BadReason.MEDIA, f"a picture, film or sound of the row cannot be sent any more: {why}")
        return with_media(request, shown)

    def check_answer(self, conversation: Conversation, answer: Answer) -> tuple[str, ...]:
        """Raise BadAnswer when an answer is cut, held back, refused or empty; the names of validators that only tag it.
        No recipe can switch off that an answer must be whole and not empty."""
        last, found = self._checked
        if last is not answer:
            found = self.judge(ANSWER_VALIDATORS, conversation, (), answer)
            self._checked = answer, found
        return found

    def judge(
        self,
        validators: Sequence[Validator],
        conversation: Conversation,
        turns: tuple[Turn, ...],
        answer: Answer,
    ) -> tuple[str, ...]:
        """Raise the first fault that the validators find, with the name of who found it. Those that the recipe leaves out
        are not asked; the names of those that found a fault and only tag are returned."""
        found: list[str] = []
        without = self.params.without
        for validator in validators:
            if validator.name in without:
                continue
            fault = validator(conversation, turns, answer)
            if fault is None:
                continue
            if validator.name not in self.params.tag_only:
                fault.validator = validator.name
                raise fault
            found.append(validator.name)
        return tuple(found)

    # --- building requests and reading answers ---------------------------------------------------------------------

    def request(
        self,
        step: Step,
        texts: Mapping[str, str | None],
        *,
        sample_index: int,
        lines: Mapping[str, str] | None = None,
        keys: Sequence[str] | None = None,
    ) -> Request:
        """The request of a step for the texts of a row; `lines` are our own words that differ from row to row."""
        prompt = self._prompts[step.name]
        wanted = step.keys if keys is None else keys
        try:
            body = prompt.user.render(sections.fenced({**dict.fromkeys(step.needs + step.may_have), **texts}))
        except TemplateFault as fault:
            raise BadAnswer(BadReason.TEMPLATE, str(fault)) from fault
        parts = [
            *(f"{key}: {value}" for key, value in (lines or {}).items()),
            body.strip(),
            sections.output_line(wanted),
        ]
        return Request(
            model=self.model,
            messages=({"role": "system", "content": prompt.system}, {"role": "user", "content": "\n\n".join(parts)}),
            max_output_tokens=self.params.max_output_tokens,
            temperature=self.params.temperature,
            response_schema=structured.schema_of(wanted) if wanted and self.params.structured_output else None,
            seed=None if self.params.seed is None else self.params.seed + sample_index,
            options=self.options,
        )

    @staticmethod
    def text_of(answer: Answer) -> str:
        """The text of an answer without the thinking that some servers leave in front of it."""
        return split_thinking(answer.text)[1].strip()

    @staticmethod
    def reasoning_of(answer: Answer) -> str | None:
        """The thinking that came with an answer, in its own field or in front of its text."""
        return answer.reasoning or split_thinking(answer.text)[0]

    @staticmethod
    def object_of(answer: Answer, keys: Sequence[str]) -> dict[str, str]:
        """The wanted values of an answer in JSON. Raises BadAnswer."""
        return structured.read_object(split_thinking(answer.text)[1], keys)

    # --- templates and validators, at construction ------------------------------------------------------------------

    def _template_texts(self) -> dict[str, str]:
        own = self.params.template
        names = [step.name for step in self.steps]
        if isinstance(own, str):
            if len(names) > 1:
                raise UsageError(
                    f"{self.name} asks {len(names)} questions: give `template` by step ({', '.join(names)})"
                )
            own = {names[0]: own}
        for name in own or {}:
            if name not in names:
                raise UnknownName(f"step of {self.name}", name, names)
        return {name: (own or {}).get(name) or self.bundled_template(name) for name in names}

    @classmethod
    def bundled_template(cls, step: str) -> str:
        """The text of the template that comes with the package."""
        name = cls.name if len(cls.steps) == 1 else f"{cls.name}.{step}"
        try:
            return (resources.files(cls.package) / "prompts" / f"{name}.j2").read_text("utf-8")
        except OSError as error:
            raise UsageError(f"strategy {cls.name}: {cls.package} has no file prompts/{name}.j2") from error

    def _prepared(self, step: Step) -> _Prompt:
        text = self.templates[step.name]
        where = f"template of {self.name}, step {step.name}"
        system, mark, user = text.partition(f"\n{USER_PART}\n")
        if not mark:
            raise TemplateFault(f"{where}: the line '{USER_PART}' between system part and user part is missing")
        values = self._system_values()
        try:
            if text != self.bundled_template(step.name):
                self._check_foreign(step, system, user, values)
            head = sections.header(self.name, step.name, self._header_lines())
            return _Prompt(head + compiled(system).render(values).strip(), compiled(user))
        except TemplateFault as fault:
            known = ", ".join(step.needs + step.may_have)
            raise TemplateFault(
                f"{where}: {fault}. The user part may show {known}; the system part {', '.join(values) or 'no values'}."
            ) from fault

    def _system_values(self) -> dict[str, str]:
        """What the system part may show: words of ours, never of a row."""
        return {}

    @staticmethod
    def _check_foreign(step: Step, system: str, user: str, values: Mapping[str, str]) -> None:
        """Try a recipe's own template out in a process of its own, and see that it shows what the step needs."""
        every = {name: f"text of {name}" for name in step.needs + step.may_have}
        few = {**dict.fromkeys(step.may_have), **{name: every[name] for name in step.needs}}
        examples = [sections.fenced(every), sections.fenced(few)]
        check_template(system, [values])
        check_template(user, examples)
        for example in examples:
            shown = compiled(user).render(example)
            missing = [name for name in step.needs if example[name] not in shown]
            if missing:
                raise TemplateFault(f"the user part does not show {', '.join(missing)} as it is")

    def _chosen_validators(self) -> tuple[Validator, ...]:
        declared = self._validators()
        names = [validator.name for validator in (*declared, *ANSWER_VALIDATORS) if validator.name not in ALWAYS]
        for name in (*self.params.without, *self.params.tag_only):
            if name in ALWAYS:
                raise UsageError(f"{self.name}: '{name}' cannot be left out: an answer is whole and not empty, or none")
            if name not in names:
                raise UnknownName(f"validator of {self.name}", name, names)
        kept = tuple(validator for validator in declared if validator.name not in self.params.without)
        return kept + tuple(map(further_validator, self.params.plugin_validators))


def further_validator(step: NamedStep) -> Validator:
    """A validator of a plugin by name. Raises UnknownName, UsageError for parameters that it does not take."""
    kind = plugins.named(plugins.Group.VALIDATORS, Validator, dict[str, type[Validator]](), step.name)
    try:
        return kind(**step.params)
    except (TypeError, ValueError) as error:
        raise UsageError(f"validator {step.name}: {error}") from error


def with_media(request: Request, shown: Sequence[Medium]) -> Request:
    """A request that carries media, and says so at the head of its last message."""
    *before, last = request.messages
    line = (
        f"Media: {len(shown)} before this text, in the order of the conversation."
        " Marks for them in its texts, such as <image>, stay as they are and where they belong."
    )
    text = f"{line}\n\n{last['content']}"
    return request._replace(messages=(*before, {**last, "content": text}), media=tuple(shown))


class Accepted(NamedTuple):
    """A new row. tags: `invalid:NAME` of validators that only tag; changes: what cleaning rules changed, by rule."""

    turns: tuple[Turn, ...]
    tags: tuple[str, ...] = ()
    changes: Mapping[str, int] = MappingProxyType({})


Cleaning = Callable[[Conversation, tuple[Turn, ...]], Accepted]


def accept(
    strategy: Strategy, conversation: Conversation, answers: tuple[Answer, ...], cleaning: Cleaning | None = None
) -> Accepted:
    """The new row, parsed, cleaned as source rows are, and judged.

    Raises BadAnswer(reason, detail) with the first fault; `reason` is a `BadReason`, or a word of a cleaning rule.
    """
    tagged: list[str] = []
    for answer in answers:
        tagged += strategy.check_answer(conversation, answer)
    row = Accepted(strategy.parse(conversation, answers))
    _require_marks(strategy, conversation, row.turns)
    if cleaning is not None and strategy.makes_rows:
        row = cleaning(conversation, row.turns)
    tagged += strategy.judge(strategy.validators, conversation, row.turns, answers[-1])
    return row._replace(tags=(*row.tags, *(INVALID + name for name in dict.fromkeys(tagged))))


def _require_marks(strategy: Strategy, conversation: Conversation, turns: tuple[Turn, ...]) -> None:
    """Raise BadAnswer where the texts of a new row have other marks for media than those that its record holds."""
    if not strategy.makes_rows or not turns or not has_media(conversation):
        return
    index = exchange.find_exchange(conversation)
    kept = conversation.turns if index is None else conversation.turns[: index + 1]
    wanted, found = marks_of(kept), marks_of(turns)
    if wanted != found:
        lost, more = wanted - found, found - wanted
        said = f"lost {', '.join(lost)}" if lost else f"added {', '.join(more)}"
        raise BadAnswer(BadReason.MEDIA, f"the new texts do not show the row's media where they belong: {said}")


def prompt_version(strategy: Strategy) -> str:
    """sha256 (hex) of what makes the strategy's prompts: texts, format, code version, parameters, schemas.

    The model is part of the request and not of the prompt; label, samples and validators shape no prompt.
    """
    other = {
        "label",
        "model",
        "samples",
        "without",
        "tag_only",
        "template",
        "first",
        "provider_batch",
        "fallback",
        "share",
    }
    other |= {"media", "tools", "fallback_models", "plugin_validators"} | set(CallOptions._fields)
    params = strategy.params.model_dump(mode="json", exclude=other) | strategy.options.said()
    if strategy.carries_tools:  # left out where it is not said, so that earlier rows keep their version
        params["tools"] = "carry"
    body: dict[str, Any] = {
        "format": PROMPT_FORMAT,
        "strategy": [strategy.name, strategy.version],
        "templates": strategy.templates,
        "params": params,
        "schemas": {step.name: structured.schema_of(step.keys) for step in strategy.steps},
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode("utf-8")).hexdigest()
