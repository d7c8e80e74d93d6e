"""The export stage: the gate, the lines in row order, the files, and the map from each line back to its row."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline import failpoints
from corpus_pipeline.errors import CorpusError, Fenced, GateRefused, StopJob
from corpus_pipeline.formats import Format, by_name
from corpus_pipeline.jobs.augment.plan import labels, samples_by_label
from corpus_pipeline.jobs.conservation import WrittenRows, account, written_rows
from corpus_pipeline.jobs.gc_tuning import rare_collection
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.jobs.write_behind import Behind
from corpus_pipeline.model import ConversationId, id_range
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.stages.clean.rules import build as build_rules
from corpus_pipeline.stages.clean.rules.personal_data import MaskingRule, coverage
from corpus_pipeline.stages.export import gate, llama_factory, parquet
from corpus_pipeline.stages.export.choice import Candidate, staying
from corpus_pipeline.stages.export.hf_features import infer_file
from corpus_pipeline.stages.export.manifest import ExportFacts, data_sha256
from corpus_pipeline.stages.export.part import ExportPart, Finished, Mark
from corpus_pipeline.stages.export.selection import Encoded, ExportRow, Room, encode, is_selected
from corpus_pipeline.stages.export.targets import Target
from corpus_pipeline.stages.export.writer import FileFacts, Position, sweep_parts
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import (
    augmented,
    cleaned,
    cursors,
    dataset_files,
    exports,
    failed_samples,
    outcomes,
    review_verdicts,
    row_values,
    rows,
    tasks,
)
from corpus_pipeline.store.augmented import ItemKey
from corpus_pipeline.store.cleaned import CleanRow
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.tasks import Task

FILE = "file"
TAGS = "tags"  # why rows stay behind that the recipe's tags keep from the export
REPEATS = "repeats"  # why new rows stay behind that repeat another row
JUDGED_BAD = "judged_bad"  # why new rows stay behind that a person called bad in the review
_MOST_STARTS = 5


def task_types(work: Work) -> tuple[str, ...]:
    return (FILE,)


def _target(work: Work) -> Target:
    assert work.target is not None  # anyone who makes the work of an export gives it one
    return work.target


def is_current(work: Work, export: Row, task: Task) -> bool:
    """Whether the newest export holds what an export of now would hold, and lies where this process would put it.

    Raises TargetUnavailable when the place cannot be looked at.
    """
    target = _target(work)
    if export.content_version != task.content_version or export.target != target.uri(""):
        return False
    return target.holds(work.file.name, export.sha256)


def begin(connection: Connection, held: Held) -> None:
    """Fix the end of the read."""
    work = held.work
    for cursor in cursors.stage_cursors(connection, work.task.id, Stage.EXPORT):
        if cursor.end_id is None:
            total, dropped, repeated = cleaned.counts(connection, work.task.id)
            end = rows.last_id(connection, work.file.id) or id_range(work.file.id)[0]
            cursors.fix_end(
                connection,
                work.task.id,
                Stage.EXPORT,
                cursor.task_type,
                end_id=end,
                total_rows=total - dropped - repeated,
            )


def forget(connection: Connection, work: Work) -> None:
    exports.start(connection, work.task.id)


@rare_collection()
def work(held: Held) -> None:
    if held.work.recipe.export.parquet:
        parquet.require()
    _sweep(held)
    for _ in range(_MOST_STARTS):
        _ask_gate(held, None)
        snapshot = Snapshot.of(held)
        part = _resumed(held, snapshot) or _started(held)
        try:
            _write_lines(held, part, snapshot)
            finished = part.finish()
        except Fenced:  # anyone who took over may go on with this part, or may have begun one of his own
            part.close()
            with suppress(CorpusError):
                _sweep(held)
            raise
        except BaseException:
            part.close()
            raise
        _hold_back(held, snapshot, part, finished)
        if _published(held, snapshot, part, finished):
            return
        part.discard()
        held.commit(_start_over, held)
    raise StopJob(
        f"the rows of {held.work.file.name} kept changing while they were exported; pause what changes them and run again"
    )


def _ask_gate(held: Held, written: gate.Written | None) -> None:
    facts = held.fetch(gate_facts, held.work.file, held.work.task)
    gate.enforce(facts._replace(written=written), gate_limits(held.work.recipe))


def _hold_back(held: Held, snapshot: Snapshot, part: ExportPart, finished: Finished) -> None:
    """Ask the gate what it says of the rows that lie ready. Raises GateRefused; their counts are kept for people, and the
    export that is there stays."""
    try:
        _ask_gate(held, gate.Written(snapshot.target.name, finished.data.lines, finished.reasons))
    except GateRefused:
        part.discard()
        held.commit(_note_held, held, snapshot, finished)
        raise


def _note_held(connection: Connection, held: Held, snapshot: Snapshot, finished: Finished) -> None:
    found = {
        "format": snapshot.target.name,
        "rows": finished.rows,
        "not_exportable": finished.reasons,
        "left_behind": finished.left_behind,
    }
    (cursor,) = cursors.stage_cursors(connection, held.work.task.id, Stage.EXPORT)
    held.advance(
        connection, FILE, last_id=cursor.last_id, rows=0, position={"version": snapshot.version, "held": found}
    )


def _sweep(held: Held) -> None:
    sweep_parts(held.work.work_folder, keep=held.fetch(marked_parts))


def marked_parts(connection: Connection) -> list[Position]:
    """The parts of all exports that stopped half-way: what dead workers left beside them is removed."""
    begun = [cursor for cursor in cursors.positions(connection, Stage.EXPORT) if cursor.status is not Status.DONE]
    marks = [cursor.position for cursor in begun if cursor.position and "mark" in cursor.position]
    found = [Mark.from_json(orjson.dumps(position["mark"]).decode()) for position in marks]
    return [position for mark in found for position in (mark.data, mark.not_exportable)]


class Snapshot(NamedTuple):
    """What this export is of. `version` is compared again when it is published: rows must not change in between."""

    version: int
    labels: tuple[str, ...]
    source: Format
    target: Format
    checked: bool  # the recipe names the format: its tool must be able to use every row

    @classmethod
    def of(cls, held: Held) -> Snapshot:
        work = held.work
        task = held.fetch(tasks.task_by_id, work.task.id)
        source = format_of(work.file)
        wanted = work.recipe.export.format
        return cls(
            task.content_version,
            labels(work.recipe.augment) if "augmented" in work.recipe.export.include else (),
            source,
            source if wanted == "same" else by_name(wanted),
            wanted != "same",
        )


def gate_limits(recipe: Recipe) -> gate.Limits:
    """What the gate of a recipe lets pass."""
    return gate.Limits(recipe.export.gate, recipe.clean.gate)


def gate_verdict(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe) -> tuple[gate.Finding, ...]:
    """Why the export of a file is held, as far as the database knows now; empty when nothing stands in its way."""
    return gate.decide(gate_facts(connection, file, task), gate_limits(recipe))


def gate_facts(connection: Connection, file: DatasetFile, task: Task) -> gate.GateFacts:
    """The counts that the gate decides on; with what the format could not hold, when an export of these rows was written."""
    unfinished = 0
    for cursor in cursors.stage_cursors(connection, task.id, Stage.AUGMENT):
        if cursor.status is not Status.DONE:
            unfinished = max(unfinished, (cursor.total_rows or 0) - cursor.processed_rows)
    now = dataset_files.file_by_id(connection, file.id)
    written = written_rows(connection, task)
    reviewed = review_verdicts.counts(connection, task.id)
    return gate.GateFacts(
        name=file.name,
        total=now.conversations or 0,
        failed=failed_samples.open_counts(connection, [task.id]).get(task.id, 0),
        empty=augmented.empty_rows(connection, task.id),
        unfinished=unfinished,
        stale=augmented.stale_rows(connection, task.id),
        new_rows=reviewed.rows,
        judged=reviewed.judged,
        judged_bad=reviewed.bad,
        rejects=rows.reject_reasons(connection, file.id),
        drops=outcomes.source_rows(connection, file.id, task.id, now.conversations or 0).dropped,
        written=None
        if written is None
        else gate.Written(written.format, sum(written.rows.values()), written.not_exportable),
    )


def _resumed(held: Held, snapshot: Snapshot) -> ExportPart | None:
    """The half-written file of an earlier run, when it is of the same rows and still whole."""
    position = held.cursor(FILE).position
    if not position or position.get("version") != snapshot.version or "mark" not in position:
        return None
    mark = Mark.from_json(orjson.dumps(position["mark"]).decode())
    return ExportPart.resume(held.work.work_folder, mark, held.work.recipe.export.compression)


def _started(held: Held) -> ExportPart:
    held.commit(_start_over, held)
    return ExportPart.start(held.work.work_folder, held.work.file.name, held.work.recipe.export.compression)


def _start_over(connection: Connection, held: Held) -> None:
    exports.start(connection, held.work.task.id)
    cursors.rewind(connection, held.work.task.id, Stage.EXPORT, FILE)


def _write_lines(held: Held, part: ExportPart, snapshot: Snapshot) -> None:
    cursor = held.cursor(FILE)
    end, room = cursor.end_id or 0, room_of(held.work.recipe)
    if room is not None:
        room = room._replace(lines=max(0, room.lines - counted(part.rows, room)))
    with Behind() as behind:
        page = next_page(held, snapshot, cursor.last_id or id_range(held.work.file.id)[0], end)
        while page.rows:
            chosen, encoded = encoded_page(held.work.recipe, snapshot, page, room)
            if room is not None:
                room = room._replace(lines=room.lines - counted(encoded.rows, room))
            lines = [chosen[at] for at in encoded.exported]
            if behind.wait():
                held.boundary()
            following = next_page(held, snapshot, page.last_id, end)
            behind.start(_keep_page, held, part, snapshot, page.last_id, len(page.rows), encoded, lines)
            page = following
        if behind.wait():
            held.boundary()


class Page(NamedTuple):
    """Source rows, what was made from them by their id, the ids that the recipe leaves behind because of their tags, and what
    tasks say of the rows."""

    rows: list[CleanRow]
    made: dict[Any, Any]
    left_behind: frozenset[ConversationId] = frozenset()
    values: Mapping[int, Mapping[tuple[str, int], Mapping[str, Any]]] = MappingProxyType({})
    repeated: int = 0  # new rows that repeat another row and stay behind
    bad: frozenset[ItemKey] = frozenset()  # new rows that people called bad

    @property
    def last_id(self) -> int:
        return self.rows[-1].id


def room_of(recipe: Recipe) -> Room | None:
    """How many rows the recipe wants accepted, and of which kind; None: all that there are."""
    wanted = recipe.augment.until_accepted
    return None if wanted is None else Room(wanted, "augmented" in recipe.export.include)


def counted(rows: Mapping[str, int], room: Room) -> int:
    """How many of some lines, by origin, take room."""
    return sum(count for origin, count in rows.items() if room.counts(origin))


def encoded_page(
    recipe: Recipe, snapshot: Snapshot, page: Page, room: Room | None
) -> tuple[list[tuple[ExportRow, int]], Encoded]:
    """The rows of a page that the recipe chooses, and what of them goes out."""
    chosen, left_behind = _chosen_rows(page, snapshot.labels, recipe)
    rows = (row for row, _ in chosen)
    encoded = encode(rows, snapshot.source, snapshot.target, checked=snapshot.checked, room=room)
    encoded.left_behind.update(left_behind)
    return chosen, encoded


def next_page(held: Held, snapshot: Snapshot, after: int, end: int) -> Page:
    """The kept rows behind `after`, up to `end`, with what was made of them."""
    task_id, size = held.work.task.id, held.work.recipe.export.batch_size
    found = held.fetch(cleaned.kept_page, task_id, after, end, size)
    wanted = found and snapshot.labels
    made = held.fetch(augmented.rows_between, task_id, found[0].id - 1, found[-1].id) if wanted else {}
    if not found:
        return Page(found, made)
    made, repeated = _without_repeats(held, found, made)
    bad = held.fetch(review_verdicts.judged_bad, task_id, found[0].id - 1, found[-1].id) if made else frozenset()
    return Page(found, made, held.fetch(_left_behind, held, found), held.fetch(_values, held, found), repeated, bad)


def _without_repeats(held: Held, found: list[CleanRow], made: dict[Any, Any]) -> tuple[dict[Any, Any], int]:
    """What was made without what repeats another row, and how many these are, where the recipe drops them."""
    if held.work.recipe.export.repeats == "keep" or not made:
        return made, 0
    repeated = held.fetch(augmented.repeats_between, held.work.task.id, found[0].id - 1, found[-1].id)
    kept = {row: [new for new in own if (row, *new[:2]) not in repeated] for row, own in made.items()}
    return kept, sum(map(len, made.values())) - sum(map(len, kept.values()))


def _values(
    connection: Connection, held: Held, found: list[CleanRow]
) -> dict[int, dict[tuple[str, int], dict[str, Any]]]:
    """What the tasks that `select` names say of rows, by row, then by task and sample."""
    tasks_named = sorted({rule.value.split(".")[0] for rule in held.work.recipe.export.select})
    by_row: dict[int, dict[tuple[str, int], dict[str, Any]]] = {}
    if tasks_named:
        made = row_values.read(connection, held.work.task.id, tasks_named, [row.id for row in found])
        for (identifier, task, sample), own in made.values.items():
            by_row.setdefault(identifier, {})[task, sample] = own
    return by_row


def _left_behind(connection: Connection, held: Held, found: list[CleanRow]) -> frozenset[ConversationId]:
    """The rows that `only_tags` and `without_tags` of the recipe keep from the export."""
    section = held.work.recipe.export
    if not section.only_tags and not section.without_tags:
        return frozenset()
    tags = cleaned.tags_between(connection, held.work.task.id, found[0].id - 1, found[-1].id)
    return frozenset(row.id for row in found if not is_selected(tags.get(row.id, set()), section))


def _keep_page(
    held: Held,
    part: ExportPart,
    snapshot: Snapshot,
    last_id: int,
    rows: int,
    encoded: Encoded,
    lines: list[tuple[ExportRow, int]],
) -> None:
    first_line = part.lines + 1
    part.add(encoded)
    held.commit(_write_page, held, snapshot, last_id, rows, part.mark(), first_line, lines, encoded.withheld)


def _chosen_rows(
    page: Page, order: tuple[str, ...], recipe: Recipe
) -> tuple[list[tuple[ExportRow, int]], Counter[str]]:
    """The rows that go out, and why others stay behind: the recipe's tags, or what a task or a person says of them."""
    chosen: list[tuple[ExportRow, int]] = []
    left: Counter[str] = Counter({REPEATS: page.repeated} if page.repeated else {})
    section, samples = recipe.export, samples_by_label(recipe.augment)
    for row in page.rows:
        family = list(_family(row, page.made.get(row.id, ()), order, section.include))
        own = [one for one in family if (row.id, one[0].origin, one[2]) not in page.bad]
        if len(own) < len(family):
            left[JUDGED_BAD] += len(family) - len(own)
        if row.id in page.left_behind:
            left[TAGS] += len(own)
            continue
        candidates = [Candidate(one.origin, sample) for one, _, sample in own]
        stays = staying(candidates, page.values.get(row.id, {}), section.select, samples) if section.select else {}
        left.update(stays.values())
        chosen += [(one, variant) for (one, variant, _), key in zip(own, candidates, strict=True) if key not in stays]
    return chosen, left


