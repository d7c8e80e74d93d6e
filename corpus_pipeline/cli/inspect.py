"""Reading commands: status, report, cost, rows, show, trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import (
    further,
    json_option,
    print_json,
    print_lines,
    print_table,
    say,
    shown,
    tell,
    tell_styled,
    warn,
)
from corpus_pipeline.cli.value_words import values_line
from corpus_pipeline.stages.skip_reasons import skips_in_words
from corpus_pipeline.states import Stage
from corpus_pipeline.units import moment, money, span

if TYPE_CHECKING:
    from corpus_pipeline.jobs.completion_report import CompletionReport
    from corpus_pipeline.service.records.calls import AskedCall
    from corpus_pipeline.service.records.exports import LineStep
    from corpus_pipeline.service.records.progress import StageStatus
    from corpus_pipeline.service.records.rows import ListedReject, ListedRow

_SHOWN = 20
_STAGES = click.Choice([stage.value for stage in Stage])


@click.command()
@click.argument("names", nargs=-1, shell_complete=dataset_names)
@json_option
def status(names: tuple[str, ...], as_json: bool) -> None:
    """Progress of each dataset file, stage by stage."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found, workers = corpus.status(names), corpus.workers()
    if as_json:
        print_json({"files": found, "workers": workers})
        return
    print_table(
        ("name", *(stage.value for stage in Stage), "failed samples", "file"),
        (
            (
                f["name"],
                *(_cell(f["stages"][stage.value], stage) for stage in Stage),
                f["open_failed_samples"] or "",
                f["title"],
            )
            for f in found
        ),
    )
    for file in found:
        for name, stage in file["stages"].items():
            if stage["flag"] or (stage["reason"] and stage["status"] != "done"):
                say(f"{file['name']} {name}: {stage['flag'] or stage['reason']}")
            if stage["skip_reasons"]:
                skipped = sum(stage["skip_reasons"].values())
                say(f"{file['name']} {name}: {skipped:,} samples skipped: {skips_in_words(stage['skip_reasons'])}")
            for warning in (*stage["warnings"], *stage["troubles"]):
                warn(warning)
    for worker in workers:
        if worker["missing"] or worker["file"] or worker["run"].startswith("("):
            what = f"{worker['stage'] or 'run'} of {worker['file']}" if worker["file"] else worker["run"].strip("()")
            lived = f"no sign of life for {span(worker['silent_seconds'])}"
            sign = lived if worker["missing"] else f"for {span(worker['seconds'])}"
            say(f"{worker['host']}, process {worker['pid']}, version {worker['version']}: {what}, {sign}")
    if not found:
        say("No dataset file is registered. Next: corpus add FILE...")


_LOST = {Stage.INGEST: "rejected", Stage.CLEAN: "dropped", Stage.EXPORT: "not exportable"}


def _cell(own: StageStatus, stage: Stage) -> str:
    if own["status"] == "pending" and not own["processed"]:
        return "pending"
    total = f"/{own['total']:,}" if own["total"] is not None else ""
    lost = f", {own['dropped']:,} {_LOST[stage]}" if own["dropped"] and stage in _LOST else ""
    return f"{own['status']} {own['processed']:,}{total}{lost}"


_COUNTS = (
    "blank_lines",
    "dropped",
    "near_other_answer",
    "held",
    "failed",
    "retried",
    "calls",
    "unknown",
    "reused",
    "input_tokens",
    "output_tokens",
)


def _word(key: str, stage: str) -> str:
    return _LOST.get(Stage(stage), key) if key == "dropped" else key.replace("_", " ")


def _counts(report: CompletionReport) -> list[tuple[str, int]]:
    """The counts of a report that are not 0, in the order in which they are shown."""
    found: Mapping[str, Any] = report
    return [(key, found[key]) for key in _COUNTS if found.get(key)]


