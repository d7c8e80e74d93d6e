"""Judges of form: something there, something new, in proportion, not in circles, nothing of our own prompt in it."""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.validators.answer import visible
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator, Validator
from corpus_pipeline.stages.augment.validators.content import is_function_word, stems
from corpus_pipeline.stages.augment.validators.refusing import declines, looks_refused
from corpus_pipeline.stages.augment.validators.scripts import weight_of, without_fences, without_inline_code
from corpus_pipeline.stages.augment.validators.task_talk import (
    asks_for_a_version,
    instruction,
    preface,
    remark,
    task_talk,
    thinking_aloud,
)
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.first_look import Screened


@dataclass(frozen=True)
class FieldsFilled(PairValidator):
    """Every new text has something visible, and is not a refusal that its source is not. A blank system text stays blank."""

    name: ClassVar[str] = "fields_filled"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        if not visible(pair.new) and (visible(pair.source) or pair.field in ("prompt", "response")):
            return BadAnswer(BadReason.EMPTY, f"{pair.field} has no visible character")
        if declines(pair.new, asked=pair.asked or pair.source, known=pair.known) and not looks_refused(pair.source):
            said = pair.new.strip()[:200]
            return BadAnswer(BadReason.REFUSED, f"{pair.field}: {said}", evidence=(said,))
        return None


_POLITE: Final = lazily(
    r"\b(?:please|kindly|thanks?(?: you)?(?: in advance| very much| so much)?|could you|can you|would you(?: mind)?|hi|hello|hey(?: there)?|dear all"
    r"|bitte|danke(?: schön)?|hallo|könnten sie|kannst du|s['’]il (?:vous|te) plaît|merci(?: d['’]avance)?|bonjour|por favor|gracias|hola|obrigad[oa]"
    r"|olá|per favore|per piacere|grazie|ciao|alsjeblieft|alstublieft|bedankt|proszę|dziękuję|пожалуйста|спасибо|здравствуйте|lütfen|teşekkürler|merhaba)\b"
    r"|请问|请|謝謝|谢谢|您好|你好|お願いします|こんにちは|ありがとう|부탁(?:드려요|합니다)|안녕하세요|감사합니다|من فضلك|شكرا|कृपया|धन्यवाद|xin chào|làm ơn|cảm ơn|tolong|terima kasih"
)  # in lower case, which takes a third of the time
_NO_LETTER: Final = lazily(r"[\W_]+")


def _folded(text: str) -> str:
    """Letters and digits only, in one case: what is the same in spite of layout."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True)
class NotUnchanged(PairValidator):
    """The new text says it in other words; case, layout, punctuation and words of politeness do not count."""

    name: ClassVar[str] = "not_unchanged"
    names_stay: bool = False  # in a translation, names and numbers are the same

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        source = _folded(pair.source)
        if self.names_stay and (_is_name(pair.new) or (pair.field == "response" and _is_title(pair.new))):
            return None
        if source and source == _folded(pair.new):
            return self._fault(pair, "word for word")
        source, new = (_folded(_POLITE.sub(" ", text.lower())) for text in (pair.source, pair.new))
        if source and source == new:
            return self._fault(pair, "but for words of politeness")
        is_around = weight_of(source) >= _MIN_ECHO and source in new and len(new) < (1 + _REST) * len(source) + 20
        if pair.field == "prompt" and is_around and len(stems(pair.new) - stems(pair.source)) <= 2:
            return self._fault(pair, "with some words around it")
        return None

    @staticmethod
    def _fault(pair: Pair, how: str) -> BadAnswer:
        said = f"{pair.field} is the source's, {how}"
        return BadAnswer(BadReason.UNCHANGED, said, evidence=(pair.new.strip()[:200],))


class NotEchoed(Validator):
    """The response does not merely say the prompt again, and the reasoning neither the prompt nor the response."""

    name: ClassVar[str] = "not_echoed"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """See `Validator`."""
        source, new = conversation.turns[len(turns) - 1], turns[-1]
        prompt, response, reasoning = (_folded(text or "") for text in (new.prompt, new.response, new.reasoning))
        known = _folded(source.response or "")
        if response and response == prompt and known != prompt:
            return BadAnswer(BadReason.UNCHANGED, "the response is the prompt, word for word")
        if _is_echo(new.prompt or "", new.response or "") and not _is_echo(new.prompt or "", source.response or ""):
            said = "the response says the prompt again, and nothing else"
            return BadAnswer(BadReason.UNCHANGED, said, evidence=((new.response or "").strip()[:200],))
        if _is_part(new.prompt or "", new.response or "", source.response or ""):
            said = "the response says a part of the prompt again, and nothing else"
            return BadAnswer(BadReason.UNCHANGED, said, evidence=((new.response or "").strip()[:200],))
        if reasoning and new.reasoning != source.reasoning and reasoning in (prompt, known, response, prompt + known):
            return BadAnswer(BadReason.UNCHANGED, "the reasoning is the prompt or the response, word for word")
        return None


_MAX_NAME: Final = 6  # words


def _is_name(text: str) -> bool:
    """Whether a short text is a name, a number or a formula: no word of it belongs to a language."""
    words = re.findall(r"[^\W\d_]+", text)
    return len(words) <= _MAX_NAME and not any(is_function_word(word) for word in words)


_MAX_TITLE: Final = 10  # words


def _is_title(text: str) -> bool:
    """Whether a short answer is a proper name or a title: most of its words begin with a capital."""
    words = re.findall(r"[^\W\d_]+", text)
    capitals = sum(word[0].isupper() for word in words)
    return len(words) <= _MAX_TITLE and capitals >= 1 and 2 * capitals >= len(words)


_MIN_ECHO: Final = 16  # letters and digits of a prompt that is found again in a response
_FEW: Final = 12  # letters that are no answer of their own
_REST: Final = 0.5  # of the prompt's length: what stands beside it and is no answer of its own


def _is_echo(prompt: str, response: str) -> bool:
    """Whether a response is its prompt, wrapped in a few words without content."""
    asked, said = _folded(prompt), _folded(response)
    if weight_of(asked) < _MIN_ECHO or asked not in said:
        return False
    rest = said.replace(asked, "", 1)
    if len(rest) > _REST * len(asked) and len(rest) > 40:
        return False
    return weight_of(rest) <= _FEW or len(stems(response) - stems(prompt)) <= 3


def _is_part(prompt: str, response: str, known: str) -> bool:
    """Whether a response is a good part of its prompt, word for word, and the source's response is not."""
    said = _folded(response)
    if weight_of(said) < _MIN_PART or 2 * len(said) < len(asked := _folded(prompt)) or said not in asked:
        return False
    return _folded(known) not in asked


