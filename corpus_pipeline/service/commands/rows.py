"""Commands on single rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from corpus_pipeline.errors import UsageError
from corpus_pipeline.model import ConversationId, split_id
from corpus_pipeline.store import (
    Store,
    audit_log,
    rows,
    tasks,
)


def delete_rows(store: Store, ids: Sequence[ConversationId], reason: str, who: str) -> None:
    """Soft-delete rows (`is_deleted`): no stage reads them any more, and the next export is without them and what was
    made from them. Raises UsageError without a reason, KeylessWrite (nothing is changed) when one does not exist.
    """
    if not reason.strip():
        raise UsageError("say why the rows are deleted; it is kept in the audit log")

    def write(connection: Connection) -> None:
        rows.soft_delete(connection, ids)
        for file_id in {split_id(identifier)[0] for identifier in ids}:
            for task_id in tasks.tasks_of_file(connection, file_id):
                tasks.touch_content(connection, task_id)
        audit_log.log(connection, who, "delete", f"{len(ids)} rows", {"ids": list(ids[:1000]), "reason": reason})

    store.write(write, repeatable=True)
