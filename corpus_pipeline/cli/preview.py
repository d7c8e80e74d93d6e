"""`corpus preview`: what the cleaning rules would do to a file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, print_json, print_table, say, shown, tell, tell_styled

if TYPE_CHECKING:
    from corpus_pipeline.service.records.rows import FilePreview, RuleExample

_EXAMPLES = 20
_ROWS = 100_000


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option("--recipe", help="A recipe by name or file; else the one that the file is bound to.")
@click.option("--rule", "rules", multiple=True, help="Show this rule alone. Repeatable.")
@click.option(
    "--examples",
    type=click.IntRange(0, 1000),
    default=_EXAMPLES,
    show_default=True,
    help="Examples of each rule and effect.",
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=_ROWS, show_default=True, help="Look at the first rows; 0: all."
)
@json_option
def preview(name: str, recipe: str | None, rules: tuple[str, ...], examples: int, limit: int, as_json: bool) -> None:
    """What each cleaning rule would drop, change and tag in NAME: counts and examples. Nothing is written.

    NAME need not be ingested. Duplicates are not looked for: see `corpus duplicates` after a run.

    \b
    Examples:
      corpus preview chats --examples 3
      corpus preview chats --recipe stricter.yaml --rule repetition
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.preview_rules(name, recipe, only=rules, examples=examples, limit=limit or None)
    if as_json:
        print_json(found)
        return
    _show_counts(found)
    for rule in found["rules"]:
        for example in rule["examples"]:
            _show_example(rule["rule"], example)
    of = f" of {found['file_rows']:,}" if found["file_rows"] not in (None, found["rows"]) else ""
    say(
        f"{found['rows']:,}{of} rows of {name} by recipe {found['recipe']}: {found['dropped']:,} would be dropped;"
        f" of {found['kept']:,} kept {found['changed']:,} changed, {found['tagged']:,} tagged. Nothing was written."
    )
    say(f"Next: corpus run {shlex.quote(name)} --to clean")


def _show_counts(found: FilePreview) -> None:
    total = max(1, found["rows"])
    print_table(
        ("rule", "dropped", "changed", "tagged", "share", "words"),
        [
            (
                rule["rule"],
                rule["dropped"],
                rule["changed"],
                rule["tagged"],
                f"{(rule['dropped'] + rule['changed']) / total:.2%}",
                ", ".join(f"{word} {rows:,}" for word, rows in {**rule["reasons"], **rule["tags"]}.items()),
            )
            for rule in found["rules"]
        ],
        right=("dropped", "changed", "tagged", "share"),
    )


def _show_example(rule: str, example: RuleExample) -> None:
    tell("")
    tell_styled(f"{example['row']} {example['effect']} by {rule}: {', '.join(example['words'])}", bold=True)
    for one in example.get("differences", ()):
        before, behind = shown(one["before"][-40:]), shown(one["behind"][:40])
        marked = f"[-{shown(one['old'])}-] {{+{shown(one['new'])}+}}"
        tell(f"  turn {one['turn']} {one['field']}: …{before}{marked}{behind}…")
    if example.get("detail"):
        tell(f"  {shown(example['detail'])}")
    if example.get("text"):
        tell(f"  {shown(example['text'])}")
