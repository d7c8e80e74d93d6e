"""The thinking that servers leave in the text of an answer, in the dialects of all models, and what is left of templates.

Where a server does not read the channels of its model, the text holds them: tags around the thinking, the closing tag alone
(the template opened it in the prompt), channels, or channels whose tokens were taken out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment.validators.scripts import without_fences
from corpus_pipeline.stages.augment.validators.words import BadReason

# opening and closing mark of each dialect
_PAIRS: Final = (
    (r"<(?:think|thinking|thought|thoughts|reasoning|reflection|seed:think|antThinking)>",
     r"</(?:think|thinking|thought|thoughts|reasoning|reflection|seed:think|antThinking)>"),
    (r"\[THINK\]", r"\[/THINK\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|(?:begin_of_thought|START_THINKING|begin_of_think)\|>", r"<\|(?:end_of_thought|END_THINKING|end_of_think)\|>"),
    (r"<unused94>(?:thought)?", r"<unused95>"),
    (r"<\|channel>thought", r"<channel\|>"),
)  # fmt: skip
# as pages show them; their closing marks alone say nothing
_SHOWN: Final = (
    (r"&lt;(?:think|thinking)&gt;", r"&lt;/(?:think|thinking)&gt;"),
    (r"<details type=\"reasoning\"[^>]{0,80}>", r"</details>"),
)
_THINKING: Final = tuple(
    lazily(rf"\s*{begin}(.*?){end}\s*", re.DOTALL | re.IGNORECASE) for begin, end in (*_PAIRS, *_SHOWN)
)
_OPEN: Final = tuple(lazily(rf"\s*{begin}", re.IGNORECASE) for begin, _ in (*_PAIRS, *_SHOWN))
_ANY_OPENING: Final = lazily("|".join(begin for begin, _ in _PAIRS))
# the closing mark ends its line: a text about the mark has it within a sentence, or behind the opening one
_CLOSING_ALONE: Final = lazily(rf"(?:{'|'.join(end for _, end in _PAIRS)})[ \t]*(?:\n+|\Z)")
_ANSWER: Final = lazily(
    r"\A\s*<(answer|response|output|solution)>((?:(?!<\1>).)*?)</\1>\s*\Z", re.DOTALL | re.IGNORECASE
)
_REFLECTED: Final = lazily(r"\s*<(reflection|think|thinking)>.*?</\1>\s*", re.DOTALL | re.IGNORECASE)
_SOLUTION: Final = lazily(
    r"\A\s*<\|(?:begin_of_solution|START_RESPONSE)\|>(.*?)(?:<\|(?:end_of_solution|END_RESPONSE)\|>)?\s*\Z", re.DOTALL
)
_CHANNEL: Final = lazily(
    r"<\|channel\|>\s*(\w+)[^<]{0,200}<\|message\|>(.*?)(?=<\|(?:end|return|start|channel|call)\|>|\Z)", re.DOTALL
)
_BARE_CHANNELS: Final = lazily(r"\A\s*(?:assistant)?analysis(?=[\sA-Z\"'])(.*?)assistantfinal(.*)\Z", re.DOTALL)

# control tokens of chat templates: what stands between bars, and those of older templates
TEMPLATE_TOKEN: Final = lazily(
    r"<\|[A-Za-z][\w:. -]{0,40}\|>|<｜[^｜<>]{1,40}｜>|<\|[A-Za-z_]{2,20}>|<[A-Za-z_]{2,20}\|>"
    r"|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|<(?:bos|eos|pad)>|<unused\d+>"
    r"|\[/?(?:THINK|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]|◁/?\w+▷"
    r"|\A\s*<s>(?!.*</s>.*\S)|</s>\s*(?:<s>\s*)?\Z|</?(?:think|seed:think)>"
)
_SPEAKER: Final = lazily(r"assistant[ \t]*\n+(?=\S)")  # the role of a template whose tokens were taken out
# headings and speakers of templates in plain words: a model goes on with a question of its own
_ROLES: Final = lazily(
    r"^[ \t]*#{2,4}[ \t]*(?:Instruction|Response|Input|Output|Human|Assistant|User|System)[ \t]*:[ \t]*(?=\n|\Z|\S)"
    r"|(?<=\n\n)(?:Human|USER|ASSISTANT):",
    re.MULTILINE,
)


@lru_cache(maxsize=16)  # validators and strategy look at the same answer one after another
def split_thinking(text: str) -> tuple[str | None, str]:
    """(thinking, the rest) of an answer whose server left its thinking in the text.

    Raises BadAnswer(cut) when the thinking never ends.
    """
    if "<|channel|>" in text:
        return _channels(text)
    for pattern in _THINKING:
        if match := pattern.match(text):
            return match.group(1).strip() or None, _bare(_unwrapped(text[match.end() :]))
    if any(pattern.match(text) for pattern in _OPEN):
        raise BadAnswer(BadReason.CUT, "the thinking block is not closed")
    if (match := _BARE_CHANNELS.match(text)) is not None:
        return match.group(1).strip() or None, match.group(2).lstrip()
    closing = _CLOSING_ALONE.search(text)
    opening = _ANY_OPENING.search(text)
    if closing is not None and (opening is None or opening.start() > closing.start()):
        return text[: closing.start()].strip() or None, _unwrapped(text[closing.end() :].lstrip())
    return None, _unwrapped(text)


def _channels(text: str) -> tuple[str | None, str]:
    """What the channels of gpt-oss hold: `final` is the answer, everything else is thinking."""
    found = _CHANNEL.findall(text)
    final = [said for name, said in found if name == "final"]
    if not final:
        raise BadAnswer(BadReason.CUT, "the answer ends before its final channel")
    thinking = "\n\n".join(said.strip() for name, said in found if name != "final" and said.strip())
    return thinking or None, final[-1].strip()


def _bare(text: str) -> str:
    """The answer behind thinking, without the tags that some models put around all of it."""
    while (passed := _REFLECTED.match(text)) is not None:
        text = text[passed.end() :]
    match = _ANSWER.match(text)
    return text if match is None else match.group(2).strip()


def _unwrapped(text: str) -> str:
    match = _SOLUTION.match(text) if "<|" in text else None
    return text if match is None else match.group(1).strip()


def template_token(text: str) -> str | None:
    """The first control token of a chat template that is left in a text."""
    found = TEMPLATE_TOKEN.search(text) if any(mark in text for mark in "<[◁") else None
    if found is None and any(mark in text for mark in ("##", "\nHuman", "\nUSER", "\nASSISTANT")):
        found = _ROLES.search(without_fences(text))
    if found is None and text.startswith("assistant"):
        found = _SPEAKER.match(text)
    return None if found is None else found.group().strip()
