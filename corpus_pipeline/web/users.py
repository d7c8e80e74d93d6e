"""The users file: names, roles and scrypt hashes, readable by its owner only. Passwords are never kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.errors import UsageError
from corpus_pipeline.web.options import Role
from corpus_pipeline.web.sessions import CREDENTIAL

# OWASP's least for scrypt is N=2**17, r=8, p=1 or as costly; 2**15 with p=3 needs 32 MiB instead of 128
_N, _R, _P = 1 << 15, 8, 3
_MEMORY = 64 << 20
SHORTEST_PASSWORD = 10
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
# a storm of logins must not eat the machine: half of its processors stay for pages
_hashing = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))


def hashed(password: str) -> str:
    """`scrypt$N$r$p$salt$hash` of a password, with a salt of its own."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", str(_N), str(_R), str(_P), salt.hex(), _scrypt(password, salt, _N, _R, _P).hex()))


def matches(password: str, stored: str) -> bool:
    """Whether a password has this hash, compared in constant time."""
    _, n, r, p, salt, digest = stored.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    with _hashing:
        return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


@cache
def _nobody() -> str:
    """What a wrong name is measured against, so that it takes as long."""
    return hashed(secrets.token_urlsafe())


def read(path: Path) -> dict[str, dict[str, str]]:
    """{name: {role, password}}; empty when there is no file. Raises UsageError."""
    return _document(path)["users"]


def _document(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {"users": dict(found["users"]), "ended": dict(found.get("ended", {}))}
    except FileNotFoundError:
        return {"users": {}, "ended": {}}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not what we write"
        raise UsageError(f"{path} is no users file: {problem}. `corpus serve --add-user NAME` writes one") from error


def ended(path: Path | None, name: str) -> str:
    """A word that is another one whenever `log_out` ended the sessions of somebody whom a provider names."""
    return str(_document(path)["ended"].get(name, "")) if path is not None else ""


class User(NamedTuple):
    """A user as the file has one now.

    credential: differs whenever the password was set, also to the same one, and after `log_out`.
    """

    role: Role
    credential: str


def user(path: Path, name: str) -> User | None:
    """The user of this name, None for a stranger."""
    known = read(path).get(name)
    if known is None:
        return None
    return User(
        Role(known["role"]), hashlib.sha256(f"{known['password']} {known.get('sessions', '')}".encode()).hexdigest()
    )


def role_of(path: Path, name: str) -> Role | None:
    """The role of a user, None for a stranger."""
    known = user(path, name)
    return None if known is None else known.role


def check(path: Path, name: str, password: str) -> User | None:
    """The user of this name and password, None when there is none."""
    known = read(path).get(name)
    right = matches(password, known["password"] if known else _nobody())
    return user(path, name) if known and right else None


def add(path: Path, name: str, password: str, role: Role) -> None:
    """Add a user, or change password and role of one. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"--add-user {name!r}: a name has 1 to 64 letters, digits and . _ @ -")
    if len(password) < SHORTEST_PASSWORD:
        raise UsageError(f"the password needs {SHORTEST_PASSWORD} characters or more")
    known = read(path)
    known[name] = {"role": role.value, "password": hashed(password)}
    _write(path, known)


def remove(path: Path, name: str) -> None:
    """Remove a user. Raises UsageError when there is none of this name."""
    known = read(path)
    if name not in known:
        raise UsageError(f"there is no user {name!r}; known are: {', '.join(sorted(known)) or 'none yet'}")
    del known[name]
    _write(path, known)


def log_out(path: Path, name: str) -> None:
    """End every session of a user at every server that reads this file; `oidc:` is in front of names that a provider gave.

    Raises UsageError when there is none of this name."""
    if name.startswith(CREDENTIAL):
        ended = _document(path)["ended"] | {name: secrets.token_hex(16)}
        _write(path, read(path), ended)
        return
    known = read(path)
    if name not in known:
        raise UsageError(f"there is no user {name!r}; known are: {', '.join(sorted(known)) or 'none yet'}")
    known[name]["sessions"] = secrets.token_hex(16)
    _write(path, known)


def _write(path: Path, known: dict[str, dict[str, str]], ended: dict[str, str] | None = None) -> None:
    ended = _document(path)["ended"] if ended is None else ended
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"users": known} | ({"ended": ended} if ended else {}), file, indent=2, sort_keys=True)
    temporary.replace(path)
