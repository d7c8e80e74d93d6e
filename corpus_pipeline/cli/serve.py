"""`corpus serve`: the row browser."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline.cli.output import ask_secret, say

if TYPE_CHECKING:
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.web.options import Options

_DEFAULT_PORT = 8787


def door_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say who gets in: the same for the row browser and for Dagster."""
    for option in reversed(_DOOR):
        command = option(command)
    return command


_DOOR = (
    click.option(
        "--host", default="127.0.0.1", show_default=True, help="Address to listen on. Any other needs a login."
    ),
    click.option(
        "--allow-host", "allow_hosts", multiple=True, help="Host name that browsers may use for it. Repeatable."
    ),
    click.option("--login", is_flag=True, help="Let in only users that `corpus serve --add-user` has made."),
    click.option("--oidc", is_flag=True, help="Let in whom the OpenID Connect provider of CORPUS_OIDC_ISSUER knows."),
    click.option("--read-only", is_flag=True, help="Everybody is a viewer: nobody starts, stops, replays or removes."),
    click.option("--proxy-header", help="Header in which a trusted proxy names the user, e.g. X-Remote-User."),
    click.option(
        "--trusted-proxy", "trusted_proxies", multiple=True, help="Address or network of that proxy. Repeatable."
    ),
    click.option(
        "--proxy-role",
        type=click.Choice(["viewer", "reviewer", "operator", "admin"]),
        default="viewer",
        show_default=True,
        help="Role of users that the proxy names and the users file does not know.",
    ),
)


def door_of(settings: Settings, chosen: dict[str, Any], port: int) -> Options:
    """What those options say. Raises UsageError for a door that would stand open."""
    from corpus_pipeline.web import serve as web
    from corpus_pipeline.web.options import Role

    return web.default_options(settings, **chosen | {"proxy_role": Role(chosen["proxy_role"]), "port": port})


def tell_if_nobody_can_log_in(options: Options) -> None:
    from corpus_pipeline.web import users

    if options.login and not (options.users and users.read(options.users)):
        say("nobody can log in yet: there is no user. Next: corpus serve --add-user NAME --role operator")


@click.command()
@click.option("--port", default=_DEFAULT_PORT, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    help="Unix socket to listen at instead of a port, for a proxy in the group of its file: that is its proof.",
)
@door_options
@click.option(
    "--add-user", help="Make this user (or change it) and end. Asks for the password, or reads it from stdin."
)
@click.option("--remove-user", help="Remove this user and end.")
@click.option(
    "--log-out",
    help="End every session of this user (oidc:NAME for one of a provider), at every server of this home, and end.",
)
@click.option(
    "--role",
    type=click.Choice(["viewer", "reviewer", "operator", "admin"]),
    default="viewer",
    show_default=True,
    help="Role for --add-user: reviewers may keep rows and dismiss samples, operators also pause, resume, replay and start"
    " runs, admins also remove for good.",
)
def serve(
    port: int,
    socket: Path | None,
    add_user: str | None,
    remove_user: str | None,
    log_out: str | None,
    role: str,
    **chosen: Any,
) -> int:
    """The row browser: files and their progress, rows, failed samples, cost, exports, the audit log; all as JSON too.

    \b
    On this machine:  corpus serve
    For a team:       corpus serve --add-user ann --role operator
                      corpus serve --host 0.0.0.0 --allow-host corpus.example.org --login
    """
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.web import serve as web
    from corpus_pipeline.web import users
    from corpus_pipeline.web.options import Role

    settings = Settings.from_env()
    settings.make_home()
    path = settings.home / web.USERS_FILE
    if add_user is not None:
        users.add(path, add_user, _password(add_user), Role(role))
        say(f"{add_user} is {role} now. Next: corpus serve --login, or corpus ui --login")
        return 0
    if remove_user is not None:
        users.remove(path, remove_user)
        say(f"{remove_user} is removed and logged out")
        return 0
    if log_out is not None:
        users.log_out(path, log_out)
        say(f"{log_out} is logged out everywhere")
        return 0
    options = door_of(settings, chosen | {"socket": socket}, port)
    tell_if_nobody_can_log_in(options)
    with web.open_corpus(settings) as corpus:
        web.run(corpus, options, lambda url: say(f"Row browser: {url} (Ctrl-C stops it)"))
    return 0


def _password(name: str) -> str:
    if sys.stdin.isatty():
        return ask_secret(f"Password for {name}")
    return sys.stdin.readline().rstrip("\n")
