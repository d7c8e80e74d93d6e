"""Toxic words: slurs and obscenities by language, by lists that a recipe can extend or replace.

A list knows no context: a novel, a question about a word and a rejected answer have them, too. The built-in lists are
short and hold words that are hardly ever meant otherwise.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pydantic import Field

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule

LISTS: dict[str, str] = {
    "en": "fuck fucker fuckers fucking fucked motherfucker motherfuckers cunt cunts bullshit shithead dickhead cocksucker "
    "cocksuckers nigger niggers faggot faggots whore whores slut sluts retards wanker twat kike kikes spic spics wetback",
    "de": "fotze fotzen arschloch arschlöcher hurensohn hurensöhne wichser missgeburt schwuchtel kanake kanaken nutte ficker "
    "scheißkerl untermensch",
    "fr": "connard connards connasse enculé enculés salope salopes putain pédé pédés bougnoule bougnoules nique bâtard",
    "es": "hijoputa gilipollas maricón maricones cabrón cabrones follar coño zorra sudaca pendejo pendejos chingar",
    "pt": "caralho foda-se fodido viado viados puta vadia vadias cuzão arrombado buceta",
    "it": "vaffanculo stronzo stronzi troia troie puttana puttane frocio froci cazzo coglione coglioni",
    "ru": "блядь бляди сука пизда пиздец хуй хуйня ебать ёбаный пидор пидорас мудак",
    "pl": "kurwa kurwy chuj pierdolić jebać jebany skurwysyn pedał cipa",
    "nl": "klootzak klootzakken kankerlijer hoer hoeren flikker mongool kutwijf",
    "tr": "orospu siktir amcık piç ibne götveren",
    "zh": "操你妈 傻逼 草泥马 他妈的 贱人 婊子 狗娘养的 去死吧",
    "ja": "死ねよ くたばれ クソ野郎 売女",
    "ko": "씨발 개새끼 병신 좆같 지랄",
}
_WITHOUT_BLANKS = frozenset(("zh", "ja", "ko"))


class ToxicWords(JudgingRule):
    name = "toxic_words"
    summary = (
        "Finds slurs and obscenities in 13 languages, in the answers that are trained towards or in all texts; short lists, "
        "which a recipe can extend; off by default, and tags, for a list knows no context: "
        "what `do: drop` dropped on real rows were news that quote them."
    )
    words = reasons = tags = ("toxic_words",)

    class Params(JudgingRule.Params):
        languages: tuple[str, ...] = Field(tuple(LISTS), description="built-in lists that count")
        further: tuple[str, ...] = Field(
            (), max_length=10_000, description="words and phrases beside them, in any language"
        )
        without: tuple[str, ...] = Field((), description="words of the lists that do not count")
        everywhere: bool = Field(False, description="look at prompts and system texts, too")
        min_words: int = Field(1, ge=1, description="such words in one text")

    params: Params

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        for language in self.params.languages:
            if language not in LISTS:
                raise UnknownName("list of toxic words", language, LISTS)

    def fault(self, view: View) -> Fault | None:
        said = self.params
        expression = _expression(said.languages, said.further, said.without)
        for place in view.places() if said.everywhere else view.answers():
            found = expression.findall(place.text)
            if len(found) >= said.min_words:
                return Fault("toxic_words", place.turn, place.field, f"{len(found)} words")
        return None


@lru_cache(maxsize=64)
def _expression(languages: tuple[str, ...], further: tuple[str, ...], without: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all lists; in scripts without blanks a word may stand within others."""
    gone = {word.casefold() for word in without}
    bordered, free = set[str](), set[str]()
    for language in languages:
        (free if language in _WITHOUT_BLANKS else bordered).update(LISTS[language].split())
    for phrase in further:
        (bordered if re.match(r"[A-Za-z\u00c0-\u052f]", phrase) else free).add(phrase)
    parts = []
    if words := sorted(word for word in bordered if word.casefold() not in gone):
        parts.append(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
    if words := sorted(word for word in free if word.casefold() not in gone):
        parts.append("|".join(map(re.escape, words)))
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)