def _family(
    row: CleanRow, made: Sequence[Any], order: tuple[str, ...], include: tuple[str, ...]
) -> Iterator[tuple[ExportRow, int, int]]:
    """(row, variant, sample) of a source row, then of what was made from it in the recipe's order."""
    if "cleaned" in include:
        yield ExportRow(row.id, None, row.conversation), 0, 0
    own = sorted((x for x in made if x[0] in order), key=lambda x: (order.index(x[0]), x[1]))
    for label, sample, turns in own:
        variant = variant_number(order, label, sample)
        yield ExportRow(row.id, variant, row.conversation._replace(turns=turns), label), variant, sample


MOST_SAMPLES = 64  # of a strategy, by its parameters


def variant_number(order: tuple[str, ...], label: str, sample: int) -> int:
    """The number under which the line map knows a strategy's sample; 0 is the cleaned row."""
    return 1 + order.index(label) * MOST_SAMPLES + sample


def _write_page(
    connection: Connection,
    held: Held,
    snapshot: Snapshot,
    last_id: int,
    rows: int,
    mark: Mark,
    first_line: int,
    lines: list[tuple[ExportRow, int]],
    dropped: int,
) -> None:
    exports.insert_chunk(
        connection, held.work.task.id, first_line, [row.conversation_id for row, _ in lines], [v for _, v in lines]
    )
    held.advance(
        connection,
        FILE,
        last_id=last_id,
        rows=rows,
        dropped=dropped,
        position={"version": snapshot.version, "mark": orjson.loads(mark.to_json())},
        active_ms=held.lap_ms(),
    )


