"""How the row browser is served: who gets in, what they may do."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from corpus_pipeline.errors import UsageError
from corpus_pipeline.settings import MIN_SECRET, Oidc

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXY_PROOF = "X-Corpus-Proxy-Secret"  # the header by which a trusted proxy proves itself


class Role(StrEnum):
    """What a person may do; each role may what those before it may."""

    VIEWER = "viewer"  # looks at everything
    REVIEWER = "reviewer"  # judges rows: keeps them, dismisses failed samples
    OPERATOR = "operator"  # spends and stops: pauses, resumes, replays, tries, starts and stops runs
    ADMIN = "admin"  # removes for good: rows, and in Dagster runs and events

    def covers(self, other: Role) -> bool:
        """Whether this role may do all that the other one may."""
        order = tuple(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Options:
    """Where the row browser listens and which identities it accepts.

    allow_hosts: names by which browsers may ask for it, beside the address it listens on. users: the file of
    `web.users`; login is demanded when it is used. oidc: the provider by which people log in, beside it. proxy_header: names
    the user, believed only from `trusted_proxies` (addresses or networks) and with `proxy_secret`. loopback_user: the name of
    whoever brings `token` where nobody has to log in: every user of the machine reaches its own address. Without a token (an
    application inside one process) all do. socket: the file to listen at instead of an address.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    allow_hosts: tuple[str, ...] = ()
    login: bool = False
    users: Path | None = None
    oidc: Oidc | None = None
    proxy_header: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    proxy_role: Role = Role.VIEWER
    read_only: bool = False
    secure_cookies: bool = False
    socket: Path | None = None
    loopback_user: str = "local"
    token: str | None = field(default=None, repr=False)
    proxy_secret: str | None = field(default=None, repr=False)
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Raises UsageError for options that would let anybody in."""
        try:
            networks = tuple(ipaddress.ip_network(text) for text in self.trusted_proxies)
        except ValueError as error:
            raise UsageError(
                f"--trusted-proxy: {error}. Give addresses or networks such as 10.0.0.5 or 10.0.0.0/24"
            ) from error
        object.__setattr__(self, "networks", networks)
        if self.socket is not None and not self.demands_login:
            raise UsageError("--socket is for a proxy that names the user (--proxy-header), or with --login or --oidc")
        if self.proxy_header and not networks and self.socket is None:
            raise UsageError(
                "--proxy-header needs --trusted-proxy or --socket: anybody could send that header otherwise"
            )
        if self.proxy_header and self.socket is None and len(self.proxy_secret or "") < MIN_SECRET:
            raise UsageError(
                "--proxy-header needs CORPUS_PROXY_SECRET: every program at the address of the proxy could send that header"
                f" otherwise. Set it to {MIN_SECRET} random characters or more, and let the proxy send it as {PROXY_PROOF}"
            )
        if self.host not in LOOPBACK and not self.demands_login:
            raise UsageError(
                f"--host {self.host} lets others in, and nobody would have to log in. Make a user with"
                " `corpus serve --add-user NAME` and start with --login, or name the header of a proxy with"
                " --proxy-header and --trusted-proxy, or keep 127.0.0.1"
            )

    @property
    def demands_login(self) -> bool:
        """Whether every visitor must log in."""
        return self.login or self.oidc is not None or self.proxy_header is not None

    @property
    def has_login_page(self) -> bool:
        """Whether somebody without a session can get one here."""
        return self.login or self.oidc is not None

    def with_token(self) -> Options:
        """The same, with a token where no login is required: what a listening server takes."""
        return self if self.demands_login or self.token else replace(self, token=secrets.token_urlsafe(32))

    @property
    def hosts(self) -> frozenset[str]:
        """The host names under which this server answers: against names that are made to point here."""
        own = {self.host} - {"0.0.0.0", "::", ""}
        return frozenset(name.lower() for name in (*own, *LOOPBACK, *self.allow_hosts))

    def is_trusted_proxy(self, address: str | None) -> bool:
        """Whether a header that names the user is believed from here: at a socket, whose file says who may connect, always."""
        if self.socket is not None:
            return True
        try:
            place = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        return any(place in network for network in self.networks)
