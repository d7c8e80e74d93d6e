"""Which exchange of a conversation a strategy works on, and why some conversations are left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.stages.augment.strategies.sections import messages_as_lines
from corpus_pipeline.stages.skip_reasons import SkipReason

# what a turn may carry beside text and still be an ordinary exchange
_HARMLESS_EXTRA = frozenset({"system_role", "prompt_name", "response_name"})
# what it may carry where calls and results are carried along
_WITH_CALLS = _HARMLESS_EXTRA | {"prompt_role", "response_role", "tool_calls", "tool_call_id", "bare"}


def has_calls(conversation: Conversation) -> bool:
    """Whether tools are defined, called or answer in a conversation."""
    return bool(conversation.tools) or any(not set(turn.extra or ()) <= _HARMLESS_EXTRA for turn in conversation.turns)


def find_exchange(conversation: Conversation) -> int | None:
    """The index of the last turn with a prompt and an answer that is trained on (its weight is not 0), or None."""
    for index in range(len(conversation.turns) - 1, -1, -1):
        turn = conversation.turns[index]
        if (turn.prompt or "").strip() and (turn.response or "").strip() and turn.weight != 0:
            return index
    return None


def last_exchange(conversation: Conversation) -> int:
    """`find_exchange` for a conversation that is known to have one. Raises ValueError when it has none."""
    index = find_exchange(conversation)
    if index is None:
        raise ValueError(f"row {conversation.row_identifier} has no answered exchange: ask `applies` first")
    return index


def effective_system(turns: tuple[Turn, ...], index: int) -> str | None:
    """The system message in force at a turn: the last one up to it."""
    return next((turn.system for turn in reversed(turns[: index + 1]) if turn.system), None)


def skip_reason(
    conversation: Conversation,
    max_characters: int,
    unseen: Callable[[Conversation], SkipReason | None],
    index: int | None,
    *,
    carries_tools: bool = False,
) -> SkipReason | None:
    """What every strategy leaves alone; None when nothing speaks against the conversation.

    unseen: why the model would not see its media. index: of the turn that is worked on. carries_tools: whether
    calls and results may be there, as they are carried along.
    """
    if conversation.tools and not carries_tools:
        return SkipReason.TOOLS
    extras = [set(turn.extra) for turn in conversation.turns if turn.extra]
    if any("refusal" in extra for extra in extras):
        return SkipReason.REFUSED_SOURCE
    known = _WITH_CALLS if carries_tools else _HARMLESS_EXTRA
    if any(not extra <= known for extra in extras):
        return SkipReason.TOOLS
    if index is None:
        return SkipReason.NO_EXCHANGE
    if (blind := unseen(conversation)) is not None:
        return blind
    used = sum(len(text) for turn in conversation.turns[: index + 1] for _, text in turn.texts())
    return SkipReason.TOO_LONG if used > max_characters else None


def context_of(conversation: Conversation, index: int) -> dict[str, str | None]:
    """The sections for what surrounds the exchange at `index`: system message in force, what was said before."""
    return {
        "source_system": effective_system(conversation.turns, index),
        "conversation": messages_as_lines(conversation.turns[:index]),
    }


def sections_of(conversation: Conversation, *, with_response: bool = True) -> dict[str, str | None]:
    """The sections for the exchange that is worked on and what surrounds it."""
    index = last_exchange(conversation)
    turn = conversation.turns[index]
    return {
        **context_of(conversation, index),
        "source_prompt": turn.prompt,
        "source_response": turn.response if with_response else None,
    }


def replaced(conversation: Conversation, **texts: Any) -> tuple[Turn, ...]:
    """The turns up to the exchange, with some texts of its last turn replaced; what came after it is left out."""
    index = last_exchange(conversation)
    return (*conversation.turns[:index], conversation.turns[index]._replace(**texts))