def _published(held: Held, snapshot: Snapshot, part: ExportPart, finished: Finished) -> bool:
    """As `_publish`; a worker that slept while another one exported ends as such, and leaves no part behind."""
    try:
        return _publish(held, snapshot, part, finished)
    except Fenced:
        part.discard()
        raise
    except FileNotFoundError:  # the other one swept our part
        held.commit(_unchanged, held, snapshot)
        raise


def _publish(held: Held, snapshot: Snapshot, part: ExportPart, finished: Finished) -> bool:
    """Put the files where readers look, then record the export. False when the rows changed in the meantime."""
    # as a write: a worker that slept while another one exported holds a part of nothing, and must not publish it
    if not held.commit(_unchanged, held, snapshot):
        return False
    target = _target(held.work)

    def on_step(step: str) -> None:
        held.lease.check()
        failpoints.point(f"export {step}")
        if step == "manifest.before":  # what readers follow: the database must still know us
            held.commit(_unchanged, held, snapshot)

    facts = held.fetch(_facts, held, snapshot, finished)
    columns, facts = _as_columns(held, finished, facts)
    _notice_unknown(held, target, finished)
    try:
        published = target.publish(facts, finished.data, finished.not_exportable, columns, on_step=on_step)
    finally:
        if columns is not None:
            columns.path.unlink(missing_ok=True)
    manifest = target.manifest(held.work.file.name) or {}
    if held.work.seal is not None:  # what dies before the record publishes and signs once more
        held.work.seal(held, variants(snapshot.labels), finished.data.lines)
    part.discard()  # before the record: what dies in between writes the lines once more, but leaves nothing behind

    def record(connection: Connection) -> None:
        exports.publish(
            connection,
            held.work.task.id,
            {
                "uri": published.uri,
                "target": target.uri(""),
                "sha256": finished.data.sha256,
                "bytes": finished.data.bytes,
                "lines": finished.data.lines,
                "variants": orjson.dumps(variants(snapshot.labels)).decode(),
                "manifest": orjson.dumps(manifest).decode(),
                "content_version": snapshot.version,
                "run_id": held.work.run_id,
            },
        )
        held.finish(connection, FILE)

    held.commit(record)
    return True


