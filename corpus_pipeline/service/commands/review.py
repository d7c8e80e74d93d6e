"""The review of new rows by people: the sample, their verdicts, what these say, and how far a judge model agrees."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.model import ConversationId, conversation_id
from corpus_pipeline.recipe import Recipe, Review
from corpus_pipeline.service.queries.views import address, place_of
from corpus_pipeline.service.records.rows import JudgeAgreement, ReviewRow, ReviewState
from corpus_pipeline.stages.export import review
from corpus_pipeline.states import ReviewVerdict
from corpus_pipeline.store import Store, audit_log, augmented, review_verdicts, row_values
from corpus_pipeline.store.augmented import ItemKey
from corpus_pipeline.store.row_values import Wanted
from corpus_pipeline.store.tasks import Task

_ADDRESS = re.compile(r"(?P<name>[^:]+):(?P<row>[1-9]\d*)/(?P<strategy>[a-z0-9_-]{1,64})/(?P<sample>\d+)")
DEFAULT_DEFECTS = 0.05


def state(connection: Connection, name: str, recipe: Recipe, *, limit: int = 20) -> ReviewState:
    """Where the review of a
    dataset file stands, and the next rows to judge. Without a bound in the recipe, 5 % is shown and decides nothing."""
    file, task = place_of(connection, name)
    asked = recipe.export.gate.review
    bound = asked if asked.max_defects is not None else Review(max_defects=DEFAULT_DEFECTS, confidence=asked.confidence)
    found: ReviewState = {
        "name": file.name,
        "max_defects": DEFAULT_DEFECTS if bound.max_defects is None else bound.max_defects,
        "confidence": bound.confidence,
        "decides": asked.max_defects is not None,
        "rows": 0,
        "judged": 0,
        "bad": 0,
        "decision": review.Decision.LOOK.value,
        "low": 0.0,
        "high": 1.0,
        "wanted": 0,
        "sample": [],
    }
    if task is None:
        return found
    counts = review_verdicts.counts(connection, task.id)
    said = review.decide(counts.judged, counts.bad, counts.rows, bound)
    return {
        **found,
        "rows": counts.rows,
        "judged": said.judged,
        "bad": said.bad,
        "decision": said.decision.value,
        "low": said.low,
        "high": said.high,
        "wanted": said.wanted,
        "sample": _next_rows(connection, file.name, task, said.judged, limit),
    }


def _next_rows(connection: Connection, name: str, task: Task, judged: int, limit: int) -> list[ReviewRow]:
    """The rows that come next in the draw, with the exchange before and after."""
    drawn = [row for row in review_verdicts.sample(connection, task.id, judged + limit)[judged:] if row.bad is None]
    shown = augmented.exchanges(connection, task.id, [(r.conversation_id, r.strategy, r.sample_index) for r in drawn])
    return [
        {
            "row": address(name, row.conversation_id, row.strategy, row.sample_index),
            "model": row.model,
            "strategy": row.strategy,
            "before": before,
            "after": after,
        }
        for row, (before, after) in zip(drawn, shown, strict=True)
    ]


def judge(store: Store, rows: Sequence[str], verdict: ReviewVerdict, note: str | None, who: str) -> list[str]:
    """Record a person's verdict on new rows, named FILE:ROW/STRATEGY/SAMPLE. Raises UsageError, UnknownName."""

    def write(connection: Connection) -> list[str]:
        for name, keys in _keys(connection, rows).items():
            file, task = place_of(connection, name)
            assert task is not None
            known = augmented.existing(connection, task.id, keys)
            if missing := [key for key in keys if key not in known]:
                named = address(file.name, ConversationId(missing[0][0]), *missing[0][1:])
                raise UnknownName("new row", named, [f"corpus review {file.name}"])
            review_verdicts.record(connection, task.id, keys, verdict, who, note)
        audit_log.log(connection, who, "review", ", ".join(rows)[:255], {"verdict": verdict.value, "note": note})
        return list(rows)

    return store.write(write)


def _keys(connection: Connection, rows: Sequence[str]) -> dict[str, list[ItemKey]]:
    found: dict[str, list[ItemKey]] = {}
    for text in rows:
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{text!r} is no new row: these are named FILE:ROW/STRATEGY/SAMPLE, as `corpus review` shows them"
            )
        file, task = place_of(connection, match["name"])
        if task is None:
            raise UnknownName("new row", text, ["corpus review " + match["name"]])
        key = (int(conversation_id(file.id, int(match["row"]))), match["strategy"], int(match["sample"]))
        found.setdefault(match["name"], []).append(key)
    return found


def calibration(connection: Connection, name: str, condition: str) -> JudgeAgreement:
    """How a judge model's values agree with people's verdicts: a judge passes a row where `condition` holds, as in
    `quality.score>=4`. Raises UsageError for a condition that is none."""
    wanted = Wanted.parse(condition)
    _, task = place_of(connection, name)
    pairs: list[tuple[bool, bool]] = []
    if task is not None:
        people: dict[ItemKey, bool] = {}
        for said in review_verdicts.of_task(connection, task.id):
            people[said.key] = people.get(said.key, True) and said.verdict is ReviewVerdict.GOOD
        passed = row_values.passing(connection, task.id, wanted, sorted({key[0] for key in people}))
        for (row, _, sample), good in sorted(people.items()):
            said_of = passed.get((row, sample), passed.get((row, 0)))
            if said_of is not None:
                pairs.append((good, said_of))
    found = review.agreement(pairs)
    return {
        "name": name,
        "judge": condition,
        "rows": found.rows,
        "passes_good": found.passes_good,
        "refuses_bad": found.refuses_bad,
        "agree": found.agree,
        "kappa": found.kappa,
    }
