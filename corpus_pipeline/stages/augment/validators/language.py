"""Is it in the language that was asked for? By script where the script decides, by n-grams where it does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import ClassVar, Final, NamedTuple

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.scripts import letters_of, prose, script_weights
from corpus_pipeline.stages.augment.validators.words import BadReason

# ISO 639-1 code -> (English name, scripts it is written in)
LANGUAGES: Final[dict[str, tuple[str, frozenset[str]]]] = {
    code: (name, frozenset(scripts.split()))
    for code, name, scripts in (
        ("am", "Amharic", "ethiopic"), ("ar", "Arabic", "arabic"), ("az", "Azerbaijani", "latin"),
        ("be", "Belarusian", "cyrillic"), ("bg", "Bulgarian", "cyrillic"), ("bn", "Bengali", "bengali"),
        ("ca", "Catalan", "latin"), ("cs", "Czech", "latin"), ("cy", "Welsh", "latin"), ("da", "Danish", "latin"),
        ("de", "German", "latin"), ("el", "Greek", "greek"), ("en", "English", "latin"), ("es", "Spanish", "latin"),
        ("et", "Estonian", "latin"), ("eu", "Basque", "latin"), ("fa", "Persian", "arabic"), ("fi", "Finnish", "latin"),
        ("fr", "French", "latin"), ("ga", "Irish", "latin"), ("gl", "Galician", "latin"),
        ("gu", "Gujarati", "gujarati"), ("he", "Hebrew", "hebrew"), ("hi", "Hindi", "devanagari"),
        ("hr", "Croatian", "latin"),
        ("hu", "Hungarian", "latin"), ("hy", "Armenian", "armenian"), ("id", "Indonesian", "latin"),
        ("is", "Icelandic", "latin"), ("it", "Italian", "latin"), ("ja", "Japanese", "kana han"),
        ("ka", "Georgian", "georgian"), ("kk", "Kazakh", "cyrillic"), ("km", "Khmer", "khmer"),
        ("kn", "Kannada", "kannada"), ("ko", "Korean", "hangul"), ("lo", "Lao", "lao"), ("lt", "Lithuanian", "latin"),
        ("lv", "Latvian", "latin"), ("mk", "Macedonian", "cyrillic"), ("ml", "Malayalam", "malayalam"),
        ("mn", "Mongolian", "cyrillic"), ("mr", "Marathi", "devanagari"), ("ms", "Malay", "latin"),
        ("my", "Burmese", "myanmar"), ("ne", "Nepali", "devanagari"), ("nl", "Dutch", "latin"),
        ("no", "Norwegian", "latin"), ("pa", "Punjabi", "gurmukhi"), ("pl", "Polish", "latin"),
        ("pt", "Portuguese", "latin"), ("ro", "Romanian", "latin"), ("ru", "Russian", "cyrillic"),
        ("sk", "Slovak", "latin"), ("sl", "Slovenian", "latin"), ("sq", "Albanian", "latin"),
        ("sr", "Serbian", "cyrillic latin"), ("sv", "Swedish", "latin"), ("sw", "Swahili", "latin"),
        ("ta", "Tamil", "tamil"), ("te", "Telugu", "telugu"), ("th", "Thai", "thai"), ("tl", "Tagalog", "latin"),
        ("tr", "Turkish", "latin"), ("uk", "Ukrainian", "cyrillic"), ("ur", "Urdu", "arabic"),
        ("vi", "Vietnamese", "latin"), ("zh", "Chinese", "han"),
    )
}  # fmt: skip

# script -> the languages that may be meant by it alone; Japanese is known by its kana
_WRITTEN_IN: Final[dict[str, list[str]]] = {
    script: [code for code, (_, scripts) in LANGUAGES.items() if script in scripts and code != "ja"]
    for _, all_scripts in LANGUAGES.values()
    for script in all_scripts
}

# languages that n-grams take for each other on a paragraph; between these we do not judge
_LOOKALIKES: Final[tuple[frozenset[str], ...]] = (
    frozenset({"id", "ms"}),
    frozenset({"da", "no"}),
    frozenset({"cs", "sk"}),
    frozenset({"hr", "sr", "sl"}),
    frozenset({"es", "gl", "pt", "ca"}),
)

# codes that the short texts of these languages get, too: dialects and neighbours
_ALIKE: Final[tuple[frozenset[str], ...]] = (
    frozenset({"id", "ms", "jv", "su", "min"}),
    frozenset({"da", "no", "nn", "nb"}),
    frozenset({"cs", "sk"}),
    frozenset({"hr", "sr", "sl", "bs", "sh"}),
    frozenset({"es", "gl", "ast", "an"}),
    frozenset({"pt", "gl"}),
    frozenset({"ca", "oc"}),
    frozenset({"de", "als", "bar", "nds", "lb"}),
    frozenset({"nl", "af", "nds", "fy", "vls", "li"}),
    frozenset({"fr", "oc", "wa", "frp"}),
    frozenset({"it", "nap", "scn", "vec", "lmo", "pms", "eml", "sc", "co"}),
    frozenset({"zh", "yue", "wuu"}),
    frozenset({"bg", "mk"}),
    frozenset({"hi", "bh", "mai"}),
    frozenset({"ar", "arz"}),
    frozenset({"ur", "pnb"}),
    frozenset({"tr", "az"}),
    frozenset({"en", "sco", "simple"}),
)

MIN_LETTERS: Final = 12  # below, a text may be a formula or an abbreviation
MIN_LETTERS_TO_TRANSLATE: Final = 24  # below, a text may be a name that stays as it is
MIN_LETTERS_FOR_NGRAMS: Final = 100
MIN_WORDS_FOR_NGRAMS: Final = 16
MIN_CERTAINTY: Final = 0.95
_HEAD, _TAIL = 4000, 2000  # of a long text, its beginning and its end are looked at
_NGRAM_SAMPLE: Final = 900
_FIRST_LOOK, FIRST_CERTAINTY = 300, 0.99  # what is plain from the beginning needs no longer look
_CANDIDATES: Final = frozenset((*LANGUAGES, "nn"))


class Tongue(NamedTuple):
    """What can be said of a text: its main script ("kana" for any good part of it) and, where certain, its language.

    mixed: no script has a good majority, as in a dictionary or a language lesson.
    """

    script: str | None
    language: str | None
    mixed: bool = False


def load_model() -> None:
    """Load the models now instead of at the first text that needs them."""
    languages.load_guesser()
    languages.classify("", _CANDIDATES)


def is_loaded() -> bool:
    """Whether the n-gram model is there already."""
    return languages.is_loaded(_CANDIDATES)


@lru_cache(maxsize=64)  # the strategies of a task look at the same sources one after another
def tongue_of(text: str, least: int = MIN_LETTERS) -> Tongue:
    """The script and, where it is certain, the language of what a text says outside of code and formulas."""
    tongue, is_long = script_of(text, least)
    if not is_long or tongue.script is None:
        return tongue
    script, words = tongue.script, prose(_ends(text))
    only = _WRITTEN_IN[script]
    language, certainty = languages.classify(words[:_FIRST_LOOK], _CANDIDATES)
    if certainty < FIRST_CERTAINTY:
        language, certainty = languages.classify(words[:_NGRAM_SAMPLE], _CANDIDATES)
    language = "no" if language == "nn" else language
    return Tongue(script, language if certainty >= MIN_CERTAINTY and language in only else None)


@lru_cache(maxsize=64)
def script_of(text: str, least: int = MIN_LETTERS) -> tuple[Tongue, bool]:
    """(what its letters alone say of a text, whether it is long enough for n-grams to name its language)."""
    words = prose(_ends(text))
    weights = script_weights(words)
    total = sum(weights.values())
    if total < least:
        return Tongue(None, None), False
    if weights["kana"] > 0.1 * total:
        return Tongue("kana", "ja"), False
    script, weight = weights.most_common(1)[0]
    if weight < 0.6 * total:
        return Tongue(script, None, mixed=True), False
    only = _WRITTEN_IN[script]
    if len(only) == 1:
        return Tongue(script, only[0]), False
    return Tongue(script, None), weight >= MIN_LETTERS_FOR_NGRAMS and len(words.split()) >= MIN_WORDS_FOR_NGRAMS


def _ends(text: str) -> str:
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"


def _plainly_alike(one: str, other: str) -> bool:
    """Whether two texts are in one script and, by the word of the quick model, in one language."""
    if script_of(one)[0].script != script_of(other)[0].script:
        return False
    (code, certainty), (other_code, other_certainty) = (
        languages.guesses(prose(text)[:_NGRAM_SAMPLE])[0] for text in (one, other)
    )
    return code == other_code and min(certainty, other_certainty) >= _ALIKE_FROM


def differs(wanted: Tongue, found: Tongue) -> bool:
    """Whether a text is certainly in another language than the wanted one; what is unknown differs from nothing."""
    if wanted.script is None or wanted.mixed or found.script is None:
        return False
    if wanted.script != found.script:
        return True
    if wanted.language is None or found.language is None or wanted.language == found.language:
        return False
    return not any({wanted.language, found.language} <= group for group in _LOOKALIKES)


def matches(code: str, found: Tongue) -> bool:
    """Whether a text may be in the language `code`."""
    if found.script is None:
        return True
    return found.script in LANGUAGES[code][1] and not differs(Tongue(found.script, code), found)


_SENTENCE: Final = lazily(r"[^.!?。！？।؟\n]+[.!?。！？।؟\n]*")
_MIN_SENTENCE: Final = 14  # letters of a sentence whose language is named by itself
_MIN_SURE: Final = 0.8  # certainty of a foreign language, in a sentence
_MIN_SURE_SHORT: Final = 0.9  # in one of a few words
_FEW_WORDS: Final = 5
_MAX_OWN: Final = 0.06  # certainty that remains for a language that may be
_FOREIGN_SHARE: Final = 0.3  # of a text, in letters
_REPEATED: Final = 0.5  # of the words of a sentence
_MAY_BE: Final = 0.2  # certainty with which a language of the source may be meant
_ALIKE_FROM: Final = 0.8  # certainty with which two texts are in one language, and no other detector is asked
_PLAIN: Final = 0.7  # certainty of a source whose language is plain
_MAY_BE_UNSURE: Final = 0.04  # where it is not
_NAMED: Final = lazily(
    r"\b(?:in|into|to|from|auf|ins|en|au|al|in)\s+(?:the\s+)?(?:english|german|french|spanish|italian|portuguese|dutch|polish|russian|turkish|swedish"
    r"|chinese|mandarin|japanese|korean|arabic|hindi|latin|greek|deutsch|englisch\w*|französisch\w*|spanisch\w*|italienisch\w*|russisch\w*|anglais|allemand"
    r"|français|espagnol|italien|inglés|alemán|francés|español|italiano)\b|translat\w*|übersetz\w*|tradu[ciz]\w*|traduire|翻译|翻譯|翻訳|번역|перевед\w*|перевод"
)  # in lower case, which takes a third of the time


def _sentences(text: str) -> list[tuple[str, int]]:
    """(sentence, its letters), each long enough to have a language; shorter ones are joined to the one before."""
    found: list[tuple[str, int]] = []
    waiting = ""
    for sentence in _SENTENCE.findall(text):
        waiting += sentence
        letters = letters_of(waiting)
        if letters >= _MIN_SENTENCE:
            found.append((waiting.strip(), letters))
            waiting = ""
    if waiting.strip():
        found.append((waiting.strip(), letters_of(waiting)))
    return found


def _may_be(texts: Sequence[str]) -> frozenset[str]:
    """The languages that some texts may be in, with those that are taken for them."""
    found: set[str] = set()
    for text in texts:
        words = prose(text)
        if words.strip():
            guesses = languages.guesses(words[:_NGRAM_SAMPLE])
            least = _MAY_BE if guesses[0][1] >= _PLAIN else _MAY_BE_UNSURE
            found |= {code for code, certainty in guesses if certainty >= least}
    for group in _ALIKE:
        if found & group:
            found |= group
    return frozenset(found)


def _foreign(text: str, own: frozenset[str], models: Sequence[str] = ()) -> tuple[str, str] | None:
    """(language, where) of a text of which a good part is certainly in none of its own languages. models: what a sentence
    repeats of these says nothing."""
    sentences = _sentences(prose(text[: _HEAD + _TAIL]))
    total = sum(letters for _, letters in sentences)
    foreign, first = 0, None
    for sentence, letters in _not_repeated(sentences, models):
        code = _foreign_language(sentence, letters, own)
        if code is not None:
            foreign += letters
            first = first or (code, sentence)
    return first if first is not None and foreign >= _FOREIGN_SHARE * total else None


def _not_repeated(sentences: Sequence[tuple[str, int]], models: Sequence[str]) -> list[tuple[str, int]]:
    there = frozenset(chain.from_iterable(model.casefold().split() for model in models))
    found = []
    for sentence, letters in sentences:
        words = sentence.casefold().split()
        if sum(map(there.__contains__, words)) <= _REPEATED * len(words):
            found.append((sentence, letters))
    return found


def _may_be_foreign(text: str, models: Sequence[str]) -> bool:
    """Whether a text has sentences of its own that are long enough to name their language, and enough of them."""
    sentences = _sentences(prose(text[: _HEAD + _TAIL]))
    total = sum(letters for _, letters in sentences)
    own = _not_repeated(sentences, models)
    return sum(letters for sentence, letters in own if _has_language(sentence, letters)) >= _FOREIGN_SHARE * total > 0


def _has_language(sentence: str, letters: int) -> bool:
    return letters >= _MIN_SENTENCE and (len(sentence.split()) >= 3 or _is_wide(sentence))


def _foreign_language(sentence: str, letters: int, own: frozenset[str]) -> str | None:
    words = len(sentence.split())
    if not _has_language(sentence, letters):
        return None
    guesses = languages.guesses(sentence)
    code = guesses[0][0]
    group = next((group for group in _ALIKE if code in group), frozenset({code}))
    certainty = sum(c for name, c in guesses if name in group)
    if code == "ja" and "zh" in own and script_of(sentence, 1)[0].script == "han":
        return None  # Chinese and Japanese look alike without kana
    if code in own or certainty < (_MIN_SURE if words >= _FEW_WORDS else _MIN_SURE_SHORT):
        return None
    return code if sum(c for name, c in guesses if name in own) <= _MAX_OWN else None


def _is_wide(sentence: str) -> bool:
    weights = script_weights(sentence)
    return weights["han"] + weights["kana"] + weights["hangul"] > 0.5 * sum(weights.values())


@dataclass(frozen=True)
class Language(PairValidator):
    """The new text, and each good part of it, is in the language of its source, or in `target` when that is given.

    A response or a reasoning may also be in the language of the prompt that it answers, or of the source's response, or in
    one that the prompt asks for. Names, mixtures, code and formulas are not judged.
    """

    name: ClassVar[str] = "language"
    target: str | None = None

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        if self.target is None:
            return self._against_source(pair) or self._parts_against_source(pair)
        if pair.field == "response" and _stays(pair.new):
            return None
        return self._against_target(pair, self.target) or self._parts_against_target(pair, self.target)

    @staticmethod
    def _against_target(pair: Pair, target: str) -> BadAnswer | None:
        found = tongue_of(pair.new, MIN_LETTERS_TO_TRANSLATE)
        if matches(target, found) or tongue_of(pair.source).mixed:
            return None
        return BadAnswer(
            BadReason.OFF_LANGUAGE,
            f"{pair.field} is not in {LANGUAGES[target][0]}: {_said(found)}",
            evidence=(pair.new.strip()[:200],),
        )

    @staticmethod
    def _parts_against_target(pair: Pair, target: str) -> BadAnswer | None:
        own = {target} | {code for group in _ALIKE if target in group for code in group}
        found = _foreign(pair.new, frozenset(own))
        if found is None or tongue_of(pair.source).mixed or _NAMED.search((pair.source + pair.known).lower()):
            return None
        said = f"{pair.field} is not in {LANGUAGES[target][0]}: {found[0]}"
        return BadAnswer(BadReason.OFF_LANGUAGE, said, evidence=(found[1],))

    @staticmethod
    def _against_source(pair: Pair) -> BadAnswer | None:
        models = _models(pair)
        if script_of(pair.new)[0].script is None or (models and _plainly_alike(pair.new, models[0])):
            return None
        found = tongue_of(pair.new)
        wanted: list[Tongue] = []
        for tongue in map(tongue_of, models):
            if tongue.script is not None:
                if not differs(tongue, found):
                    return None
                wanted.append(tongue)
        if not wanted:
            return None
        said = " and ".join(dict.fromkeys(map(_said, wanted)))
        return BadAnswer(
            BadReason.OFF_LANGUAGE,
            f"{pair.field} is {_said(found)}, its source {said}",
            evidence=(pair.new.strip()[:200],),
        )

    @staticmethod
    def _parts_against_source(pair: Pair) -> BadAnswer | None:
        models = _models(pair)
        strange_letters = _letters_of_others(pair.new, models)
        if strange_letters is not None and not _NAMED.search("\n".join(models).lower()):
            said = f"{pair.field} is in another language than its source: {strange_letters} is no letter of it"
            return BadAnswer(BadReason.OFF_LANGUAGE, said, evidence=(pair.new.strip()[:200],))
        if not _may_be_foreign(pair.new, models):
            return None
        if any(script_of(text)[0].mixed for text in models) or _NAMED.search("\n".join(models).lower()):
            return None
        own = _may_be([*models, " ".join(models)])
        if not own:
            return None
        strange = _of_another_script(pair.new, models)
        if strange is not None:
            said = f"a sentence of {pair.field} is in another language than its source"
            return BadAnswer(BadReason.OFF_LANGUAGE, said, evidence=(strange,))
        found = _foreign(pair.new, own, models)
        if found is None or _foreign(pair.source, own) is not None:
            return None
        said = f"a part of {pair.field} is in another language than its source: {found[0]}"
        return BadAnswer(BadReason.OFF_LANGUAGE, said, evidence=(found[1],))


# letters by which languages are known among those of their script, where a good part of the words of a text has them
_OWN_LETTERS: Final = tuple(
    (frozenset(codes.split()), lazily(letters, re.IGNORECASE))
    for codes, letters in (
        ("uk be kk", "[іїєґў]"),
        ("ru be kk mn", "[ыэё]"),
        ("es gl ast eu tl", "[¿¡]|ñ"),
        ("pt vi et gl", "[ãõ]"),
        ("pl lt hr sr cs sk sl", "[ąęłśźżćń]"),
        ("hu", "[őű]"),
        ("tr az", "[ğş]"),
        ("cs sk sl hr sr lt lv et", "[řěůčšž]"),
        ("ro vi tr az", "[ățșţş]"),
        ("vi", "[ạảấầẩậắằặếềểệốồổộớờởợứừửự]"),
    )
)
_HAS_LETTERS: Final = 0.2  # of the words of a text


def _letters_of_others(text: str, models: Sequence[str]) -> str | None:
    """A letter of another language that a good part of the words of a text has, and no text that it follows."""
    if text.isascii() or len(words := text.split()) < _FEWEST_WORDS:
        return None
    for codes, letters in _OWN_LETTERS:
        found = letters.search(text)
        if found is None or any(letters.search(model) for model in models):
            continue
        if codes & _may_be([*models, " ".join(models)]):
            continue
        signs = found.group() in "¿¡"
        if signs or sum(letters.search(word) is not None for word in words) >= max(2, _HAS_LETTERS * len(words)):
            return found.group()
    return None


_FEWEST_WORDS: Final = 4


_LATIN_SENTENCE: Final = lazily(r"[A-Z][a-zà-ÿ'’]*(?:[ ,]{1,2}[A-Za-zà-ÿ0-9'’-]+){6,}[ ]?[.!?]")
_LATIN_WORDS: Final = lazily(r"[A-Za-zà-ÿ]+(?:[ ,]{1,2}[A-Za-zà-ÿ'’]+){3,}")


def _of_another_script(text: str, models: Sequence[str]) -> str | None:
    """A whole sentence in Latin letters in a text in others, where the texts that it follows have no such words."""
    main = script_of(text)[0].script
    if main in (None, "latin") or any(_LATIN_WORDS.search(model) for model in models):
        return None
    found = _LATIN_SENTENCE.search(prose(text))
    return None if found is None else found.group()


_MAX_NAME: Final = 8  # words


def _stays(text: str) -> bool:
    """Whether a short answer is a name that stays as it is in every language: its words begin with capitals."""
    words = re.findall(r"[^\W\d_]+", text)
    capitals = sum(word[0].isupper() for word in words)
    return (
        0 < len(words) <= _MAX_NAME and not text.rstrip().endswith((".", "!", "?")) and 3 * capitals >= 2 * len(words)
    )


def _models(pair: Pair) -> list[str]:
    """The texts whose language a new text may have."""
    return [text for text in (pair.source, pair.asked, pair.known) if text]


def _said(tongue: Tongue) -> str:
    return f"{tongue.language or 'of unknown language'} in {tongue.script or 'unknown'} script"
