"""`corpus attest` and `corpus verify`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, print_json, say, tell
from corpus_pipeline.errors import UsageError

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("name", required=False, shell_complete=dataset_names)
@click.option(
    "--new-key", type=_FILE, help="Make a signing key at this path, and PATH.pub for those who verify; and end."
)
def attest(name: str | None, new_key: Path | None) -> int:
    """Sign the newest export of NAME, with a proof for each line: source bytes, rules, prompts, models, money, people.

    With CORPUS_SIGNING_KEY set each export is signed as it is written; this signs one of before.

    \b
    Writes proof.jsonl and proof.dsse.json beside the export, in a folder or a bucket.
    Once:   corpus attest --new-key ~/corpus-key.pem
    Then:   CORPUS_SIGNING_KEY=~/corpus-key.pem corpus run chats
    Check:  corpus verify FOLDER --key corpus-key.pem.pub
    """
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.attest import attest as sign
    from corpus_pipeline.stages.export import proof

    if new_key is not None:
        public = proof.new_key(new_key)
        say(
            f"signing key {new_key} (keep it secret), public key {public}. Exports are signed where"
            f" CORPUS_SIGNING_KEY={shlex.quote(str(new_key))} is set; corpus attest NAME signs one that is there"
        )
        return 0
    if name is None:
        raise UsageError("name a dataset file: corpus attest NAME")
    with Corpus.open() as corpus:
        folder = sign(corpus, name, corpus.actor)
    say(f"signed {folder}. Next, anywhere: corpus verify {shlex.quote(folder)} --key PUBLIC_KEY")
    return 0


@click.command()
@click.argument("export", type=click.Path(exists=True, path_type=Path))
@click.option("--key", required=True, type=_FILE, help="The public key of whoever signed, got from them another way.")
@click.option("--line", type=click.IntRange(min=1), help="Show what was signed of this line, too.")
@json_option
def verify(export: Path, key: Path, line: int | None, as_json: bool) -> int:
    """Check a signed export: EXPORT is its folder or its data file. Needs no database, no network, no CORPUS_HOME.

    Every file, every line, the order of lines and that no purged row is in it; one changed bit is found. Files that nobody
    signed are counted; in a folder whose tools would read them they are a failure (exit code 1). With the data file as
    EXPORT they are only told.
    Example: corpus verify exports/chats --key corpus-key.pem.pub --line 120
    """
    from corpus_pipeline.stages.export import proof

    folder = export if export.is_dir() else export.parent
    found = proof.check(folder, proof.public_key(key))
    leaf = proof.leaf_of(folder, line) if line is not None else None
    # who names the folder gives it to tools that read what is in it
    code = 1 if found.unsigned.shown and export.is_dir() else 0
    if as_json:
        print_json({**found._asdict(), "unsigned": found.unsigned._asdict(), "line": leaf})
        return code
    tell(
        f"{found.name}: {found.lines:,} lines in {found.files} files are as signed by key {found.key[:16]};"
        f" source bytes are proved for {found.source_bytes_known:,}; none of {found.purged} purged rows is in it"
    )
    if leaf is not None:
        print_json(leaf)
    if found.unsigned.hidden:
        tell(
            f"{found.unsigned.hidden:,} hidden files beside them were signed by nobody here; older versions are among such"
        )
    if found.unsigned.shown:
        names = ", ".join(found.unsigned.names) + (", ..." if found.unsigned.shown > len(found.unsigned.names) else "")
        say(
            f"{found.unsigned.shown:,} files of {folder} were signed by nobody: {names}. Tools that read the whole folder read"
            " them, too: take them out, or name the data file (to corpus verify and to the tools)"
        )
    return code
