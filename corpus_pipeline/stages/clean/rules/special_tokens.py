"""Special tokens: control tokens of tokenizers and chat templates, which a trainer would read as structure.

What a template or a generation left behind stands at the edges of a text, behind the end of a sentence, or in a row of
several; what is talked about stands in a sentence or between quotation marks. Only the first is removed, and only where
the conversation is not about language models and their prompts.
"""

from __future__ import annotations

import re

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import CODE, Outcome, TextRule, View, outside
from corpus_pipeline.stages.clean.rules.subjects import TOKENS

# of GPT, Llama, Qwen, Phi, DeepSeek, Gemma, T5, BERT
_TOKEN = (
    r"<\|[A-Za-z0-9_]{2,40}\|>|<｜[^｜<>\s]{2,40}｜>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|<(?:bos|eos|pad|unk|BOS|EOS|PAD|UNK)>"
)
# `<s>` and `</s>` mark struck-through text, too: they are tokens at the edges alone
_EDGE = rf"(?:{_TOKEN}|</?s>)"
ANY_TOKEN = lazily(f"{_TOKEN}|</?s>")
_SURE = lazily(_TOKEN)
# the name of the speaker belongs to the token that opens a turn
_OPENING = lazily(
    rf"(?:<\|(?:im_start|start_header_id)\|>|<start_of_turn>)(?:assistant|user|system|model)\b(?:<\|end_header_id\|>)?"
    rf"[ \t]*\n?|{_EDGE}"
)
_CLOSING = lazily(rf"{_EDGE}\Z")
_LONGEST = 64  # of a token
# in the middle: behind the end of a sentence or at either end of a line, or several in a row
_INSIDE = lazily(
    rf"(?<=[.!?。！？…\"”')\]])[ \t]?(?:{_TOKEN})(?:[ \t]*(?:{_TOKEN}))*|^[ \t]*(?:{_TOKEN})(?:[ \t]*(?:{_TOKEN}))*[ \t]*"
    rf"|[ \t]?(?:{_TOKEN})(?:[ \t]*(?:{_TOKEN}))+|(?<=\w)(?:{_TOKEN})(?=\w|$)",
    re.MULTILINE,
)
_MAX_DEPTH = 5  # removing one may make another; nothing but an attack is deeper
_HINTS = (b"<", b"[")


class SpecialTokens(TextRule):
    name = "special_tokens"
    summary = (
        "Removes control tokens such as `<|endoftext|>`, `<|im_end|>`, `</s>` or `[INST]` that a template or a generation "
        "left at the edges of texts and sentences; where the conversation is about them, or a sentence names them, they "
        "stay and the row is tagged `special_tokens`."
    )
    tags = ("special_tokens",)

    def screen(self, view: View) -> bool:
        return any(hint in view.marks for hint in _HINTS) and ANY_TOKEN.search(view.text) is not None

    def apply(self, view: View) -> Outcome:
        outcome = Outcome(view.turns) if is_about_tokens(view) else super().apply(view)
        for place in View(outcome.turns, view.tools).places():
            if _SURE.search(CODE.sub("", place.text) if "`" in place.text else place.text):
                return outcome._replace(tags=(self.tag("special_tokens", turn=place.turn, field=place.field),))
        return outcome

    def fix(self, text: str, field: str) -> tuple[str, int]:
        total = 0
        for _ in range(_MAX_DEPTH):
            text, edges = _without_edges(text)
            text, inside = outside(CODE, text, _without_inside)
            total += edges + inside
            if not edges + inside:
                break
        return text, total


def is_about_tokens(view: View) -> bool:
    """Whether a conversation talks of language models and what their prompts are made of."""
    return TOKENS.search(ANY_TOKEN.sub(" ", view.text)) is not None


def _without_edges(text: str) -> tuple[str, int]:
    """Without the tokens at both ends; blanks between them go, those before and behind them stay."""
    marks_strike = "</s>" in text and text.count("<s>") > (1 if text.lstrip().startswith("<s>") else 0)
    start = position = count = 0
    while match := _OPENING.match(text, _behind_blanks(text, position)):
        if marks_strike and match.group() == "<s>":
            break
        start = position = match.end()
        count += 1
    end = position = len(text)
    while position > start:
        position = _before_blanks(text, position)
        found = _CLOSING.search(text, max(start, position - _LONGEST), position)
        if found is None or (marks_strike and found.group() == "</s>"):
            break
        end = position = found.start()
        count += 1
    return text[start:end], count


def _behind_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _before_blanks(text: str, position: int) -> int:
    while position and text[position - 1].isspace():
        position -= 1
    return position


def _without_inside(text: str) -> tuple[str, int]:
    return _INSIDE.subn("", text)
