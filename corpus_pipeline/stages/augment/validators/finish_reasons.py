"""How an answer ended, from the words of all providers. The list is open: a word that no one knows is `unknown`.

An unknown word, or none, says nothing against a whole text: the validators judge it, and the word is shown once.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from corpus_pipeline.lazy_patterns import lazily


class Finish(StrEnum):
    """How an answer ended."""

    STOP = "stop"  # the model came to its end
    CUT = "cut"  # a limit of tokens was reached
    REFUSED = "refused"  # the provider or the model held it back
    TOOL = "tool"  # it wants to call a tool
    BROKEN = "broken"  # the provider could not finish it
    UNKNOWN = "unknown"  # nothing was said, or in a word that is not known here


_WORDS: Final = {
    Finish.STOP: "stop eos eos_token end_turn endturn stop_sequence stop_str end complete completed finish finished done"
    " finish_reason_stop stopped natural normal turn_end",
    Finish.CUT: "length max_tokens max_output_tokens max_length max_completion_tokens model_length max_new_tokens"
    " model_context_window_exceeded context_length_exceeded token_limit finish_reason_max_tokens incomplete",
    Finish.REFUSED: "content_filter content_filtered safety recitation refusal refused blocklist prohibited_content spii"
    " guardrail_intervened moderation sensitive image_safety model_armor language content_policy error_toxic",
    Finish.TOOL: "tool_calls function_call tool_use tool_call function_calls malformed_function_call pause_turn"
    " unexpected_tool_call too_many_tool_calls",
    Finish.BROKEN: "error insufficient_system_resource abort aborted cancelled canceled timeout failed malformed_response"
    " network_error server_error",
}
_KNOWN: Final = {word: finish for finish, words in _WORDS.items() for word in words.split()}
# the nearest class of a word that is not in the list
_NEAREST: Final = (
    (lazily(r"filter|safety|polic|moderat|refus|prohibit|block|guard|sensitive|violat|risk"), Finish.REFUSED),
    (lazily(r"length|max_|limit|truncat|cut|context"), Finish.CUT),
    (lazily(r"tool|function"), Finish.TOOL),
    (lazily(r"error|fail|abort|cancel|timeout|broken|interrupt"), Finish.BROKEN),
    (lazily(r"\bstop|(?:^|_)eos|(?:^|_)end(?:_|$)"), Finish.STOP),
)


def meaning(word: str) -> Finish:
    """What a finish reason means, however it is spelt; the nearest class for one that is not in the list."""
    folded = _folded(word)
    if folded in _KNOWN:
        return _KNOWN[folded]
    return next((finish for pattern, finish in _NEAREST if pattern.search(folded)), Finish.UNKNOWN)


def is_known(word: str) -> bool:
    """Whether a word is in the list, and need not be shown."""
    return _folded(word) in _KNOWN


def _folded(word: str) -> str:
    """`maxTokens`, `MAX_TOKENS` and `max-tokens` are one word."""
    return re.sub(r"[^a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()).strip("_")
