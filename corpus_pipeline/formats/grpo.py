"""Prompts with what an answer is checked against, for reinforcement learning (GRPO and its kin).

Source: TRL's "Dataset formats" and the reference of its GRPOTrainer, ms-swift's "Custom dataset". Both hand every further
column of a row to the reward functions; `solution` is what their own functions for right answers read. A row has it from
its own `solution` when it came with one, else from its last answer, else, when the row ends with the question, from another
key that is usual for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.base import Loss, NotExportable, Written
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect
from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.messages import ANSWER_SIDE, PROMPT_SIDE, Message, pack, side_of, unpack
from corpus_pipeline.formats.trl import TRL_PROMPT
from corpus_pipeline.model import Conversation

SOLUTION = "solution"
# where a row that ends with its question says what is right, in this order
_USUAL = (("ground_truth",), ("reference_answer",), ("reward_model", "ground_truth"), ("answer",))
_LOST = frozenset({Loss.ANSWER, Loss.REASONING, Loss.REJECTED, Loss.LABEL, Loss.WEIGHTS, Loss.NAMES, Loss.REFUSAL})


class _Split(NamedTuple):
    """asked: the conversation up to its last question. solution: a JSON value."""

    asked: Conversation
    solution: Any
    losses: set[Loss]


def _split(conversation: Conversation) -> _Split:
    """Raises NotExportable for a row without a question at its end, or without anything to check an answer against."""
    messages, losses = unpack(conversation.turns), set[Loss]()
    answer = messages.pop() if messages and side_of(messages[-1].role) == ANSWER_SIDE else None
    if not messages:
        raise NotExportable("no_prompt")
    if side_of(messages[-1].role) != PROMPT_SIDE:
        raise NotExportable("turn_order", "before the last answer stands no question")
    carried = shapes.carried(conversation.shape).extra
    solution = carried.get(SOLUTION)
    if answer is not None:
        losses |= _losses(answer, conversation.turns[-1].extra or {})
        if solution is not None:
            losses.add(Loss.ANSWER)
        elif answer.tool_calls:
            raise NotExportable("tool_calls", "the last message calls a tool: that is no text to check answers against")
        elif answer.text is None:
            raise NotExportable("no_answer", "the last message holds no text to check answers against")
        else:
            solution = answer.text
    elif solution is None:
        solution = next((value for path in _USUAL if (value := _at(carried, path)) is not None), None)
    if solution is None:
        raise NotExportable("no_answer", "there is nothing to check an answer against")
    turns = pack([message._replace(rejected=None) for message in messages])
    return _Split(conversation._replace(turns=turns), solution, losses | _lost_before(messages))


def _losses(answer: Message, extra: dict[str, Any]) -> set[Loss]:
    """What of the answer that is checked against has no place: all but its text."""
    found = {
        Loss.REASONING: answer.reasoning is not None,
        Loss.REJECTED: answer.rejected is not None or "rejected_messages" in extra,
        Loss.LABEL: extra.get("label") is not None,
        Loss.WEIGHTS: answer.weight not in (None, 1),
        Loss.NAMES: answer.name is not None,
        Loss.REFUSAL: answer.refusal is not None,
        Loss.ROLES: answer.role != "assistant",
    }
    return {loss for loss, is_lost in found.items() if is_lost}


def _lost_before(messages: list[Message]) -> set[Loss]:
    return {Loss.REJECTED} if any(message.rejected is not None for message in messages) else set()


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _with_solution(conversation: Conversation, write: Callable[[Conversation], Written], key: str) -> Written:
    """The record of the questions, with the solution behind them."""
    asked, solution, losses = _split(conversation)
    record, more = write(asked)
    prompt = record.pop(key)
    record.pop(SOLUTION, None)
    return Written({key: prompt, SOLUTION: solution, **record}, tuple(sorted({*losses, *more})))


class _Chat(ChatFormat):
    def __init__(self, name: str, description: str, key: str, **more: Any) -> None:
        dialect = Dialect(lists=((key,),), answer=SOLUTION, **more.pop("dialect", {}))
        super().__init__(name, description, dialect, (key, SOLUTION, "tools"), **more)
        self.loses |= _LOST
        self._key = key

    def write(self, conversation: Conversation) -> Written:
        return _with_solution(conversation, super().write, self._key)


class _Texts(FlatFormat):
    def write(self, conversation: Conversation) -> Written:
        return _with_solution(conversation, TRL_PROMPT.write, "prompt")


TRL_GRPO_CHAT = _Chat("trl_grpo_chat", "TRL prompts with a solution to check answers against, conversational", "prompt")
SWIFT_GRPO = _Chat(
    "swift_grpo",
    "ms-swift messages with a solution to check answers against",
    "messages",
    dialect={"text_arguments": True},
    media=("images", "videos", "audios"),
)
TRL_GRPO = _Texts(
    "trl_grpo",
    "TRL prompts with a solution to check answers against; ms-swift reads it, too",
    Columns(prompt="prompt", response=SOLUTION),
    foreign=("context", "input"),
    joins=True,
)
TRL_GRPO.loses |= _LOST
