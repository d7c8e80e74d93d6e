"""Pause flags: a row from any client, four scopes, and what runs below them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from corpus_pipeline.service.commands import pause
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Store, cursors, leases, pauses
from corpus_pipeline_tests.store import making


@pytest.fixture(autouse=True)
def no_flags(store: Store) -> None:
    store.write(lambda c: pauses.clear(c, stage=None, file_names=[], everything=True, cleared_by="test"))


def covered(store: Store, name: str, stage: Stage) -> bool:
    return store.fetch(pauses.covering, name, stage) is not None


@pytest.mark.parametrize(
    ("stage", "named", "expected"),
    [
        (None, False, {("a", "clean"), ("a", "augment"), ("b", "clean"), ("b", "augment")}),
        ("augment", False, {("a", "augment"), ("b", "augment")}),
        (None, True, {("a", "clean"), ("a", "augment")}),
        ("augment", True, {("a", "augment")}),
    ],
    ids=["everything", "a stage", "a file", "a stage of a file"],
)
def test_the_scopes(store: Store, stage: str | None, named: bool, expected: set[tuple[str, str]]) -> None:
    names = {"a": making.task(store).name, "b": making.task(store).name}
    values = {"stage": stage, "file_name": names["a"] if named else None}
    # what any SQL client may write: nothing but the scope, the reason and who
    sql = "INSERT INTO pause_flags (stage, file_name, reason, requested_by) VALUES (:stage, :file_name, 'why', 'dba')"
    store.write(lambda c: c.execute(text(sql), values))
    found = {(k, s) for k, name in names.items() for s in ("clean", "augment") if covered(store, name, Stage(s))}
    assert found == expected
    (flag,) = store.fetch(pauses.active)
    assert str(flag) == "paused by dba: why"
    assert flag.requested_at > 1_700_000_000_000
    store.write(lambda c: c.execute(text("UPDATE pause_flags SET cleared_at = 1, cleared_by = 'dba'")))
    assert not any(covered(store, name, Stage.AUGMENT) for name in names.values())


def test_a_stage_that_does_not_exist_cannot_be_flagged(store: Store) -> None:
    sql = "INSERT INTO pause_flags (stage, reason, requested_by) VALUES ('agument', 'why', 'dba')"
    with pytest.raises(Exception, match=r"(?i)constraint"):
        store.write(lambda c: c.execute(text(sql)))


def test_a_flag_marks_what_runs_below_it_and_nothing_else(store: Store) -> None:
    below, beside, idle = making.task(store), making.task(store), making.task(store)
    for made in (below, beside):
        making.running(store, made, making.held(store, made))
    making.held(store, idle)
    (flag,) = pause.pause(store, [below.name], None, False, "why", "me")
    again = pause.pause(store, [below.name], None, False, "why", "me")
    assert [f.id for f in again] == [flag.id]
    assert making.cursor(store, below).status is Status.PAUSING
    assert making.cursor(store, below).status_reason == "paused by me: why"
    assert making.cursor(store, beside).status is Status.RUNNING
    assert making.cursor(store, idle).status is Status.PENDING


def test_a_pause_that_is_withdrawn_before_the_boundary_leaves_the_work_running(store: Store) -> None:
    made = making.task(store)
    making.running(store, made, making.held(store, made))
    pause.pause(store, [made.name], None, False, "why", "me")
    pause.pause(store, [], Stage.INGEST, False, "other", "me")
    pause.resume(store, [made.name], None, False, "me")
    assert making.cursor(store, made).status is Status.PAUSING  # the other flag still covers it
    pause.resume(store, [], Stage.INGEST, False, "me")
    assert making.cursor(store, made).status is Status.RUNNING
    assert pause.resume(store, [], Stage.INGEST, False, "me") == []


def test_flags_by_other_clients_are_marked_by_the_sensor(store: Store) -> None:
    made = making.task(store)
    making.running(store, made, making.held(store, made))
    insert = "INSERT INTO pause_flags (file_name, reason, requested_by) VALUES (:name, 'why', 'dba')"
    store.write(lambda c: c.execute(text(insert), {"name": made.name}))
    pause.mark_flags(store)
    assert making.cursor(store, made).status is Status.PAUSING
    store.write(lambda c: c.execute(text("UPDATE pause_flags SET cleared_at = 1 WHERE cleared_at IS NULL")))
    pause.mark_flags(store)
    assert making.cursor(store, made).status is Status.RUNNING


def test_what_may_go_on_is_named_once_nobody_works_and_no_flag_covers_it(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    making.running(store, made, guard)

    def named() -> list[str]:
        return [r.why for r in pause.resumable(store) if r.task_id == made.task_id]

    assert named() == []
    store.write(lambda c: leases.release(c, made.task_id, Stage.INGEST, "me", guard.epoch))
    assert named() == ["takeover"]
    store.write(lambda c: cursors.set_status(c, made.task_id, Stage.INGEST, Status.PAUSED))
    pause.pause(store, [made.name], None, False, "why", "me")
    assert named() == []
    pause.resume(store, [made.name], None, False, "me")
    assert named() == ["resume"]
