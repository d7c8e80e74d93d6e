"""The n-gram model that names languages; the clean rule and the validators share one copy of it."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

_loaded: set[frozenset[str]] = set()  # the candidates that were asked for


@cache
def _model() -> Any:
    """Some 0.7 s and 100 MB, once per process."""
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


@cache
def _among(codes: frozenset[str]) -> Any:
    """The same tables, but only these languages are candidates."""
    model = copy.copy(_model())
    model.set_languages(sorted(codes.intersection(model.labels)))
    _loaded.add(codes)
    return model


def is_loaded(codes: frozenset[str]) -> bool:
    """Whether `classify` with these candidates answers at once."""
    return codes in _loaded


def classify(text: str, codes: frozenset[str] | None = None) -> tuple[str, float]:
    """The likeliest language of a text (ISO 639-1) and how certain that is, 0 to 1; `codes`: the only candidates."""
    language, certainty = (_model() if codes is None else _among(codes)).classify(text)
    return str(language), float(certainty)
