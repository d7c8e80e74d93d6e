"""Taking a lease from a holder that keeps it without working: the last resort, with a reason in the audit log."""

from __future__ import annotations

from sqlalchemy import Connection

from corpus_pipeline import process_identity
from corpus_pipeline.errors import LeaseHeld, UsageError
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Store, audit_log, cursors, leases, tasks
from corpus_pipeline.store.leases import Lease


def unlock(store: Store, name: str, stage: Stage | None, reason: str, actor: str, *, force: bool) -> list[Lease]:
    """Take the leases of a dataset file, or that of one of its stages; returns those taken. Every later write of their
    holders is refused, and the next run goes on.

    Raises UsageError without a reason, UnknownName, LeaseHeld for a process of this machine that lives, unless forced.
    """
    if not reason.strip():
        raise UsageError("say why: `corpus unlock NAME --reason TEXT`; it is kept in the audit log")

    def write(connection: Connection) -> list[Lease]:
        ((file, task),) = tasks.current_tasks(connection, [name])
        if task is None:
            return []
        own = [lease for lease in leases.of_task(connection, task.id) if stage in (None, lease.stage)]
        for lease in own:
            if process_identity.is_here(lease.owner) and not process_identity.is_gone(lease.owner) and not force:
                held = leases.in_words(lease, f"{lease.stage} of {file.name}")
                raise LeaseHeld(
                    f"{held}. Pause it (`corpus pause {name}`) or end that process; --force takes the lease all the same"
                )
        taken = [lease for lease in own if leases.unlock(connection, lease)]
        for lease in taken:
            cursors.set_status(
                connection,
                task.id,
                lease.stage,
                Status.INTERRUPTED,
                reason=f"unlocked by {actor}: {reason}",
                who=actor,
            )
            detail = {"stage": lease.stage.value, "owner": lease.owner, "reason": reason}
            audit_log.log(connection, actor, "unlock", file.name, detail)
        return taken

    return store.write(write, repeatable=True)
