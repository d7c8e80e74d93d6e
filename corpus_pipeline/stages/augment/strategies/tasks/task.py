"""What tasks have in common: one question about a row by a template, fields of its answer, and what is made of them."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple

from corpus_pipeline.errors import BadAnswer, UnknownName, UsageError
from corpus_pipeline.model import TEXT_FIELDS, Answer, Conversation, Request, Turn
from corpus_pipeline.recipe_yaml import below
from corpus_pipeline.stages.augment.strategies import exchange, sections
from corpus_pipeline.stages.augment.strategies.base import USER_PART, Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks import inputs as task_inputs
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check, Checked, as_text
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import MAX_LABEL, Output
from corpus_pipeline.stages.augment.strategies.tasks.references import TaskField
from corpus_pipeline.stages.augment.thinking import split_thinking
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.form import FieldsFilled, NoLeakedInstruction, NotRepetitive
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.templates import (
    MAX_TEMPLATE_CHARACTERS,
    TemplateFault,
    check_template,
    compiled,
    names_in,
)

_ASK: Final = Step("ask", ())
_SYSTEM_NAMES: Final = ("labels",)
# what messages may carry beside text where a task only looks: calls and their results are texts of the row
_READABLE: Final = frozenset(
    "system_role prompt_role response_role system_name prompt_name response_name tool_calls tool_call_id refusal label "
    "bare".split()
)


class Spec(NamedTuple):
    """What a task is: its inputs, its output, what it makes, its checks; fences: whether texts of the row have them."""

    output: Output
    makes: Makes
    inputs: Mapping[str, str] = MappingProxyType({})
    checks: tuple[Check, ...] = ()
    fences: bool = True


class Task(Strategy):
    """Asks one question about each row. Subclasses say their `_spec`, and may have a template of ours."""

    steps: ClassVar[tuple[Step, ...]] = (_ASK,)
    writes_response: ClassVar[bool] = False

    @abstractmethod
    def _spec(self, params: Any) -> Spec:
        """What the task is, by its parameters."""

    def __init__(self, params: StrategyParams, default_model: str) -> None:
        """Raises UsageError for what cannot work."""
        self.spec = self._spec(params)
        self.output, self.makes = self.spec.output, self.spec.makes
        self._beside = self.makes.beside(self.output)
        self.fields = (*self._beside, *Strategy.fields) if self.makes.is_row else self._beside
        self.makes_rows = self.makes.is_row
        self.tag_field = self.makes.field(self.output) if self.makes.word == "tag" else None
        self.score_field = "score" if self.output.score and "score" in self._beside else None
        self.scores = None if self.output.score is None else (self.output.score.min, self.output.score.max)
        self.labels = self.output.labels
        self.answer_tokens = 12 if self.output.labels else 60 if self.output.score else None
        self._inputs = {name: self._input(name, said) for name, said in self.spec.inputs.items()}
        self.task_inputs = {name: one for name, one in self._inputs.items() if isinstance(one, TaskField)}
        self._known = (*task_inputs.ROW_NAMES, *self._inputs)
        self._require_makes()
        super().__init__(params, default_model)

    @staticmethod
    def _input(name: str, said: str) -> task_inputs.Input:
        with below("inputs", name):
            return task_inputs.parsed(name, said)

    def _require_makes(self) -> None:
        fault = self.makes.fault(self.output, frozenset(self._known) - {"turns"})
        if fault is not None:
            with below("makes"):
                raise UsageError(f"makes: {self.makes.word}: {fault}")

    # --- the template --------------------------------------------------------------------------------------------

    def _prepared(self, step: Step) -> Any:
        system, mark, user = ("\n" + self.templates[step.name]).partition(f"\n{USER_PART}\n")
        self._is_foreign = self.templates[step.name] != self.bundled_template(step.name)
        with below("template"):
            if not mark:
                raise TemplateFault(f"template: the line '{USER_PART}' between system part and user part is missing")
            with below("system"):
                shown = self._checked_system(system.strip("\n"))
            with below("user"):
                self._needs = self._checked_user(user)
        head = sections.header(self.name, step.name, {})
        return (head + shown.strip(), compiled(user))

    def _checked_system(self, text: str) -> str:
        names = _names(text, "the system part")
        unknown = sorted(names - set(_SYSTEM_NAMES))
        if unknown:
            raise TemplateFault(
                f"template: the system part may show {', '.join(_SYSTEM_NAMES)}, not {', '.join(unknown)}:"
                " what comes from a row goes to the user part"
            )
        values = {"labels": list(self.output.labels or ())}
        if self._is_foreign:
            _try("the system part", text, [values])
        return compiled(text).render(values)

    def _checked_user(self, text: str) -> tuple[str, ...]:
        """The names without which there is nothing to ask."""
        names = _names(text, "the user part")
        known = {*self._known, *_SYSTEM_NAMES}
        if unknown := sorted(names - known):
            raise UnknownName("name in the template", unknown[0], known)
        if not names - set(_SYSTEM_NAMES):
            raise TemplateFault(
                "template: the user part shows nothing of the row, so that every answer would be the same"
            )
        used = {*names, *self.makes.messages(self.output).values()}
        used |= {name for check in self.spec.checks for name in check.other_names}
        for name in self._inputs:
            if name not in used:
                raise UsageError(f"inputs: {name} is used nowhere: show it in the template, or leave it out")
        every: dict[str, Any] = {name: f"text of {name}" for name in self._known}
        every["turns"] = [dict.fromkeys(TEXT_FIELDS, "a text")] * 3
        always = names_in(text).always
        few = {name: every[name] if name in always else None for name in self._known}
        if self._is_foreign:
            _try("the user part", text, [self._context(example) for example in (every, few)])
        return tuple(name for name in self._known if name in always)

    def _context(self, values: Mapping[str, Any]) -> dict[str, Any]:
        shown = task_inputs.context(values, fences=self.spec.fences)
        return {**shown, "labels": list(self.output.labels or ())}

    # --- asking ----------------------------------------------------------------------------------------------------

    def applies(self, conversation: Conversation) -> str | None:
        """See `Strategy.applies`. A task needs no answered exchange: only what its template always shows."""
        exchanged = exchange.find_exchange(conversation)
        reason = exchange.skip_reason(conversation, self.params.max_input_characters, self.unseen, exchanged)
        if reason is SkipReason.TOOLS and self._may_look(conversation):
            reason = None
        if reason not in (None, SkipReason.NO_EXCHANGE, SkipReason.REFUSED_SOURCE):
            return reason
        if (blind := self.unseen(conversation)) is not None:
            return blind
        index = task_inputs.worked_on(conversation)
        if index is None:
            return SkipReason.NO_EXCHANGE
        turns = conversation.turns[: index + 1]
        if sum(len(text) for turn in turns for _, text in turn.texts()) > self.params.max_input_characters:
            return SkipReason.TOO_LONG
        return self._lacks(conversation, turns[-1])

    def _may_look(self, conversation: Conversation) -> bool:
        return not self.makes_rows and all(set(turn.extra or ()) <= _READABLE for turn in conversation.turns)

    def _lacks(self, conversation: Conversation, turn: Turn) -> SkipReason | None:
        first = self.params.first
        if (self.makes.word == "answer" and not (turn.prompt or "").strip()) or (
            (self.makes.word in ("rejected", "desirable") or (first is not None and first.criterion is not None))
            and exchange.find_exchange(conversation) is None
        ):
            return SkipReason.NO_EXCHANGE
        if task_inputs.blank(task_inputs.texts_of(conversation, self._inputs), self._needs):
            return SkipReason.NO_INPUT
        if first is not None and first.rule is not None and not first.rule.holds(turn):
            return SkipReason.CASCADE
        return None

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if answers:
            return None
        system, user = self._prompts[_ASK.name]
        try:
            body = user.render(self._context(task_inputs.texts_of(conversation, self._inputs)))
            body = task_inputs.with_fences_on_lines(body) if self.spec.fences else body
        except TemplateFault as fault:
            raise BadAnswer(BadReason.TEMPLATE, str(fault)) from fault
        schema = self.output.schema
        return Request(
            model=self.model,
            messages=(
                {"role": "system", "content": system},
                {"role": "user", "content": "\n\n".join((body.strip(), *self._wanted(schema)))},
            ),
            max_output_tokens=self.params.max_output_tokens,
            temperature=self.params.temperature,
            response_schema=schema if self.params.structured_output else None,
            seed=None if self.params.seed is None else self.params.seed + sample_index,
            options=self.options,
        )

    def _wanted(self, schema: dict[str, Any] | None) -> tuple[str, ...]:
        """The last lines of the user message: what the answer is to be, also for endpoints that refuse a schema."""
        if schema is None:
            return (sections.output_line(()),)
        if self.output.labels is not None:
            return (f"Output: one of {' | '.join(self.output.labels)}",)
        return (f"Schema: {json.dumps(schema, ensure_ascii=False)}", sections.output_line(self.output.names))

    # --- reading ---------------------------------------------------------------------------------------------------

    def values_of(self, conversation: Conversation, answers: tuple[Answer, ...]) -> dict[str, Any] | None:
        """See `Strategy.values_of`; what becomes a text of a row is no value beside one."""
        values = self._fields_of(answers[-1])
        return {name: values[name] for name in self._beside if name in values} or None

    def _fields_of(self, answer: Answer) -> dict[str, Any]:
        return self.output.read(split_thinking(answer.text)[1])

    def tag_of(self, values: Mapping[str, Any] | None) -> str | None:
        """See `Strategy.tag_of`."""
        if self.makes.word != "tag" or values is None:
            return None
        said = values.get(self.makes.field(self.output))
        return self.label if said is True else said.strip() or None if isinstance(said, str) else None

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`; no turns where values are made."""
        values = self._fields_of(answers[-1])
        tag = self.tag_of(values)
        if tag is not None and len(tag) > MAX_LABEL:
            raise BadAnswer(BadReason.MALFORMED, f"a tag has {MAX_LABEL} characters at most: {tag[:MAX_LABEL]}...")
        if not self.makes_rows:
            return ()
        if self.makes.word == "row":
            return self._new_row(conversation, values)
        index = task_inputs.worked_on(conversation)
        assert index is not None
        before, turn = conversation.turns[:index], conversation.turns[index]
        said = values[self.makes.field(self.output)]
        if self.makes.word == "desirable":
            return (*before, turn._replace(extra={**(turn.extra or {}), "label": bool(said)}, rejected=None))
        text = as_text(said)
        if self.makes.word == "rejected":
            return (*before, turn._replace(rejected=text))
        reasoning = self.reasoning_of(answers[-1]) if turn.reasoning else None
        return (*before, turn._replace(response=text, reasoning=reasoning))

    def _new_row(self, conversation: Conversation, values: Mapping[str, Any]) -> tuple[Turn, ...]:
        """The turns of a new row from the fields of an answer."""
        texts = task_inputs.texts_of(conversation, self._inputs) | dict(values)
        messages = self.makes.messages(self.output)
        made = {message: as_text(texts[name]) or None for message, name in messages.items()}
        system, prompt, reasoning, response, rejected = (made.get(message) for message in TEXT_FIELDS)
        return (Turn(system, prompt, reasoning, response, rejected),)

    def _validators(self) -> tuple[Validator, ...]:
        checks = tuple(self._check(number, check) for number, check in enumerate(self.spec.checks))
        if not self.makes_rows:
            return checks
        made = {"answer": ("response",), "rejected": ("rejected",), "desirable": ()}.get(self.makes.word)
        texts = (
            made
            if made is not None
            else tuple(m for m, f in self.makes.messages(self.output).items() if f in self.output.names)
        )
        return (FieldsFilled(texts), NoLeakedInstruction(texts), NotRepetitive(texts), *checks)

    def _check(self, number: int, check: Check) -> Checked:
        with below("validators", number):
            if check.field not in self.output.names:
                raise UnknownName("field of the output", check.field, self.output.names)
            for name in check.other_names:
                if name not in self._known or name == "turns":
                    raise UnknownName("name to compare with", name, self._known)
            values = None if check.other_names else self.output.values_of(check.field)
            if values and (faults := [check.fault(value, {}) for value in values]) and all(faults):
                raise UsageError(f"no answer can pass: each value of {check.field} fails, as it {faults[-1]}")
        return Checked(check, self._read)

    def _read(self, conversation: Conversation, answer: Answer) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return self._fields_of(answer), task_inputs.texts_of(conversation, self._inputs)


def _names(text: str, part: str) -> frozenset[str]:
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise TemplateFault(f"template: {part} has more than {MAX_TEMPLATE_CHARACTERS} characters")
    try:
        return names_in(text).read
    except TemplateFault as fault:
        raise TemplateFault(f"template: {part}: {fault}") from fault


def _try(part: str, text: str, examples: list[dict[str, Any]]) -> None:
    try:
        check_template(text, examples)
    except TemplateFault as fault:
        raise TemplateFault(f"template: {part}: {fault}") from fault
