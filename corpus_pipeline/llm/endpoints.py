"""The endpoints of a deployment: the one of OPENAI_BASE_URL, and those that CORPUS_ENDPOINTS names.

A model in a recipe is `endpoint/model`, or the name of a model alone for the default endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus_pipeline.errors import SettingMissing, UsageError
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm.endpoint import Endpoint, endpoint
from corpus_pipeline.model import CallOptions
from corpus_pipeline.recipe import CallParams, Limits, MediaKind, Price, options_of
from corpus_pipeline.settings import Settings

_NEXT = "docs/operating.md describes it under `Several endpoints`."
_NAME = lazily(r"[a-z0-9][a-z0-9_.-]{0,63}")
DEFAULT_BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com/v1",
    "gemini": "https://generativelanguage.googleapis.com/v1beta",
}


class EndpointEntry(BaseModel):
    """One endpoint of CORPUS_ENDPOINTS. `key` names the environment variable that holds the key, never the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = Field(None, description="null: that of the style's provider")
    key: str | None = Field(None, pattern=r"^[A-Z_][A-Z0-9_]*$", description="the variable that holds its key")
    style: Literal["openai", "azure", "anthropic", "gemini"] = Field("openai", description="how it is spoken to")
    api_version: str | None = Field(None, description="of Azure: the model is then a deployment")
    headers: dict[str, str] = Field(default_factory=dict, description="further headers; $NAME is a variable")
    ca_file: str | None = Field(None, description="authorities in PEM format; null: CORPUS_CA_FILE")
    proxy: str | None = Field(None, description="null: HTTPS_PROXY and NO_PROXY decide; none: directly")
    private: bool = Field(False, description="a host of the deployment's own network")
    concurrency: int | None = Field(None, ge=1, le=2000, description="calls at once; null: the recipe's")
    limits: Limits = Limits()
    prices: dict[str, Price] = Field(default_factory=dict, description="by model; the recipe's own go first")
    options: CallParams = CallParams()
    media: tuple[MediaKind, ...] = Field(
        (),
        description="what its models are shown of rows: image, audio, video, file; a strategy's own `media` goes first",
    )
    media_addresses: bool | None = Field(
        None,
        description="whether addresses in rows are passed on, for the provider to fetch; null: not to this machine or a host"
        " of one's own network, which may reach what a row's author cannot",
    )


class Place(NamedTuple):
    """An endpoint with what holds for every request to it."""

    endpoint: Endpoint
    options: CallOptions = CallOptions()
    limits: Limits = Limits()
    concurrency: int | None = None
    prices: Mapping[str, Price] = {}
    media: tuple[MediaKind, ...] = ()
    media_addresses: bool | None = None

    @property
    def fetches(self) -> bool:
        """Whether it is asked to fetch media by the addresses that rows give."""
        inside = self.endpoint.loopback or self.endpoint.private_allowed
        return not inside if self.media_addresses is None else self.media_addresses

    @property
    def key(self) -> str:
        """What processes share its limits by."""
        name = self.endpoint.name
        return f"{self.endpoint.origin}#{name}" if name else self.endpoint.origin


class Endpoints:
    """Where models are asked. `default` serves models that name no endpoint."""

    def __init__(self, default: Place | None, named: Mapping[str, Place]) -> None:
        self.named = dict(named)
        only = next(iter(self.named.values())) if len(self.named) == 1 else None
        self.default = default or only

    @property
    def all(self) -> list[Place]:
        """Every endpoint, the default one first."""
        others = [place for place in self.named.values() if place is not self.default]
        return [*([self.default] if self.default else []), *others]

    def split(self, model: str) -> tuple[Place, str]:
        """(endpoint, name of the model there). Raises SettingMissing when a model names none, and there is no default."""
        name, slash, rest = model.partition("/")
        if slash and name in self.named:
            return self.named[name], rest
        if self.default is None:
            raise SettingMissing(
                f"the model '{model}' names no endpoint: write ENDPOINT/{model} with one of {', '.join(self.named)},"
                " or set OPENAI_API_KEY or OPENAI_BASE_URL"
            )
        return self.default, model


def from_settings(settings: Settings) -> Endpoints | None:
    """The endpoints of a deployment; None when there are none. Raises UsageError that names the entry at fault."""
    named = {name: _place(name, entry, settings) for name, entry in _entries(settings).items()}
    default = None
    if settings.openai_api_key is not None or settings.openai_base_url is not None:
        where = endpoint(
            settings.openai_base_url, settings.openai_api_key, private_hosts=frozenset(settings.private_hosts)
        )
        default = Place(where.reached_by(ca_file=settings.ca_file, proxy=settings.proxy_for(where.host)))
    return Endpoints(default, named) if named or default else None


def _entries(settings: Settings) -> dict[str, EndpointEntry]:
    if settings.endpoints is None:
        return {}
    try:
        body = yaml.safe_load(settings.endpoints)
    except yaml.YAMLError as error:
        raise UsageError(f"CORPUS_ENDPOINTS is no YAML: {' '.join(str(error).split())}. {_NEXT}") from error
    entries = body.get("endpoints", body) if isinstance(body, dict) else None
    if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries):
        raise UsageError(f"CORPUS_ENDPOINTS must be a mapping of names to endpoints. {_NEXT}")
    found: dict[str, EndpointEntry] = {}
    for name, entry in entries.items():
        if not _NAME.fullmatch(name):
            raise UsageError(f"CORPUS_ENDPOINTS: {name!r} is no name; use lower-case letters, digits, - _ and .")
        try:
            found[name] = EndpointEntry.model_validate(entry or {})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in (name, *first["loc"]))
            raise UsageError(f"CORPUS_ENDPOINTS, {place}: {first['msg']}. {_NEXT}") from error
    return found


def _place(name: str, entry: EndpointEntry, settings: Settings) -> Place:
    base_url = entry.base_url or DEFAULT_BASE_URLS.get(entry.style)
    if base_url is None:
        raise UsageError(f"CORPUS_ENDPOINTS, {name}: an endpoint of Azure needs its base_url. {_NEXT}")
    key = None
    if entry.key is not None and not (key := dict(settings.endpoint_variables).get(entry.key)):
        raise SettingMissing(
            f"CORPUS_ENDPOINTS, {name}: the variable {entry.key}, which is to hold its key, is not set."
        )
    host = (urlsplit(base_url).hostname or "").lower()
    private = frozenset(settings.private_hosts) | (frozenset({host}) if entry.private else frozenset())
    try:
        where = endpoint(
            base_url,
            key,
            private_hosts=private,
            name=name,
            style=entry.style,
            api_version=entry.api_version,
            headers=tuple((header, _value(name, text, settings)) for header, text in entry.headers.items()),
        )
    except UsageError as error:
        raise UsageError(f"CORPUS_ENDPOINTS, {name}: {error}") from error
    proxy = settings.proxy_for(where.host) if entry.proxy is None else None if entry.proxy == "none" else entry.proxy
    where = where.reached_by(ca_file=entry.ca_file or settings.ca_file, proxy=proxy)
    return Place(
        where,
        options_of(entry.options),
        entry.limits,
        entry.concurrency,
        entry.prices,
        entry.media,
        entry.media_addresses,
    )


def _value(name: str, text: str, settings: Settings) -> str:
    """A header's value, or that of the variable which it names."""
    if not text.startswith("$"):
        return text
    value: Any = dict(settings.endpoint_variables).get(text[1:])
    if not value:
        raise SettingMissing(f"CORPUS_ENDPOINTS, {name}: the variable {text[1:]}, which a header names, is not set.")
    return str(value).strip()
