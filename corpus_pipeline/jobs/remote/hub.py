"""Datasets of the Hugging Face hub: `hf://datasets/OWNER/NAME[@REVISION][/CONFIG[/SPLIT] or /PATH]`.

The files of a config and split are those that the dataset's card names, or else those whose path says so. Each is registered
with the commit that it was found in, so that it stays the same file whatever is pushed later.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote

from corpus_pipeline.errors import StopJob, UsageError
from corpus_pipeline.jobs.remote.copies import Remote, safe_name
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.ingest.identity import DATASET_SUFFIXES

_ADDRESS = re.compile(
    r"hf://datasets/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?:@(?P<revision>refs/(?:convert|pr)/[\w.-]+|[\w.-]+))?(?:/(?P<rest>.*))?"
)
_NO_DATA = re.compile(r"(^|/)(\..*|dataset_infos?\.json|dataset_dict\.json|state\.json|config\.json|README\.md)$")
_SHOWN = 12
_MOST_PATTERNS, _LONGEST_PATTERN = 256, 1024  # of a config and split; characters
_SHOWN_OF_PATTERN = 80
_TIMEOUT = 30.0


class _Place(NamedTuple):
    """A dataset at a commit, and what is wanted of it."""

    repository: str
    commit: str
    files: list[str]
    configs: dict[str, dict[str, list[str]]]  # config -> split -> patterns of paths; empty: the card names none
    default: str | None


def listed(address: str, settings: Settings) -> list[Remote]:
    """The files that an address means. Raises UsageError (what is there instead), StopJob (the hub does not answer)."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UsageError(f"{address}: datasets of the hub are named hf://datasets/OWNER/NAME[/CONFIG/SPLIT]")
    place = _look(f"{found['owner']}/{found['name']}", found["revision"], settings)
    wanted = [step for step in (found["rest"] or "").split("/") if step]
    paths = _chosen(place, wanted, address)
    return [_remote(place, path, settings) for path in paths]


