"""Who is there: sessions in memory, tokens against forged forms, and brakes for those who guess passwords."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from corpus_pipeline.web.options import Role

COOKIE = "corpus_session"
_LIFETIME = 12 * 3600.0  # seconds after the login
_MOST_SESSIONS = 10_000
_ID = re.compile(r"[0-9a-f]{64}")


class Person(NamedTuple):
    """Who asks: `name` goes into the audit log. None as a role: nobody we know."""

    name: str
    role: Role

    @property
    def may_act(self) -> bool:
        return self.role is Role.OPERATOR


class Sessions:
    """Sessions of one server; they end with it. The browser holds a random id, all else stays here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock
        self._people: OrderedDict[str, tuple[Person, float]] = OrderedDict()
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

    def begin(self, person: Person) -> str:
        """The id of a new session: a login never goes on with the id that was there before."""
        session = self.new_id()
        with self._lock:
            self._people[session] = (person, self._clock() + _LIFETIME)
            while len(self._people) > _MOST_SESSIONS:
                self._people.popitem(last=False)
        return session

    def person(self, session: str | None) -> Person | None:
        """Who logged in here."""
        with self._lock:
            found = self._people.get(session or "")
            if found is None or found[1] < self._clock():
                self._people.pop(session or "", None)
                return None
            return found[0]

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
    """After some failures in a row each further one costs a longer wait, by whatever key (address, name)."""

    FREE = 5
    LONGEST = 900.0
    _MOST_KEYS = 10_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, *keys: str) -> float:
        """Seconds until another try is looked at."""
        with self._lock:
            until = max((self._known.get(key, (0, 0.0))[1] for key in keys), default=0.0)
        return max(0.0, until - self._clock())

    def failed(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                count = self._known.pop(key, (0, 0.0))[0] + 1
                pause = min(self.LONGEST, 2.0 ** (count - self.FREE) * 5) if count >= self.FREE else 0.0
                self._known[key] = (count, self._clock() + pause)
            while len(self._known) > self._MOST_KEYS:
                self._known.popitem(last=False)

    def passed(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._known.pop(key, None)
