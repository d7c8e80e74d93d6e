"""All that is known of one conversation: texts at each stage, verdicts, duplicates, calls with their prompts, exports."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import CorpusError, UnknownName
from corpus_pipeline.model import Answer, Conversation, ConversationId, Usage, conversation_id, id_range, split_id
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.service.queries import views
from corpus_pipeline.service.records.calls import FailedSampleDetail, InputTurn
from corpus_pipeline.service.records.calls import Prompt as CallPrompt
from corpus_pipeline.service.records.rows import MadeRow, RowDuplicates, RowHistory, RowPlace, RowStory, WorkItem
from corpus_pipeline.stages.augment.media import MediaAccess, has_media
from corpus_pipeline.stages.augment.requests import request_key, shown_messages
from corpus_pipeline.stages.augment.strategies import Gate, Strategy, build
from corpus_pipeline.stages.augment.strategies.prefilter_judge import JUDGE
from corpus_pipeline.stages.augment.strategies.prompt import Prompt
from corpus_pipeline.store import (
    augmented,
    cleaned,
    dataset_files,
    failed_samples,
    kept_rows,
    ledger,
    row_queries,
    row_values,
    rows,
)
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.tasks import Task

_MOST_TWINS = 50


def story(connection: Connection, name: str, number: int) -> RowStory:
    """`corpus show` with the neighbours, the duplicates of the row, its failed samples, and each call with its prompt.

    Raises UnknownName.
    """
    file, task = views.place_of(connection, name)
    if not 0 < number < 1 << 32:
        raise UnknownName("row", f"{name}:{number}", [f"{name}:1 to {name}:{file.lines or 0}"])
    identifier = conversation_id(file.id, number)
    stored = rows.by_ids(connection, [identifier]).get(identifier)
    if stored is None:
        raise UnknownName("row", f"{name}:{number}", [f"/files/{file.name}/rejects has the lines that became none"])
    before, behind = row_queries.neighbours(connection, *id_range(file.id), identifier)
    history = views.history(connection, file, task, stored)
    found: RowStory = {
        **_without_calls(history),
        "name": file.name,
        "file_version": None if file.superseded_at is None else file.version,
        "number": number,
        "format": file.format,
        "byte_offset": stored.conversation.source_offset,
        "tools": stored.conversation.tools,
        "source": {"path": file.path, "sha256": file.sha256, "version": file.version},
        "previous": None if before is None else split_id(before)[1],
        "next": None if behind is None else split_id(behind)[1],
    }
    if task is not None:
        found["duplicates"] = _duplicates(connection, file, task, identifier)
        kept = kept_rows.among(connection, [identifier]).get(identifier)
        if kept is not None:
            found["kept_anyway"] = {
                "by": kept.kept_by,
                "at": kept.kept_at,
                "reason": kept.reason,
                "unchanged": kept.unchanged,
            }
        found["failed"] = [
            views.failed_dict(row)
            for row in failed_samples.find(
                connection, failed_samples.Where(task_id=task.id, conversation_id=identifier)
            )
        ]
        found["items"] = [
            cast(WorkItem, row._asdict()) for row in row_queries.items_of(connection, task.id, identifier)
        ]
        texts = row_queries.cleaned_texts(connection, task.id, [identifier]).get(identifier)
        asked = stored.conversation if texts is None else stored.conversation._replace(turns=texts)
        prompts = prompts_of(connection, asked, ledger.attempts_of(connection, task.id, identifier))
        found["calls"] = [{**call, "prompt": prompts.get(call["id"])} for call in history["calls"]]
        found["augmented"] = _with_provenance(connection, task, identifier, history["augmented"])
    return found


def _without_calls(history: RowHistory) -> RowStory:
    """The part of a history that the page of a row shows as it is."""
    return cast(RowStory, {key: value for key, value in history.items() if key != "calls"})


def failed_sample(connection: Connection, identifier: int) -> FailedSampleDetail:
    """A failed sample with `input`, the turns that were asked about, and `calls`, every attempt with its time, model,
    cost and answer, those of the judge before it included. Raises UnknownName."""
    row = next(iter(failed_samples.find(connection, failed_samples.Where(ids=(identifier,)), limit=1)), None)
    if row is None:
        raise UnknownName("failed sample", str(identifier), ["corpus failed list"])
    kept = cleaned.kept_page(connection, row.task_id, row.conversation_id - 1, row.conversation_id, 1)
    return {
        **views.failed_dict(row),
        "input": [cast(InputTurn, turn._asdict()) for entry in kept for turn in entry.conversation.turns],
        "calls": [
            views.call_dict(call)
            for call in ledger.attempts_of(connection, row.task_id, row.conversation_id)
            if is_of(call, row.strategy, row.sample_index)
        ],
    }


def is_of(call: Row, strategy: str | None, sample: int | None) -> bool:
    """Whether a ledger row is of a sample: its own, or the judge's before it, which is one for all samples of a row."""
    return (call.strategy, call.sample_index) == (strategy, sample) or call.strategy == f"{strategy}{JUDGE}"


def _with_provenance(connection: Connection, task: Task, identifier: int, made: list[MadeRow]) -> list[MadeRow]:
    """Rows that strategies made, each with its model, prompt version and time."""
    known = {
        (row.strategy, row.sample_index): row
        for row in augmented.augmented_of(connection, task.id, ConversationId(identifier))
    }
    found: list[MadeRow] = []
    for own in made:
        row = known.get((own["strategy"], own["sample"]))
        if row is not None:
            own = {**own, "model": row.model, "prompt_version": row.prompt_version, "at": row.created_at}
        found.append(own)
    return found