def _as_columns(held: Held, finished: Finished, facts: ExportFacts) -> tuple[FileFacts | None, ExportFacts]:
    """The rows as Parquet, when the recipe wants it or `datasets` does not read the JSON lines as they are; and the facts."""
    wanted, name = held.work.recipe.export.parquet, held.work.file.name
    if not wanted and not (facts.unloadable and finished.data.lines and parquet.is_there()):
        return None, facts
    try:
        columns, as_text = parquet.write_parquet(
            finished.data, held.work.work_folder, name, facts.features, exact=not wanted
        )
    except StopJob as error:
        if wanted:
            raise
        held.work.narrator.notice(f"{name}: the dataset card does not list this export: {error}")
        return None, facts
    if not wanted:
        held.work.narrator.notice(
            f"{name}: load_dataset() would change {facts.unloadable}; the dataset card names a Parquet file beside the lines"
        )
    if as_text:
        facts = dataclasses.replace(facts, parquet_as_text=as_text)
        held.work.narrator.notice(
            f"{name}: Parquet would round numbers; these columns hold their texts: {gate.listed(as_text)}"
        )
    return columns, facts


def _notice_unknown(held: Held, target: Target, finished: Finished) -> None:
    """Say it when this export takes the place of one that the database does not know."""
    name = held.work.file.name
    there = target.manifest(name)
    if there is None or data_sha256(there) in (None, finished.data.sha256):
        return
    if data_sha256(there) not in {sha256 for _, sha256 in held.fetch(exports.of_file, name)}:
        held.work.narrator.notice(
            f"{name}: an export of {there.get('created') or 'another time'} lay at {target.uri('')} of which this database"
            " knows nothing: it was restored from an older backup, or another corpus writes there. This one takes its place"
        )