def _look(repository: str, revision: str | None, settings: Settings) -> _Place:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import (
            GatedRepoError,
            HfHubHTTPError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    except ImportError:
        raise UsageError("hf:// addresses need the hub's library: pip install 'corpus-pipeline[hf]'") from None

    _check(settings)
    api = HfApi(endpoint=settings.hub_endpoint, token=settings.hub_token or False)
    try:
        info = api.dataset_info(repository, revision=revision, timeout=_TIMEOUT)
    except GatedRepoError:
        raise UsageError(
            f"the dataset {repository} is gated: accept its conditions at {settings.hub_endpoint}/datasets/{repository}, then"
            " set HF_TOKEN"
        ) from None
    except RevisionNotFoundError:
        raise UsageError(f"the dataset {repository} has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise UsageError(f"the hub has no dataset {repository}, or it is private: then set HF_TOKEN") from None
    except OfflineModeIsEnabled:
        raise UsageError("HF_HUB_OFFLINE is set: nothing is asked of the hub") from None
    except Exception as error:
        if not isinstance(error, (HfHubHTTPError, OSError, *_errors_of_its_client())):
            raise
        raise StopJob(
            f"the hub at {settings.hub_endpoint} does not answer: {type(error).__name__}. Try again later."
        ) from None
    files = sorted(one.rfilename for one in info.siblings or () if not _NO_DATA.search(one.rfilename))
    card: dict[str, Any] = vars(info.card_data) if info.card_data is not None else {}
    configs, default = _configs(card.get("configs") or [])
    return _Place(repository, info.sha or revision or "main", files, configs, default)


def _errors_of_its_client() -> list[type[Exception]]:
    """What the library's HTTP client raises where there is no network, say; which client it is depends on its version."""
    names = (("httpx2", "HTTPError"), ("httpx", "HTTPError"), ("requests", "RequestException"))
    return [getattr(sys.modules[module], name) for module, name in names if module in sys.modules]


def _check(settings: Settings) -> None:
    """The hub's own address follows the rules for all others."""
    try:
        endpoint(settings.hub_endpoint, None, private_hosts=frozenset(settings.private_hosts))
    except UsageError:
        raise UsageError(
            f"HF_ENDPOINT {settings.hub_endpoint} is no address to read from: https, or http on this machine"
        ) from None


def _configs(said: Sequence[Any]) -> tuple[dict[str, dict[str, list[str]]], str | None]:
    """{config: {split: patterns}} of a card, and the config that is meant when none is named."""
    found: dict[str, dict[str, list[str]]] = {}
    default = None
    for entry in said:
        if not isinstance(entry, dict) or not {"data_files", "data_dir"} & entry.keys():
            continue
        name = str(entry.get("config_name", "default"))
        folder = str(entry.get("data_dir") or "").strip("/")
        found[name] = {
            split: [f"{folder}/{path}" if folder else path for path in paths]
            for split, paths in _splits(entry.get("data_files", "**")).items()
        }
        default = name if entry.get("default") else default
    if default is None and found:
        default = "default" if "default" in found else next(iter(found)) if len(found) == 1 else None
    return found, default


def _splits(said: Any) -> dict[str, list[str]]:
    if isinstance(said, dict):
        return {str(split): _patterns(paths) for split, paths in said.items()}
    if isinstance(said, list) and all(isinstance(one, dict) for one in said):
        return {str(one.get("split", "train")): _patterns(one.get("path", [])) for one in said}
    return {"train": _patterns(said)}


def _patterns(said: Any) -> list[str]:
    return [str(one).removeprefix("./") for one in (said if isinstance(said, list) else [said])]


def _chosen(place: _Place, wanted: list[str], address: str) -> list[str]:
    """The paths that are meant. Raises UsageError with what is there."""
    data = [path for path in place.files if path.lower().endswith(DATASET_SUFFIXES)]
    if "/".join(wanted) in place.files:
        return ["/".join(wanted)]
    if not data:
        raise UsageError(
            f"{address}: none of its {len(place.files)} files is one that can be read"
            f" ({_few(place.files) or 'there are none'}). What the hub converted may be:"
            f" hf://datasets/{place.repository}@refs/convert/parquet"
        )
    found = _by_card(place, wanted, data, address) if place.configs else _by_path(wanted, data)
    if not found:
        raise UsageError(f"{address}: no file is meant by {'/'.join(wanted)!r}. What is there: {_offers(place, data)}")
    return found


def _by_card(place: _Place, wanted: list[str], data: list[str], address: str) -> list[str]:
    if wanted and wanted[0] in place.configs:
        config, splits = wanted[0], wanted[1:]
    elif place.default is not None:
        config, splits = place.default, wanted
    else:
        raise UsageError(
            f"{address}: say which config: {_few(place.configs)} (hf://datasets/OWNER/NAME/CONFIG[/SPLIT])"
        )
    own = place.configs[config]
    if len(splits) > 1 or (splits and splits[0] not in own):
        return _by_path(wanted, data) if wanted[0] not in place.configs else []
    patterns = {pattern for split, paths in own.items() if not splits or split == splits[0] for pattern in paths}
    wild = sorted(pattern for pattern in patterns if any(sign in pattern for sign in "*?["))
    if len(wild) > _MOST_PATTERNS:
        raise UsageError(
            f"{address}: its card names files by {len(wild)} patterns, more than {_MOST_PATTERNS} are not tried. Name a"
            " folder or a file of it"
        )
    fits = [_expression(pattern, address) for pattern in wild]
    return [path for path in data if path in patterns or any(one.fullmatch(path) for one in fits)]


def _expression(pattern: str, address: str) -> Any:
    """What paths of a pattern look like, where `*` may not cross a folder and `**` may; in time linear in the path, since
    whoever wrote the card may have meant it to take for ever. Raises UsageError."""
    import re2
    from fsspec.utils import glob_translate  # the hub's library brings it

    options = re2.Options()
    options.log_errors = False
    try:
        if len(pattern) > _LONGEST_PATTERN:
            raise ValueError("it is too long")
        return re2.compile(glob_translate(pattern).removesuffix(r"\Z") + r"\z", options)
    except (ValueError, re2.error):
        raise UsageError(
            f"{address}: its card names files by {pattern[:_SHOWN_OF_PATTERN]!r}, which is no pattern of paths. Name a folder"
            " or a file of it"
        ) from None


def _by_path(wanted: list[str], data: list[str]) -> list[str]:
    """The files below a folder, or whose path has each of the words in it: a config that is a folder, a split in a name."""
    below = "/".join(wanted)
    if not wanted:
        return data
    if inside := [path for path in data if path.startswith(f"{below}/")]:
        return inside
    words = [word for word in wanted if word != "default"] or wanted

    def says(path: str) -> bool:
        steps = {*PurePosixPath(path).parts[:-1], *re.split(r"[._-]+", PurePosixPath(path).name)}
        return all(word in steps or word in path.split("/") for word in words)

    return [path for path in data if says(path)]


def _offers(place: _Place, data: list[str]) -> str:
    if place.configs:
        return _few(f"{config}/{split}" for config, splits in place.configs.items() for split in splits)
    return _few(data)


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else "")


def _remote(place: _Place, path: str, settings: Settings) -> Remote:
    url = f"{settings.hub_endpoint}/datasets/{place.repository}/resolve/{place.commit}/{quote(path)}"
    headers = (("authorization", f"Bearer {settings.hub_token}"),) if settings.hub_token else ()
    name = place.repository.split("/")[1]
    return Remote(
        f"hf://datasets/{place.repository}@{place.commit}/{path}",
        url,
        safe_name(f"{name}_{path.replace('/', '_')}"),
        headers,
    )
