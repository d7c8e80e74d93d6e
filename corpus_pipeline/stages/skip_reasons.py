"""Why a strategy leaves a conversation alone, and how that is said. Commands import it without the strategies."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SkipReason(StrEnum):
    """Why a strategy does not apply to a conversation; nothing is asked and nothing has failed."""

    TOOLS = "tools"  # tools are defined or called: their calls and results would no longer fit together
    MEDIA = "media"  # it is about a picture, a film or a sound, which the model would not see
    MEDIA_TOO_LARGE = "media_too_large"  # a medium, or all of a row together, has more bytes than a request may carry
    MEDIA_TOO_MANY = "media_too_many"  # a row has more media than a request may carry
    NO_EXCHANGE = "no_exchange"  # no prompt with an answer that is trained on
    REFUSED_SOURCE = "refused_source"  # the source's own answer is a refusal
    TOO_LONG = "too_long"  # more characters than `max_input_characters`
    TOO_SHORT = "too_short"  # too little text to be said in another way
    HAS_REASONING = "has_reasoning"  # it has what the strategy would add
    SAME_LANGUAGE = "same_language"  # it is in the target language already
    CASCADE = "cascade"  # the rule or the judge of `first` does not want it
    TOO_MANY_TURNS = "too_many_turns"
    NO_DIFFERENCE = "no_difference"  # the best and the worst of several answers are equally good
    NO_FINAL_ANSWER = "no_final_answer"  # the answer has no end of the wanted kind that a program could compare
    ENOUGH = "enough"  # as many rows as the recipe wants are accepted
    NO_INPUT = "no_input"  # a text that the template shows is not there, or a task that it reads left the row alone

    @property
    def in_words(self) -> str:
        """The same for people."""
        return _IN_WORDS[self]


_IN_WORDS: Final = {
    SkipReason.TOOLS: "tool calls",
    SkipReason.MEDIA: "pictures, films or sounds",
    SkipReason.MEDIA_TOO_LARGE: "media above 5 MiB a picture, 15 MiB another one or 20 MiB a row",
    SkipReason.MEDIA_TOO_MANY: "more than 20 media in a row",
    SkipReason.NO_EXCHANGE: "no answer that is trained on",
    SkipReason.REFUSED_SOURCE: "the answer is a refusal",
    SkipReason.TOO_LONG: "too long",
    SkipReason.TOO_SHORT: "too short",
    SkipReason.HAS_REASONING: "a reasoning is there already",
    SkipReason.SAME_LANGUAGE: "in the target language already",
    SkipReason.CASCADE: "not wanted by `first`",
    SkipReason.TOO_MANY_TURNS: "too many turns",
    SkipReason.NO_DIFFERENCE: "all answers are equally good",
    SkipReason.NO_FINAL_ANSWER: "no final answer that a program could check",
    SkipReason.ENOUGH: "enough rows are accepted",
    SkipReason.NO_INPUT: "a text that the template shows is not there",
}


def skips_in_words(reasons: Mapping[str, int]) -> str:
    """`tool calls 12, too short 3`: the reasons for which samples were skipped, the commonest first."""
    words = {str(reason): said for reason, said in _IN_WORDS.items()}
    ordered = sorted(reasons.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{words.get(reason, reason)} {count:,}" for reason, count in ordered)
