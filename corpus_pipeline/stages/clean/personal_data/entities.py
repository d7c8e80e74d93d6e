"""Names of people by a model (GLiNER): an extra, off by default, for a name carries no proof of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

from corpus_pipeline.errors import UsageError
from corpus_pipeline.stages.clean.personal_data.spans import Detector, Source, Span

KIND = "name"

MODEL = "urchade/gliner_multi_pii-v1"
_THRESHOLD = 0.6
_WINDOW = 1500  # characters that the model reads at once
_MIN_LENGTH = 4  # of a text in which a name may stand


def require() -> None:
    """Raise UsageError when the library for names is not installed."""
    if find_spec("gliner") is None:
        raise UsageError(
            "personal_data.name needs the library GLiNER, which is not installed."
            " Install it with `pip install 'corpus-pipeline[entities]'`, or leave `name: keep`."
        )


@cache
def _model(name: str) -> Any:
    require()
    from gliner import GLiNER

    try:
        return GLiNER.from_pretrained(name)
    except Exception as error:  # whatever the hub or torch raise
        raise UsageError(
            f"the model {name} for personal_data.name cannot be loaded ({error})."
            " Give name_model a folder that holds a GLiNER model, or leave `name: keep`."
        ) from error


def finder(model_name: str) -> Detector:
    """What finds every name of a person in a text; the model is loaded with the first one."""

    def find(source: Source) -> Iterator[Span]:
        text = source.text
        if len(text) < _MIN_LENGTH:
            return
        for start in range(0, len(text), _WINDOW):
            window = text[start : start + _WINDOW]
            for entity in _model(model_name).predict_entities(window, ["person"], threshold=_THRESHOLD):
                yield Span(start + entity["start"], start + entity["end"], KIND)

    return find
