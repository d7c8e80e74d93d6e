"""The rule pass: what the rules of a recipe say of a batch of conversations. Pure and picklable: it runs in a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from corpus_pipeline.model import Change, Cleaned, Conversation, ConversationId, Tag, Turn
from corpus_pipeline.stages.clean.normalize import content_hash, frame_of
from corpus_pipeline.stages.clean.record_rest import rest_of
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View
from corpus_pipeline.states import RowState

# One rule's repair may uncover work for an earlier one (an entity that decodes to a control character); the rules are
# repeated until none has anything to change. Real text needs two rounds, made-up text three or four.
_MAX_ROUNDS = 10

KEPT_ANYWAY = "kept_anyway"  # the tag of a row that a rule would drop and a person keeps

Watch = Callable[[Rule, View, Outcome], None]

_KEPT, _DROPPED = RowState.KEPT, RowState.DROPPED


def clean_batch(
    batch: Sequence[tuple[ConversationId, Conversation]],
    rules: Sequence[Rule],
    *,
    joined: bool = False,
    record_keys: frozenset[str] = frozenset(),
) -> list[Cleaned]:
    """The verdict on each conversation, in order; `fingerprint` is None until the batch kernel runs."""
    return [
        clean(identifier, conversation, rules, joined=joined, record_keys=record_keys)
        for identifier, conversation in batch
    ]


def clean(
    identifier: ConversationId,
    conversation: Conversation,
    rules: Sequence[Rule],
    *,
    joined: bool = False,
    record_keys: frozenset[str] = frozenset(),
) -> Cleaned:
    """The verdict on one conversation; `joined`: its format joins the texts (see `Format.joins`)."""
    return clean_turns(
        identifier,
        conversation.turns,
        conversation.tools,
        rules,
        joined=joined,
        shape=conversation.shape,
        record_keys=record_keys,
    )


def clean_turns(
    identifier: ConversationId,
    turns: tuple[Turn, ...],
    tools: str | None,
    rules: Sequence[Rule],
    *,
    joined: bool = False,
    shape: str | None = None,
    keep: bool = False,
    record_keys: frozenset[str] = frozenset(),
    watch: Watch | None = None,
    values: Mapping[str, Any] | None = None,
) -> Cleaned:
    """The verdict on the turns of a conversation, which may call `tools`, and on the `shape` of its record; the first rule
    that asks for it drops the row, with the changes so far. keep: a person keeps the row, so that such a rule only tags it
    (`KEPT_ANYWAY`). record_keys: keys that name a record (`record_rest.rest_of`). watch: told of what each rule says.
    values: see `View`."""
    raw, raw_tools, raw_shape = turns, tools, shape
    changes: list[Change] = []
    tags: list[Tag] = []
    reason: str | None = None
    language: str | None = None
    view = View(turns, tools, joined=joined, shape=shape, values=values)
    for again in range(_MAX_ROUNDS):
        before = turns
        for rule in rules:
            if (again and turns is before and not rule.rewrites) or not rule.screen(view):
                continue  # a judge need not look again at what it has seen
            outcome = rule.apply(view)
            if watch is not None:
                watch(rule, view, outcome)
            if outcome.changes:
                changes += outcome.changes
            if outcome.tags:
                tags += outcome.tags
            if outcome.language is not None:
                language = outcome.language
            if outcome.turns is not turns or outcome.tools is not None or outcome.shape is not None:
                turns, tools, shape = outcome.turns, outcome.tools or tools, outcome.shape or shape
                view = View(turns, tools, joined=joined, shape=shape, values=values)
            if outcome.drop_reason is not None:
                if keep:
                    tags.append(Tag(KEPT_ANYWAY, rule.name))
                    continue
                reason = outcome.drop_reason
                break
        if reason is not None or turns is before:
            break
    frame = frame_of(turns, tools, b"" if shape is None else rest_of(shape, record_keys))
    return Cleaned(
        identifier,
        _KEPT if reason is None else _DROPPED,
        reason,
        _merged(changes) if changes else (),
        turns if turns is not raw and turns != raw else None,
        content_hash(turns, frame),
        None,
        view.characters,
        language,
        tuple(dict.fromkeys(tags)),
        tools if tools != raw_tools else None,
        shape if shape != raw_shape else None,
        frame,
    )


def _merged(changes: list[Change]) -> tuple[Change, ...]:
    """One change per rule, place and detail, in the order of their first occurrence: rounds are added up."""
    merged: dict[tuple[str, int, int, str, str], Change] = {}
    for change in changes:
        key = (change.rule, change.version, change.turn, change.field, change.detail)
        known = merged.get(key)
        merged[key] = change if known is None else known._replace(count=known.count + change.count)
    return tuple(merged.values())
