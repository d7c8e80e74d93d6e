"""Every closed set of words, one sentence each, and the allowed transitions as data."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The four stages in the order of the data's path."""

    INGEST = "ingest"  # bytes of a dataset file become conversations and turns
    CLEAN = "clean"  # rules tag and transform, deduplication marks
    AUGMENT = "augment"  # model calls write new rows
    EXPORT = "export"  # gate, file, manifest


class Status(StrEnum):
    """The status of a cursor. A stage's status is a view of its cursors (see `combined`)."""

    PENDING = "pending"  # not started, or started over; a run moves it on
    RUNNING = "running"  # a lease holder works; if the lease is expired the holder is dead and anyone may take over
    PAUSING = "pausing"  # a flag covers it and the holder has not yet reached its batch boundary
    PAUSED = "paused"  # stopped at a batch boundary because of a flag; clearing the flag moves it on
    INTERRUPTED = "interrupted"  # stopped at a batch boundary by a signal, a limit or a budget; a new run moves it on
    BLOCKED = (
        "blocked"  # the gate, or a check of the stage before, refused; resolving what it names and a new run move it on
    )
    FAILED = "failed"  # stopped by an error that a person must look at; a new run moves it on
    DONE = "done"  # complete; only --redo or a new task version starts over


# from -> to, who moves it is said at the words above
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.PAUSED, Status.BLOCKED}),
    Status.RUNNING: frozenset(
        {Status.RUNNING, Status.PAUSING, Status.PAUSED, Status.INTERRUPTED, Status.BLOCKED, Status.FAILED, Status.DONE}
    ),
    Status.PAUSING: frozenset(
        {Status.RUNNING, Status.PAUSED, Status.INTERRUPTED, Status.BLOCKED, Status.FAILED, Status.DONE}
    ),
    # paused again: a run met another flag before it began; it is an event of its own, which another resume answers
    Status.PAUSED: frozenset({Status.RUNNING, Status.PENDING, Status.PAUSED}),
    Status.INTERRUPTED: frozenset({Status.RUNNING, Status.PAUSED, Status.PENDING}),
    Status.BLOCKED: frozenset({Status.RUNNING, Status.PAUSED, Status.PENDING}),
    Status.FAILED: frozenset({Status.RUNNING, Status.PAUSED, Status.PENDING}),
    Status.DONE: frozenset({Status.PENDING}),
}

# the first of these words that one of a stage's cursors has is the stage's status
_COMBINED_ORDER = (
    Status.FAILED,
    Status.BLOCKED,
    Status.PAUSING,
    Status.RUNNING,
    Status.PAUSED,
    Status.INTERRUPTED,
    Status.PENDING,
    Status.DONE,
)


def sources_of(target: Status) -> tuple[Status, ...]:
    """The statuses from which `target` may be reached: the guard of the one statement that sets it."""
    return tuple(status for status, targets in TRANSITIONS.items() if target in targets)


def combined(statuses: list[Status]) -> Status:
    """The status of a stage from those of its cursors; a stage without cursors is pending."""
    if Status.DONE in statuses and Status.PENDING in statuses and len(set(statuses)) == 2:
        # one task type is through and the next has not begun: between two passes of one run, or cut there
        return Status.INTERRUPTED
    for status in _COMBINED_ORDER:
        if status in statuses:
            return status
    return Status.PENDING


class FileState(StrEnum):
    """Whether the rows of a dataset file can be read."""

    REGISTERED = "registered"  # known by name, sha256 and size; its rows are absent or incomplete
    INGESTED = "ingested"  # every line became a conversation, a reject or a blank


class RejectReason(StrEnum):
    """Why a line of a dataset file became no conversation."""

    BROKEN_JSON = "broken_json"
    INVALID_UTF8 = "invalid_utf8"
    LONE_SURROGATE = "lone_surrogate"  # an escape such as \ud800 that no UTF-8 can hold
    NON_FINITE_NUMBER = "non_finite_number"  # NaN or Infinity
    OVERSIZED_NUMBER = "oversized_number"  # in old databases only: every number keeps its text now
    DUPLICATE_KEY = "duplicate_key"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    NOT_AN_OBJECT = "not_an_object"
    WRONG_SHAPE = "wrong_shape"  # an object, but not of the file's format


class RowState(StrEnum):
    """What became of a conversation in the rule pass."""

    KEPT = "kept"
    DROPPED = "dropped"


class DuplicateKind(StrEnum):
    """How a row is a duplicate of its keeper."""

    EXACT = "exact"  # everything that would be exported is equal after normalization of form
    NEAR = "near"  # part by part nearly equal
    SAME_PROMPT = "same_prompt"  # another answer to the same prompt, where the recipe keeps one of them


class AttemptState(StrEnum):
    """The state of a ledger row: one HTTP attempt."""

    INTENT = "intent"  # committed before the request was sent
    ANSWERED = "answered"  # a complete answer arrived; its tokens are known or estimated
    ERROR = "error"  # the provider said no, or nothing usable came
    UNKNOWN = "unknown"  # the process died or the wire was cut: booked at its upper bound


class BudgetScope(StrEnum):
    """Whose money a budget is, in the order in which their rows are locked."""

    TASK = "task"  # subject: the task's id
    CONSUMER = "consumer"  # subject: the consumer's name
    DAY = "day"  # subject: the day (UTC, by the clock of the database) on which the call was begun


class BatchState(StrEnum):
    """Where a provider batch is, as far as we know."""

    PLANNED = "planned"  # its requests are booked; it is sent, or found by its key, before anything else is
    SENT = "sent"  # the provider works on it
    TAKEN = "taken"  # its results are stored; what it left unworked may be asked again


class DeliveryState(StrEnum):
    """Whether a webhook was delivered."""

    WAITING = "waiting"  # to be sent, or sent again after a failure
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"  # refused too often


class FailedState(StrEnum):
    """The state of a failed sample."""

    OPEN = "open"  # blocks the export
    REPLAYED = "replayed"  # asked to be tried again; the next augment run takes it
    RESOLVED = "resolved"  # a replay succeeded
    DISMISSED = "dismissed"  # a person said by name that it does not matter


class ItemState(StrEnum):
    """What became of one (conversation, strategy, sample) of a task."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # the strategy does not apply to this conversation; nothing was asked


class ReviewVerdict(StrEnum):
    """What a person says of a new row."""

    GOOD = "good"
    BAD = "bad"
