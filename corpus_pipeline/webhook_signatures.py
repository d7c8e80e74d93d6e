"""The signature of a webhook: made by the sender, checked by the receiver, with nothing but the standard library.

from corpus_pipeline.webhook_signatures import Receiver

receiver = Receiver(os.environ["CORPUS_WEBHOOK_SECRET"])
if not receiver.accepts(request.headers["x-corpus-signature"], body):
    return 401
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

TOLERANCE = 300.0  # seconds by which a message may be old, or clocks may differ
_MOST_KNOWN = 100_000
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signature(secret: str, body: bytes, moment: int) -> str:
    """The value of `x-corpus-signature` for a body sent at a Unix time."""
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


class Receiver:
    """Takes each message once: the signature must be right, its time near, and it must not have been there before.

    A message that was delivered again by its sender has another time, and is taken again: `x-corpus-delivery` tells it.
    For several threads of one process; several processes share what they saw by other means.
    """

    def __init__(self, secret: str, tolerance: float = TOLERANCE, clock: Callable[[], float] = time.time) -> None:
        """tolerance: seconds."""
        self._secret = secret
        self._tolerance = tolerance
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def accepts(self, given: str, body: bytes) -> bool:
        """Whether a message with this `x-corpus-signature` is to be believed, now and for the first time."""
        found, now = _FORM.fullmatch(given), self._clock()
        if found is None or abs(now - int(found[1])) > self._tolerance:
            return False
        if not hmac.compare_digest(signature(self._secret, body, int(found[1])), given):
            return False
        with self._lock:
            while self._seen and (next(iter(self._seen.values())) < now or len(self._seen) >= _MOST_KNOWN):
                self._seen.popitem(last=False)
            if given in self._seen:
                return False
            self._seen[given] = now + 2 * self._tolerance
        return True
