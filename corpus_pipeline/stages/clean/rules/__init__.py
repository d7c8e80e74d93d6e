"""The cleaning rules: one file each, in the order in which they work by default.

Texts are repaired first (character set, composition, control characters, markup, whitespace), masked, then judged,
so that a judgement is about the text that would be trained on. A new rule is a file `rules/<name>.py` and a line here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from pydantic import ValidationError

from corpus_pipeline import plugins
from corpus_pipeline.errors import UsageError
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.recipe_yaml import below, faults
from corpus_pipeline.stages.clean.rules.base import Rule
from corpus_pipeline.stages.clean.rules.composition import Composition
from corpus_pipeline.stages.clean.rules.control_characters import ControlCharacters
from corpus_pipeline.stages.clean.rules.echoed_question import EchoedQuestion
from corpus_pipeline.stages.clean.rules.empty_turns import EmptyTurns
from corpus_pipeline.stages.clean.rules.encoding_damage import EncodingDamage
from corpus_pipeline.stages.clean.rules.language import Language
from corpus_pipeline.stages.clean.rules.length_bounds import LengthBounds
from corpus_pipeline.stages.clean.rules.markup import Markup
from corpus_pipeline.stages.clean.rules.mixed_scripts import MixedScripts
from corpus_pipeline.stages.clean.rules.mojibake import Mojibake
from corpus_pipeline.stages.clean.rules.near_empty import NearEmpty
from corpus_pipeline.stages.clean.rules.patterns import Patterns
from corpus_pipeline.stages.clean.rules.personal_data import PersonalData
from corpus_pipeline.stages.clean.rules.refusals import Refusals
from corpus_pipeline.stages.clean.rules.repetition import Repetition
from corpus_pipeline.stages.clean.rules.score import Score
from corpus_pipeline.stages.clean.rules.secrets import Secrets
from corpus_pipeline.stages.clean.rules.special_tokens import SpecialTokens
from corpus_pipeline.stages.clean.rules.token_length import TokenLength
from corpus_pipeline.stages.clean.rules.toxic_words import ToxicWords
from corpus_pipeline.stages.clean.rules.truncated_answer import TruncatedAnswer
from corpus_pipeline.stages.clean.rules.turn_order import TurnOrder
from corpus_pipeline.stages.clean.rules.unicode import Unicode
from corpus_pipeline.stages.clean.rules.whitespace import Whitespace

_OPTIONAL: tuple[type[Rule], ...] = (
    Patterns,
    TokenLength,
    NearEmpty,
    TruncatedAnswer,
    EchoedQuestion,
    MixedScripts,
    EncodingDamage,
    Composition,
    ToxicWords,
    Score,
)
RULES: tuple[type[Rule], ...] = (
    Mojibake,
    Unicode,
    ControlCharacters,
    SpecialTokens,
    Markup,
    Whitespace,
    PersonalData,
    Secrets,
    EmptyTurns,
    TurnOrder,
    LengthBounds,
    Repetition,
    Refusals,
    Language,
    *_OPTIONAL,
)
_OFF_BY_DEFAULT = (
    Secrets,
    Language,
    *_OPTIONAL,
)
BUILT_IN: dict[str, type[Rule]] = {rule.name: rule for rule in RULES}
DEFAULT_RULES: tuple[str, ...] = tuple(rule.name for rule in RULES if rule not in _OFF_BY_DEFAULT)


def build(steps: Sequence[NamedStep] | None) -> tuple[Rule, ...]:
    """The rules of a recipe in its order, built in or of plugins; None gives the default rules.

    Raises UnknownName for a rule that does not exist, UsageError for one named twice, a bad parameter (with its place).
    """
    if steps is None:
        return tuple(BUILT_IN[name]() for name in DEFAULT_RULES)
    rules: list[Rule] = []
    for index, step in enumerate(steps):
        with below(index, step.name):
            kind = plugins.named(plugins.Group.RULES, Rule, BUILT_IN, step.name)
            if any(rule.name == step.name for rule in rules):
                raise UsageError(
                    f"clean.rules[{index}]: '{step.name}' is named twice; give its parameters in one place."
                )
            try:
                rules.append(kind(**step.params))
            except ValidationError as error:
                found = faults(error, kind.Params)
                with below(*found[0].place):
                    said = "; ".join(f"clean.rules[{index}].{step.name}.{fault.message}" for fault in found)
                    raise UsageError(said) from error
    return tuple(rules)


@cache
def rules_code_hash() -> str:
    """sha256 (hex) over the source of everything that decides what the rule pass does to a row."""
    rules = resources.files("corpus_pipeline.stages.clean.rules")
    clean = resources.files("corpus_pipeline.stages.clean")
    personal_data = resources.files("corpus_pipeline.stages.clean.personal_data")
    sources = sorted((f for f in rules.iterdir() if f.name.endswith(".py")), key=lambda source: source.name)
    sources += sorted((f for f in personal_data.iterdir() if f.is_file()), key=lambda source: source.name)
    stages = resources.files("corpus_pipeline.stages")
    sources += [clean / "rule_pass.py", clean / "normalize.py"]
    sources += sorted((f for f in stages.iterdir() if f.name.startswith("refusal")), key=lambda source: source.name)
    digest = hashlib.sha256()
    for source in sources:
        body = source.read_bytes()
        digest.update(f"{source.name} {len(body)}\n".encode())
        digest.update(body)
    return digest.hexdigest()
