"""Empty turns: prompts and answers that say nothing."""

from __future__ import annotations

import re

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Tag, Turn
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, Side, View

# An answer of nothing but these is a filler; brackets, quotes, operators and emoji can be the right answer.
_FILLERS = frozenset("….-_—–―·。，、,?？!！~～*# \t\n\r\u00a0\u3000\u200b\ufeff")
_LONGEST_TRIVIAL = 64

_PLACEHOLDERS = (
    "<noinput>", "<nooutput>", "[object object]", "your answer here", "insert answer here", "answer goes here",
    "待补充", "待完善", "暂无内容", "此处省略", "記入なし",
)  # fmt: skip
# what stands for an answer that was never written, and may be the right one: to a question for a word, or a class
_DOUBTFUL = frozenset((
    "todo", "tbd", "tba", "fixme", "n/a", "na", "placeholder", "lorem ipsum", "noinput", "nooutput", "no output", "null",
    "待定", "无输出", "未入力", "내용 없음",
))  # fmt: skip
# a question whose answer is a sign
_ASKS_FOR_SIGN = lazily(
    r"\b(?:signs?|symbols?|characters?|operators?|punctuation\w*|marks?|dots?|ellips[ie]s|dash\w*|hyphen|keys?|comment\w*"
    r"|wildcard|separator\w*|delimiter\w*|divider|rule|line|regex\w*|morse|token|label|class\w*)\b|符号|标点|字符|記号|기호",
    re.IGNORECASE,
)


class EmptyTurns(Rule):
    name = "empty_turns"
    version = 2
    summary = (
        "Drops conversations with an empty prompt or answer, an answer of mere punctuation, or an unmistakable placeholder "
        "(`<nooutput>`); answers that are not trained towards may be empty. Single signs and words such as `N/A` may be "
        "right: they are tagged `short_answer`."
    )
    reasons = ("empty_conversation", "empty_prompt", "empty_response", "trivial_response", "placeholder_response")
    tags = ("short_answer",)

    class Params(Rule.Params):
        trivial: bool = Field(True, description="drop answers that are nothing but filler punctuation")
        placeholders: tuple[str, ...] = Field(
            _PLACEHOLDERS, description="whole answers, in any case and with or without a final stop, that count as none"
        )

    params: Params

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._placeholders = frozenset(word.casefold() for word in self.params.placeholders)

    def screen(self, view: View) -> bool:
        for turn in view.turns:
            response = turn.response
            if (
                turn.extra is not None
                or (response is not None and (len(response) <= _LONGEST_TRIVIAL or response.isspace()))
                or _is_blank(turn.prompt)
                or _is_blank(turn.rejected)
            ):
                return True
        return not view.texts

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        if not any(turn.texts() or turn.extra for turn in turns):
            return self.drop(turns, "empty_conversation")
        tags: tuple[Tag, ...] = ()
        for number, turn in enumerate(turns, 1):
            bare = turn.extra.get("bare", ()) if turn.extra else ()  # messages without any content
            if "prompt" in bare or (_is_blank(turn.prompt) and not _is_tool_result(turn)):
                return self.drop(turns, "empty_prompt", turn=number, field="prompt")
            response = "" if "response" in bare else turn.response
            # a bad answer may be as bad as it likes, and what is not trained on teaches nothing
            if response is not None and view.side(number, "response") is Side.TRAINED:
                fault = self._fault(response, turn)
                if fault == "short_answer":
                    tags = tags or (self.tag(fault, turn=number, field="response"),)
                elif fault:
                    return self.drop(turns, fault, response[:_LONGEST_TRIVIAL], turn=number, field="response")
            if _is_blank(turn.rejected):
                tags = tags or (self.tag("short_answer", turn=number, field="rejected"),)
        return Outcome(turns, tags=tags)

    def _fault(self, response: str, turn: Turn) -> str | None:
        """A reason to drop, or the tag, or None."""
        if len(response) > _LONGEST_TRIVIAL and not response.isspace():
            return None
        said = response.strip().casefold()
        if not said:
            return None if _says_it_elsewhere(turn) else "empty_response"
        bare = said.rstrip(".。!！… ")
        if said in self._placeholders or (bare and bare in self._placeholders):
            return "placeholder_response"
        if bare in _DOUBTFUL:
            return "short_answer"
        if not self.params.trivial or not _FILLERS.issuperset(said):
            return None
        return "short_answer" if len(said) == 1 or _ASKS_FOR_SIGN.search(turn.prompt or "") else "trivial_response"


def _is_blank(text: str | None) -> bool:
    return text is not None and (not text or text.isspace())


def _is_tool_result(turn: Turn) -> bool:
    """A tool may well return nothing."""
    return turn.extra is not None and turn.extra.get("prompt_role", "user") != "user"


def _says_it_elsewhere(turn: Turn) -> bool:
    """An answer may be a tool call or a refusal in a field of its own."""
    return turn.extra is not None and bool(turn.extra.get("tool_calls") or turn.extra.get("refusal"))
