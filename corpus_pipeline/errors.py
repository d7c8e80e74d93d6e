"""One tree of errors, named by their consequence. Each message ends with the next step.

CorpusError
├── UsageError               wrong use; exit code 2
│   ├── UnknownName          a name that is not known; lists the known ones
│   ├── TemplateFault        (templates) a prompt template that cannot be rendered
│   └── SettingMissing       a setting is needed; names the variable
├── StopJob                  the job cannot go on; finished work is kept; exit code 1
│   ├── SchemaMismatch       the database is older or newer than the program
│   ├── SourceNotHere        the dataset file does not lie on this host; its stage stays pending
│   ├── SourceChanged        the dataset file is not the one that was registered
│   ├── SourceBroken         (stages.ingest.source) the dataset file cannot be read to its end
│   ├── Fenced               another process took the lease: this one must not write any more
│   ├── LeaseHeld            another process works on this task
│   ├── StoreUnavailable     the database does not answer, retries are used up
│   ├── KeylessWrite         a write-back without its key, or one that touched another number of rows
│   ├── ProviderRefused      bad key, unknown model, quota gone; CallRefused (llm.failures) says which
│   └── TargetUnavailable    the export folder or bucket cannot be written
├── ProofFailed              (stages.export.proof) an export is not what was signed; exit code 1
├── LoginRefused             (web.oidc) nobody is logged in; what it says is for the person
├── GateRefused              finished, but the export gate says no; exit code 3
├── Stopped                  stopped on purpose at a batch boundary
│   ├── Paused               by a pause flag (of a person or a budget), or ProviderDown (llm.limits); exit code 4
│   └── Interrupted          by a signal or a row limit; exit code 130 (signal)
├── ParkSample               this sample fails, the job goes on
│   ├── LineRejected         a line of a dataset file becomes a reject
│   ├── NotExportable        (formats.base) the target tool would skip this row: it goes to the not-exportable list
│   ├── SampleSkipped        an answer says that there is nothing to make of this row: skipped, not failed
│   └── BadAnswer            an answer that must not become a row; CallRejected (llm.failures): none will come
└── TryAgain                 the same unit may be tried again
    └── TransientCall        429, 5xx, timeout, dropped connection; CallFailed (llm.failures) says which

ControlFlow                  raised and caught inside the package; no person meets one
├── in jobs.augment: BudgetFull, AskedElsewhere (attempts), Later (work_item), ItemFailed (item_runner), QueueFull
│   (provider_batches); in jobs.remote: Broken (http)
├── in llm: BrokenAnswer, ErrorAnswer (chat_completions), TooMuch, Unsendable (connections), FileGone, Foreign
│   (batch_styles.base)
├── in stages.ingest: TooLong (tables), Unfinished (array_style)
├── in store: TooDear (provider_batches)
└── in service: NoAnswer (commands.try_out); in web: Gone, Refused (shares); Forbidden (addresses);
    NotRegular (regular_files)

Those with a module in brackets are defined there, beside the facts that they carry. A test holds every class to this page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class CorpusError(Exception):
    """Base of all errors that this package raises on purpose; the message is for people."""


class ControlFlow(Exception):
    """Base of what one function of the package raises for another one to catch: no failure, and nothing for people."""


class UsageError(CorpusError):
    """Wrong use: the call must be changed. place: for a fault in a recipe, the keys that lead to it."""

    place: tuple[str | int, ...] = ()


class UnknownName(UsageError):
    """A name that is not among the known ones.

    >>> str(UnknownName("strategy", "parafrase", ["paraphrase", "translation"]))
    "unknown strategy 'parafrase'; did you mean 'paraphrase'? Known: paraphrase, translation"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else "."
        super().__init__(f"unknown {kind} '{name}'{hint} Known: {', '.join(names) or 'none yet'}")


class SettingMissing(UsageError):
    """A setting is needed for what was asked."""


class StopJob(CorpusError):
    """The job cannot go on. All finished work is kept."""


class SchemaMismatch(StopJob):
    """The database has another schema version than this program."""


class SourceNotHere(StopJob):
    """The dataset file is a path that this host does not have; another one may."""


class SourceChanged(StopJob):
    """The dataset file is not the one that was registered (sha256 or size differ)."""


class Fenced(StopJob):
    """The lease has a newer epoch: another process took over, and this one must not write."""


class LeaseHeld(StopJob):
    """Another live process holds the lease of this task."""


class StoreUnavailable(StopJob):
    """The database did not answer within the retry budget."""


class KeylessWrite(StopJob):
    """A write-back lacks its primary key, or did not touch exactly the rows it named."""


class ProviderRefused(StopJob):
    """The model provider refuses every call: bad key, unknown model, quota or budget gone."""


class TargetUnavailable(StopJob):
    """The export target cannot be written."""


class GateRefused(CorpusError):
    """The export gate refused; `findings` says what and how many."""

    def __init__(self, message: str, findings: dict[str, int]) -> None:
        super().__init__(message)
        self.findings = findings


class Stopped(CorpusError):
    """Stopped on purpose at a batch boundary; nothing is lost."""


class Paused(Stopped):
    """A pause flag covers this work, or the provider is down: the status says it, and why.

    by_flag: whether a flag did it, so that the work goes on when it is cleared.
    """

    by_flag = False

    @classmethod
    def by(cls, flag: object) -> Paused:
        """Paused by a flag."""
        pause = cls(str(flag))
        pause.by_flag = True
        return pause


class Interrupted(Stopped):
    """A signal, a row limit or a budget stopped the work."""


class ParkSample(CorpusError):
    """One sample fails with a reason word; the job goes on."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class LineRejected(ParkSample):
    """A line of a dataset file cannot become a conversation."""


class SampleSkipped(ParkSample):
    """A strategy finds out by its answers that there is nothing to make: the sample is skipped with this reason word."""


class BadAnswer(ParkSample):
    """A model's answer must not become a row. validator: who says so; evidence: passages of the answer that show it."""

    def __init__(self, reason: str, detail: str = "", *, evidence: Sequence[str] = ()) -> None:
        super().__init__(reason, detail)
        self.validator: str | None = None
        self.evidence = tuple(evidence)


class TryAgain(CorpusError):
    """The same unit of work may be tried again."""


class TransientCall(TryAgain):
    """A call failed in a way that a later attempt may not: 429, 5xx, timeout, dropped connection."""
