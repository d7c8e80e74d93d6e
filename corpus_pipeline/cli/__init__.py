"""The door: one command, `corpus`. Thin: each command asks the service and shows what it says.

Words go to stderr, data to stdout. Exit codes: 0 done, 1 failed, 2 wrong use, 3 finished but samples failed or the gate
refused, 4 paused, 130 interrupted.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import logging
import os
import signal
import sys

import click

from corpus_pipeline import __version__, secret_words
from corpus_pipeline.cli.output import error, say
from corpus_pipeline.error_words import in_words, steps
from corpus_pipeline.errors import CorpusError, GateRefused, Interrupted, Paused, UsageError
from corpus_pipeline.plain_text import filtered_streams
from corpus_pipeline.settings import VARIABLES

EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "wrong use",
    3: "finished, but samples failed or the gate refused",
    4: "paused",
}
EXIT_CODES[130] = "interrupted"

# what a command imports is half a million objects and no garbage: to look for it so seldom starts a run 8 % sooner
_COLLECTIONS = (20_000, 20, 50)

_EPILOG = "\b\nSettings (environment):\n" + "\n".join(f"  {v.name}: {v.meaning} [{v.default}]" for v in VARIABLES)


# in the order in which users need them: (command, its module, one line of help)
_SECTIONS = (
    ("Work on files", (
        ("demo", "demo", "run the whole path on a small bundled corpus: no key, no server"),
        ("add", "files", "register dataset files; formats are detected"),
        ("run", "run", "ingest, clean, augment, export; continues where it stopped"),
        ("worker", "worker", "work whatever is due, as a service, on any number of hosts"),
        ("pause", "control", "stop work at its next batch boundary, with a reason"),
        ("resume", "control", "lift a pause"),
        ("unlock", "control", "release the lease of a hung worker, with a reason"),
    )),
    ("Inspect", (
        ("status", "inspect", "show the progress of each file, stage by stage"),
        ("report", "inspect", "show what a stage did: counts, reasons, time, money"),
        ("rows", "inspect", "search, filter and page through the rows of a file"),
        ("rejects", "rejects", "list lines that could not be read, with their bytes"),
        ("duplicates", "verdicts", "show dropped duplicates beside the rows that were kept"),
        ("keep", "verdicts", "keep rows that cleaning drops, or undo that"),
        ("review", "review", "judge a random sample of new rows; the result decides about the export"),
        ("preview", "preview", "show what each cleaning rule would do to a file, without doing it"),
        ("show", "inspect", "show one row with its whole history"),
        ("trace", "inspect", "show where an exported line comes from"),
        ("verify", "proofs", "check a signed export, on any machine, without the database"),
        ("ui", "servers", "start the Dagster UI and the row browser"),
        ("serve", "serve", "start the row browser alone; manage users and roles"),
    )),
    ("Money and failures", (
        ("estimate", "estimate", "estimate what augmentation will cost"),
        ("try", "try_out", "try a strategy on a few rows: models and prompts side by side"),
        ("cost", "cost", "show what was spent, by whom and on what; reconcile it with a bill"),
        ("prices", "prices", "show or update the price list of models"),
        ("failed", "failed", "list, show, replay or dismiss failed samples"),
        ("batches", "batches", "list, show, cancel, refetch or forget batches at a provider"),
    )),
    ("Set up and maintain", (
        ("recipe", "recipes", "show, create or check recipes"),
        ("rules", "catalogue", "list the cleaning rules and the packages that they come from"),
        ("strategies", "catalogue", "list the augmentation strategies"),
        ("formats", "catalogue", "list the formats"),
        ("validators", "catalogue", "list the validators of answers"),
        ("doctor", "maintenance", "check the installation; each finding names the next command"),
        ("upgrade", "maintenance", "migrate the database to the schema of this version"),
        ("attest", "proofs", "sign an export, with a proof for each of its lines"),
        ("remove", "remove", "remove a file and everything made from it; the ledger stays"),
        ("purge", "purge", "remove rows and everything made from them, for good"),
        ("index", "index", "build the search index of the row browser"),
        ("llm-stub", "servers", "start a stand-in for a model, for trying and testing"),
        ("completion", "completion", "set up shell completion of commands and names"),
    )),
)  # fmt: skip


_MODULES = {name: module for _, commands in _SECTIONS for name, module, _ in commands}


class _Sections(click.Group):
    """A group whose help lists its commands by what they are for. The module of a command is imported when it is asked for:
    all of them together take longer than most commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands and cmd_name in _MODULES:
            module = importlib.import_module(f"{__name__}.{_MODULES[cmd_name]}")
            found = (value for value in vars(module).values() if isinstance(value, click.Command))
            self.add_command(next(command for command in found if command.name == cmd_name), cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in _SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, what) for name, _, what in commands], col_spacing=4)


@click.group(
    cls=_Sections,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="corpus")
def cli() -> None:
    """Turn raw LLM-training files into cleaned, deduplicated, augmented and gated JSONL.

    \b
    Start here:   corpus demo
    Your files:   corpus add FILE...   corpus run   corpus status
    In a browser: corpus ui
    More of one:  corpus run --help
    """


def main() -> None:
    """Run the command; an error is one sentence and an exit code."""
    # files, folders and sockets of this command and of the servers that it starts are the owner's alone
    os.umask(0o077)
    gc.set_threshold(*_COLLECTIONS)
    atexit.register(_ignore_signals)
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # again, while the first was being told
        code = 130
    _hold_exit_code(code)
    gc.freeze()  # what is imported is not looked through for cycles at the end: that takes a second beside Dagster
    sys.exit(code)


_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def _hold_exit_code(code: int) -> None:
    """Let a signal that comes while the interpreter ends end it at once, with the exit code that is decided.

    Python's own way is a traceback or an end by the signal: for one who pressed Ctrl-C a second time, work that was stopped
    in good order would look like a crash.
    """
    for number in _ENDINGS:
        signal.signal(number, lambda *_: os._exit(code))


def _ignore_signals() -> None:
    """The last steps of the interpreter give every handler of ours back to the system, but not this one."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)


class _OneLine(logging.Formatter):
    """A line for each record: what is quoted in it cannot look like a record of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


def _run(arguments: list[str]) -> int:
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_OneLine())
    with filtered_streams(secret_words.hider(secret_words.in_environment(os.environ))):
        return _run_filtered(arguments)


def _run_filtered(arguments: list[str]) -> int:
    try:
        result = cli.main(arguments, prog_name="corpus", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as problem:
        problem.show()
        return 2
    except click.Abort:
        return 130
    except KeyboardInterrupt:
        error("interrupted; finished work is kept, the same command continues")
        return 130
    except CorpusError as problem:
        error(str(problem))
        return exit_code(problem)
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as problem:  # a disk that is full, a folder that cannot be written
        _drop_output()
        error(f"{problem.filename or 'the output'}: {problem.strerror or problem}")
        return 1
    except Exception as problem:  # what it says may be the text of a row
        error(f"{in_words(problem)}. This is a fault of the program; these lines are what a report of it needs:")
        say(steps(problem.__traceback__))
        return 1
    return int(result) if isinstance(result, int) else 0


def _drop_output() -> None:
    """Let what is still in the buffer go nowhere: the interpreter would complain of it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code(problem: CorpusError) -> int:
    """The exit code of an error."""
    if isinstance(problem, UsageError):
        return 2
    if isinstance(problem, GateRefused):
        return 3
    if isinstance(problem, Paused):
        return 4
    return 130 if isinstance(problem, Interrupted) else 1


if __name__ == "__main__":
    main()
