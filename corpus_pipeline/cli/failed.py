"""`corpus failed`: the failed-sample queue."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline.cli.output import json_option, print_json, print_lines, print_table, say
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.states import FailedState, Stage

if TYPE_CHECKING:
    from corpus_pipeline.jobs.augment.plan import Overrides
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.store.failed_samples import Where

_SHOWN = 50  # samples of a table
_PAGE = 500  # of one read
_KEYS = ("file", "row", "stage", "strategy", "reason", "validator", "state", "model")
_WORDS = {"state": FailedState, "stage": Stage}
_NONE = " Nothing open matches: corpus failed list --where state=open"
_where = click.option(
    "--where", "wheres", multiple=True, help=f"KEY=VALUE; keys: {', '.join(_KEYS)}. Several: all match."
)


@click.group()
def failed() -> None:
    """Samples that failed: list, show, replay or dismiss them.

    An export waits until no more are open than its recipe allows.

    \b
    Examples:
      corpus failed list --where file=chats --where reason=cut
      corpus failed replay --where reason=cut --max-output-tokens 4000
      corpus failed dismiss 17 18 --reason "the source text is broken"
    """


@failed.command("list")
@_where
@click.option("--after", type=int, default=0, help="Start after this id.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="Maximum number; default 50, or all with --json.")
@json_option
def list_(wheres: tuple[str, ...], after: int, limit: int | None, as_json: bool) -> None:
    """Failed samples, oldest first."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        if as_json:
            _print_all(corpus, where_of(wheres), after, limit)
            return
        limit = limit or _SHOWN
        found = corpus.failed_samples(where_of(wheres), after=after, limit=limit)
    print_table(
        ("id", "row", "strategy", "reason", "state", "attempts", "error"),
        ((f["id"], f["row"], f["strategy"], f["reason"], f["state"], f["attempts"], f["error"][:80]) for f in found),
    )
    if len(found) == limit:
        say(f"there may be more: corpus failed list{_again(wheres)} --after {found[-1]['id']} --limit {limit}")
    if found:
        say(
            "Next: corpus failed show ID, corpus failed replay --where reason=..., corpus failed dismiss ... --reason TEXT"
        )
    else:
        say("no failed sample matches")


def _print_all(corpus: Corpus, where: Where, after: int, limit: int | None) -> None:
    """Print failed samples as JSON lines, page by page to their end or to the limit."""
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = corpus.failed_samples(where, after=after, limit=size)
        print_lines(page)
        if len(page) < size:
            return
        after, left = page[-1]["id"], None if left is None else left - size


def _again(wheres: tuple[str, ...]) -> str:
    return "".join(f" --where {shlex.quote(where)}" for where in wheres)


@failed.command()
@click.argument("identifier", type=int)
def show(identifier: int) -> None:
    """One failed sample as JSON: input, prompt as sent, raw answer, error, attempts."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        print_json(corpus.failed_sample(identifier))


@failed.command()
@click.argument("ids", nargs=-1, type=int)
@_where
@click.option("--all", "everything", is_flag=True, help="Every open one.")
@click.option("--model", help="Ask this model instead.")
@click.option("--max-output-tokens", type=click.IntRange(min=1), help="Allow answers of this length.")
def replay(
    ids: tuple[int, ...], wheres: tuple[str, ...], everything: bool, model: str | None, max_output_tokens: int | None
) -> None:
    """Let the next run try open samples again."""
    from corpus_pipeline.service import Corpus

    overrides: Overrides = {"model": model} if model is not None else {}
    if max_output_tokens is not None:
        overrides["max_output_tokens"] = max_output_tokens
    with Corpus.open() as corpus:
        changed = corpus.replay(chosen(ids, wheres, everything), overrides)
    say(f"{_samples(changed)} will be tried again." + (" Next: corpus run" if changed else _NONE))


@failed.command()
@click.argument("ids", nargs=-1, type=int)
@_where
@click.option("--all", "everything", is_flag=True, help="Every open one.")
@click.option("--reason", required=True, help="Why they do not matter; kept in the audit log.")
def dismiss(ids: tuple[int, ...], wheres: tuple[str, ...], everything: bool, reason: str) -> None:
    """Say that open samples do not matter: they no longer block the export."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        changed = corpus.dismiss(chosen(ids, wheres, everything), reason)
    say(f"{_samples(changed)} dismissed." + (" Next: corpus run" if changed else _NONE))


def _samples(ids: Sequence[int]) -> str:
    return "1 sample" if len(ids) == 1 else f"{len(ids)} samples"


def chosen(ids: tuple[int, ...], wheres: tuple[str, ...], everything: bool) -> Where:
    """What a changing command means; it must be said. Raises UsageError."""
    if not ids and not wheres and not everything:
        raise UsageError("say which: ids, --where KEY=VALUE, or --all")
    return where_of(wheres)._replace(ids=ids)


def where_of(wheres: tuple[str, ...]) -> Where:
    """KEY=VALUE pairs as a filter. Raises UsageError for an unknown key."""
    from corpus_pipeline.store.failed_samples import Where

    values: dict[str, Any] = {}
    for where in wheres:
        key, sign, value = where.partition("=")
        if not sign or key not in _KEYS:
            raise UsageError(f"--where {where!r}: use KEY=VALUE with one of {', '.join(_KEYS)}")
        if key == "row":  # a number, or FILE:ROW as it is shown
            file, _, value = value.rpartition(":")
            if not value.isdecimal():
                raise UsageError(f"--where {where!r}: a row is a number, or FILE:ROW")
            values |= {"row": int(value)} | ({"file_name": file} if file else {})
        else:
            if key in ("state", "stage") and value not in (words := [str(word) for word in _WORDS[key]]):
                raise UnknownName(key, value, words)
            values["file_name" if key == "file" else key] = value
    return Where(**values)
