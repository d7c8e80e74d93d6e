"""The strategies in the order in which the documentation lists them, and how a recipe's steps become strategies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from corpus_pipeline import plugins
from corpus_pipeline.errors import UsageError
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.recipe_yaml import below, faults
from corpus_pipeline.stages.augment.strategies.back_translation import BackTranslation
from corpus_pipeline.stages.augment.strategies.base import PROMPT_FORMAT, Strategy, accept, prompt_version
from corpus_pipeline.stages.augment.strategies.best_and_worst import BestAndWorst
from corpus_pipeline.stages.augment.strategies.continuation import Continuation
from corpus_pipeline.stages.augment.strategies.desirability import Desirability
from corpus_pipeline.stages.augment.strategies.evol_instruct import EvolInstruct
from corpus_pipeline.stages.augment.strategies.flawed_rewrite import FlawedRewrite
from corpus_pipeline.stages.augment.strategies.grounded_question import GroundedQuestion
from corpus_pipeline.stages.augment.strategies.paraphrase import Paraphrase
from corpus_pipeline.stages.augment.strategies.persona_question import PersonaQuestion
from corpus_pipeline.stages.augment.strategies.prefilter_judge import Gate, gate_of
from corpus_pipeline.stages.augment.strategies.prompt import Prompt
from corpus_pipeline.stages.augment.strategies.reasoning_distillation import ReasoningDistillation
from corpus_pipeline.stages.augment.strategies.response_regeneration import ResponseRegeneration
from corpus_pipeline.stages.augment.strategies.self_refine import SelfRefine
from corpus_pipeline.stages.augment.strategies.tasks import graph
from corpus_pipeline.stages.augment.strategies.tool_calls import ToolCalls
from corpus_pipeline.stages.augment.strategies.translation import Translation
from corpus_pipeline.stages.augment.strategies.verifiable_answer import VerifiableAnswer
from corpus_pipeline.stages.augment.strategies.weaker_answer import WeakerAnswer
from corpus_pipeline.stages.augment.validators.language import Language, is_loaded, load_model

STRATEGIES: Final[tuple[type[Strategy], ...]] = (
    Paraphrase,
    EvolInstruct,
    ResponseRegeneration,
    ReasoningDistillation,
    SelfRefine,
    Translation,
)
# one question, one template: rows from rows, then preference data
TASKS: Final[tuple[type[Strategy], ...]] = (
    BackTranslation,
    GroundedQuestion,
    PersonaQuestion,
    FlawedRewrite,
    WeakerAnswer,
    Desirability,
    VerifiableAnswer,
)
# those of several questions, one after another
SEQUENCES: Final[tuple[type[Strategy], ...]] = (Continuation, BestAndWorst)
# what a recipe may name: those with templates of ours, and the one whose template is the recipe's
KNOWN: Final[tuple[type[Strategy], ...]] = (*STRATEGIES, *TASKS, ToolCalls, *SEQUENCES, Prompt)
BUILT_IN: Final[dict[str, type[Strategy]]] = {strategy.name: strategy for strategy in KNOWN}

__all__ = [
    "BUILT_IN",
    "KNOWN",
    "SEQUENCES",
    "STRATEGIES",
    "TASKS",
    "Gate",
    "Strategy",
    "accept",
    "build",
    "gate_of",
    "is_warm",
    "prompt_version",
    "templates_code_hash",
    "warm_up",
]


def build(steps: Sequence[NamedStep], default_model: str, *, alone: bool = False) -> tuple[Strategy, ...]:
    """The strategies of a recipe, in its order; one strategy may come several times under different labels.

    alone: some strategies of a recipe, without those whose fields they read.

    Raises UnknownName for a name that is not known, UsageError for parameters that are not valid, a template that does
    not pass, a label that comes twice, or tasks that wait for each other.
    """
    built: list[Strategy] = []
    for index, step in enumerate(steps):
        with below(index, step.name):
            strategy = _built(step, default_model)
            if any(strategy.label == other.label for other in built):
                raise UsageError(f"two strategies are called '{strategy.label}': give one of them another `label`.")
            gate_of(strategy, default_model)  # says what is wrong with it before anything is asked
        built.append(strategy)
    if not alone:
        graph.require_sound(built)
    return tuple(built)


def _built(step: NamedStep, default_model: str) -> Strategy:
    kind = plugins.named(plugins.Group.STRATEGIES, Strategy, BUILT_IN, step.name)
    try:
        params = kind.Params.model_validate(step.params)
    except ValidationError as error:
        found = faults(error, kind.Params)
        with below(*found[0].place):
            raise UsageError(f"strategy {step.name}: {'; '.join(fault.message for fault in found)}") from error
    return kind(params, default_model)


def warm_up(strategies: Sequence[Strategy]) -> None:
    """Load what judging the first answer would otherwise wait for (a second, and some 100 MB)."""
    if _name_languages(strategies):
        load_model()


def is_warm(strategies: Sequence[Strategy]) -> bool:
    """Whether there is nothing to load."""
    return is_loaded() or not _name_languages(strategies)


def _name_languages(strategies: Sequence[Strategy]) -> bool:
    return any(isinstance(validator, Language) for strategy in strategies for validator in strategy.validators)


def templates_code_hash() -> str:
    """sha256 (hex) over the versions and bundled templates of all strategies: it changes when their prompts change."""
    kinds: tuple[type[Strategy], ...] = (*STRATEGIES, *TASKS, ToolCalls, *SEQUENCES, Gate)
    body = [PROMPT_FORMAT] + [
        [kind.name, kind.version, {step.name: kind.bundled_template(step.name) for step in kind.steps}]
        for kind in kinds
    ]
    return hashlib.sha256(json.dumps(body).encode("utf-8")).hexdigest()
