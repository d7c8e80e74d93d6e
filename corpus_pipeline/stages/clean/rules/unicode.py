"""Unicode normalization: canonical composition (NFC, Unicode Standard Annex 15), nothing that changes width."""

from __future__ import annotations

import unicodedata

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.normalize import compose
from corpus_pipeline.stages.clean.rules.base import TextRule, View
from corpus_pipeline.stages.clean.rules.subjects import CHARACTERS

# NFC would replace a compatibility ideograph by its unified counterpart: a misspelling to who is named with it.
_COMPATIBILITY_IDEOGRAPHS = lazily("[\uf900-\ufaff\U0002f800-\U0002fa1f]+")


class Unicode(TextRule):
    name = "unicode"
    version = 2
    summary = (
        "Composes characters (NFC), so that `e` + accent equals `é` and split Hangul is whole; full-width forms, "
        "ligatures and CJK compatibility ideographs stay as they are, and so do conversations about characters."
    )

    def screen(self, view: View) -> bool:
        return not view.ascii and not unicodedata.is_normalized("NFC", view.text)

    def spares(self, view: View, turn: int, field: str, text: str) -> bool:
        """What composes to what is the subject of some conversations."""
        return CHARACTERS.search(view.text) is not None

    def fix(self, text: str, field: str) -> tuple[str, int]:
        if unicodedata.is_normalized("NFC", text):
            return text, 0
        parts: list[str] = []
        changed = position = 0
        for match in [*_COMPATIBILITY_IDEOGRAPHS.finditer(text), None]:
            piece = text[position : match.start() if match else len(text)]
            composed = compose(piece)
            changed += composed != piece
            parts.append(composed)
            if match:
                parts.append(match.group())
                position = match.end()
        return "".join(parts), changed