def _duplicates(connection: Connection, file: DatasetFile, task: Task, identifier: int) -> RowDuplicates:
    """What this row repeats, and what repeats the same row."""
    verdict = cleaned.verdicts(connection, task.id, [identifier]).get(ConversationId(identifier))
    keeper = verdict.duplicate_of if verdict and verdict.duplicate_of is not None else identifier
    names = row_queries.file_names(connection)

    def place(other: int) -> RowPlace:
        file_id, number = split_id(other)
        return {"name": names.get(file_id, "?"), "number": number, "row": f"{names.get(file_id, '?')}:{number}"}

    twins = row_queries.cluster(connection, keeper, _MOST_TWINS + 1)
    return {
        "keeper": None if keeper == identifier else place(keeper),
        "kind": verdict.kind.value if verdict and verdict.kind else None,
        "distance": verdict.distance if verdict else None,
        "question_similarity": verdict.question_similarity if verdict else None,
        "answer_similarity": verdict.answer_similarity if verdict else None,
        "twins": [
            {
                **place(twin.conversation_id),
                "kind": twin.kind,
                "distance": twin.distance,
                "question_similarity": twin.question_similarity,
                "answer_similarity": twin.answer_similarity,
            }
            for twin in twins[:_MOST_TWINS]
            if twin.conversation_id != identifier
        ],
        "more": len(twins) > _MOST_TWINS,
    }


def prompts_of(connection: Connection, asked: Conversation, attempts: Sequence[Row]) -> dict[str, CallPrompt]:
    """By attempt id, each prompt rendered again from the kept template version.

    same: the request has the key that the ledger holds, so this is what was sent, byte for byte. False: the row or the
    code of the strategy has changed since; the template and its parameters are still those of the call.
    """
    found: dict[str, CallPrompt] = {}
    if not any(turn.texts() for turn in asked.turns):  # it was purged
        return found
    built: dict[tuple[str, str], Strategy | None] = {}
    good: dict[tuple[str, int], dict[int, Answer]] = {}
    for row in attempts:
        version = (row.prompt_version, row.model)
        if version not in built:
            built[version] = _seeing(connection, asked, _strategy(connection, *version), attempts)
        strategy, own = built[version], good.setdefault((row.strategy, row.sample_index), {})
        if strategy is not None:
            before = tuple(own[step] for step in range(1, row.step) if step in own)
            if strategy.task_inputs:
                asked = asked._replace(values=_values(connection, row, strategy))
            try:
                request = strategy.next_request(asked, before, row.sample_index)
            except CorpusError:
                request = None
            if request is not None:
                same = request_key(request, row.sample_index) == row.request_key
                found[row.id] = {
                    "messages": shown_messages(request),
                    "parameters": {
                        "max_output_tokens": request.max_output_tokens,
                        "temperature": request.temperature,
                        "seed": request.seed,
                        "response_schema": request.response_schema,
                    },
                    "same": same,
                }
        if row.text is not None and row.rejected is None:
            answer = Answer(row.text, row.finish_reason, row.model, Usage(0, 0), row.refusal, row.reasoning)
            own[row.step] = answer
    return found


def _seeing(
    connection: Connection, asked: Conversation, strategy: Strategy | None, attempts: Sequence[Row]
) -> Strategy | None:
    """A strategy that shows the media of a row: those of a row that was asked about were shown."""
    if strategy is None or not has_media(asked):
        return strategy
    file = dataset_files.file_by_id(connection, split_id(attempts[0].conversation_id)[0])
    seeing = copy(strategy)  # the one that is kept serves every row
    seeing.media = MediaAccess(lambda medium: True, str(Path(file.path).parent))
    return seeing


def _values(connection: Connection, attempt: Row, strategy: Strategy) -> dict[str, dict[str, Any]]:
    """What other tasks had made of the row of a call."""
    tasks = sorted({one.task for one in strategy.task_inputs.values()})
    found = row_values.read(connection, attempt.task_id, tasks, [attempt.conversation_id])
    return found.of(attempt.conversation_id, tasks, attempt.sample_index)


def _strategy(connection: Connection, version: str, model: str) -> Strategy | None:
    text = augmented.prompt_body(connection, version)
    return None if text is None else _built(text, model)


@lru_cache(maxsize=256)
def _built(text: str, model: str) -> Strategy | None:
    """A strategy as it was when a prompt version was made, None when this program cannot build it any more."""
    body = orjson.loads(text)
    params = body["params"] | {"model": model}
    try:
        if body["strategy"] == Gate.name:
            params |= {"template": body["templates"][Gate.steps[0].name]}
            return Gate(Gate.Params.model_validate(params), model, at_least=1, label=Gate.name)
        own = NamedStep(name=body["strategy"], params=params | {"template": body["templates"]})
        if body["strategy"] != Prompt.name:  # a template of ours is no foreign one, and is not tried out
            (plain,) = build((NamedStep(name=body["strategy"], params=params | {"template": None}),), model)
            if plain.templates == body["templates"]:
                return plain
        (built,) = build((own,), model, alone=True)
        return built
    except CorpusError:
        return None
