"""Is it in the language that was asked for? By script where the script decides, by n-grams where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.scripts import prose, script_weights
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
    """Load the n-gram model now instead of at the first text that needs it."""
    languages.classify("", _CANDIDATES)


def is_loaded() -> bool:
    """Whether the n-gram model is there already."""
    return languages.is_loaded(_CANDIDATES)


@lru_cache(maxsize=64)  # the strategies of a task look at the same sources one after another
def tongue_of(text: str, least: int = MIN_LETTERS) -> Tongue:
    """The script and, where it is certain, the language of what a text says outside of code and formulas."""
    words = prose(text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}")
    weights = script_weights(words)
    total = sum(weights.values())
    if total < least:
        return Tongue(None, None)
    if weights["kana"] > 0.1 * total:
        return Tongue("kana", "ja")
    script, weight = weights.most_common(1)[0]
    if weight < 0.6 * total:
        return Tongue(script, None, mixed=True)
    only = _WRITTEN_IN[script]
    if len(only) == 1:
        return Tongue(script, only[0])
    if weight < MIN_LETTERS_FOR_NGRAMS or len(words.split()) < MIN_WORDS_FOR_NGRAMS:
        return Tongue(script, None)
    language, certainty = languages.classify(words[:_FIRST_LOOK], _CANDIDATES)
    if certainty < FIRST_CERTAINTY:
        language, certainty = languages.classify(words[:_NGRAM_SAMPLE], _CANDIDATES)
    language = "no" if language == "nn" else language
    return Tongue(script, language if certainty >= MIN_CERTAINTY and language in only else None)


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


@dataclass(frozen=True)
class Language(PairValidator):
    """The new text is in the language of its source, or in `target` when that is given.

    A response or a reasoning may also be in the language of the prompt that it answers, or of the source's response.
    Short texts, mixtures, code and formulas are not judged.
    """

    name: ClassVar[str] = "language"
    target: str | None = None

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        return self._against_source(pair) if self.target is None else self._against_target(pair, self.target)

    @staticmethod
    def _against_target(pair: Pair, target: str) -> BadAnswer | None:
        found = tongue_of(pair.new, MIN_LETTERS_TO_TRANSLATE)
        if matches(target, found) or tongue_of(pair.source).mixed:
            return None
        return BadAnswer(BadReason.OFF_LANGUAGE, f"{pair.field} is not in {LANGUAGES[target][0]}: {_said(found)}")

    @staticmethod
    def _against_source(pair: Pair) -> BadAnswer | None:
        found = tongue_of(pair.new)
        if found.script is None:
            return None
        models = [pair.source]
        if pair.field in ("reasoning", "response"):
            models += [pair.asked, pair.known]
        wanted: list[Tongue] = []
        for tongue in map(tongue_of, models):
            if tongue.script is not None:
                if not differs(tongue, found):
                    return None
                wanted.append(tongue)
        if not wanted:
            return None
        said = " and ".join(dict.fromkeys(map(_said, wanted)))
        return BadAnswer(BadReason.OFF_LANGUAGE, f"{pair.field} is {_said(found)}, its source {said}")


def _said(tongue: Tongue) -> str:
    return f"{tongue.language or 'of unknown language'} in {tongue.script or 'unknown'} script"
