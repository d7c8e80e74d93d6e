"""Empty turns: prompts and answers that say nothing."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View

# An answer of nothing but these is a filler; brackets, quotes, operators and emoji can be the right answer.
_FILLERS = frozenset("….-_—–―·。，、,?？!！~～*# \t\n\r\u00a0\u3000\u200b\ufeff")
_LONGEST_TRIVIAL = 64

_PLACEHOLDERS = (
    "todo", "tbd", "tba", "fixme", "n/a", "placeholder", "lorem ipsum", "noinput", "<noinput>", "nooutput",
    "<nooutput>", "no output", "[object object]", "your answer here", "insert answer here", "answer goes here",
    "待补充", "待完善", "待定", "暂无内容", "此处省略", "无输出", "未入力", "記入なし", "내용 없음",
)  # fmt: skip


class EmptyTurns(Rule):
    name = "empty_turns"
    summary = (
        "Drops conversations with an empty prompt or answer, an answer of mere punctuation, or a placeholder (`TODO`)."
    )
    reasons = ("empty_conversation", "empty_prompt", "empty_response", "trivial_response", "placeholder_response")

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
        for text in view.texts:
            if len(text) <= _LONGEST_TRIVIAL or text[0].isspace():
                return True
        for turn in view.turns:
            if turn.extra is not None:
                return True
        return not view.texts

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        if not any(turn.texts() or turn.extra for turn in turns):
            return self.drop(turns, "empty_conversation")
        for number, turn in enumerate(turns, 1):
            bare = turn.extra.get("bare", ()) if turn.extra else ()  # messages without any content
            if "prompt" in bare or (_is_blank(turn.prompt) and not _is_tool_result(turn)):
                return self.drop(turns, "empty_prompt", turn=number, field="prompt")
            response = "" if "response" in bare else turn.response
            if response is not None:
                fault = self._fault(response, turn)
                if fault:
                    return self.drop(turns, fault, response[:_LONGEST_TRIVIAL], turn=number, field="response")
            if _is_blank(turn.rejected):  # a losing answer may be as bad as it likes, but it must be there
                return self.drop(turns, "empty_response", turn=number, field="rejected")
        return Outcome(turns)

    def _fault(self, response: str, turn: Turn) -> str | None:
        if len(response) > _LONGEST_TRIVIAL and not response.isspace():
            return None
        said = response.strip().casefold()
        if not said:
            return None if _says_it_elsewhere(turn) else "empty_response"
        if self.params.trivial and _FILLERS.issuperset(said):
            return "trivial_response"
        if said in self._placeholders or said.rstrip(".。!！… ") in self._placeholders:
            return "placeholder_response"
        return None


def _is_blank(text: str | None) -> bool:
    return text is not None and (not text or text.isspace())


def _is_tool_result(turn: Turn) -> bool:
    """A tool may well return nothing."""
    return turn.extra is not None and turn.extra.get("prompt_role", "user") != "user"


def _says_it_elsewhere(turn: Turn) -> bool:
    """An answer may be a tool call or a refusal in a field of its own."""
    return turn.extra is not None and bool(turn.extra.get("tool_calls") or turn.extra.get("refusal"))
