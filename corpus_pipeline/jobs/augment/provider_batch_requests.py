"""What a provider batch can ask next about every row: its judge, then the row itself, one question after another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from corpus_pipeline.jobs.augment.item_source import Feed
from corpus_pipeline.jobs.augment.low_water_mark import Prefix
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared
from corpus_pipeline.jobs.augment.work_item import Item
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import Answer, Request
from corpus_pipeline.stages.augment.strategies import Gate


def questions(held: Held, plan: dict[str, Prepared], access: ModelAccess) -> Iterator[tuple[Item, Request]]:
    """(what is asked about, the request) for all that is not finished, in row order; nothing for what the window has to look
    at first."""
    feed = Feed(held, plan, {label: Prefix(label) for label in plan}, access)
    feed.leave_replays()
    for begun in chain.from_iterable(feed.batches()):
        for item in begun.items:
            if item.lacks is not None:
                continue
            asked = _in_turn(item)
            request = None if asked is None else _next_request(asked)
            if asked is not None and request is not None:
                yield asked, request


def _in_turn(item: Item) -> Item | None:
    """The judge of an item until its verdict is known, then the item; None where it is not a batch that asks."""
    if item.gate is not None:
        judge = item.gate.prepared.strategy
        assert isinstance(judge, Gate)
        if not item.gate.known:
            return item.gate if item.gate.prepared.by_batch else None
        if not judge.lets_through(item.conversation, _answers(item.gate)):
            return None
    return item if item.prepared.by_batch else None


def _next_request(item: Item) -> Request | None:
    try:
        return item.next_request(_answers(item))
    except Exception:  # the window meets the same fault and parks the sample
        return None


def _answers(item: Item) -> tuple[Answer, ...]:
    return tuple(stored.answer for stored in item.known.values())
