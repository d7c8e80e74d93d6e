"""What a fingerprint can be made of: the closed list of feature schemes and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from corpus_pipeline.errors import UnknownName, UsageError


class Scheme(NamedTuple):
    """One way to turn a text into features.

    kind: `distinct` votes once for each distinct token and pair of tokens; `words` votes for each token and pair as often
      as it occurs; `characters` is what PyPI `simhash` does with a text.
    width: of the shingles, in characters; None for tokens.
    """

    name: str
    kind: Literal["distinct", "words", "characters"]
    summary: str
    width: int | None = None


SCHEMES = (
    Scheme(
        "default",
        "distinct",
        "distinct words and word pairs (characters where a script has no spaces)",
    ),
    Scheme("words", "words", "words and word pairs as often as they occur"),
    Scheme("characters", "characters", "shingles of 4 characters, the same values as PyPI simhash", width=4),
)

# parameter -> (lowest, highest) per scheme; each one is a field of Scheme
_PARAMS: dict[str, dict[str, tuple[int, int]]] = {
    "default": {},
    "words": {},
    "characters": {"width": (1, 16)},
}


def scheme_named(name: str, params: Mapping[str, Any] | None = None) -> Scheme:
    """The scheme of a recipe's `dedup.features` and `dedup.params`.

    Raises UnknownName for a name or a parameter that is not known, UsageError for a value out of range.
    """
    for scheme in SCHEMES:
        if scheme.name == name:
            checked: dict[str, Any] = {key: _checked(name, key, value) for key, value in (params or {}).items()}
            return scheme._replace(**checked)
    raise UnknownName("dedup features", name, [scheme.name for scheme in SCHEMES])


def _checked(name: str, key: str, value: Any) -> int:
    if key not in _PARAMS[name]:
        raise UnknownName(f"parameter of the dedup features '{name}'", key, _PARAMS[name])
    low, high = _PARAMS[name][key]
    if type(value) is not int or not low <= value <= high:
        raise UsageError(f"dedup parameter {key}={value!r} is not a whole number in {low}..{high}; change the recipe.")
    return value