def _reason_lines(report: CompletionReport) -> Iterator[str]:
    """Why rows were dropped and samples failed, what rules did, what an export loses; the most frequent first."""
    shares = report.get("drop_shares", {})
    dropped = report["drop_reasons"]
    for counts in (dropped, report.get("fail_reasons"), report.get("rules"), report.get("tags"), report.get("losses")):
        lost = "rows that lost " if counts is report.get("losses") else ""
        for reason, count in sorted((counts or {}).items(), key=lambda item: -item[1]):
            share = f" ({shares[reason]:.1%})" if counts is dropped and reason in shares else ""
            yield f"{lost}{reason}: {count:,}{share}"


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option("--stage", type=_STAGES, help="Only this stage.")
@json_option
def report(name: str, stage: str | None, as_json: bool) -> None:
    """The completion report of a dataset file: counts, reasons, time, tokens, money."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.report(name, Stage(stage) if stage else None)
    if as_json:
        print_lines(found)
        return
    if title := next((entry["title"] for entry in found if "title" in entry), None):
        tell(f"{name}: {title}")
    for entry in found:
        tell(f"{entry['stage']}: {entry['succeeded']:,} of {entry['total']:,} in {span(entry['wall_seconds'])}")
        for key, count in _counts(entry):
            tell(f"  {_word(key, entry['stage'])}: {count:,}")
        for field, told in entry.get("values", {}).items():
            tell(f"  {values_line(field, told)}")
        if entry.get("skip_reasons"):
            tell(f"  skipped: {entry['skipped']:,} ({skips_in_words(entry['skip_reasons'])})")
        for word, count in sorted(entry.get("repeats", {}).items()):
            tell(f"  new rows that repeat another row, {word.replace('_', ' of ', 1).replace('_', ' ')}: {count:,}")
        for rule, count in sorted(entry.get("changed_by_rule", {}).items()):
            tell(f"  new rows changed by {rule}: {count:,}")
        for why, count in sorted(entry.get("left_behind", {}).items()):
            tell(f"  left out, {why}: {count:,}")
        for line in _reason_lines(entry):
            tell(f"    {line}")
        if entry.get("account"):
            from corpus_pipeline.jobs.conservation import account_line

            tell(f"  {account_line(entry['account'])}")
        for fact in entry.get("learnt", ()):
            tell(f"  learnt of {fact['model']}: {fact['name']}: {fact['value']}")
        for warning in entry["warnings"]:
            warn(warning)
        if reason := entry.get("reason"):
            warn(reason)
        if entry["cost_usd"]:
            tell(f"  cost: {money(entry['cost_usd'])}, {money(entry['cost_per_item'])} per item")
            if entry["unknown_usd"]:
                tell(
                    f"    of it at most {money(entry['unknown_usd'])}, probably {money(entry['unknown_expected_usd'])}, for"
                    f" {entry['unknown']:,} calls of unknown outcome; `corpus cost reconcile FILE` settles them"
                )
            if entry["file_cost_usd"] > entry["cost_usd"]:
                tell(f"    over all recipes and versions of the file: {money(entry['file_cost_usd'])}")
        if entry.get("remarks"):
            tell(f"  calls whose token counts did not agree (the larger ones are counted): {entry['remarks']:,}")
        if entry.get("review"):
            tell(
                f"  to be read by a person: {len(entry['review'])} new rows at random (--json shows them, and the row browser)"
            )
        if entry["export_uri"]:
            tell(f"  export: {entry['export_uri']}")
    if not found:
        say(f"nothing has been done for {name} yet; run `corpus run {name}`")


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option(
    "--stage", type=_STAGES, default=Stage.INGEST.value, show_default=True, help="Show rows as this stage left them."
)
@click.option("--search", help="Only rows that contain this text.")
@click.option(
    "--where",
    "wheres",
    multiple=True,
    help="KEY=VALUE. At ingest: state (kept, dropped, pending, rejected), reason, tag, changed (true, false, or a rule that"
    " changed it); at clean: state (kept, dropped), reason, tag, changed; at augment and export: strategy, empty (true,"
    " false); at export: exportable (true, false). Several: all match.",
)
@click.option("--after", type=int, default=0, help="Start after this row number.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=_SHOWN, show_default=True, help="Maximum number of rows."
)
@json_option
def rows(
    name: str, stage: str, search: str | None, wheres: tuple[str, ...], after: int, limit: int, as_json: bool
) -> None:
    """Rows of a dataset file, page by page; when there are more, it says the command that shows them.

    \b
    Examples:
      corpus rows chats --search "refund"
      corpus rows chats --where reason=near_duplicate      # what cleaning dropped for that reason
      corpus rows chats --where changed=whitespace         # what that rule changed
      corpus rows chats --where state=rejected             # lines that became no row
      corpus rows chats --stage export --where exportable=false
      corpus rows chats --stage augment --where strategy=paraphrase --json
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found, behind = corpus.rows(name, Stage(stage), search=search, where=pairs(wheres), after=after, limit=limit)
    if as_json:
        print_lines(found)
    for row in () if as_json else found:
        _say_listed(row)
    if behind is not None:
        asked = [f"--search={search}"] if search is not None else []
        asked += [f"--where={where}" for where in wheres] + [f"--limit={limit}"] * (limit != _SHOWN)
        asked += ["--json"] * as_json
        command = further(["corpus", "rows", name, "--stage", stage, *asked], behind)
        say(f"{'more' if len(found) >= limit else f'looked up to row {behind:,}; further'}: {command}")
    elif not found:
        say(f"no row{' behind ' + str(after) if after else ''} matches")


