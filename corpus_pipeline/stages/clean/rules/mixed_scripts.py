"""Mixed scripts: letters of two alphabets within one word, as look-alikes and bad recognition of scans leave them."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import View, prose
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule

_LATIN, _CYRILLIC, _GREEK = "A-Za-z\u00c0-\u024f", "\u0400-\u052f", "\u0370-\u03ff"
_BORDER = lazily(
    f"[{_LATIN}][{_CYRILLIC}]|[{_CYRILLIC}][{_LATIN}]|[{_LATIN}]{{2}}[{_GREEK}][{_LATIN}{_GREEK}]|[{_GREEK}]{{2}}[{_LATIN}]{{2}}"
)
_BEYOND = lazily(f"[{_CYRILLIC}{_GREEK}]")


class MixedScripts(JudgingRule):
    name = "mixed_scripts"
    summary = (
        "Finds texts with words that mix Latin letters with Cyrillic or Greek ones (`pаypal` with a Cyrillic `а`); off by "
        "default."
    )
    words = reasons = tags = ("mixed_scripts",)

    class Params(JudgingRule.Params):
        min_words: int = Field(1, ge=1, description="such words in one text")

    params: Params

    def screen(self, view: View) -> bool:
        return bool(view.beyond) and _BEYOND.search(view.beyond) is not None

    def fault(self, view: View) -> Fault | None:
        for place in view.places():
            if place.text.isascii():
                continue
            found = _BORDER.findall(prose(place.text))
            if len(found) >= self.params.min_words:
                return Fault("mixed_scripts", place.turn, place.field, found[0])
        return None
