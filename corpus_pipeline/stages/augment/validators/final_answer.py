"""Does the new response come to the same final answer as the source?"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.concepts import contradict
from corpus_pipeline.stages.augment.validators.numbers import (
    choice_of,
    last_result,
    other_time,
    other_verdict,
    readings,
    spelled_numbers,
)
from corpus_pipeline.stages.augment.validators.words import BadReason

_HASHES: Final = lazily(r"^[ \t]*####[ \t]*(\S[^\n]{0,200})$", re.MULTILINE)
# the last line, as sums in words have it
_LABELLED: Final = lazily(
    r"(?:\A|\n)[ \t*_]*(?:A|Ans|Result|Ergebnis|Résultat|Resultado|Risultato|Wynik|Итог|结果|結果)[ \t*_]*[:：=][ \t*_]*([^\n]{1,60}?)[ \t*_]*\Z",
    re.IGNORECASE,
)
_SAID: Final = lazily(
    r"""(?:final\ answer|the\ answer|correct\ answer|correct\ option|\banswer)\b[^\n\w]{0,6}(?:\ ?is\b|=|[:：])
        [^\S\n]*([^\n]{1,120})
    | (?:最终)?(?:答案|答)(?:应该?)?(?:是|为|為|[:：])+\s*([^\n]{1,80})
    | (?:la\ réponse|la\ respuesta|die\ antwort|a\ resposta)[^\n\w]{0,6}(?:\w{1,10}\ )?(?:est|es|ist|é|lautet|[:：])
        \s*([^\n]{1,120})
    | (?:答え|正解)(?:は|[:：])\s*([^\n]{1,80})
    | ответ\s*[-—:]\s*([^\n]{1,80})""",
    re.IGNORECASE | re.VERBOSE,
)
_SENTENCE_END: Final = lazily(r"[.。;；!！](?=\s|\Z|\*)")
_CHOICE: Final = lazily(r"\A[(\[（]?([A-Ea-e])[)\]）]?(?:\Z|[.:、：,，)）]|\s*[-–—])")
_CHOICE_ANYWHERE: Final = lazily(r"(?<![A-Za-z])[(\[（]?([A-E])[)\]）.:、]?(?![A-Za-z'’])")
_YES: Final = frozenset(("yes", "true", "是", "对"))
_NO: Final = frozenset(("no", "false", "否", "错"))
_VERDICT_ANYWHERE: Final = lazily(r"\b(?:yes|no|true|false)\b|[是否对错]")
_LONGEST: Final = 40  # what is said to be "the answer" and is longer than this is an explanation
_BARE_NUMBER: Final = lazily(r"[-−+]?\s?[$€£¥]?[\d.,'\s]+%?\D{0,4}")
_WITH_UNIT: Final = lazily(r"[-−+]?\s?[$€£¥]?\s?[\d.,'\s/]+\s?[^\W\d]{0,20}[%°.]?")
_BIG_FRACTIONS: Final = lazily(r"\\[dt]frac(?=\{)")
_WORD_COMMANDS: Final = lazily(r"\\(?:text|mathrm|mathbf)(?=\{)")
_NO_MATTER: Final = lazily(r"[\s$.,;:!?\"'“”。，]|\\[,;!]|\\left|\\right|[{}]")
_NAMED_AT_ONCE: Final = 80  # characters of an answer that names a colour, a day and the like, and not much else
_SHORT: Final = 20  # a whole response up to this many characters may itself be a final answer


def final_answer(text: str) -> str | None:
    """The marked final answer of a response (`#### X`, `\\boxed{X}`, "the answer is X", a last line "A: X"), None without a mark."""
    hashes = _HASHES.findall(text)
    if hashes:
        return str(hashes[-1]).strip()
    boxed = _last_boxed(text)
    if boxed is not None:
        return boxed
    labelled = _LABELLED.search(text.rstrip())
    if labelled is not None and len(labelled.group(1)) <= _LONGEST:
        return labelled.group(1).strip(" *_.。")
    said = list(_SAID.finditer(text))
    if not said:
        return None
    words = next(group for group in said[-1].groups() if group).strip()
    answer = _SENTENCE_END.split(words, maxsplit=1)[0].strip(" *_:：\"'“”.。")
    return answer if 0 < len(answer) <= _LONGEST else None


def _last_boxed(text: str) -> str | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, at = 1, start + len("\\boxed{")
    begin = at
    while at < len(text):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin:at].strip()
        at += 1
    return None


def _numbers(text: str) -> frozenset[Decimal] | None:
    """The readings of the only number in a short text; None when there is none or several."""
    found = [(written, values) for written, values in readings(text)]
    if len(found) != 1:
        return None
    signed = re.search(r"[-−]\s?[$€£¥]?" + re.escape(found[0][0]), unicodedata.normalize("NFKC", text))
    return frozenset(-value for value in found[0][1]) if signed else found[0][1]


def is_number(text: str) -> bool:
    """Whether a short text is one number, with a sign, a currency and a unit at most."""
    return _numbers(text) is not None and _WITH_UNIT.fullmatch(text.strip()) is not None


def _plain(text: str) -> str:
    text = _WORD_COMMANDS.sub("", _BIG_FRACTIONS.sub(r"\\frac", unicodedata.normalize("NFKC", text)))
    return _NO_MATTER.sub("", text).casefold()


def same_answer(source: str, new: str) -> bool | None:
    """Whether two responses come to the same end; None when the source has no end that can be compared.

    A source without a mark is compared when all of it is a number, the letter of a choice, or yes or no.
    """
    wanted, got = final_answer(source), final_answer(new)
    if wanted is None:
        return _same_short(source.strip(), got if got is not None else new)
    number = _numbers(wanted)
    if number is not None:
        found = None if got is None else _numbers(got)
        if found is None:
            return bool(number & _last_number(new))
        # "the answer" may have been that of a step
        said_before = got is not None and got not in _last_line(new)
        return bool(number & found) or (said_before and bool(number & _last_number(new)))
    if got is None:
        return None if len(_plain(wanted)) > _SHORT else _plain(wanted) in _plain(new)
    if wanted.isascii() != got.isascii():
        return None  # words in two languages
    return _plain(wanted) in _plain(got) or _plain(got) in _plain(wanted)


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]


def _last_number(text: str) -> frozenset[Decimal]:
    last: frozenset[Decimal] = frozenset()
    normal = unicodedata.normalize("NFKC", text)
    position = 0
    for written, values in readings(text):
        position = normal.find(written, position)
        negative = re.search(r"(?:^|[\s=(])[-−]\s?[$€£¥]?$", normal[max(0, position - 4) : position]) is not None
        last = frozenset(-value for value in values) if negative else values
        position += len(written)
    return last


def _same_short(wanted: str, new: str) -> bool | None:
    """The comparison for a source that is nothing but an answer; `new` may be a longer text that contains it."""
    if len(wanted) > _SHORT:
        return None
    number = _numbers(wanted)
    if number is not None and _BARE_NUMBER.fullmatch(wanted):
        return any(number & values for _written, values in readings(new)) or bool(number & _last_number(new))
    choice = _CHOICE.match(wanted)
    if choice:
        letters = {found.upper() for found in _CHOICE_ANYWHERE.findall(new)}
        return choice.group(1).upper() in letters if letters else None
    plain = _plain(wanted)
    if plain in _YES or plain in _NO:
        said = _VERDICT_ANYWHERE.search(new.casefold())
        return (said.group() in _YES) is (plain in _YES) if said else None
    differ = contradict(wanted, new) if len(new) <= _NAMED_AT_ONCE else None
    return None if differ is None else not differ


def same_meaning(source: str, new: str) -> bool | None:
    """Whether an answer in another language comes to the same end as its source; None when that cannot be said.

    Numbers, letters of choices and formulas are the same in all languages; other words are compared by what they name
    (`concepts`) and are otherwise left alone: no one here knows that `verde` is `green` but for the table.
    """
    if max(len(source), len(new)) <= _SHORT_VERDICT and other_verdict(source, new) is not None:
        return False
    if other_time(source, new) is not None:
        return False
    result, end = last_result(source), readings(new)
    if result is not None and end and not result & end[-1][1]:
        return False
    wanted, got = final_answer(source), final_answer(new)
    whole = source.strip()
    short = wanted if wanted is not None else whole if len(whole) <= _SHORT_TRANSLATED else None
    if short is None:
        return None
    said = got if got is not None else new.strip()
    number = _numbers(short)
    if number is not None:
        found = {value for _written, values in readings(said) for value in values} | spelled_numbers(said)
        found |= {-value for value in found}
        if number & found or _fraction_of(number, said):
            return True
        return False if _NUMBERS_ONLY.fullmatch(short.strip(" .")) and any(char.isdigit() for char in said) else None
    choice = _CHOICE.match(short)
    if choice and len(short) <= 3:
        letters = {found.upper() for found in _CHOICE_ANYWHERE.findall(said)}
        return choice.group(1).upper() in letters if letters else None
    differ = contradict(short, said) if len(short.split()) <= 4 or _WIDE_ONLY.fullmatch(short) else None
    return None if differ is None else not differ


def other_choice(source: Turn, new: Turn) -> tuple[str, str] | None:
    """What two turns in two languages answer, where each picks one of the choices of its prompt, at another place of them."""
    wanted, got = (choice_of(turn.prompt or "", turn.response or "") for turn in (source, new))
    if wanted is None or got is None or wanted.of != got.of or wanted.at == got.at:
        return None
    return (source.response or "").strip(), (new.response or "").strip()


_SHORT_VERDICT: Final = 400
_SHORT_TRANSLATED: Final = 30
_NUMBERS_ONLY: Final = lazily(r"[-−+$€£¥%°\s\d.,:]+\D{0,4}")
_WIDE_ONLY: Final = lazily(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3。]+")


def _fraction_of(number: frozenset[Decimal], said: str) -> bool:
    return (
        bool(number & {Decimal("0.5"), Decimal("12")})
        and re.search(r"half|halb|hälfte|moiti|demi|mitad|medi[oa]|dozen|dutzend|douzaine|docena|半|打", said, re.I)
        is not None
    )


@dataclass(frozen=True)
class FinalAnswerKept(PairValidator):
    """The response ends in the final answer of its source, where the source has one that can be compared.

    With `translated`, it is compared by what it means: numbers, choices, yes and no, colours and the like.
    """

    name: ClassVar[str] = "final_answer_kept"
    translated: bool = False

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """See `Validator`."""
        fault = super().__call__(conversation, turns, answer)
        if fault is not None or not self.translated:
            return fault
        for source, new in zip(conversation.turns, turns, strict=False):
            other = other_choice(source, new)
            if other is not None:
                said = f"the source answers {other[0]!r}, the translation {other[1]!r}, which is another one of the choices"
                return BadAnswer(BadReason.ANSWER_CHANGED, said, evidence=(other[1],))
        return None

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        same = same_meaning(pair.source, pair.new) if self.translated else same_answer(pair.source, pair.new)
        if same is not False:
            return None
        wanted = final_answer(pair.source) or pair.source.strip()
        got = final_answer(pair.new) or pair.new.strip()[-60:]
        said = f"the source ends in {wanted[:60]!r}, the answer in {got[:60]!r}"
        return BadAnswer(BadReason.ANSWER_CHANGED, said, evidence=(got,))
