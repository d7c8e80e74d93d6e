"""HTTP to one endpoint: only to checked addresses, with known headers only, and answers up to a maximum size.

aiohttp does the work: of the libraries that were measured it takes the least processor time for a call.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from corpus_pipeline.errors import ControlFlow, UsageError
from corpus_pipeline.llm.endpoint import Endpoint

if TYPE_CHECKING:  # a quarter of a second, which only who calls has to spend
    import aiohttp
    from yarl import URL

_CONNECT_SECONDS = 10.0
# below the idle time after which servers hang up: a call on a connection that dies under it is booked as unknown
_KEEPALIVE_SECONDS = 20.0
_FIELD_BYTES = 64 * 1024  # of one header: some gateways send long ones
_PIECE_BYTES = 1 << 16
_ALWAYS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "corpus-pipeline"}


class TooMuch(ControlFlow):
    """The response is longer than the cap, or compressed although plain bytes were asked for."""


class Unsendable(ControlFlow):
    """The request holds what no header or address can."""


class Reply(NamedTuple):
    """A whole response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Connections:
    """The connections to one endpoint; use in one event loop. most: at once. cap_bytes: of a response."""

    def __init__(self, where: Endpoint, *, most: int, cap_bytes: int) -> None:
        self._where, self._most, self._cap = where, most, cap_bytes
        self._context = _trusted(where.ca_file) if where.scheme == "https" else None
        self._open: aiohttp.ClientSession | None = None

    async def request(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None) -> Reply:
        """Send one request once and read the response. Raises TooMuch, Unsendable, ProviderRefused, or what aiohttp raises."""
        try:
            async with self._asked(method, url, headers, content) as response:
                return Reply(response.status, _plain(response), await self._read(response))
        except ValueError as error:
            raise Unsendable(str(error)) from None

    async def download(self, url: str, headers: Mapping[str, str], path: Path, *, cap_bytes: int) -> Reply:
        """As `request`, with GET; what is successful goes into the file `path`, and the reply has no content."""
        part = path.with_suffix(".part")
        async with self._asked("GET", url, headers, None) as response:
            if not 200 <= response.status < 300:
                return Reply(response.status, _plain(response), await self._read(response))
            _require_plain(response)
            length = 0
            with part.open("wb") as out:
                async for piece in response.content.iter_chunked(_PIECE_BYTES):
                    length += len(piece)
                    if length > cap_bytes:
                        raise TooMuch("the file is longer than the cap")
                    out.write(piece)
            part.rename(path)
            return Reply(response.status, _plain(response), b"")

    def stream(self, url: str, headers: Mapping[str, str], *, silent_seconds: float) -> Any:
        """A response under way, as a context, to be read piece by piece; silent_seconds: the longest time without a
        byte. Nothing is unpacked and no redirection followed. Raises what aiohttp raises."""
        import aiohttp
        from yarl import URL

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=silent_seconds)
        said = {**_ALWAYS, "Accept": "*/*", **{name.title(): value for name, value in headers.items()}}
        return self._session().get(URL(url, encoded=True), headers=said, timeout=timeout, **self._ways)

    async def close(self) -> None:
        if self._open is not None:
            await self._open.close()

    def _asked(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Any:
        """The request under way, as a context that gives its connection back."""
        said = {**_ALWAYS, **{_titled(name): value for name, value in headers.items()}}
        return self._session().request(method, _parsed(url), headers=said, data=content, **self._ways)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        _require_plain(response)
        pieces, length = [], 0
        async for piece in response.content.iter_any():
            length += len(piece)
            if length > self._cap:
                raise TooMuch("the response is longer than the cap")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            import aiohttp

            from corpus_pipeline.llm.checked_resolver import CheckedResolver

            where = self._where
            self._open = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._most,
                    ssl=True if self._context is None else self._context,
                    resolver=CheckedResolver(where),
                    use_dns_cache=False,
                    keepalive_timeout=_KEEPALIVE_SECONDS,
                ),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),  # the total deadline is ours
                trust_env=False,
                max_line_size=_FIELD_BYTES,
                max_field_size=_FIELD_BYTES,
            )
        return self._open

    @cached_property
    def _ways(self) -> dict[str, Any]:
        """What holds for every request."""
        ways: dict[str, Any] = {"allow_redirects": False}
        if self._where.proxy is not None:
            ways |= _proxy(self._where.proxy)
        return ways


@lru_cache(maxsize=256)
def _titled(name: str) -> str:
    return name.title()


@lru_cache(maxsize=64)
def _parsed(url: str) -> URL:
    from yarl import URL

    return URL(url, encoded=True)


def _plain(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {_lower(name): value.decode("latin-1") for name, value in response.raw_headers}


@lru_cache(maxsize=512)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _require_plain(response: aiohttp.ClientResponse) -> None:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise TooMuch("the response is compressed, which was not asked for")


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """The authorities that everybody trusts, and the deployment's own. Raises UsageError."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the certificate authorities in {ca_file} cannot be read: {error.strerror or error}."
                " Name a file in PEM format in CORPUS_CA_FILE."
            ) from error
    return context


def _proxy(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    ways: dict[str, Any] = {"proxy": f"{parts.scheme}://{host}:{parts.port or 80}"}
    if parts.username is not None:
        said = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        ways["proxy_headers"] = {"Proxy-Authorization": f"Basic {b64encode(said.encode()).decode()}"}
    return ways
