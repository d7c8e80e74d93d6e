"""Composition: how much of a conversation is code, formulas or markup."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Tag
from corpus_pipeline.stages.clean.rules.base import CODE, Outcome, Rule, View
from corpus_pipeline.stages.clean.rules.code import is_code_line

_FORMULA = lazily(
    r"\$\$[^$]{1,2000}\$\$|\$(?=[^\s$])[^$\n]{1,300}(?<=\S)\$(?!\d)|\\\([^\n]{1,500}?\\\)|\\\[[^\]]{1,1000}\]|\\[a-zA-Z]{2,20}\b"
)
_TAG = lazily(r"<[/!?]?[A-Za-z][^<>]{0,300}>")
_PROSE = lazily(r"\s*(?:<[A-Za-z/!]|\$\s?\d|[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+ [a-z]+)")  # and markup, and sums of money
_LONG_LINE = 300  # hardly ever one of a program
_MAX_LINES = 2_000  # of a text that is looked at


class Composition(Rule):
    name = "composition"
    summary = (
        "Tags rows that are code, formulas or markup for the most part (`mostly_code`, `mostly_maths`, `mostly_markup`), and "
        "drops those with more of it than the recipe allows; off by default."
    )
    reasons = ("too_much_code", "too_much_maths", "too_much_markup")
    tags = ("mostly_code", "mostly_maths", "mostly_markup")

    class Params(Rule.Params):
        tag_from: float = Field(
            0.5, ge=0, le=1, description="share of the answers' characters from which on a row is tagged"
        )
        max_code: float = Field(1.0, ge=0, le=1, description="share of code; a row with more is dropped")
        max_maths: float = Field(1.0, ge=0, le=1, description="share of formulas; a row with more is dropped")
        max_markup: float = Field(1.0, ge=0, le=1, description="share of tags; a row with more is dropped")

    params: Params

    def apply(self, view: View) -> Outcome:
        text = "\n".join(answer.text for answer in view.answers())
        if not text.strip():
            return Outcome(view.turns)
        tags = list[Tag]()
        for kind, share in shares(text).items():
            if share > getattr(self.params, f"max_{kind}"):
                return self.drop(view.turns, f"too_much_{kind}", f"{share:.0%}", field="response")
            if share >= self.params.tag_from:
                tags.append(self.tag(f"mostly_{kind}", field="response"))
        return Outcome(view.turns, tags=tuple(tags))


def shares(text: str) -> Mapping[str, float]:
    """The share of the characters of a text, without blank ones, that lie in code, formulas and tags."""
    total = _weight(text) or 1
    fenced = sum(_weight(match.group()) for match in CODE.finditer(text)) if "`" in text or "~~~" in text else 0
    rest = CODE.sub("\n", text) if fenced else text
    lines = rest.split("\n")[:_MAX_LINES]
    bare = [_weight(line) for line in lines if len(line) < _LONG_LINE and is_code_line(line) and not _PROSE.match(line)]
    code = fenced + (sum(bare) if len(bare) > 1 else 0)
    maths = sum(_weight(match.group()) for match in _FORMULA.finditer(rest)) if "$" in rest or "\\" in rest else 0
    markup = sum(_weight(match.group()) for match in _TAG.finditer(rest)) if "<" in rest else 0
    return {"code": min(1.0, code / total), "maths": min(1.0, maths / total), "markup": min(1.0, markup / total)}


def _weight(text: str) -> int:
    return len("".join(text.split()))