def _say_listed(row: ListedRow | ListedReject) -> None:
    if "raw" in row:
        say_row(f"{row['row']}  {row['reason']}")
        tell(f"  {shown(row['raw'])}")
        return
    say_row(f"{row['row']}  {row.get('reason') or row.get('strategy') or ('changed' if row.get('changed') else '')}")
    for turn in row["turns"]:
        for field in ("system", "prompt", "reasoning", "response"):
            if text := turn.get(field):
                tell(f"  {field}: {shown(str(text))}")


def say_row(text: str) -> None:
    tell_styled(text, bold=True)


def pairs(wheres: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE options as a mapping. Raises BadParameter."""
    found = {}
    for where in wheres:
        key, sign, value = where.partition("=")
        if not sign:
            raise click.BadParameter(f"{where!r} is not KEY=VALUE", param_hint="--where")
        found[key.strip()] = value.strip()
    return found


@click.command()
@click.argument("row")
def show(row: str) -> None:
    """One row with its history, as JSON: raw, cleaned, what was made from it, every call, every line of an export.

    ROW is FILE:NUMBER, the number being that of the source line; FILE@VERSION:NUMBER for a file that was replaced.
    Example: corpus show chats:17 | jq .calls
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        print_json(corpus.show(row))


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.argument("line", type=click.IntRange(min=1))
@click.option("--export", help="Number of an export, or the first 8 or more digits of its sha256; default: the newest.")
@json_option
def trace(name: str, line: int, export: str | None, as_json: bool) -> None:
    """Where LINE of the exported file of NAME comes from: source line, rules, prompts, calls, money, people.

    Every export that was ever made can be asked about (--export); --json has the prompts and answers, too.
    Example: corpus trace chats 120
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.trace(name, line, export)
    if as_json:
        print_json(found)
        return
    source = found["source"]
    past = " (superseded)" if found["superseded"] else ""
    tell(f"{found['export']} line {found['line']}: row {found['row']}, export {found['export_id']}{past}")
    if found["purged"]:
        gone = found["purged"]
        tell(f"  removed on request at {moment(gone['at'])} by {gone['by']}: {gone['reason']}")
    where = "" if source["line"] is None else f" line {source['line']} (byte {source['byte_offset']:,})"
    tell(f"  source: {source['file']}{where}, sha256 {source['sha256'][:12]}")
    for step in found["steps"]:
        again = f"; started over since, at {moment(step['redone_at'])}" if step["redone_at"] else ""
        tell(f"  {step['stage']}: " + _step(step) + again)
        for call in step.get("calls", ()):
            tell(f"    call {call['step']}.{call['attempt']}: {_call(call)}")
    for person in found["people"]:
        why = f": {person['reason']}" if person["reason"] else ""
        tell(f"  {moment(person['at'])} {person['who']}: {person['action']} {person['subject']}{why}")


def _step(step: LineStep) -> str:
    match step["stage"]:
        case "ingest":
            return f"read as {step['format']}"
        case "clean":
            if step["state"] is None:
                return f"under recipe {step['recipe']} {step['recipe_version'][:12]}; its verdict is gone"
            changes = ", ".join(f"{c['rule']} x{c['count']} in turn {c['turn']} {c['field']}" for c in step["changes"])
            twins = f"; kept for {len(step['repeated_by'])} that repeat it" if step["repeated_by"] else ""
            return (
                f"{step['state']} under recipe {step['recipe']} {step['recipe_version'][:12]};"
                f" {changes or 'unchanged'}{twins}"
            )
        case "augment":
            paid = "an answer that was paid before" if step["from_paid_answer"] else f"{len(step['calls'])} calls"
            return (
                f"{step['strategy']} by {step['model'] or '?'}, prompt {(step['prompt_version'] or '?')[:12]},"
                f" {paid}, {money(step['cost_usd'])}"
            )
        case _:
            return "written" + (f" by run {step['runs'][-1]}" if step["runs"] else "")


def _call(call: AskedCall) -> str:
    outcome = call["outcome"] or call["state"]
    rejected = f", rejected as {call['rejected']}" if call["rejected"] else ""
    tokens = f"{call['input_tokens']:,} + {call['output_tokens']:,} tokens"
    return f"{outcome}{rejected}, {tokens}, {money(call['cost_usd'])}, at {moment(call['at'])}"
