"""What the cleaning rules of a recipe would do to a dataset file: counts and examples, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.jobs.clean import scores
from corpus_pipeline.jobs.ingest import format_of, source_of
from corpus_pipeline.model import Conversation, id_range
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.service.records.rows import FilePreview, RuleDifference, RuleExample, RulePreview
from corpus_pipeline.stages.clean.rule_effects import EXAMPLES, Effect, Effects, Example, RuleEffects
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.text_differences import Difference
from corpus_pipeline.stages.ingest.conversations import read_batches
from corpus_pipeline.stages.ingest.sniff import limits_of
from corpus_pipeline.states import FileState
from corpus_pipeline.store import Store, dataset_files, row_values, rows
from corpus_pipeline.store.dataset_files import DatasetFile

MAX_ROWS = 100_000  # that are looked at unless said otherwise
_PAGE = 1_000


def preview(
    store: Store,
    name: str,
    recipe: Recipe,
    *,
    place: Callable[[DatasetFile], Path],
    only: Sequence[str] = (),
    examples: int = EXAMPLES,
    limit: int | None = MAX_ROWS,
) -> FilePreview:
    """What the rules of a recipe would do to the first `limit` rows (None: all).

    Each rule has `dropped`, `changed`, `tagged` (rows), `places` (texts changed), `reasons`, `fields`, `tags` (rows by
    word) and `examples`, drawn by a hash. place: where a file can be read that was
    not yet. file_rows: None while the file is not ingested; then it is read itself. only:
    rules that are shown. Raises UnknownName, SourceBroken.
    """
    (file,) = store.fetch(dataset_files.current_files, [name])
    rules = build(recipe.clean.rules)
    for word in only:
        if word not in (rule.name for rule in rules):
            raise UnknownName("rule of this recipe", word, [rule.name for rule in rules])
    effects = Effects(rules, joined=format_of(file).joins, examples=examples)
    for number, conversation, values in islice(_rows(store, file, recipe, place), limit):
        effects.take(number, conversation, values)
    return {
        "name": name,
        "recipe": recipe.name,
        "rows": effects.rows,
        "file_rows": file.conversations,
        "kept": effects.kept,
        "dropped": effects.rows - effects.kept,
        "changed": effects.changed,
        "tagged": effects.tagged,
        "rules": [_told(name, effects.of_rule[rule.name]) for rule in rules if not only or rule.name in only],
    }


def _rows(
    store: Store, file: DatasetFile, recipe: Recipe, place: Callable[[DatasetFile], Path]
) -> Iterator[tuple[int, Conversation, Mapping[str, Any]]]:
    """(row number, conversation, what tasks said of it) of a file: of the database, or of the file itself when it was not
    read yet."""
    if file.state is not FileState.INGESTED:
        for batch in read_batches(
            source_of(file, place(file)), format_of(file), _PAGE, limits=limits_of(recipe.ingest)
        ):
            for conversation in batch.conversations:
                yield conversation.row_identifier, conversation, {}
        return
    after, end = id_range(file.id)
    said = store.fetch(scores.sources, file.id, file.name, recipe)
    while page := store.fetch(rows.page, after, end, _PAGE):
        values = store.fetch(row_values.said_between, said, after, page[-1].id) if said else {}
        for stored in page:
            if not stored.is_deleted:
                yield stored.id - id_range(file.id)[0], stored.conversation, values.get(stored.id, {})
        after = page[-1].id


def _told(name: str, effects: RuleEffects) -> RulePreview:
    return {
        "rule": effects.rule,
        "dropped": effects.rows[Effect.DROPPED],
        "changed": effects.rows[Effect.CHANGED],
        "tagged": effects.rows[Effect.TAGGED],
        "places": effects.places,
        "reasons": dict(effects.words[Effect.DROPPED]),
        "fields": dict(effects.words[Effect.CHANGED]),
        "tags": dict(effects.words[Effect.TAGGED]),
        "examples": [_example(name, example) for effect in Effect for example in effects.examples(effect)],
    }


def _example(name: str, example: Example) -> RuleExample:
    told: RuleExample = {
        "row": f"{name}:{example.row}",
        "effect": example.effect.value,
        "words": list(example.words),
    }
    if example.effect is Effect.CHANGED:
        return {**told, "differences": [_difference(one) for one in example.differences]}
    return {**told, "detail": example.detail, "text": example.text}


def _difference(one: Difference) -> RuleDifference:
    return {
        "turn": one.turn,
        "field": one.field,
        "before": one.before,
        "old": one.left,
        "new": one.right,
        "behind": one.behind,
    }