_MIN_PART: Final = 24  # letters and digits of a part of a prompt that is no answer


_OBJECT: Final = lazily(r"\{\s*\"\w+\"\s*:")
_OBJECT_HEAD: Final = lazily(r"\A\s*(?:```(?:json)?\s*)?(?=\{\s*\"\w+\"\s*:)")


@dataclass(frozen=True)
class PlainText(PairValidator):
    """No JSON object where a text was asked for, unless source or prompt are about JSON; and never half of one."""

    name: ClassVar[str] = "plain_text"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        head = _OBJECT_HEAD.match(pair.new)
        if head is None or _OBJECT_HEAD.match(pair.source):
            return None
        if any("json" in text.lower() or _OBJECT.search(text) for text in (pair.source, pair.asked)):
            try:
                json.JSONDecoder(strict=False).raw_decode(pair.new, head.end())
            except (ValueError, RecursionError):
                return BadAnswer(BadReason.MALFORMED, f"{pair.field} is a broken JSON object: {pair.new[:60]}")
            return None
        return BadAnswer(BadReason.MALFORMED, f"{pair.field} is a JSON object, a text was asked for: {pair.new[:60]}")


@dataclass(frozen=True)
class LengthRatio(PairValidator):
    """The new text's length is between `low` and `high` times the source's.

    Lengths are weighted so that scripts compare: a Han character counts as three letters. A source below `floor` has no
    proportions: nothing is too short for it, and it is taken as `floor` letters long where something may be too long.
    """

    name: ClassVar[str] = "length_ratio"
    low: float = 0.2
    high: float = 5.0
    floor: int = 40

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        source = weight_of(pair.source)
        ratio = weight_of(pair.new) / max(self.floor, source)
        if ratio < self.low and source >= self.floor:
            return BadAnswer(BadReason.TOO_SHORT, f"{pair.field} is {ratio:.2f} times its source, below {self.low}")
        if ratio > self.high:
            return BadAnswer(BadReason.TOO_LONG, f"{pair.field} is {ratio:.2f} times its source, above {self.high}")
        return None


_CHARACTER_RUN: Final = lazily(r"([^\s\-=_*.#~|+<>·…—─0])\1{39,}")
_WORD_RUN: Final = lazily(r"\b(\w{2,40})(?:\W{1,3}\1){11,}\b", re.IGNORECASE)
_WHOLE_FROM: Final = 600  # bytes; shorter texts have no meaningful ratio
_TAIL: Final = 1200


def _squeezed(data: bytes) -> float:
    return len(zlib.compress(data, 6)) / len(data)


