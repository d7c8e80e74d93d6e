"""Everything that may happen to a corpus, in any order: a model-based machine over real worker processes on SQLite."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from corpus_pipeline.errors import LeaseHeld, StoreUnavailable, UnknownName
from corpus_pipeline.llm_stub import StubOptions, running
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import FileState, Stage
from corpus_pipeline.store import invariants, schema
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.workshop import Order, Workshop

NAMES = small.NAMES[:2]
EDITED = small.RECIPE.replace("name: small", "name: edited").replace("[paraphrase, self_refine]", "[paraphrase]")
_MAX_FREEZES = 20
_FREEZE_AT = ("after commit: augment write", "after call", "after commit: ingest write_batch", "export manifest.before")


class CorpusMachine(RuleBasedStateMachine):
    """Workers are processes: they die or freeze at a chosen point. A lease's time is made to pass, not waited for."""

    shop: Workshop

    def __init__(self) -> None:
        super().__init__()
        self.zombies: list[tuple[int, Order]] = []
        self.versions = dict.fromkeys(NAMES, 0)

    @initialize()
    def open(self) -> None:
        self.own = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="corpus-machine-", dir=small.fast_folder()))
        self.own.callback(shutil.rmtree, self.folder, ignore_errors=True)
        options = StubOptions(retry_after=0.01, request_log=self.folder / "invoice.jsonl")
        self.stub = self.own.enter_context(running(options))
        small.begin_anew(self.folder, self.stub)
        self.env = {
            "CORPUS_HOME": str(self.folder / "home"),
            "OPENAI_BASE_URL": self.stub.base_url,
            "CORPUS_LEASE_SECONDS": "60",
        }
        self.corpus = self.own.enter_context(Corpus.open(Settings.from_env(self.env)))
        self.recipes = [small.write_recipe(self.folder)]
        self.recipes.append(self.folder / "edited.yaml")
        self.recipes[1].write_text(EDITED)
        for path in small.write_files(self.folder / "sources")[: len(NAMES)]:
            self.corpus.add(path, recipe=str(self.recipes[0]))

    # --- what workers do ---

    @rule(name=st.sampled_from(NAMES), to=st.integers(1, 4))
    def run(self, name: str, to: int) -> None:
        self._work(Order(self.env, (name,), tuple(Stage)[:to], result=str(self.folder / "result")))

    @rule(name=st.sampled_from(NAMES), point=st.integers(1, 130))
    def kill(self, name: str, point: int) -> None:
        self._work(Order(self.env, (name,), at=str(point)))
        self._expire()

    @rule(name=st.sampled_from(NAMES), at=st.sampled_from(_FREEZE_AT), passing=st.integers(1, 3))
    def freeze(self, name: str, at: str, passing: int) -> None:
        order = Order(self.env, (name,), at=f"{at}#{passing}", how="stop")
        pid = self.shop.start(order)
        if self.shop.wait(pid, order) is None:
            self.zombies.append((pid, order))
            self._expire(pid)

    @rule()
    def thaw(self) -> None:
        while self.zombies:
            pid, order = self.zombies.pop()
            os.kill(pid, signal.SIGCONT)
            done = self.shop.wait(pid, order)
            assert done is not None and (done.exit, done.signal) == (0, 0)

    # --- what people and files do ---

    @rule(stage=st.sampled_from([None, *Stage]), name=st.sampled_from([None, *NAMES]))
    def pause(self, stage: Stage | None, name: str | None) -> None:
        self.corpus.pause([name] if name else [], stage, name is None and stage is None, "the machine")

    @rule()
    def resume(self) -> None:
        self.corpus.resume([], None, everything=True)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 1))
    def edit_recipe(self, name: str, which: int) -> None:
        self.corpus.bind_recipe(name, str(self.recipes[which]))

    @rule(name=st.sampled_from(NAMES))
    def replace_file(self, name: str) -> None:
        self.versions[name] += 1
        path = self.folder / "sources" / f"{name}-{self.versions[name]}.jsonl"
        path.write_bytes(b"\n".join([*small.lines(name), *small.lines(f"{name}{self.versions[name]}")[:2]]) + b"\n")
        with contextlib.suppress(LeaseHeld):  # somebody works on a file whose rows repeat it
            self.corpus.add(path, name=name, replace=True, recipe=str(self.recipes[0]))

    @rule(name=st.sampled_from(NAMES), row=st.integers(1, 7))
    def soft_delete(self, name: str, row: int) -> None:
        (file,) = self.corpus.files([name])
        identifier = (file.id << 32) + row
        query = select(schema.conversations.c.id).where(schema.conversations.c.id == identifier)
        if file.state is FileState.INGESTED and self.corpus.store.fetch(lambda c: c.execute(query).first()):
            self.corpus.delete_rows([identifier], "the machine")

    @rule(name=st.sampled_from(NAMES), row=st.integers(1, 7), copies=st.booleans())
    def purge(self, name: str, row: int, copies: bool) -> None:
        with contextlib.suppress(LeaseHeld, UnknownName):  # somebody works on it; it has fewer lines
            self.corpus.purge(name, [row], reason="the machine", copies=copies)

    @rule(seed=st.integers(0, 3), share=st.sampled_from([0.0, 0.2, 0.4]))
    def faults(self, seed: int, share: float) -> None:
        self.stub.app.engine.mix = small.FaultOfRequest(seed, share)  # type: ignore[assignment]

    # --- what must always hold ---

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "corpus"):
            self._check(at_rest=False)

    def _check(self, *, at_rest: bool) -> None:
        store = self.corpus.store
        found = store.fetch(invariants.violations, at_rest=at_rest)
        found += store.fetch(invariants.ledger_violations, small.invoice(self.folder))
        assert found + store.fetch(invariants.paid_twice) == []

    def teardown(self) -> None:
        """When the faults stop, everything comes to its end."""
        if not hasattr(self, "corpus"):
            return
        try:
            self.thaw()
            self.resume()
            self._expire()
            for recipe in self.recipes[::-1]:  # what was begun under either is finished
                for name in NAMES:
                    self.corpus.bind_recipe(name, str(recipe))
                for _ in NAMES:  # the second file may make rows of the first one duplicates: that one is exported again
                    self._work(Order(self.env, NAMES, result=str(self.folder / "last")))
            for name in NAMES:
                assert self.corpus.incomplete_stages(name) == []
            tasks = schema.dataset_files.c
            with self.corpus.store.read() as connection:
                replaced = connection.execute(select(tasks.id).where(tasks.superseded_at.is_not(None))).all()
            self._check(at_rest=not replaced)  # the tasks of a replaced file stay where they were
        finally:
            self.own.close()

    def _work(self, order: Order) -> None:
        done = self.shop.run(order)
        assert done is not None and done.exit in (0, -1), done

    def _expire(self, frozen: int | None = None) -> None:
        """As if the time of every lease had passed; one that was frozen inside a transaction is frozen behind it."""
        passed = update(schema.leases).where(schema.leases.c.expires_at > 0).values(expires_at=1)
        for _ in range(_MAX_FREEZES):
            try:
                self.corpus.store.write(lambda c: c.execute(passed), patience=None if frozen is None else 2.0)
                return
            except StoreUnavailable:
                if frozen is None:
                    raise
            os.kill(frozen, signal.SIGCONT)
            time.sleep(0.02)
            os.kill(frozen, signal.SIGSTOP)
        raise AssertionError(f"{frozen} is inside a transaction whenever it is frozen")


def test_whatever_happens_nothing_is_lost_or_doubled() -> None:
    with Workshop() as shop:
        CorpusMachine.shop = shop
        run_state_machine_as_test(
            CorpusMachine,
            settings=settings(
                max_examples=int(os.environ.get("TORTURE_EXAMPLES", "3")),
                stateful_step_count=8,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
                database=None,
                print_blob=True,
            ),
        )
