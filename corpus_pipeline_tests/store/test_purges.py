"""What a purge does to calls that are still under way."""

from __future__ import annotations

from sqlalchemy import select

from corpus_pipeline.model import Answer, ConversationId, NanoDollars, Usage, conversation_id
from corpus_pipeline.states import AttemptState, BudgetScope
from corpus_pipeline.store import Store, budgets, provider_batches, purges, spending
from corpus_pipeline.store.ledger import Intent, Settlement
from corpus_pipeline.store.schema import answers, llm_attempts
from corpus_pipeline_tests.store import making


def intent(made: making.Made, identifier: ConversationId) -> Intent:
    key = f"{identifier:064d}"
    return Intent(
        f"a{identifier}", key, made.task_id, identifier, "paraphrase", 0, 1, 1, f"c{made.task_id}", "v" * 64, "m",
        1, 1, 1, 1, NanoDollars(70), 1, None,
    )  # fmt: skip


def test_what_a_provider_batch_brings_for_a_purged_row_is_not_taken_in(store: Store):
    made = making.task(store)
    making.ingest(store, made, 2)
    gone, stays = (conversation_id(made.file_id, number) for number in (1, 2))
    intents = [intent(made, gone), intent(made, stays)]
    store.write(lambda c: provider_batches.plan(c, store.backend, made.task_id, "k" * 64, intents, {}))
    erased = store.write(lambda c: purges.erase(c, [gone], []))
    assert (erased.removed, erased.kept) == ({"turns": 1}, {"ledger_rows": 1})

    usage = Usage(5, 6)
    ends = [Settlement(i.id, AttemptState.ANSWERED, "stop", usage, NanoDollars(40), 1) for i in intents]
    arrived = [(i.id, i.request_key, Answer("text", "stop", "m", usage)) for i in intents]
    store.write(lambda c: provider_batches.take_in(c, store.backend, ends, arrived))
    own = select(llm_attempts.c.state, llm_attempts.c.cost).where(llm_attempts.c.task_id == made.task_id)
    assert [tuple(row) for row in store.fetch(lambda c: c.execute(own.order_by(llm_attempts.c.id)).all())] == [
        ("unknown", 70),
        ("answered", 40),
    ]
    kept = select(answers.c.attempt_id).where(answers.c.attempt_id.in_([i.id for i in intents]))
    assert store.fetch(lambda c: c.execute(kept).scalars().all()) == [intents[1].id]
    assert store.fetch(budgets.level, BudgetScope.TASK, str(made.task_id)) == (110, 0)
    assert store.fetch(spending.of_task, made.task_id).cost == 110


def test_a_purged_row_is_kept_out_of_every_file_with_its_bytes(store: Store):
    made = making.task(store)
    sha256 = f"{made.file_id:064d}"
    store.write(lambda c: purges.keep_out(c, sha256, [3, 5], "asked", "me"))
    store.write(lambda c: purges.keep_out(c, sha256, [5, 6], "asked again", "me"))
    assert store.fetch(purges.kept_out, sha256, range(1, 10)) == {3, 5, 6}
    assert store.fetch(purges.kept_out, "0" * 64, [3]) == set() == store.fetch(purges.kept_out, sha256, [])
    assert store.fetch(purges.of_row, sha256, 5).reason == "asked"
