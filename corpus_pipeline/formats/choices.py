"""Records that hold several answers to one question: scored answers, and trees of messages. One of them is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corpus_pipeline.formats.any_messages import message_keys, reader_of
from corpus_pipeline.formats.base import Loss
from corpus_pipeline.formats.message_lists import Meanings, moved, text_message
from corpus_pipeline.formats.messages import ANSWER_SIDE, side_of
from corpus_pipeline.formats.reading import Decoded
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.formats.sketch import Sketch
from corpus_pipeline.formats.vocabulary import keys_by_meaning, plain_name, role_of

_ANSWERS = frozenset(("responses", "completions", "outputs", "answers", "generations", "samples", "candidates"))
_SCORES = (
    "overall_score",
    "score",
    "rating",
    "reward",
    "quality",
    "fine_grained_score",
    "pm_score",
    "votes",
    "upvotes",
)


def ranked_answers(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> bool:
    """Take the best and the worst of several scored answers, or the first of several; False when there are none."""
    for key, value in record.items():
        if key in sketch.known or type(value) is not list or not value or not all(type(one) is dict for one in value):
            continue
        answers = [_answer(one, (key, at), plain_name(key) in _ANSWERS) for at, one in enumerate(value)]
        said = [answer for answer in answers if answer is not None]
        if len(said) < len(value):
            continue
        best, worst = _extremes([_score(one) for one in value])
        sketch.add([said[best]], key)
        differ = best != worst
        if differ:
            sketch.lose([said[worst]], None)
        if len(value) > (2 if differ else 1):
            sketch.kept.add(Loss.OTHER_ANSWERS)
        if any(len(one) > 1 for one in value):
            sketch.kept.add(Loss.MESSAGE_KEYS)
        return True
    return False


def _answer(one: Mapping[str, Any], path: Path, answers: bool) -> Decoded | None:
    """answers: the list is called so, and then what its objects hold may be a plain text or content."""
    meanings = keys_by_meaning(tuple(one))
    names = (*meanings.get("response", ()), *(meanings.get("content", ()) if answers else ()))
    key = next((key for key in names if type(one[key]) is str), None)
    named = [name for name in meanings.get("role", ()) if not (answers and plain_name(name) == "author")]
    speaks = any(type(one[name]) is not str or role_of(one[name]) for name in named)
    if key is None or meanings.get("prompt") or speaks:
        return None
    return text_message("assistant", one[key], (*path, key))


def _extremes(scores: Sequence[float | None]) -> tuple[int, int]:
    """The places of the best and the worst score; of the first one twice when not all are known, or all are equal."""
    known = [score for score in scores if score is not None]
    if len(known) < len(scores) or max(known) == min(known):
        return 0, 0
    return known.index(max(known)), known.index(min(known))


def _score(one: Mapping[str, Any]) -> float | None:
    for name in _SCORES:
        value = next((one[key] for key in one if key.replace("-", "_").lower() == name), None)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    rank = next((one[key] for key in one if plain_name(key) == "rank"), None)
    return -float(rank) if isinstance(rank, int | float) and not isinstance(rank, bool) else None


def tree_path(sketch: Sketch, record: Mapping[str, Any]) -> bool:
    """Take the best-ranked path of a message tree; False when there is no tree. The record may be the root itself."""
    roots: list[tuple[Path, Any]] = [((), record), *(((key,), value) for key, value in record.items())]
    for path, root in roots:
        if type(root) is dict and type(root.get("replies")) is list and _spoken(root):
            sketch.add(_best_path(sketch, root, path), str(path[0]) if path else "replies")
            if not path:
                sketch.known |= {"role", "text", "content"} & set(record)
            sketch.kept.add(Loss.MESSAGE_KEYS)
            return True
    return False


def _best_path(sketch: Sketch, root: dict[str, Any], path: Path) -> list[Decoded]:
    node, found = root, list[Decoded]()
    while True:
        keys = message_keys([node])
        assert keys is not None
        (item,) = reader_of(*keys).decode_all([node], path)
        found.append(moved(item, path)._replace(kept=item.kept - {Loss.MESSAGE_KEYS}))
        replies = [reply for reply in node.get("replies") or () if type(reply) is dict and _spoken(reply)]
        if not replies:
            return _answered(sketch, found)
        if len(replies) > 1:
            sketch.kept.add(Loss.OTHER_ANSWERS)
        best = min(range(len(replies)), key=lambda at: (_rank(replies[at]), at))
        path = (*path, "replies", next(at for at, reply in enumerate(node["replies"]) if reply is replies[best]))
        node = replies[best]


def _answered(sketch: Sketch, found: list[Decoded]) -> list[Decoded]:
    """A path without questions at its end that nobody answered; they stay in the record, as other branches do."""
    ends = max(
        (at for at, item in enumerate(found, 1) if side_of(item.message.role) == ANSWER_SIDE), default=len(found)
    )
    if ends < len(found):
        sketch.kept.add(Loss.OTHER_ANSWERS)
    return found[:ends]


def _spoken(node: Mapping[str, Any]) -> bool:
    keys = message_keys([dict(node)])
    return keys is not None and not node.get("deleted") and type(node[keys[1]]) is str


def _rank(node: Mapping[str, Any]) -> float:
    rank = node.get("rank")
    return float(rank) if isinstance(rank, int | float) else float("inf")
