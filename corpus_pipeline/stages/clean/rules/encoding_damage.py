"""Encoding damage: what is left where characters were lost or never decoded, and cannot be repaired."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import CODE, View
from corpus_pipeline.stages.clean.rules.code import is_code
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule
from corpus_pipeline.stages.clean.rules.mojibake import is_about_characters

_SIGNS = lazily(
    "[\ufffd\x80-\x84\x86-\x9f]|\u951f\u65a4\u62f7|[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac[\u2122\u0153\u009d\u201c\u0093]"
    r"|(?<=[a-z])\?(?:t|s|re|ve|ll)(?![\w=])|&(?:amp;)+\w{2,8};"
)
_ADDRESS = lazily(r"(?:https?://|www\.)\S*")


class EncodingDamage(JudgingRule):
    name = "encoding_damage"
    summary = (
        "Finds replacement characters, question marks in place of apostrophes (`don?t`), letters that were read as two, and "
        "entities that were encoded twice, in prose that is not about characters; off by default, for `mojibake` repairs "
        "what can be repaired."
    )
    words = reasons = tags = ("encoding_damage",)

    class Params(JudgingRule.Params):
        min_places: int = Field(1, ge=1, description="such places in one text")

    params: Params

    def fault(self, view: View) -> Fault | None:
        if not _SIGNS.search(view.text) or is_about_characters(view):
            return None
        for place in view.places():
            text = _ADDRESS.sub(" ", CODE.sub("", place.text) if "`" in place.text else place.text)
            found = _SIGNS.findall(text)
            if len(found) >= self.params.min_places and not is_code(place.text):
                return Fault("encoding_damage", place.turn, place.field, f"{len(found)} places, {found[0]!r}")
        return None