def variants(order: tuple[str, ...]) -> list[list[Any]]:
    """What the numbers of the line map mean, from 1 on: (label, sample)."""
    return [[label, sample] for label in order for sample in range(MOST_SAMPLES)]


def _unchanged(connection: Connection, held: Held, snapshot: Snapshot) -> bool:
    return tasks.task_by_id(connection, held.work.task.id).content_version == snapshot.version


def _personal_data(connection: Connection, held: Held, snapshot: Snapshot) -> dict[str, Any]:
    """What of personal data was masked, by kind and place, and what nothing looked at."""
    rules = [rule for rule in build_rules(held.work.recipe.clean.rules) if isinstance(rule, MaskingRule)]
    found = cleaned.found_counts(connection, held.work.task.id, {rule.name for rule in rules})
    return {"found": found, **coverage(rules)}


def _facts(connection: Connection, held: Held, snapshot: Snapshot, finished: Finished) -> ExportFacts:
    file, recipe, task_id = held.work.file, held.work.recipe, held.work.task.id
    total, dropped, repeated = cleaned.counts(connection, task_id)
    told = account(
        connection,
        file,
        held.work.task,
        recipe.export,
        WrittenRows(finished.rows, finished.reasons, left_behind=finished.left_behind),
    ).to_dict()
    items = augmented.item_counts(connection, task_id)
    reader = llama_factory.Reader(snapshot.target)
    features = infer_file(finished.data.path, finished.data.compression, reader.take)
    entry, why = reader.entry([column["name"] for column in features.columns])
    finished_at = max(
        (c.finished_at or 0 for c in cursors.stage_cursors(connection, task_id, Stage.AUGMENT)), default=0
    )
    return ExportFacts(
        name=file.name,
        source_sha256=file.sha256,
        source_bytes=file.bytes,
        source_format=file.format,
        export_format=snapshot.target.name,
        recipe_name=recipe.name,
        recipe_version=recipe.version,
        stage_counts={
            "ingest": {
                "lines": file.lines or 0,
                "conversations": file.conversations or 0,
                "rejects": file.rejects or 0,
                "blanks": file.blanks or 0,
            },
            "clean": {
                "kept": total - dropped - repeated,
                "dropped": dropped,
                "duplicates": repeated,
                "near_other_answer": outcomes.near_with_another_answer(connection, task_id),
            },
            "augment": {
                # how many were made of answers paid before is left out: it tells how the work went, not what came of it
                word: sum(counts[word] for counts in items.values())
                for word in ("done", "failed", "skipped")
            },
        },
        drop_reasons=cleaned.drop_reasons(connection, task_id),
        personal_data=_personal_data(connection, held, snapshot),
        tags=cleaned.tag_counts(connection, task_id),
        left_behind=finished.left_behind,
        left_behind_by_tag=cleaned.left_behind(
            connection, task_id, recipe.export.only_tags, recipe.export.without_tags
        ),
        rows_by_origin=finished.rows,
        losses=finished.losses,
        not_exportable=finished.reasons,
        models=augmented.models(connection, task_id),
        prompt_versions=augmented.prompt_versions(connection, task_id),
        tolerated=gate.tolerated(
            gate_facts(connection, file, held.work.task)._replace(
                written=gate.Written(snapshot.target.name, finished.data.lines, finished.reasons)
            ),
            gate_limits(recipe),
        ),
        account=told,
        created=datetime.fromtimestamp(finished_at / 1000, tz=UTC).isoformat(timespec="seconds"),
        llama_factory=entry,
        llama_factory_why=why,
        features=features.columns,
        guessable=features.guessable,
        unloadable=features.unloadable,
    )
