"""One corpus: its store and settings, opened once, with everything that people do to it as a method."""

from __future__ import annotations

import getpass
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import TypedDict, Unpack

from corpus_pipeline import __version__, process_identity
from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.errors import LeaseHeld, SettingMissing, StoreUnavailable, TargetUnavailable, UsageError
from corpus_pipeline.model import ConversationId
from corpus_pipeline.service import commands, queries
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import FailedState, ReviewVerdict, Stage
from corpus_pipeline.store import Store, dataset_files, exports, migrate, pauses, start_requests, tasks
from corpus_pipeline.store import failed_samples as store_failed_samples
from corpus_pipeline.store import recipes as store_recipes
from corpus_pipeline.store.dataset_files import DatasetFile

# `corpus status` must not wait for what only a run needs: the rest is imported by the methods that use it
if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from corpus_pipeline.jobs import remote
    from corpus_pipeline.jobs.augment.plan import ModelAccess, Overrides
    from corpus_pipeline.jobs.completion_report import CompletionReport
    from corpus_pipeline.jobs.narration import Narrator
    from corpus_pipeline.jobs.runner import Outcome
    from corpus_pipeline.jobs.stage_run import Seal, Work
    from corpus_pipeline.llm.endpoints import Endpoints
    from corpus_pipeline.llm.prices import PriceList
    from corpus_pipeline.recipe import Recipe
    from corpus_pipeline.service.records.calls import (
        CostEstimate,
        FailedSample,
        FailedSampleDetail,
        PriceUpdate,
        ProviderBatch,
        Reconciliation,
        Spending,
    )
    from corpus_pipeline.service.records.exports import Lineage, PurgeReport, RemovalReport
    from corpus_pipeline.service.records.progress import FileStatus, WorkerState
    from corpus_pipeline.service.records.rows import (
        DuplicatePage,
        FilePreview,
        FlatRow,
        JudgeAgreement,
        KeptRow,
        RejectedRow,
        ReviewState,
        RowHistory,
    )
    from corpus_pipeline.stages.export.targets import Target
    from corpus_pipeline.stages.ingest.identity import Identity
    from corpus_pipeline.store.leases import Lease
    from corpus_pipeline.store.pauses import PauseFlag


class Registration(TypedDict, total=False):
    """How a dataset file is registered (see `register.add`)."""

    name: str | None
    recipe: str | None
    consumer: str | None
    format: str | None
    replace: bool


class PreviewOptions(TypedDict, total=False):
    """What a preview of the rules looks at and shows (see `rule_preview.preview`)."""

    only: Sequence[str]
    examples: int
    limit: int | None


