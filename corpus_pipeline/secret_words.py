"""Secrets that this process was given, and text of others without them: what a server under us prints when it fails may quote
its arguments, its environment or its configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from corpus_pipeline.lazy_patterns import lazily

MASK: Final = "[redacted]"
_SHORTEST = 6  # letters: shorter ones would be found in words that are no secrets
_SHOWN = ("CORPUS_WEB_TOKEN",)  # it is printed on purpose, for the person who started the server
_NAMES = lazily(
    r"passw|pwd|secret|token|credential|(?:api|access|private|signing|account|master|^)_?key", re.IGNORECASE
)
_PATHS = ("ssl_key", "sslkey", "ssl_ca", "ssl_cert")
_PARAMETER_NAMES = lazily(
    rf"{_NAMES.pattern}|\bsig|signature|auth(?!or)|key$|^(?:pat|code|jwt|hmac|ticket|session)$", re.IGNORECASE
)
# both take time linear in the text, which anybody may have written
_PARAMETER = lazily(r"([?&;])([^=&;?#\s]*)=([^&;#\s]*)")
_WORD = lazily(r"[^\s'\"]+")
_AUTHORITY = lazily(r"[^/?#]*")
_OF_A_DATABASE = lazily(r"(?:mysql|mariadb|postgres|sqlite)[a-z]{0,8}(?:\+[a-z0-9]{1,16})?$", re.IGNORECASE)
_SCHEME = 40  # letters before an address that are looked at for what it is of


def sounds_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret.

    >>> [sounds_secret(name) for name in ("password", "AWS_SECRET_ACCESS_KEY", "key", "monkey", "base_dir")]
    [True, True, True, False, False]
    """
    return bool(_NAMES.search(name))


def parameter_is_secret(name: str) -> bool:
    """Whether a parameter of this name in an address gives rights to whoever has it; a path to a file does not.

    >>> [parameter_is_secret(name) for name in ("X-Amz-Signature", "sig", "token", "key", "ssl_key", "part", "design")]
    [True, True, True, True, False, False, False]
    """
    return bool(_PARAMETER_NAMES.search(name)) and name.lower() not in _PATHS


def without_parameters(url: str) -> str:
    """An address whose secret parameters are masked."""

    def masked(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}=***" if parameter_is_secret(unquote(found[2])) else found[0]

    return _PARAMETER.sub(masked, url)


def without_users(text: str, mask: str = "***") -> str:
    """Addresses without the users and passwords in them. Of databases the user is shown: elsewhere tokens stand in its place.

    Everything between the first colon and the last `@` is masked, whatever it holds: as drivers read it, and no less when
    the text cannot be read at all. Takes time linear in the text, which anybody may have written.

    >>> without_users("https://ghp_1:x@git.example/r@v1"), without_users("mysql+pymysql://me:c4n/ary@db/corpus")
    ('https://***@v1', 'mysql+pymysql://me:***@db/corpus')
    """
    last, done, shown = text.rfind("@"), 0, list[str]()
    start = text.find("://")
    while -1 < start < last:
        start += 3
        end = _AUTHORITY.match(text, start).end()  # type: ignore[union-attr]  # nothing matches, too
        if end > start:  # else a path
            is_database = _OF_A_DATABASE.search(text[max(0, start - 3 - _SCHEME) : start - 3]) is not None
            colon, at = text.find(":", start, last), text.rfind("@", start, end)
            if colon >= 0 and (is_database or at < 0 or colon < end):
                kept = start if colon < end and not is_database else colon + 1
                return "".join(shown) + text[done:kept] + mask + text[last:]
            if at >= 0 and not is_database:
                shown.append(text[done:start] + mask)
                done = at
        start = text.find("://", end)
    return "".join(shown) + text[done:]


def in_value(name: str, value: str) -> str | None:
    """The secret in the value of a setting: the password of an address, or all of it where its name says so; else None.

    >>> in_value("postgres_url", "postgresql://me:c4n/ary@db/dagster")
    'c4n/ary'
    """
    _, sign, rest = value.partition("://")
    if sign:
        user, at, _ = rest.rpartition("@")
        password = user.partition(":")[2]
        return password if at and password else None
    return value if value and sounds_secret(name) and not value.startswith(("/", "~", ".")) else None


def in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    """The secrets among environment variables."""
    for name, value in environment.items():
        if name not in _SHOWN and (found := in_value(name, value)):
            yield found


def in_yaml(text: str) -> Iterator[str]:
    """The secrets in a YAML document; none in what cannot be read."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    yield from (value for _, value in leaves(document))


def leaves(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, secret) for each text in a document that is or holds a secret."""
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    elif isinstance(document, str):
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        if (secret := in_value(name, document)) is not None:
            yield path, secret
    for key, value in items:
        yield from leaves(value, (*path, key))


def hider(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that takes these secrets out of a text, in each way in which they may be written, and the passwords of all
    addresses beside them."""
    forms = {form for secret in secrets for form in _written(secret) if len(form) >= _SHORTEST}
    known = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None

    def hide(text: str) -> str:
        if known is not None:
            text = known.sub(MASK, text)
        if "://" not in text or "@" not in text:
            return text
        return _WORD.sub(lambda word: without_users(word[0], MASK), text)

    return hide


def _written(secret: str) -> Iterator[str]:
    """A secret as it stands in an address, in JSON, in JSON within JSON, in a repr."""
    for one in {secret, unquote(secret), quote(secret, safe="")}:
        yield one
        once = json.dumps(one)[1:-1]
        yield once
        yield json.dumps(once)[1:-1]
        yield repr(one)[1:-1]