@dataclass(frozen=True)
class NotRepetitive(PairValidator):
    """The text, and its end, do not go round in circles: they compress like language and not like a loop.

    Ordinary prose, code and tables compress to 0.2 or more of their size; a loop to a few hundredths.
    """

    name: ClassVar[str] = "not_repetitive"
    limit: float = 0.08

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        if (_CHARACTER_RUN.search(pair.new) and not _CHARACTER_RUN.search(pair.source)) or (
            _WORD_RUN.search(pair.new) and not _WORD_RUN.search(pair.source)
        ):
            return BadAnswer(BadReason.REPETITIVE, f"{pair.field} repeats one character or word")
        circle = circle_in(pair.new)
        if circle is not None and not _goes_in_circles(pair):
            return BadAnswer(BadReason.REPETITIVE, f"{pair.field} goes round in circles", evidence=(circle[:200],))
        new = pair.new.encode("utf-8", "replace")
        tail = new[-_TAIL:]
        if len(new) < _WHOLE_FROM or min(_squeezed(new), _squeezed(tail) if len(tail) == _TAIL else 1.0) >= self.limit:
            return None
        source = pair.source.encode("utf-8", "replace")
        if len(source) >= _WHOLE_FROM and _squeezed(source) < 2 * self.limit:
            return None  # a source of that kind: a table of zeros, a refrain
        return BadAnswer(BadReason.REPETITIVE, f"{pair.field} goes round in circles")


_UNIT: Final = lazily(
    r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’-][^\W_]+)*|[。！？!?\n]", re.UNICODE
)
_LIST_NUMBER: Final = lazily(r"^[ \t]*(?:[-*+•][ \t]+|\d{1,3}[.)、][ \t]*)", re.MULTILINE)
_LOOKED_AT: Final = 4000  # characters: the beginning and the end of a text
_LONGEST_CIRCLE: Final = 24  # words, or characters of a script without blanks
_LEAST_LETTERS: Final = 12  # of what is said again and again, over all
_OFTEN: Final = (
    (1, 6),
    (2, 4),
    (24, 3),
)  # (words of what is said again, how often in succession it is no figure of speech)
_OFTEN_WIDE: Final = ((1, 12), (3, 5), (5, 4), (24, 3))


@lru_cache(maxsize=64)
def circle_in(text: str) -> str | None:
    """What a text says again and again, one time after another; None when it does not. Numbers of lists do not count."""
    plain = without_inline_code(without_fences(text))
    if len(plain) > 2 * _LOOKED_AT:
        plain = f"{plain[:_LOOKED_AT]}\n{plain[-_LOOKED_AT:]}"
    units = [unit.casefold() for unit in _UNIT.findall(_LIST_NUMBER.sub("", plain)) if not unit.isspace()]
    words = [unit for unit in units if unit not in "。！？!?"]
    last: dict[tuple[str, str], int] = {}  # where two neighbours were said last
    run = before = 0
    for at, neighbours in enumerate(pairwise(words), start=1):
        size = at - last.get(neighbours, at)
        last[neighbours] = at
        run = (run + 1 if size == before else 1) if size else 0
        before = size
        if run and size <= _LONGEST_CIRCLE and _is_circle(words[at - run - size : at + 1], size):
            return " ".join(words[at + 1 - size : at + 1])
    return None


def _is_circle(words: list[str], size: int) -> bool:
    """Whether words that say the same `size` ones again do so too often."""
    if len(words) < 3 * size:
        return False
    if any(len(word) == 1 and word > "\u3000" for word in words[:size]):
        least = next(times for most, times in _OFTEN_WIDE if size <= most)
    else:
        least = next(times for most, times in _OFTEN if size <= most)
    if len(words) < least * size:
        return False
    letters = sum(
        len(word)
        for word in words[:size]
        if re.sub(r"['’-]", "", word).isalpha() and (len(word) > 1 or word > "\u3000")
    )
    if letters < 0.6 * sum(map(len, words[:size])):
        return False  # a row of a table, an expression
    return sum(map(weight_of, words)) >= _LEAST_LETTERS


def _goes_in_circles(pair: Pair) -> bool:
    """Whether what a text was made from, or what it answers, has circles, too: refrains, drills, tables."""
    return any(circle_in(text) is not None for text in (pair.source, pair.asked, pair.known) if text)


_CONTROLS: Final = lazily("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\uffff]")


@dataclass(frozen=True)
class NoControls(PairValidator):
    """No control character that the source has not; cleaning takes them away where its rules do."""

    name: ClassVar[str] = "no_controls"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        strange = set(_CONTROLS.findall(pair.new)) - set(_CONTROLS.findall(pair.source))
        if not strange:
            return None
        named = ", ".join(sorted(f"U+{ord(char):04X}" for char in strange))
        return BadAnswer(BadReason.CONTROL_CHARACTERS, f"{pair.field} has {named}", evidence=tuple(sorted(strange)))


