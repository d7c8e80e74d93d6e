"""`corpus rules list`, and the same of strategies, formats and validators: what a recipe may name, and whose it is."""

from __future__ import annotations

import click

from corpus_pipeline.cli.output import json_option, print_lines, print_table
from corpus_pipeline.plugins import Group


def _group(group: Group, text: str) -> click.Group:
    word = group.value.rpartition(".")[2]

    @click.command("list", help=f"{text}, with the package that each comes from.")
    @json_option
    def listing(as_json: bool) -> None:
        from corpus_pipeline.service.queries.catalogue import listed

        found = listed(group)
        if as_json:
            print_lines(found)
            return
        print_table(
            ("name", "from", "", "what it does"),
            [
                (
                    one["name"],
                    f"{one['package']} {one['version']}",
                    "cannot be used" if one.get("problem") else "default" if one.get("default") else "",
                    one.get("problem") or one["summary"],
                )
                for one in found
            ],
        )

    return click.Group(word, commands=[listing], help=f"{text}.")


rules = _group(Group.RULES, "Cleaning rules that are there, built in and of plugins")
strategies = _group(Group.STRATEGIES, "Augmentation strategies that are there, built in and of plugins")
formats = _group(Group.FORMATS, "Formats that are there, built in and of plugins")
validators = _group(Group.VALIDATORS, "Validators of answers that plugins add")
