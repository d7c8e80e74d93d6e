"""Who is there: sessions in memory, tokens against forged forms, and brakes for those who guess passwords."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from corpus_pipeline.web.options import Role

COOKIE = "corpus_session"
DEVICE = "corpus_device"
CREDENTIAL = "oidc:"  # how the credential of a session begins that a provider vouches for; all others are hexadecimal
_LIFETIME = 12 * 3600.0  # seconds after the login
_IDLE = 2 * 3600.0  # seconds after the last page
_MOST_SESSIONS = 10_000
_ID = re.compile(r"[0-9a-f]{64}")


class Person(NamedTuple):
    """Who asks: `name` goes into the audit log. None as a role: no one we know."""

    name: str
    role: Role

    @property
    def may_act(self) -> bool:
        """Whether this person may start and stop work."""
        return self.role.covers(Role.OPERATOR)


class _Login(NamedTuple):
    person: Person
    credential: str
    ends: float
    idle: float
    idle_ends: float
    user: int | None


class Sessions:
    """Sessions of one server; they end with it. The browser holds a random id, all else stays here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock
        self._people: OrderedDict[str, _Login] = OrderedDict()
        self._said: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def known_form(cookie: str | None) -> str | None:
        """The id that a cookie holds, None when it is none of ours."""
        return cookie if cookie and _ID.fullmatch(cookie) else None

    @staticmethod
    def new_id() -> str:
        return secrets.token_hex(32)

    def token(self, session: str) -> str:
        """What a form of this session must carry."""
        return hmac.new(self._key, session.encode(), hashlib.sha256).hexdigest()

    def token_is_right(self, session: str | None, token: str) -> bool:
        return session is not None and hmac.compare_digest(self.token(session).encode(), token.encode())

    def begin(
        self,
        person: Person,
        credential: str = "",
        *,
        life: float = _LIFETIME,
        lasting: bool = False,
        user: int | None = None,
    ) -> str:
        """The id of a new session: a login never goes on with the id that was there before.

        credential: what the login was checked against; the session ends when it is another one (`users.credential`).
        life: seconds until it ends, used or not. lasting: it ends with the server only. user: of this machine, whose process
        it is for (`web.peers`).
        """
        session, now = self.new_id(), self._clock()
        life, idle = (math.inf, math.inf) if lasting else (life, _IDLE)
        with self._lock:
            self._people[session] = _Login(person, credential, now + life, idle, now + idle, user)
            while len(self._people) > _MOST_SESSIONS:
                self._people.popitem(last=False)
        return session

    def person(self, session: str | None, *, active: bool = True) -> Person | None:
        """The person who logged in here, None after the end of the session. active: it is used, which puts off its end."""
        found = self._login(session, active=active)
        return None if found is None else found.person

    def user(self, session: str | None) -> int | None:
        """The user of this machine whose process began this session, None for one of elsewhere or when no one knows."""
        found = self._login(session, active=False)
        return None if found is None else found.user

    def credential(self, session: str | None) -> str:
        """What the login of this session was checked against."""
        found = self._login(session, active=False)
        return "" if found is None else found.credential

    def _login(self, session: str | None, *, active: bool) -> _Login | None:
        now = self._clock()
        with self._lock:
            found = self._people.get(session or "")
            if found is None or min(found.ends, found.idle_ends) < now:
                self._people.pop(session or "", None)
                return None
            if active:
                self._people[session or ""] = found = found._replace(idle_ends=now + found.idle)
            return found

    def end_all(self, name: str) -> None:
        """End every session of a person."""
        with self._lock:
            for session in [key for key, login in self._people.items() if login.person.name == name]:
                del self._people[session]

    def device(self, name: str) -> str:
        """A token for a browser in which this person logged in: a storm of guesses for the name does not hold it up."""
        nonce = secrets.token_hex(16)
        return f"{nonce}.{self.token(f'device {nonce} {name}')}"

    def known_device(self, cookie: str | None, name: str) -> str | None:
        """The id of a browser in which this person logged in before, None for any other."""
        nonce, _, token = (cookie or "").partition(".")
        return nonce if self.token_is_right(f"device {nonce} {name}", token) else None

    def end(self, session: str | None) -> None:
        with self._lock:
            self._people.pop(session or "", None)

    def say(self, session: str, text: str) -> None:
        """A sentence for the next page of this session."""
        with self._lock:
            self._said[session] = text
            while len(self._said) > _MOST_SESSIONS:
                self._said.popitem(last=False)

    def said(self, session: str) -> str | None:
        """That sentence, once."""
        with self._lock:
            return self._said.pop(session, None)


class Brake:
    """Login throttling: after `free` tries in a row each further one waits longer, by whatever key (name, address).

    A try counts when it begins, before its password is hashed, so that tries at the same moment count, too.
    """

    _MAX_KEYS = 10_000

    def __init__(self, free: int = 5, longest: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.free = free
        self._longest = longest
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, key: str) -> float:
        """Count a try and return 0, or return the seconds until one is looked at again."""
        now = self._clock()
        with self._lock:
            count, until = self._known.get(key, (0, 0.0))
            if until > now:
                return until - now
            self._known.pop(key, None)
            pause = min(self._longest, 2.0 ** (count + 1 - self.free) * 5) if count + 1 >= self.free else 0.0
            self._known[key] = (count + 1, now + pause)
            while len(self._known) > self._MAX_KEYS:
                self._known.popitem(last=False)
        return 0.0

    def passed(self, key: str) -> None:
        """Forget the tries of a key: one was right."""
        with self._lock:
            self._known.pop(key, None)
