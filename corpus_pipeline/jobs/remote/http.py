"""Copying a file by HTTP: by ranges, gone on with after a cut, to allowed addresses only, redirects included.

Bytes of two versions of a file are never joined: what was begun is continued when the server proves by `If-Range` that the
file is the same one (a strong entity tag, or the time of its last change), and is begun again otherwise.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit, urlunsplit

from corpus_pipeline.errors import ControlFlow, ProviderRefused, StopJob, UsageError
from corpus_pipeline.jobs.remote.copies import Copy, Fetched, OnBytes, Remote, safe_name
from corpus_pipeline.llm.connections import Connections
from corpus_pipeline.llm.endpoint import Endpoint, endpoint
from corpus_pipeline.secret_words import parameter_is_secret
from corpus_pipeline.settings import Settings, masked_url

_MOST_HOPS = 5
_MOST_FRUITLESS = 5  # attempts in a row that brought no byte
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0  # seconds; doubled with each fruitless attempt
_SILENT_SECONDS = 60.0  # without a byte
_PIECE = 1 << 18
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_RULE = (
    "sources are read by https from public hosts, and by http from this machine; name a host of your own network in"
    " CORPUS_PRIVATE_HOSTS"
)


class _Hop(NamedTuple):
    """Where a request goes."""

    url: str
    where: Endpoint


class Broken(ControlFlow):
    """The connection ended before the file did; another attempt may bring the rest."""


def remote(address: str) -> Remote:
    """The file at an http(s) address. What is registered of an address with a signature or a token is the address without
    it. Raises UsageError."""
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"{masked_url(address)}: a user name or password in an address is kept nowhere; use a token of yours"
        )
    secret = any(
        parameter_is_secret(name) or "expires" in name.lower()
        for name, _ in parse_qsl(parts.query, keep_blank_values=True)
    )
    shown = urlunsplit((parts.scheme, parts.netloc, parts.path, "" if secret else parts.query, ""))
    return Remote(shown, urlunsplit(parts._replace(fragment="")), safe_name(unquote(PurePosixPath(parts.path).name)))


def fetch(copy: Copy, settings: Settings, on_bytes: OnBytes) -> Fetched:
    """Copy the file. Raises UsageError, StopJob, and what `on_bytes` raises."""
    return asyncio.run(_fetch(copy, settings, on_bytes))


async def _fetch(copy: Copy, settings: Settings, on_bytes: OnBytes) -> Fetched:
    fruitless, wait = 0, _FIRST_WAIT
    while True:
        before = copy.begun
        try:
            return await _attempt(copy, settings, on_bytes)
        except Broken as error:
            fruitless = 0 if copy.begun > before else fruitless + 1
            if fruitless >= _MOST_FRUITLESS:
                raise StopJob(
                    f"{copy.remote.address}: {error}. {copy.begun:,} bytes are kept; the same command goes on with them."
                ) from None
            wait = _FIRST_WAIT if copy.begun > before else min(_LONGEST_WAIT, wait * 2)
        await asyncio.sleep(wait)


async def _attempt(copy: Copy, settings: Settings, on_bytes: OnBytes) -> Fetched:
    import aiohttp

    first = hop = _hop(copy.remote.url, copy, settings, None)
    for _ in range(_MOST_HOPS + 1):
        connections = Connections(hop.where, most=1, cap_bytes=1 << 16)
        headers = _condition(copy)
        if (hop.where.scheme, hop.where.host, hop.where.port) == (
            first.where.scheme,
            first.where.host,
            first.where.port,
        ):
            headers |= dict(copy.remote.headers)  # a token is for the host that it was got for
        try:
            async with connections.stream(hop.url, headers, silent_seconds=_SILENT_SECONDS) as response:
                if response.status in _REDIRECTS:
                    hop = _hop(urljoin(hop.url, response.headers.get("Location", "")), copy, settings, hop.where)
                    continue
                return await _take(copy, response, settings, on_bytes)
        except ProviderRefused:
            raise _refused(copy, hop.where.host) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Broken(_in_words(error)) from None
        finally:
            await connections.close()
    raise UsageError(f"{copy.remote.address}: more than {_MOST_HOPS} redirections")


def _hop(url: str, copy: Copy, settings: Settings, before: Endpoint | None) -> _Hop:
    """A checked address. A redirection leads neither from https to http nor from elsewhere to this machine, nor from a
    public host to one of our own network: it would ask there in our name what somebody else chose."""
    parts = urlsplit(url)
    try:
        if parts.username is not None or parts.scheme not in ("http", "https"):
            raise UsageError("not an address to read from")
        where = endpoint(
            f"{parts.scheme}://{parts.netloc}", None, private_hosts=frozenset(settings.private_hosts)
        ).reached_by(ca_file=settings.ca_file, proxy=settings.proxy_for(parts.hostname or ""))
    except (UsageError, ValueError):
        raise _refused(copy, parts.hostname or "?") from None
    if before is not None and (
        where.loopback > before.loopback
        or where.private_allowed > before.private_allowed
        or (where.scheme, before.scheme) == ("http", "https")
    ):
        raise _refused(copy, f"{parts.scheme}://{parts.hostname}")
    return _Hop(urlunsplit(parts._replace(fragment="")), where)


def _refused(copy: Copy, host: str) -> UsageError:
    return UsageError(f"{copy.remote.address}: nothing is read from {host}: {_RULE}.")


def _condition(copy: Copy) -> dict[str, str]:
    if copy.is_made and copy.version is not None:
        return {"if-none-match" if copy.version.startswith('"') else "if-modified-since": copy.version}
    if copy.begun and copy.version is not None:
        return {"range": f"bytes={copy.begun}-", "if-range": copy.version}
    return {}


async def _take(copy: Copy, response: Any, settings: Settings, on_bytes: OnBytes) -> Fetched:
    status = response.status
    if status == 304 and copy.is_made:
        return copy.again()
    if status == 416 and copy.begun:  # more than there is: it is another file by now, or was whole already
        copy.begin(None, None, settings.download_limit)
        raise Broken("the file is another one than before")
    if status in _TRANSIENT:
        raise Broken(f"the server answers {status}")
    if status not in (200, 206):
        raise UsageError(f"{copy.remote.address}: the server answers {status}{_advice(status)}")
    if status == 206:
        start, whole = _range(response.headers.get("Content-Range", ""))
        tag = response.headers.get("ETag", "")
        other = tag.startswith('"') and (copy.version or "").startswith('"') and tag != copy.version
        if other or start != copy.begun or (copy.size is not None and whole is not None and whole != copy.size):
            copy.begin(None, None, settings.download_limit)
            raise Broken("the server sent another part than was asked for")
    else:
        length = response.headers.get("Content-Length")
        copy.begin(_version(response), int(length) if length and length.isdigit() else None, settings.download_limit)
    await _write(copy, response, settings, on_bytes)
    if copy.size is not None and copy.begun != copy.size:
        raise Broken(f"the connection ended after {copy.begun:,} of {copy.size:,} bytes")
    return copy.finish()


async def _write(copy: Copy, response: Any, settings: Settings, on_bytes: OnBytes) -> None:
    with copy.part.open("ab") as out:
        async for piece in response.content.iter_chunked(_PIECE):
            if copy.begun + len(piece) > (copy.size if copy.size is not None else settings.download_limit):
                raise UsageError(
                    f"{copy.remote.address}: more bytes come than the server said, or than CORPUS_DOWNLOAD_GIB allows"
                )
            out.write(piece)
            copy.begun += len(piece)
            on_bytes(copy.begun, copy.size)


def _version(response: Any) -> str | None:
    """What tells this state of the file from another one, None when nothing does. A weak tag tells too little."""
    tag = response.headers.get("ETag", "")
    if tag.startswith('"') and tag.isascii() and tag.isprintable():
        return tag
    return response.headers.get("Last-Modified") or None


def _range(text: str) -> tuple[int | None, int | None]:
    """(first byte, bytes of the whole) of `bytes 100-199/1000`."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", text.strip())
    if found is None:
        return None, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _advice(status: int) -> str:
    return {
        401: ": it wants to know who you are. For huggingface.co set HF_TOKEN",
        403: ": you may not read it. For huggingface.co accept the conditions of the dataset and set HF_TOKEN",
        404: ": there is no such file",
    }.get(status, "") + "."


def _in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no byte came for {_SILENT_SECONDS:.0f} s"
    return re.sub(r"\s+", " ", str(error)) or type(error).__name__
