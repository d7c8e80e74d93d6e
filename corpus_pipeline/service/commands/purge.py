"""Removal requests: a source row and everything made from it goes, stays out, and a report says what went and what did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from corpus_pipeline.errors import TargetUnavailable, UnknownName, UsageError
from corpus_pipeline.jobs import remote
from corpus_pipeline.jobs.augment import answer_spool
from corpus_pipeline.jobs.clean.invalidation import compare_again
from corpus_pipeline.jobs.export import marked_parts
from corpus_pipeline.model import ROW_BITS, FileId, TaskId, id_range, split_id
from corpus_pipeline.recipe import parse
from corpus_pipeline.service import search_index
from corpus_pipeline.service.queries.views import place_of
from corpus_pipeline.service.records.exports import PurgedExport, PurgedRecipe, PurgedRow, PurgeReport
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.export.manifest import stored_files
from corpus_pipeline.stages.export.targets import Target
from corpus_pipeline.stages.export.writer import sweep_parts
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import (
    Store,
    audit_log,
    cleaned,
    cursors,
    dataset_files,
    exports,
    instructions,
    leases,
    purges,
    recipes,
    row_queries,
    rows,
    scrubbing,
    tasks,
)
from corpus_pipeline.store.row_words import RowWords

ACTION = "purge"
FILES = "purge files"  # what went of files beside the database: known when the report is in the audit log already
_PREVIEWED = 5  # rows of a stage that Dagster's event log shows
_PREVIEWS = "previews of first rows in Dagster's event log"
_MOST_NAMED = 1000  # of a list in the report


class _Asked(NamedTuple):
    """What is to go, by id: rows of the named file, the same places of files with the same bytes, and copies."""

    ids: list[int]
    good: list[Any]
    bad: list[Any]
    absent: list[int]  # not ingested yet: they are kept out


def purge(
    store: Store,
    target: Target | None,
    settings: Settings,
    name: str,
    numbers: Sequence[int],
    *,
    reason: str,
    who: str,
    copies: bool = False,
) -> PurgeReport:
    """Purge rows of a dataset file by their numbers. The same rows of files with the same bytes go with them; copies: rows
    with the same content in any file, too. Purging what is purged looks again and does what can be done now.

    Returns the report, which the audit log keeps. Raises UsageError (no reason, no such row), UnknownName, LeaseHeld (somebody
    works on it).
    """
    if not reason.strip():
        raise UsageError("say why the rows are removed (--reason TEXT); it is kept in the audit log")
    if not numbers:
        raise UsageError(f"say which rows: corpus purge {name} ROW..., numbered as `corpus rows {name}` lists them")

    here = target.uri("") if target is not None else None
    answer_spool.settle_all(store, settings.spool_folder)

    def write(connection: Connection) -> tuple[PurgeReport, RowWords, list[dataset_files.DatasetFile]]:
        store.backend.forget_deleted(connection)
        report, words, files = _purge(connection, name, sorted(set(numbers)), reason, who, copies, here)
        report["report"] = audit_log.log(connection, who, ACTION, name, report)
        return report, words, files

    report, words, files = store.write(write, repeatable=True, name="purge")
    of_rows = set(report["removed"])
    _scrub_dagster(settings, words, report)
    _forget_downloads(settings, files, report)
    if beside := {key: count for key, count in report["removed"].items() if key not in of_rows}:
        detail = {"report": report["report"], **beside}
        store.write(lambda c: audit_log.log(c, who, FILES, name, detail), repeatable=True, name="purge")
    sweep_parts(settings.work_folder, keep=store.fetch(marked_parts))
    report["left"] = store.backend.after_forgetting(store.engine) + report["left"]
    report["left"] += search_index.catch_up_all(store, settings.search_folder)
    _withdraw(target, here, report)
    return report


def _forget_downloads(settings: Settings, files: Sequence[dataset_files.DatasetFile], report: PurgeReport) -> None:
    """Delete what was copied here of files that lie elsewhere: it holds the rows. A run that reads such a file again makes a
    copy again."""
    elsewhere = {file.path for file in files if remote.is_remote(file.path)}
    gone, still = remote.Copies(settings.downloads_folder).forget({file.sha256 for file in files}, elsewhere)
    if gone:
        report["removed"]["downloads"] = gone
    report["left"] += [f"{place}: it cannot be deleted, or it is being copied. Purge the rows again" for place in still]


def _scrub_dagster(settings: Settings, words: RowWords, report: PurgeReport) -> None:
    """Take the words out of what Dagster keeps in files; a server of its own is beyond us, and the report says so."""
    quoted, busy = scrubbing.scrub_folder(settings.dagster_home, words)
    if quoted:
        report["removed"]["quotes_in_dagster"] = quoted
    report["left"] += busy
    if not busy and settings.dagster_database is None:
        report["left"] = [one for one in report["left"] if not one.startswith(_PREVIEWS)]


def _purge(
    connection: Connection,
    name: str,
    numbers: list[int],
    reason: str,
    who: str,
    with_copies: bool,
    here: str | None,
) -> tuple[PurgeReport, RowWords, list[dataset_files.DatasetFile]]:
    file, _ = place_of(connection, name)
    names = row_queries.file_labels(connection)
    _check_numbers(file, numbers)
    asked = _asked(connection, file.sha256, numbers)
    found = purges.copies(connection, asked.ids)
    if with_copies:
        more = [(split_id(i)[0], split_id(i)[1]) for i in found]
        for file_id in sorted({f for f, _ in more}):
            sha256 = dataset_files.file_by_id(connection, FileId(file_id)).sha256
            own = _asked(connection, sha256, [n for f, n in more if f == file_id])
            asked = _Asked(*(sorted({*a, *b}) for a, b in zip(asked, own, strict=True)))
        found = purges.copies(connection, asked.ids)
    file_ids = sorted({split_id(i)[0] for i in asked.ids})
    _bar(connection, file_ids, names)
    files = [dataset_files.file_by_id(connection, FileId(file_id)) for file_id in file_ids]
    return *_report_of(connection, asked, found, file_ids, names, name, reason, who, here), files


def _check_numbers(file: dataset_files.DatasetFile, numbers: list[int]) -> None:
    last = file.lines or (1 << ROW_BITS) - 1
    wrong = [number for number in numbers if not 0 < number <= last]
    if wrong:
        raise UnknownName("row", f"{file.name}:{wrong[0]}", [f"{file.name}:1 to {file.name}:{last}"])


def _asked(connection: Connection, sha256: str, numbers: Sequence[int]) -> _Asked:
    versions = purges.same_bytes(connection, sha256)
    ids = sorted((row.id << ROW_BITS) | number for row in versions for number in numbers)
    good, bad = purges.stored(connection, ids)
    known = {row.id for row in (*good, *bad)}
    return _Asked(ids, [tuple(row) for row in good], [tuple(row) for row in bad], [i for i in ids if i not in known])


def _bar(connection: Connection, file_ids: Sequence[int], names: dict[int, str]) -> None:
    """No one writes for these files, and no one compares rows with theirs, until the transaction ends."""
    barred = [
        (task_id, stage, names[file_id])
        for file_id in file_ids
        for task_id in purges.tasks_of(connection, [file_id])
        for stage in Stage
    ]
    for file, task in tasks.current_tasks(connection):
        if task is not None and file.id not in file_ids:
            recipe = parse(recipes.recipe_row(connection, task.recipe_id).body)
            if recipe.clean.dedup.scope == "corpus":
                barred.append((task.id, Stage.CLEAN, file.name))
    for task_id, stage, name in sorted(barred):
        leases.bar(connection, task_id, stage, name)


def _report_of(
    connection: Connection,
    asked: _Asked,
    copies: list[int],
    file_ids: Sequence[int],
    names: dict[int, str],
    name: str,
    reason: str,
    who: str,
    here: str | None,
) -> tuple[PurgeReport, RowWords]:
    def address(identifier: int) -> str:
        file_id, number = split_id(identifier)
        return f"{names.get(file_id, '?')}:{number}"

    own_tasks = purges.tasks_of(connection, file_ids)
    purged_before = {i for file_id in file_ids for i in _purged_before(connection, file_id, asked.ids)}
    fresh = [row[0] for row in asked.good if row[0] not in purged_before]
    bad = [row[0] for row in asked.bad if row[0] not in purged_before]
    previewed = _previewed(connection, own_tasks, fresh)
    lines = exports.lines_holding(connection, own_tasks, asked.ids)
    repeating = purges.repeating(connection, fresh)
    words = scrubbing.words_of(connection, own_tasks, fresh, map(split_id, bad))
    erased = purges.erase(connection, fresh, bad)
    quoted = scrubbing.scrub(connection, words, own_tasks, fresh)
    templates = instructions.scrub_prompts(connection, words)
    quoting = _quoting_recipes(connection, words, asked.ids, address)
    plain = row_queries.file_names(connection)  # reports were written when each version was the current one
    reviewed = purges.scrub_reports(connection, own_tasks, [f"{plain[split_id(i)[0]]}:{split_id(i)[1]}" for i in fresh])
    for file_id in file_ids:
        sha256 = dataset_files.file_by_id(connection, FileId(file_id)).sha256
        own = [split_id(i)[1] for i in asked.ids if split_id(i)[0] == file_id]
        purges.keep_out(connection, sha256, own, reason, who)
    again = compare_again(connection, {one.task_id for one in repeating}, who)
    if fresh:
        for task_id in {*own_tasks, *again}:
            tasks.touch_content(connection, task_id)
            _drop_half_written(connection, task_id, who)
    exports.mark_purged(connection, list(lines))
    current = {task.id: file.name for file, task in tasks.current_tasks(connection) if task is not None}
    held = _exports(connection, lines, current)
    stale = {entry["name"] for entry in held if entry["current"] and entry["target"] == here}
    to_run = sorted({current[task_id] for task_id in again if task_id in current} | stale)
    stored: list[PurgedRow] = [
        {
            "row": address(i),
            "was": _was(i, asked, purged_before),
            "line": line,
            "byte_offset": offset,
            "bytes": size,
        }
        for i, line, offset, size in sorted((*asked.good, *asked.bad))
    ]
    absent: list[PurgedRow] = [{"row": address(i), "was": "not ingested yet"} for i in asked.absent]
    report: PurgeReport = {
        "file": name,
        "reason": reason,
        "by": who,
        "rows": [*stored[:_MOST_NAMED], *absent[:_MOST_NAMED]],
        "removed": erased.removed
        | ({"reviews": reviewed} if reviewed else {})
        | ({"quotes": quoted} if quoted else {})
        | ({"quotes_in_prompts": templates} if templates else {})
        | ({"quotes_in_recipes": gone} if (gone := sum(not one["needed"] for one in quoting)) else {}),
        "kept": erased.kept,
        "exports": held,
        "copies": [address(i) for i in copies if i not in purged_before][:_MOST_NAMED],
        "repeated_by": [address(one.conversation_id) for one in repeating][:_MOST_NAMED],
        "recipes": quoting,
        "again": to_run,
        "left": [*_of_recipes(quoting), *_left(connection, asked, file_ids, own_tasks, previewed)],
        "next": f"corpus run {' '.join(to_run)}" if to_run else None,
    }
    return report, words


def _quoting_recipes(
    connection: Connection, words: RowWords, ids: Sequence[int], address: Callable[[int], str]
) -> list[PurgedRecipe]:
    """Recipe versions that quote the rows: those by which no file is worked any more lose the words, now or, when an earlier
    purge of these rows found them in use, this time.
    """
    found = {one.version: one for one in instructions.quoting_recipes(connection, words)}
    rows = {address(identifier) for identifier in ids}
    for entry in audit_log.actions(connection, [ACTION], since=0):
        detail = orjson.loads(entry.detail)
        for known in detail.get("recipes", ()) if rows & {row["row"] for row in detail["rows"]} else ():
            before = [tuple(place) for place in known["places"]]
            now = instructions.quoting_recipe(connection, known["version"], before)
            if now is not None:
                found.setdefault(now.version, now)
    told: list[PurgedRecipe] = []
    for recipe in found.values():
        needed = recipe.needed
        if not needed:
            body = instructions.body_without(connection, recipe)
            try:
                parse(body)
            except UsageError:
                needed = True
            else:
                instructions.replace_body(connection, recipe.id, body)
        places = [list(place) for place in recipe.places]
        told.append({"name": recipe.name, "version": recipe.version, "places": places, "needed": needed})
    return told


def _of_recipes(quoting: Sequence[PurgedRecipe]) -> Iterator[str]:
    for recipe in quoting:
        if recipe["needed"]:
            places = ", ".join(".".join(map(str, place)) for place in recipe["places"])
            yield (
                f"recipe {recipe['name']}, version {recipe['version'][:12]}, quotes the rows in {places}, and files are worked"
                " by it. Take the words out of its file, bind the files to it (corpus add FILE --recipe RECIPE.yaml), and"
                " purge the rows again"
            )
        else:
            yield f"the file of recipe {recipe['name']}, if it is still there: what is stored of it has lost the words"


def _purged_before(connection: Connection, file_id: int, ids: Sequence[int]) -> Iterator[int]:
    """Those whose text was removed already."""
    sha256 = dataset_files.file_by_id(connection, FileId(file_id)).sha256
    numbers = [split_id(i)[1] for i in ids if split_id(i)[0] == file_id]
    return ((file_id << ROW_BITS) | number for number in purges.kept_out(connection, sha256, numbers))


def _was(identifier: int, asked: _Asked, purged_before: set[int]) -> str:
    if identifier in purged_before:
        return "purged before"
    return "a conversation" if any(row[0] == identifier for row in asked.good) else "a rejected line"


def _previewed(connection: Connection, own_tasks: Sequence[TaskId], ids: Sequence[int]) -> bool:
    """Whether one of these may stand in the previews that Dagster keeps: the first rows of a file at a stage."""
    first = set[int]()
    for task_id in own_tasks:
        low, high = id_range(tasks.task_by_id(connection, task_id).file_id)
        first |= {row.id for row in rows.page(connection, low, high, _PREVIEWED)}
        first |= {row.id for row in cleaned.kept_page(connection, task_id, low, high, _PREVIEWED)}
    return bool(first & set(ids))


def _drop_half_written(connection: Connection, task_id: TaskId, who: str) -> None:
    """An export that stopped half-way is begun again: its part holds the text."""
    own = cursors.stage_cursors(connection, task_id, Stage.EXPORT)
    if any(cursor.position and cursor.status is not Status.DONE for cursor in own):
        cursors.start_over(connection, task_id, Stage.EXPORT, who=who)
        exports.start(connection, task_id)


def _exports(connection: Connection, lines: dict[int, list[int]], current: dict[TaskId, str]) -> list[PurgedExport]:
    found: list[PurgedExport] = []
    for entry in exports.listed(connection):
        if entry.id in lines:
            found.append(
                {
                    "export": entry.id,
                    "name": entry.file_name,
                    "uri": entry.uri,
                    "target": entry.target,
                    "current": entry.superseded_at is None and entry.task_id in current,
                    "lines": lines[entry.id][:_MOST_NAMED],
                    "files": [file._asdict() for file in stored_files(orjson.loads(entry.manifest))],
                }
            )
    return found


def _left(
    connection: Connection, asked: _Asked, file_ids: Sequence[int], own_tasks: list[TaskId], previewed: bool
) -> Iterator[str]:
    """What a database cannot remove, one sentence with the way each."""
    place = {row[0]: row for row in (*asked.good, *asked.bad)}
    for file_id in file_ids:
        file = dataset_files.file_by_id(connection, FileId(file_id))
        own = [place[i] for i in asked.ids if i in place and split_id(i)[0] == file_id]
        where = ", ".join(f"line {line} ({size:,} bytes from byte {offset:,})" for _, line, offset, size in own[:20])
        if file.superseded_at is None:
            yield (
                f"the source file {file.path}: {where or 'its lines'}. Take them out and register it again"
                f" (corpus add PATH --name {file.name} --replace), or delete it"
            )
        else:
            yield f"the source file {file.path}, if it is still there: {where or 'its lines'}"
        if remote.is_remote(file.path):
            yield (
                f"copies of {file.path} on other hosts that worked on it, and those that runs make again while the source has"
                f" the rows: purge the rows there, too, or delete downloads/{file.sha256} in their CORPUS_HOME"
            )
    runs = {event.run_id for event in cursors.events(connection, own_tasks, limit=1 << 31) if event.run_id}
    if previewed and runs:
        yield (
            f"{_PREVIEWS}: dagster run delete "
            + " ".join(sorted(runs)[:20])
            + (f" (and {len(runs) - 20} more)" if len(runs) > 20 else "")
        )
    yield "backups of the database and copies that others have taken: nobody here knows of them"


def _withdraw(target: Target | None, here: str | None, report: PurgeReport) -> None:
    """Remove what past exports left in the target, where it lets us; say where it does not, and what lies elsewhere."""
    left = list[str]()
    for export in report["exports"]:
        stored = stored_files({"files": export.pop("files")})
        if export["target"] != here:  # or here, when the folder was moved
            left.append(f"{export['uri']}, if it is still there: exports go to another place now; delete it there")
        try:
            found = target.withdraw(export["name"], stored) if target is not None else []
        except TargetUnavailable as error:
            left.append(f"the files of export {export['export']}: {error}")
            continue
        export["objects"] = [{"uri": uri, "state": state} for uri, state in found]
        for uri, state in found:
            if state == "current":
                left.append(f"{uri}, until the next export of {export['name']} and a second purge after it")
            elif state == "there":
                left.append(f"{uri}: the export target keeps what was published; delete it there")
    report["left"] = [*dict.fromkeys(left), *report["left"]]
