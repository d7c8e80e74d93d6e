"""`corpus review`: people's verdicts on a random sample of the new rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, print_json, say, shown, tell, tell_styled
from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import ReviewVerdict

if TYPE_CHECKING:
    from corpus_pipeline.service.records.rows import JudgeAgreement, ReviewState

_SHOWN = 10
_FIELDS = ("prompt", "reasoning", "response")


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option("--good", multiple=True, help="FILE:ROW/STRATEGY/SAMPLE: this new row is good. Several: each.")
@click.option("--bad", multiple=True, help="This one is bad: no export holds it.")
@click.option("--note", help="Why; it is kept with the verdict.")
@click.option("--judge", help="TASK.FIELD>=VALUE: how well this judge agrees with people.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_SHOWN, show_default=True, help="Rows to show.")
@json_option
def review(
    name: str,
    good: tuple[str, ...],
    bad: tuple[str, ...],
    note: str | None,
    judge: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Judge new rows drawn at random; what people find decides whether the export goes out.

    The recipe says it: export: {gate: {review: {max_defects: 0.05, confidence: 0.95}}}.

    \b
    Examples:
      corpus review chats                                    # the next rows, and where it stands
      corpus review chats --good chats:17/paraphrase/0 --bad chats:40/paraphrase/0 --note "another meaning"
      corpus review chats --judge "quality.score>=4"         # may the judge be trusted?
    """
    from corpus_pipeline.service import Corpus

    if set(good) & set(bad):
        raise UsageError(f"{sorted(set(good) & set(bad))[0]} cannot be good and bad")
    with Corpus.open() as corpus:
        for rows, verdict in ((good, ReviewVerdict.GOOD), (bad, ReviewVerdict.BAD)):
            if rows:
                corpus.judge_rows(rows, verdict, note)
        if judge:
            agreement = corpus.calibration(name, judge)
            print_json(agreement) if as_json else _tell_agreement(agreement)
            return
        found = corpus.review(name, limit=limit)
    print_json(found) if as_json else _tell_state(found)


def _tell_state(found: ReviewState) -> None:
    for row in found["sample"]:
        tell_styled(f"{row['row']}  {row['model']}", bold=True)
        for field in _FIELDS:
            before, after = row["before"].get(field), row["after"].get(field)
            if after is None:
                continue
            if before and before != after:
                tell(f"  {field} was: {shown(before, 400)}")
            tell(f"  {field}: {shown(after, 400)}")
    for line in state_lines(found):
        say(line)


def state_lines(found: ReviewState) -> list[str]:
    """Where a review stands, in sentences."""
    lines = [
        f"{found['judged']:,} of {found['rows']:,} new rows judged, {found['bad']:,} bad: with {found['confidence']:.0%}"
        f" confidence between {found['low']:.1%} and {found['high']:.1%} of all are bad"
    ]
    left = max(0, found["wanted"] - found["judged"])
    if found["decision"] == "accept":
        lines.append(f"fewer than {found['max_defects']:.1%} are bad: the review lets the export out")
    elif found["decision"] == "reject":
        lines.append(f"more than {found['max_defects']:.1%} are bad: the review holds the export")
    elif found["rows"]:
        lines.append(f"{left:,} more that are good would show that fewer than {found['max_defects']:.1%} are bad")
    if not found["decides"]:
        lines.append("the recipe asks for no review: export: {gate: {review: {max_defects: 0.05}}} makes it decide")
    return lines


def _tell_agreement(found: JudgeAgreement) -> None:
    tell(f"{found['rows']:,} rows have the verdict of a person and a value of {found['judge']}")
    for (share, low, high), words in (
        (found["passes_good"], "of people's good rows the judge passes"),
        (found["refuses_bad"], "of people's bad rows the judge refuses"),
        (found["agree"], "they agree on"),
    ):
        tell(f"  {words} {share:.1%} (95 %: {low:.1%} to {high:.1%})")
    if found["kappa"] is not None:
        tell(f"  kappa {found['kappa']:.2f} (agreement beyond chance)")
