"""OpenAI fine-tuning: supervised (`messages`) and preference (`input`, `preferred_output`, `non_preferred_output`).

Source: the fine-tuning guide and the reference of the chat API. `arguments` of a call is JSON text; `weight` (0 or 1)
stands on assistant messages only; `function_call` is the deprecated form of `tool_calls` and is read, not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpus_pipeline.formats import calls
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.base import NotExportable
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect
from corpus_pipeline.formats.media_parts import openai_contents
from corpus_pipeline.formats.messages import ANSWER_SIDE, Message, side_of, unpack
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Conversation

_FUNCTION_NAME = lazily(r"[a-zA-Z0-9_-]{1,64}")


class _OpenAI(ChatFormat):
    """What the fine-tuning service refuses in one row costs the whole file, so such rows are not written."""

    def contents_with_media(self, conversation: Conversation) -> dict[int, list[dict[str, Any]]]:
        return openai_contents(conversation)

    def require_usable(self, conversation: Conversation) -> None:
        found = unpack(conversation.turns)
        for message in found:
            if side_of(message.role) == ANSWER_SIDE and not _says_anything(message):
                raise NotExportable("no_answer", "an assistant message holds neither text nor calls")
            names = [(calls.bare(call, text_arguments=True) or {}).get("name", "") for call in message.tool_calls or ()]
            if not all(_FUNCTION_NAME.fullmatch(name) for name in names):
                raise NotExportable("function_name", "a function has 1 to 64 of the characters a-z, A-Z, 0-9, _ and -")
        _require_answered_calls(found)
        answers = [message for message in found if side_of(message.role) == ANSWER_SIDE]
        if answers and all(message.weight == 0 for message in answers):
            raise NotExportable("no_weight", "no assistant message has a weight, so that nothing would be trained on")

    def fits_as_it_is(self, conversation: Conversation) -> bool:
        """Not with the deprecated form of calls, to which no tool message answers."""
        if not super().fits_as_it_is(conversation):
            return False
        if not any(message.tool_calls for message in unpack(conversation.turns)):
            return True
        record = shapes.render(conversation) or {}
        lists = (value for value in record.values() if isinstance(value, list))
        return not any(isinstance(message, dict) and "function_call" in message for found in lists for message in found)


class _OpenAIPreference(_OpenAI):
    def require_usable(self, conversation: Conversation) -> None:
        super().require_usable(conversation)
        if any((turn.extra or {}).get("rejected_messages") for turn in conversation.turns):
            raise NotExportable("no_preference", "the answer that lost is not one message like the one that won")
        found = unpack(conversation.turns)
        if len(found) > 1 and side_of(found[-2].role) == ANSWER_SIDE:
            raise NotExportable("turn_order", "the message before the two answers is one of the assistant")

    def fits_as_it_is(self, conversation: Conversation) -> bool:
        """Also only with one message as each answer: what stands before it belongs to the input."""
        record = shapes.render(conversation) or {}
        return len(record.get("preferred_output", ())) == 1 and super().fits_as_it_is(conversation)


def _says_anything(message: Message) -> bool:
    return message.text is not None or bool(message.tool_calls) or message.refusal is not None


def _require_answered_calls(messages: Sequence[Message]) -> None:
    """Tool messages answer the calls right before them, one each; what was called last may stay unanswered."""
    waiting: list[Any] = []  # ids of the calls that are not answered yet, None where one has none
    for message in messages:
        if message.role == "tool":
            if not waiting:
                raise NotExportable("tool_messages", "a tool message follows no call that it could answer")
            if message.tool_call_id is not None and message.tool_call_id not in waiting:
                raise NotExportable("tool_messages", "a tool message names a call that is not right before it")
            waiting.pop(0 if message.tool_call_id is None else waiting.index(message.tool_call_id))
            continue
        if waiting:
            raise NotExportable("unanswered_calls", "a call is not answered by a tool message right behind it")
        waiting = [call.get("id") for call in message.tool_calls or ()]


OPENAI_SFT = _OpenAI(
    "openai_sft",
    "OpenAI supervised fine-tuning; also what ms-swift, Together and Fireworks take as messages",
    Dialect(weight="weight", reasoning="drop", text_arguments=True, developer=True, refusal=True),
    ("messages", "tools"),
    needs_answer=True,
)

OPENAI_DPO = _OpenAIPreference(
    "openai_dpo",
    "OpenAI preference fine-tuning",
    Dialect(
        lists=(("input", "messages"), ("preferred_output",)),
        rejected=("non_preferred_output",),
        tools=("input", "tools"),
        weight="weight",
        reasoning="drop",
        text_arguments=True,
        developer=True,
        refusal=True,
    ),
    ("input", "preferred_output", "non_preferred_output"),
)
