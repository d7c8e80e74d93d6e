"""Language: which language a conversation is written in, by script where a script settles it, else by py3langid, and by
fastText's small model where that is not sure, as it seldom is of a sentence.

Measured on sentences and rows of others that are labelled with a language (prompts of PolyRefuse in 14 languages and of
IndoSafety, Alpaca in English and Chinese, GSM8K; 250 of each, .8 as the confidence that is asked for): 4,288 of 4,500 are
right, 206 unclear, 6 wrong (Chinese rows that are mostly code or English); 3,931, 563 and 6 by py3langid alone. Half of the
Indonesian sentences stay unclear: they might be Malay.
"""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View, prose

_HAN = lazily("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = lazily("[\u3041-\u30ff\uff66-\uff9f]")
_HANGUL = lazily("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_LETTER = lazily(r"[^\W\d_]")
_CODE = lazily("[a-z]{2,3}")
_LONGEST = 2_000  # characters of a text that is unclear which the second model reads


def detect(text: str, min_characters: int = 20, min_confidence: float = 0.8) -> str | None:
    """The language of `text` as an ISO 639 code, None when it is too short or unclear.

    One ideograph says about as much as two letters, and one syllable block too.
    """
    text = prose(text)
    han, kana, hangul = (len(script.findall(text)) for script in (_HAN, _KANA, _HANGUL))
    letters = len(_LETTER.findall(text))
    east = han + kana + hangul
    if letters + east < min_characters:
        return None
    if east * 2 >= letters - east:  # weighed double: names and terms in Latin letters are long
        if hangul >= max(han, kana):
            return "ko"
        return "ja" if kana * 10 > han else "zh"
    language, confidence = languages.classify(text)
    if confidence < min_confidence:
        language, confidence = languages.guesses(text[:_LONGEST])[0]
    return language if confidence >= min_confidence else None


class Language(Rule):
    name = "language"
    summary = "Tags each conversation with its language; drops what an allow or a deny list says; off by default."
    reasons = ("language", "language_unclear")
    version = 2

    class Params(Rule.Params):
        allow: tuple[str, ...] = Field((), description="ISO 639 codes that are kept; empty: all")
        deny: tuple[str, ...] = Field((), description="ISO 639 codes that are dropped")
        fields: tuple[str, ...] = Field(("prompt", "response"), description="the texts that are looked at")
        min_characters: int = Field(20, ge=1, description="with fewer letters the language is unclear")
        min_confidence: float = Field(0.8, ge=0, le=1)
        drop_unclear: bool = Field(False, description="drop what has no clear language")

    params: Params

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        params = self.params
        text = "\n".join(text for turn in turns for field, text in turn.texts() if field in params.fields)
        language = detect(text, params.min_characters, params.min_confidence)
        if language is None:
            return self.drop(turns, "language_unclear") if params.drop_unclear else Outcome(turns)
        if language in params.deny or (params.allow and language not in params.allow):
            return self.drop(turns, "language", language)._replace(language=language)
        return Outcome(turns, language=language)
