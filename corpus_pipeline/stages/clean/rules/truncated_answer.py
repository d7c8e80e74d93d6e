"""Truncated answers: the end is missing, because a limit of tokens cut it off."""

from __future__ import annotations

import json
import re

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.code import is_code, is_structured
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule

_FENCE = lazily(r"^[ \t]*(```+|~~~+)", re.MULTILINE)
_STOPS = lazily(r"[.!?…](?=[\s\"'”’)*_]|$)|[。！？]")
_OPEN = lazily(r"[\w,，、\-–—(（]\Z")
_ADDRESS = lazily(r"\S*[/@]\S*\Z|\S+\.\w{2,5}\Z")
_ATTRIBUTION = lazily(r"[\"'”’»」*] ?[-–—―] ?[A-Z][\w.’' -]{1,40}\Z")  # behind a quotation: -C.S. Lewis
# ends that need no full stop: items of lists, headings, comments, commands, tags of posts
_FREE = lazily(r"\s*(?:[-*+•|>#$]|\d{1,3}[.)]\s)|.*(?:#\w|//|`|[=;{}]|\w\()")
_LAST = 400  # characters of an end that are looked at


class TruncatedAnswer(JudgingRule):
    name = "truncated_answer"
    summary = (
        "Finds a last answer that breaks off: a code fence or a JSON value that is never closed, or prose of several "
        "sentences whose last line ends within a sentence; off by default."
    )
    words = reasons = tags = ("truncated_answer",)

    class Params(JudgingRule.Params):
        min_characters: int = Field(80, ge=1, description="shorter answers need no full stop")

    params: Params

    def fault(self, view: View) -> Fault | None:
        answers = list(view.answers())
        if not answers or view.joined:
            return None
        last = answers[-1]
        why = _break_of(last.text.rstrip(), self.params.min_characters)
        return Fault("truncated_answer", last.turn, last.field, why) if why else None


def _break_of(text: str, least: int) -> str:
    """How a text breaks off; empty when it does not."""
    if ("```" in text or "~~~" in text) and _is_open(text):
        return "open fence"
    if (
        text[:1] in "{["
        and len(text) >= least
        and text[1:2] in '"{[\n \t'
        and not text.endswith(("}", "]"))
        and _is_cut(text)
    ):
        return "open bracket"
    if len(text) < least or not _OPEN.search(text):
        return ""
    line = text[max(text.rfind("\n") + 1, len(text) - _LAST) :]
    if (
        _ADDRESS.search(line)
        or _ATTRIBUTION.search(line)
        or _FREE.match(line)
        or (len(line) < least / 2 and not line.endswith((",", "，", "、")))
    ):
        return ""
    if len(_STOPS.findall(text)) < 2 or is_code(text) or is_structured(text):
        return ""
    return f"ends with {line[-30:]!r}"


def _is_open(text: str) -> bool:
    """Whether a fence is opened and never closed."""
    opened = ""
    for match in _FENCE.finditer(text):
        mark = match[1]
        if not opened:
            opened = mark
        elif mark.startswith(opened):
            opened = ""
    return bool(opened)


def _is_cut(text: str) -> bool:
    """Whether a JSON text ends too early: its first fault is its end."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) - 1 or error.msg.startswith("Unterminated string")
    except RecursionError:
        pass
    return False
