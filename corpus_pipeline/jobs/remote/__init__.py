"""Dataset files that lie elsewhere: `s3://`, `https://` and `hf://` addresses. They are copied into the home folder, and read
there as any other file; a host that has no copy makes one, and it must have the registered bytes."""

from __future__ import annotations

from pathlib import Path

from corpus_pipeline.errors import SourceChanged, UsageError
from corpus_pipeline.jobs.remote import http, s3
from corpus_pipeline.jobs.remote.copies import Copies, Fetched, OnBytes, Remote, is_remote, nothing
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.ingest.identity import Identity

__all__ = ["Copies", "Fetched", "OnBytes", "Remote", "bring", "copy_of", "fetch", "is_remote", "listed", "nothing"]


def listed(address: str, settings: Settings) -> list[Remote]:
    """The dataset files that an address means: itself, or those below a prefix or in a repository. Nothing is copied yet.

    Raises UsageError (not such an address, nothing there, not allowed), StopJob (the server does not answer).
    """
    if address.startswith("s3://"):
        return s3.listed(address, settings)
    if address.startswith("hf://"):
        from corpus_pipeline.jobs.remote import hub  # an extra

        return hub.listed(address, settings)
    if address.startswith(("https://", "http://")):
        return [http.remote(address)]
    raise UsageError(f"{address}: dataset files are read from paths, s3://, https:// and hf://datasets/ addresses")


def fetch(remote: Remote, settings: Settings, on_bytes: OnBytes = nothing) -> Fetched:
    """A copy of a remote file in the home folder, made or still the right one. A copy that was begun is continued.

    Raises UsageError, StopJob (the connection broke again and again: what arrived is kept), and what `on_bytes` raises.
    """
    copies = Copies(settings.downloads_folder)
    with copies.copying(remote) as copy:
        if remote.address.startswith("s3://"):
            return s3.fetch(copy, settings, on_bytes)
        return http.fetch(copy, settings, on_bytes)


def copy_of(sha256: str, settings: Settings) -> Path | None:
    """The copy of a file on this host, None where there is none."""
    return Copies(settings.downloads_folder).known(sha256)


def bring(address: str, identity: Identity, settings: Settings, on_bytes: OnBytes = nothing) -> Path:
    """The copy of a registered file on this host, made if need be. Raises SourceChanged when other bytes are there now, and as
    `fetch`."""
    known = copy_of(identity.sha256, settings)
    if known is not None:
        return known
    (remote,) = listed(address, settings)
    found = fetch(remote, settings, on_bytes)
    if found.identity != identity:
        raise SourceChanged(
            f"{address} is not what was registered: {found.identity.size:,} bytes, sha256 {found.identity.sha256[:12]},"
            f" instead of {identity.size:,} bytes, sha256 {identity.sha256[:12]}. Put the old file back, or register what lies"
            " there now: corpus add ADDRESS --name NAME --replace"
        )
    return found.path