@dataclass
class Corpus:
    """A corpus. Open with `Corpus.open()`; close it, or use it as a context manager.

    actor: who acts, for flags, events and the audit log.
    """

    settings: Settings
    store: Store
    actor: str

    @classmethod
    def open(cls, settings: Settings | None = None, *, actor: str | None = None) -> Corpus:
        """Open the corpus of the settings; a fresh database gets its schema. actor: the owner of the process unless named.

        Raises SchemaMismatch, StoreUnavailable.
        """
        settings = settings or Settings.from_env()
        settings.make_home()
        store = Store(
            settings.database_url,
            connections=settings.database_connections,
            idle_seconds=settings.database_idle_seconds,
        )
        try:
            migrate.ensure(store)
        except BaseException:
            store.close()
            raise
        return cls(settings, store, actor or process_owner())

    def acting_as(self, actor: str) -> Corpus:
        """The same open corpus, for what somebody else does; it is closed with this one."""
        return replace(self, actor=actor)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Corpus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- dataset files -------------------------------------------------------------------------------------------------

    def add(
        self, place: Path | str, *, on_bytes: remote.OnBytes | None = None, **options: Unpack[Registration]
    ) -> commands.register.Added:
        """Register a dataset file by its path, or by its address elsewhere (see `register.add`). on_bytes: see `copied`.

        Raises UsageError for an address of several files."""
        from corpus_pipeline.jobs import remote

        found = (
            self.copied(str(place), on_bytes) if remote.is_remote(str(place)) else [commands.naming.Given(Path(place))]
        )
        if len(found) != 1:
            raise UsageError(f"{place}: {len(found)} files lie there; register them one by one, or by `corpus add`")
        return self.register(found[0], **options)

    def register(self, given: commands.naming.Given, **options: Unpack[Registration]) -> commands.register.Added:
        """Register a dataset file that is here, or a copy of it (see `register.add`)."""
        added = commands.register.add(self.store, given.path, address=given.address, who=self.actor, **options)
        if not added.new:
            self._look_at_checks(added.file.name)
        return added

    def copied(self, address: str, on_bytes: remote.OnBytes | None = None) -> list[commands.naming.Given]:
        """Copies of the files that an address means, made or still right (see `remote.fetch`). on_bytes: told how far a copy
        is, (bytes that are there, bytes of the whole or None)."""
        from corpus_pipeline.jobs import remote

        said = on_bytes or remote.nothing
        found = [remote.fetch(one, self.settings, said) for one in remote.listed(address, self.settings)]
        return [commands.naming.Given(one.path, one.address) for one in found]

    def local_path(self, file: DatasetFile) -> Path:
        """Where a dataset file can be read on this host: its path, or its copy, made if need be. Raises as `remote.bring`."""
        from corpus_pipeline.jobs import remote
        from corpus_pipeline.stages.ingest.identity import Identity

        if not remote.is_remote(file.path):
            return Path(file.path)
        return remote.bring(file.path, Identity(file.sha256, file.bytes), self.settings)

    def names_for(self, given: Sequence[commands.naming.Given | Path]) -> list[str]:
        """The names that files get which are registered together (see `naming.names_for`)."""
        return commands.naming.names_for(
            self.store, [one if isinstance(one, commands.naming.Given) else commands.naming.Given(one) for one in given]
        )

    def files(self, names: Sequence[str] = ()) -> list[DatasetFile]:
        """The current dataset files, all or by name. Raises UnknownName."""
        return self.store.fetch(lambda c: dataset_files.current_files(c, names))

    def recipe_of(self, file: DatasetFile) -> Recipe:
        """The recipe version that a dataset file is bound to."""
        row = self.store.fetch(lambda c: store_recipes.recipe_row(c, file.recipe_id))
        return _parsed(row.body, f"recipe {row.name}")

    def bind_recipe(self, name: str, recipe: str) -> commands.recipes.Bound:
        """Bind a recipe (a bundled or stored name, or a file) to a dataset file (see `recipes.bind`)."""
        waiting = [work for work, flag in self.paused() if work.name == name and flag is not None]
        bound = commands.recipes.bind(self.store, name, recipe, who=self.actor)
        self._look_at_checks(name)
        for work in waiting:
            self._stay_paused(work)
        return bound

    def _stay_paused(self, before: commands.pause.Resumable) -> None:
        """What waits for the end of a pause flag waits for it under the recipe of now, too: then the same run goes on."""
        (ahead, *_) = self.incomplete_stages(before.name) or (None,)
        flag = None if ahead is None else self.store.fetch(pauses.covering, before.name, ahead)
        if ahead is None or flag is None or before.run_id is None:
            return
        with suppress(LeaseHeld):  # somebody works on it
            self.mark_paused(before.name, [ahead], str(flag), before.run_id)

    def _look_at_checks(self, name: str) -> None:
        """Say of the first stage that is to do whether a check holds it, under the recipe of now."""
        from corpus_pipeline.jobs import runner

        (file,) = self.files([name])
        if self.store.fetch(tasks.known_task, file.id, file.recipe_id) is None:
            return
        for stage in reversed(list(Stage)[:-1]):
            work = self.work(name, stage)
            if runner.is_complete(work):
                runner.reconsider(work)
                return

    def fit(self, name: str, recipe: Recipe) -> queries.exportability.Fit:
        """How the rows of a dataset file fit the export format of a recipe (see `exportability.fit`)."""
        return queries.exportability.fit(self.store, name, recipe, self.local_path)

    # --- running -------------------------------------------------------------------------------------------------------

    def work(
        self,
        name: str,
        stage: Stage,
        *,
        stop: StopSignal | None = None,
        run_id: str | None = None,
        limit: int | None = None,
        spread: bool = False,
        narrator: Narrator | None = None,
    ) -> Work:
        """One stage of the current task of a dataset file, ready to be run."""
        from corpus_pipeline.jobs.narration import LogNarrator
        from corpus_pipeline.jobs.stage_run import Work

        (file,) = self.files([name])
        recipe = self.recipe_of(file)
        task = self.store.fetch(tasks.known_task, file.id, file.recipe_id)
        if task is None:
            make = partial(tasks.task_for, file_id=file.id, recipe_id=file.recipe_id)
            task = self.store.write(make, repeatable=True, name="task")
        return Work(
            store=self.store,
            file=file,
            task=task,
            recipe=recipe,
            stage=stage,
            work_folder=self.settings.work_folder,
            lease_seconds=self.settings.lease_seconds,
            stop=stop or StopSignal(),
            who=self.actor,
            run_id=run_id,
            limit=limit,
            spread=spread,
            bring=self._bring if stage is Stage.INGEST else None,
            models=self.models if stage is Stage.AUGMENT else None,
            target=self.target if stage is Stage.EXPORT else None,
            seal=self._seal if stage is Stage.EXPORT else None,
            narrator=narrator or LogNarrator(),
            progress_seconds=self.settings.progress_seconds,
        )

    @property
    def _seal(self) -> Seal | None:
        """What signs an export; None without a key. Raises UsageError for one that cannot be used."""
        return None if self.settings.signing_key is None else commands.attest.sealing(self.settings)

    def _bring(self, address: str, identity: Identity, on_bytes: remote.OnBytes) -> Path:
        from corpus_pipeline.jobs import remote

        return remote.bring(address, identity, self.settings, on_bytes)

    def run_stage(
        self,
        name: str,
        stage: Stage,
        *,
        stop: StopSignal | None = None,
        run_id: str | None = None,
        limit: int | None = None,
        spread: bool = False,
        narrator: Narrator | None = None,
    ) -> Outcome:
        """Run one stage of one dataset file to its end (see `jobs.runner.run_stage`)."""
        from corpus_pipeline.jobs import runner

        work = self.work(name, stage, stop=stop, run_id=run_id, limit=limit, spread=spread, narrator=narrator)
        try:
            outcome = runner.run_stage(work)
            if (
                outcome.worked
                and self.store.fetch(dataset_files.file_by_id, work.file.id).recipe_id != work.task.recipe_id
            ):
                self._carry_on(work)
            return outcome
        finally:
            if work.recipe.notify.url is not None:
                self.deliver_webhooks()

    def _carry_on(self, work: Work) -> None:
        """Let what was finished under a recipe of before count under that of now, where both say the same of it."""
        from corpus_pipeline.jobs.carrying import carry_on

        carried = self.store.write(
            partial(carry_on, worked=work.file, task_id=work.task.id, recipe_id=work.task.recipe_id, who=self.actor)
        )
        if carried:
            self._look_at_checks(work.file.name)

    def deliver_webhooks(self) -> int:
        """Send due deliveries to their receivers; returns how many arrived. A failure is tried again later."""
        from corpus_pipeline.jobs import webhooks

        settings = self.settings
        private = frozenset(settings.private_hosts)
        try:
            return webhooks.deliver(
                self.store, webhooks.Sender(settings.webhook_hosts, settings.webhook_secret, private)
            )
        except StoreUnavailable:  # they stay where they are, and this must not hide how the stage ended
            return 0

    def incomplete_stages(self, name: str, to: Stage = Stage.EXPORT) -> list[Stage]:
        """The stages of a dataset file that have something to do, from the first such one up to `to`."""
        wanted = list(Stage)[: list(Stage).index(to) + 1]
        for number, stage in enumerate(wanted):
            if not self._is_complete(name, stage):
                return wanted[number:]
        return []

    def to_catch_up(self, name: str, stage: Stage) -> list[Stage]:
        """The stages before this one that a new recipe has not done, when it leaves all of them as they were done before."""
        ahead = self.incomplete_stages(name, stage)[:-1]
        if not ahead:
            return []
        (file,) = self.files([name])
        same = self.store.fetch(queries.catching_up.unchanged, file, self.recipe_of(file))
        return ahead if set(ahead) <= set(same) else []

    def _is_complete(self, name: str, stage: Stage) -> bool:
        from corpus_pipeline.jobs import runner

        try:
            return runner.is_complete(self.work(name, stage))
        except TargetUnavailable:  # whether the export is there is not known: the stage says why
            return False

    def redo(self, name: str, stage: Stage) -> list[str]:
        """Start a stage of a dataset file over, and those behind it (see `runner.redo`)."""
        from corpus_pipeline.jobs import runner

        return runner.redo(self.work(name, stage))

    @cached_property
    def models(self) -> ModelAccess | None:
        """Where models are asked; None when neither a key nor a base URL is set."""
        from corpus_pipeline.jobs.augment.plan import ModelAccess
        from corpus_pipeline.llm.endpoints import from_settings

        endpoints = from_settings(self.settings)
        if endpoints is None:
            return None
        return ModelAccess(
            endpoints.all[0].endpoint, self.settings.model, self.prices, endpoints, self.settings.answer_reader
        )

    @property
    def endpoints(self) -> Endpoints | None:
        """Every endpoint; None when there are none."""
        return None if self.models is None else self.models.endpoints

    @cached_property
    def prices(self) -> PriceList:
        """The price list that calls are booked by."""
        from corpus_pipeline.llm.prices import current

        return current(self.settings.price_file)

    @cached_property
    def target(self) -> Target:
        """Where exports go."""
        from corpus_pipeline.stages.export.targets import open_target

        settings = self.settings
        return open_target(
            settings.export_url, endpoint_url=settings.s3_endpoint_url, addressing=settings.s3_addressing
        )

    def require_models(self, file: DatasetFile) -> None:
        """Raises SettingMissing, before anything starts, when this file needs a model and none can be reached."""
        if self.recipe_of(file).augment.strategies and self.models is None:
            raise SettingMissing(
                "no model can be asked: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own."
                " `corpus llm-stub` starts a stand-in; `corpus run --to clean` needs no model."
            )

    def try_out(
        self,
        name: str,
        strategy: str,
        *,
        rows: int = 3,
        numbers: Sequence[int] = (),
        recipes: Sequence[tuple[str, Recipe]] = (),
        models: Sequence[str] = (),
        templates: Sequence[tuple[str, str | dict[str, str] | None]] = (),
    ) -> commands.try_out.Tried:
        """A strategy on a few rows, variants side by side (see `try_out.try_out`). Nothing of it enters the corpus."""
        work, access = self.work(name, Stage.AUGMENT), self.models
        if access is None:
            raise SettingMissing(
                "no model can be asked: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own."
            )
        variants = commands.try_out.variants_of(work.recipe, recipes, models, templates)
        return commands.try_out.try_out(work, access, strategy, variants, rows=rows, numbers=numbers)

    # --- stopping and going on -------------------------------------------------------------------------------------------

    def pause(self, names: Sequence[str], stage: Stage | None, everything: bool, reason: str) -> list[PauseFlag]:
        """Set pause flags (see `control.pause`)."""
        return commands.pause.pause(self.store, names, stage, everything, reason, self.actor)

    def resume(self, names: Sequence[str], stage: Stage | None, everything: bool) -> list[PauseFlag]:
        """Clear pause flags (see `control.resume`)."""
        return commands.pause.resume(self.store, names, stage, everything, self.actor)

    def clear_flag(self, flag: int) -> str:
        """Clear one pause flag by its number; returns its scope in words (see `progress.clear_flag`)."""
        return queries.progress.clear_flag(self.store, flag, self.actor)

    def start(self, names: Sequence[str], stage: Stage) -> list[str]:
        """Ask for runs of dataset files up to a stage (see `start.start`)."""
        return commands.start.start(self.store, names, stage, self.actor)

    def backfill(self, stage: Stage) -> bool:
        """Ask for one backfill of all that has failed or is missing, up to a stage (see `start.backfill`)."""
        return commands.start.backfill(self.store, stage, self.actor)

    def start_replayed(self, ids: Sequence[int]) -> list[str]:
        """Ask for runs of the files whose samples were replayed, but for those that are paused: their resume starts them."""
        names = self.store.fetch(store_failed_samples.files_of, ids)
        flags = self.store.fetch(pauses.active)
        covered = {name for name in names for flag in flags if any(flag.covers(name, stage) for stage in Stage)}
        return self.start([name for name in names if name not in covered], Stage.EXPORT)

    def unlock(self, name: str, stage: Stage | None, reason: str, *, force: bool = False) -> list[Lease]:
        """Take the leases of a dataset file from their holders (see `unlock.unlock`)."""
        return commands.unlock.unlock(self.store, name, stage, reason, self.actor, force=force)

    def delete_rows(self, ids: Sequence[ConversationId], reason: str) -> None:
        """Soft-delete rows of any dataset file (see `control.delete_rows`)."""
        commands.rows.delete_rows(self.store, ids, reason, self.actor)

    def purge(self, name: str, numbers: Sequence[int], *, reason: str, copies: bool = False) -> PurgeReport:
        """Remove rows of a dataset file and everything made from them, for good (see `purge.purge`)."""
        return commands.purge.purge(
            self.store, self.target, self.settings, name, numbers, reason=reason, who=self.actor, copies=copies
        )

    def remove(
        self, name: str, *, reason: str = "", keep_answers: bool = False, objects: bool = False
    ) -> RemovalReport:
        """Take a dataset file out with everything that was made from it; the ledger stays (see `remove.remove`)."""
        return commands.remove.remove(
            self.store,
            self.target,
            self.settings,
            name,
            reason=reason,
            who=self.actor,
            keep_answers=keep_answers,
            objects=objects,
        )

    def batches(self, names: Sequence[str] = ()) -> list[ProviderBatch]:
        """Provider batches and what each came to (see `batches.listed`)."""
        return self.store.fetch(lambda c: commands.provider_batches.listed(c, names))

    def refetch_batches(self, names: Sequence[str]) -> list[ProviderBatch]:
        """Look again for the open provider batches of dataset files (see `batches.refetch`)."""
        works = [self.work(name, Stage.AUGMENT) for name in names]
        return [entry for work in works for entry in commands.provider_batches.refetch(work, self.settings.model)]

    def forget_batches(self, names: Sequence[str], reason: str, batch: int | None = None) -> list[ProviderBatch]:
        """Release provider batches (see `batches.forget`)."""
        return commands.provider_batches.forget(self.store, names, batch, reason, self.actor)

    def cancel_batches(self, names: Sequence[str], reason: str) -> list[ProviderBatch]:
        """Ask the provider to stop the batches of dataset files (see `batches.cancel`)."""
        return commands.provider_batches.cancel(self.store, self.models, names, reason, self.actor)

    def reconcile(
        self, file: Path, *, adopt: bool = False, complete: bool = False, dry_run: bool = False
    ) -> Reconciliation:
        """Settle unknown calls by a provider's usage export and compare the rest (see `reconcile.reconcile`)."""
        return commands.reconcile.reconcile(
            self.store, self.prices, file, self.actor, adopt=adopt, complete=complete, dry_run=dry_run
        )

    def update_prices(self, file: Path, as_of: date | None) -> PriceUpdate:
        """Take over a price list (see `prices.update`)."""
        return commands.prices.update(self.store, self.settings, file, as_of, self.actor)

    # --- what a worker does ----------------------------------------------------------------------------------------------

    def due(self, to: Stage, consumers: Collection[str] = ()) -> list[queries.due.Due]:
        """What a worker may begin now, the fairest first (see `due.due`)."""
        return self.store.fetch(queries.due.due, to, consumers)

    def claim(self, file: DatasetFile, run_id: str) -> bool:
        """Take a dataset file for a run that is about to begin in this process; False when another worker did."""
        claim = partial(
            commands.start.claim,
            file=file,
            run_id=run_id,
            owner=process_identity.own(),
            version=__version__,
            ttl_ms=int(self.settings.lease_seconds * 1000),
        )
        return self.store.write(claim, repeatable=True)

    def take_request(self, request: int, run_id: str) -> None:
        """Note that a person's request to start a file was answered by a run."""
        self.store.write(partial(start_requests.take, identifier=request, run_id=run_id), repeatable=True)

    # --- failed samples --------------------------------------------------------------------------------------------------

    def replay(self, where: store_failed_samples.Where, overrides: Overrides | None = None) -> list[int]:
        """Let the next augment run try these failed samples again; returns the ids that will be.

        Raises UsageError for a model without a price or a limit that cannot be: found out by the run, it would stop the file.
        """
        from corpus_pipeline.jobs.augment.plan import labels, with_overrides

        for name, strategy in sorted(self.store.fetch(store_failed_samples.replayable, where)) if overrides else ():
            section = self.work(name, Stage.AUGMENT).recipe.augment
            if strategy in labels(section):
                with_overrides(section, strategy, self.settings.model, overrides or {}, self.prices, self.endpoints)
        return commands.failed_samples.replay(self.store, where, overrides or {}, self.actor)

    def dismiss(self, where: store_failed_samples.Where, reason: str) -> list[int]:
        """Say that these failed samples do not matter; they no longer block the export."""
        if not reason.strip():
            raise UsageError("say why: `corpus failed dismiss --reason TEXT`; it is kept in the audit log")
        return commands.failed_samples.settle_failed(self.store, where, FailedState.DISMISSED, reason, self.actor)

    # --- what the sensors do ---------------------------------------------------------------------------------------------

    def scan_inbox(self) -> tuple[list[str], list[str]]:
        """Register the files of the inbox folder (see `inbox.scan`)."""
        return commands.inbox.scan(self.store, self.settings.inbox, who="inbox")

    def mark_flags(self) -> list[PauseFlag]:
        """Mark what runs below a set flag as pausing; returns the set flags."""
        return commands.pause.mark_flags(self.store)

    def resumable(self) -> list[commands.pause.Resumable]:
        """Stages that may go on although no one works on them."""
        return commands.pause.resumable(self.store)

    def abandoned(self) -> list[tuple[commands.pause.Resumable, PauseFlag]]:
        """Stages below a flag whose worker has ended (see `control.abandoned`)."""
        return commands.pause.abandoned(self.store)

    def paused(self) -> list[tuple[commands.pause.Resumable, PauseFlag | None]]:
        """Paused stages, each with a flag that covers it; None: it was cleared."""
        return commands.pause.paused(self.store)

    def mark_paused(self, name: str, stages: Sequence[Stage], reason: str, run_id: str) -> None:
        """The queued run of these stages will not start: leave the first unfinished one as paused."""
        from corpus_pipeline.jobs import runner

        for stage in stages:
            work = self.work(name, stage, run_id=run_id)
            if not self._is_complete(name, stage):
                runner.leave_paused(work, reason)
                return

    def note(self, action: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Write one line of the audit log: somebody logged in, somebody took a copy."""
        queries.progress.note(self.store, self.actor, action, subject, detail)

    # --- looking ---------------------------------------------------------------------------------------------------------

    def status(self, names: Sequence[str] = ()) -> list[FileStatus]:
        """Progress of each dataset file."""
        return self.store.fetch(lambda c: queries.status.status(c, names))

    def workers(self) -> list[WorkerState]:
        """The processes that work runs, on whatever host."""
        return self.store.fetch(queries.status.workers)

    def report(self, name: str, stage: Stage | None = None) -> list[CompletionReport]:
        """Completion reports of the current task, counted now."""

        def read(connection: Connection) -> list[CompletionReport]:
            (file,) = dataset_files.current_files(connection, [name])
            recipe = _parsed(store_recipes.recipe_row(connection, file.recipe_id).body, "recipe")
            return queries.status.report(connection, file, recipe, stage)

        return self.store.fetch(read)

    def export_places(self, name: str) -> list[str]:
        """Where the current exports of a dataset file lie: paths or URLs. Raises UnknownName."""
        self.files([name])
        listed = self.store.fetch(lambda c: exports.listed(c, only_current=True))
        return [row.uri for row in listed if row.file_name == name]

    def export_columns(self, name: str) -> list[tuple[str, str]]:
        """(name, type) of the columns of the newest export of a dataset file; none before the first."""
        import orjson

        from corpus_pipeline.stages.export.hf_features import type_name

        row = self.store.fetch(exports.current, self.work(name, Stage.EXPORT).task.id)
        features = [] if row is None else orjson.loads(row.manifest)["features"]
        return [(column["name"], type_name(column)) for column in features]

    def preview(self, name: str, stage: Stage, limit: int) -> list[FlatRow]:
        """A few rows of a stage, each in one line."""
        return queries.views.preview(self.work(name, stage), limit)

    def data_version_parts(self, name: str, stage: Stage) -> list[str]:
        """What the result of a stage depends on: two runs with the same parts made the same rows."""
        return queries.status.data_version_parts(self.work(name, stage))

    def rows(
        self,
        name: str,
        stage: Stage,
        *,
        search: str | None = None,
        where: dict[str, str] | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> queries.rows.Listing:
        """Rows of a stage that match every condition (see `row_filter.CONDITIONS`), page by page."""
        wanted = queries.row_filter.parse(stage, where or {}, search)
        index = self.settings.search_folder
        return self.store.fetch(queries.rows.search_rows, name, wanted, after=after, limit=limit, index=index)

    def frame(
        self,
        name: str,
        stage: Stage,
        *,
        search: str | None = None,
        where: dict[str, str] | None = None,
        limit: int = 100_000,
    ) -> pd.DataFrame:
        """Rows of a stage as a pandas data frame, for notebooks (see `frames.frame`)."""
        return queries.dataframes.frame(
            lambda after, most: self.rows(name, stage, search=search, where=where, after=after, limit=most), limit
        )

    def duplicates(self, name: str, *, sort: str = "row", after: int = 0, limit: int = 50) -> DuplicatePage:
        """Rows dropped as duplicates, each beside its keeper (see `queries.duplicates.page`)."""
        return self.store.fetch(queries.duplicates.page, name, sort=sort, after=after, limit=limit)

    def preview_rules(
        self,
        name: str,
        recipe: str | None = None,
        **options: Unpack[PreviewOptions],
    ) -> FilePreview:
        """What the cleaning rules would do to a dataset file, by its recipe or another one (see `rule_preview.preview`)."""
        (file,) = self.files([name])
        chosen = self.recipe_of(file) if recipe is None else commands.recipes.resolve(self.store, recipe).recipe
        return queries.rule_preview.preview(self.store, name, chosen, place=self.local_path, **options)

    def kept_anyway(self, name: str) -> list[KeptRow]:
        """Rows that a person keeps although cleaning would drop or change them."""
        return self.store.fetch(queries.duplicates.kept_anyway, name)

    def keep(self, addresses: Sequence[str], reason: str, *, undo: bool = False) -> commands.rows.Kept:
        """Keep rows, named FILE:NUMBER, that cleaning drops or changes (see `commands.rows.keep_rows`)."""
        places = [queries.views.parse_address(address) for address in addresses]
        return commands.rows.keep_rows(self.store, places, reason, self.actor, undo=undo)

    def review(self, name: str, *, limit: int = 20) -> ReviewState:
        """Where the review of the new rows of a dataset file stands, and the next rows to judge."""
        recipe = self.recipe_of(self.files([name])[0])
        return self.store.fetch(commands.review.state, name, recipe, limit=limit)

    def judge_rows(self, rows: Sequence[str], verdict: ReviewVerdict, note: str | None = None) -> list[str]:
        """Record a person's verdict on new rows, named FILE:ROW/STRATEGY/SAMPLE."""
        return commands.review.judge(self.store, rows, verdict, note, self.actor)

    def calibration(self, name: str, condition: str) -> JudgeAgreement:
        """How a judge model agrees with people's verdicts (see `review.calibration`)."""
        return self.store.fetch(commands.review.calibration, name, condition)

    def show(self, row: str) -> RowHistory | RejectedRow:
        """One conversation with its history."""
        return self.store.fetch(lambda c: queries.views.show(c, row))

    def trace(self, name: str, line: int, export: str | None = None) -> Lineage:
        """Where a line of an export comes from, of the newest one unless another is named (see `tracing.trace`)."""
        return self.store.fetch(lambda c: queries.lineage.trace(c, name, line, export))

    def failed_samples(
        self, where: store_failed_samples.Where, *, after: int = 0, limit: int = 50
    ) -> list[FailedSample]:
        """Failed samples that match, with their full context."""
        return self.store.fetch(
            lambda c: [
                queries.views.failed_dict(row) for row in store_failed_samples.find(c, where, after=after, limit=limit)
            ]
        )

    def failed_sample(self, identifier: int) -> FailedSampleDetail:
        """One failed sample with its input and every attempt (see `history.failed_sample`)."""
        return self.store.fetch(queries.row_detail.failed_sample, identifier)

    def estimate(self, name: str) -> CostEstimate:
        """What augmenting a dataset file will cost (see `estimate.estimate`)."""
        return queries.cost_estimate.estimate(
            self.work(name, Stage.AUGMENT), self.settings.model, self.prices, self.endpoints
        )

    def cost(self, by: str) -> list[Spending]:
        """Money spent by consumer, file, strategy, model, day, batch (of ten rows) or item. Raises UnknownName."""
        return self.store.fetch(lambda c: queries.cost.cost(c, by))

    def dearest_share(self) -> tuple[int, float]:
        """(items that were asked about, share of all money that the dearest tenth of them cost)."""
        return self.store.fetch(queries.cost.dearest_share)


# a stored recipe version never changes, and reading YAML takes longer than many a stage of a small file
@lru_cache(maxsize=256)
def _parsed(body: str, origin: str) -> Recipe:
    from corpus_pipeline.recipe import parse

    return parse(body, origin=origin)


def process_owner() -> str:
    """The login name of who owns this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
