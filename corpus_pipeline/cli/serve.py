"""`corpus serve`: the row browser."""

from __future__ import annotations

import sys
from typing import Any

import click

from corpus_pipeline.cli.output import say

_DEFAULT_PORT = 8787


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on. Any other demands a login.")
@click.option("--port", default=_DEFAULT_PORT, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--allow-host", "allow_hosts", multiple=True, help="Host name that browsers may use for it. Repeatable.")
@click.option("--login", is_flag=True, help="Let in only users that --add-user has made.")
@click.option("--read-only", is_flag=True, help="Nobody may pause, resume, replay, dismiss or remove.")
@click.option("--proxy-header", help="Header in which a trusted proxy names the user, e.g. X-Remote-User.")
@click.option("--trusted-proxy", "trusted_proxies", multiple=True, help="Address or network of that proxy. Repeatable.")
@click.option(
    "--proxy-role",
    type=click.Choice(["viewer", "operator"]),
    default="viewer",
    show_default=True,
    help="Role of users that the proxy names and the users file does not know.",
)
@click.option(
    "--add-user", help="Make this user (or change it) and end. Asks for the password, or reads it from stdin."
)
@click.option("--remove-user", help="Remove this user and end.")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator"]),
    default="viewer",
    show_default=True,
    help="Role for --add-user: operators may pause, resume, replay, dismiss and remove rows.",
)
def serve(add_user: str | None, remove_user: str | None, role: str, **chosen: Any) -> int:
    """The row browser: files and their progress, rows, failed samples, cost, exports, the audit log; all as JSON too.

    \b
    On this machine:  corpus serve
    For a team:       corpus serve --add-user ann --role operator
                      corpus serve --host 0.0.0.0 --allow-host corpus.example.org --login
    """
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.web import serve as web
    from corpus_pipeline.web import users
    from corpus_pipeline.web.options import Role

    settings = Settings.from_env()
    settings.make_home()
    path = settings.home / web.USERS_FILE
    if add_user is not None:
        users.add(path, add_user, _password(add_user), Role(role))
        say(f"{add_user} is {role} now. Next: corpus serve --login")
        return 0
    if remove_user is not None:
        users.remove(path, remove_user)
        say(f"{remove_user} is removed and logged out")
        return 0
    options = web.default_options(settings, **{**chosen, "proxy_role": Role(chosen["proxy_role"])})
    with Corpus.open(settings) as corpus:
        if options.login and not users.read(path):
            say(f"nobody can log in yet: {path} has no user. Next: corpus serve --add-user NAME --role operator")
        web.run(corpus, options, lambda url: say(f"Row browser: {url} (Ctrl-C stops it)"))
    return 0


def _password(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")
