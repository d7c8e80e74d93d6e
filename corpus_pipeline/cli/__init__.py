"""The door: one command, `corpus`. Thin: each command asks the service and shows what it says.

Words go to stderr, data to stdout. Exit codes: 0 done, 1 failed, 2 wrong use, 3 finished but samples failed or the gate
refused, 4 paused, 130 interrupted.
"""

from __future__ import annotations

import sys

import click

from corpus_pipeline import __version__
from corpus_pipeline.cli import (
    batches,
    completion,
    control,
    demo,
    estimate,
    failed,
    files,
    index,
    look,
    purge,
    recipes,
    run,
    serve,
    servers,
    upkeep,
)
from corpus_pipeline.cli.output import error
from corpus_pipeline.errors import CorpusError, GateRefused, Interrupted, Paused, UsageError
from corpus_pipeline.settings import VARIABLES

EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "wrong use",
    3: "finished, but samples failed or the gate refused",
    4: "paused",
}
EXIT_CODES[130] = "interrupted"

_EPILOG = "\b\nSettings (environment):\n" + "\n".join(f"  {v.name}: {v.meaning} [{v.default}]" for v in VARIABLES)


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="corpus")
def cli() -> None:
    """Turn raw LLM-training files into cleaned, deduplicated, augmented and gated JSONL.

    \b
    Start here:   corpus demo
    Your files:   corpus add FILE...   corpus run   corpus status
    In a browser: corpus ui
    """


for _command in (
    demo.demo,
    files.add,
    run.run,
    control.pause,
    control.resume,
    look.status,
    look.report,
    look.cost,
    estimate.estimate,
    look.rows,
    look.show,
    look.trace,
    purge.purge,
    failed.failed,
    batches.batches,
    servers.ui,
    serve.serve,
    servers.llm_stub,
    recipes.recipe,
    index.index,
    upkeep.doctor,
    upkeep.upgrade,
    completion.completion,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command; an error is one sentence and an exit code."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        result = cli.main(arguments, prog_name="corpus", standalone_mode=False)
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
        sys.stderr.close()
        return 1
    return int(result) if isinstance(result, int) else 0


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
