"""`corpus completion`: what a shell needs to complete commands, options and names of dataset files."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from corpus_pipeline.cli.output import tell_bare
from corpus_pipeline.errors import CorpusError

_HOW = {
    "bash": "corpus completion bash > ~/.local/share/bash-completion/completions/corpus",
    "zsh": "corpus completion zsh > ~/.zfunc/_corpus    # with fpath+=~/.zfunc before compinit",
    "fish": "corpus completion fish > ~/.config/fish/completions/corpus.fish",
}


@click.command(epilog="\b\n" + "\n".join(_HOW.values()))
@click.argument("shell", type=click.Choice(list(_HOW)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell; names of dataset files are completed, too."""
    kind = get_completion_class(shell)
    assert kind is not None
    tell_bare(kind(context.find_root().command, {}, "corpus", "_CORPUS_COMPLETE").source() + "\n")


def dataset_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The registered dataset files that begin so; none while the corpus cannot be read. Makes nothing."""
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.store import Store, dataset_files

    settings = Settings.from_env()
    if settings.database_url.startswith("sqlite") and not (settings.home / "corpus.db").exists():
        return []
    store = Store(settings.database_url, patience=0.0)
    try:
        found = store.fetch(dataset_files.current_files)
    except (CorpusError, OSError):
        return []
    finally:
        store.close()
    return [CompletionItem(file.name, help=file.format) for file in found if file.name.startswith(incomplete)]