_OUR_MARKS: Final = Screened(
    r"\[\[(?:begin|end) \w+ [0-9a-f]{32}\]\]|^Output: (?:text|json \w+)|^Task: \w+\nStep: \w+|^=== user ===$"
    r"|\b(?:source_prompt|source_response|source_system|evolved_prompt|previous_translation)\b",
    re.MULTILINE,
)
_PREFACES: Final = lazily(
    r"""\A[\s"'“*_#>]*(?:
    (?:(?:sure|certainly|of\ course|okay|absolutely)[,!.:]?\s+)?(?:here(?:['’]s|\ is|\ are)|below\ is)\ +[^.!?\n]{0,40}?
        (?<!\bto\ )(?:paraphras|rephras|rewrit|reword|translat|(?:refined|improved|revised|evolved)\ (?:\w+\ )?(?:version|prompt|question|answer|response|instruction|text)
            |more\ (?:complex|difficult)\ (?:version|prompt|question)|new\ version)
        [^\n]{0,60}?[:\n]
    | (?:\#*\ ?)?(?:rewritten|rephrased|paraphrased|translated|revised|refined|improved|evolved|new)\ +
        (?:prompt|question|instruction|text|response|answer|version)\b[*_\#]*\s*[:：]
    | (?:translation|paraphrase|rewrite)[*_\#]*\s*[:：]
    | (?:好的|当然|當然|没问题)?[，,。！!]?\s*(?:以下|下面|这|這)(?:是|为|為).{0,24}?
        (?:改写|改寫|翻译|翻譯|重写|重寫|译文|譯文|润色|改进|改進)[^\n]{0,20}?[:：\n]
    | (?:译文|譯文|翻译|翻譯|改写(?:后)?(?:的)?(?:问题|提示|文本)?)\s*[:：]
    | voici\ .{0,30}?(?:traduction|traduite|reformul|paraphras|réécri|améliorée)[^\n]{0,40}?[:\n]
    | hier\ ist\ .{0,30}?(?:übersetz|umformul|überarbeit|paraphras)[^\n]{0,40}?[:\n]
    | aquí\ (?:está|tienes?)\ .{0,30}?(?:traducci|reformul|paráfras|reescri|mejorad)[^\n]{0,40}?[:\n]
    | вот\ .{0,30}?(?:перевод|переформул|перефраз|улучшен)[^\n]{0,40}?[:\n]
    | (?:以下|こちら)(?:は|が|に).{0,30}?(?:翻訳|言い換え|書き換え|訳文)[^\n]{0,20}?[:：。\n]
    | 다음은\ .{0,30}?(?:번역|바꿔|다시\ 쓴)[^\n]{0,20}?[:：.\n]
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_SELF_TALK: Final = Screened(
    r"\bas an? (?:ai|artificial intelligence)(?: language)? model\b|\bas a large language model\b"
    r"|作为一个?(?:ai|人工智能|大型?语言)(?:语言)?模型|作为一个?人工智能",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class NoLeakedInstruction(PairValidator):
    """Nothing of our prompt is in the text: no delimiter, no preface to a rewriting, no talk of being a model.

    What the source itself says in this way is no leak.
    """

    name: ClassVar[str] = "no_leaked_instruction"
    translated: bool = False  # a heading that only the translation has is none of its source

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        for what, pattern in (("our delimiters", _OUR_MARKS), ("a preface", _PREFACES), ("talk of itself", _SELF_TALK)):
            # a preface stands at the beginning: it is not looked for at every place
            found = _PREFACES.match(pair.new) if pattern is _PREFACES else pattern.search(pair.new)
            if found and pattern is _PREFACES and self._is_asked_for(pair):
                continue
            # a rejected answer is made from the row's own one
            models = (pair.source, pair.asked, pair.known if pair.field == "rejected" else "")
            if found and not any(map(pattern.search, models)):
                said = found.group().strip()[:200]
                detail = f"{pair.field} has {what}: {said[:80]}"
                return BadAnswer(BadReason.LEAKED_INSTRUCTION, detail, evidence=(said,))
        known = "\n".join((pair.source, pair.asked, pair.known))
        is_request, is_asked_for = pair.field == "prompt", self._is_asked_for(pair)
        talk = preface(pair.new, pair.source, known, is_request=is_request or self.translated)
        if talk is None and not is_asked_for:
            talk = task_talk(pair.new, known) or instruction(pair.new, pair.source, known, is_request=is_request)
            talk = talk or remark(pair.new, pair.source, known)
            talk = talk or (None if is_request else thinking_aloud(pair.new, known))
        if talk is None:
            return None
        detail = f"{pair.field} talks about its task: {talk[:80]}"
        return BadAnswer(BadReason.LEAKED_INSTRUCTION, detail, evidence=(talk,))

    def _is_asked_for(self, pair: Pair) -> bool:
        """Whether an answer says that it rewrites or translates because that was asked for."""
        return pair.field != "prompt" and not self.translated and asks_for_a_version(pair.asked)
