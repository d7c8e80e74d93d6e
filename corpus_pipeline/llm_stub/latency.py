"""How long an answer takes, by a named law and the request's own random number."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

from corpus_pipeline.errors import UsageError

_Z99 = NormalDist().inv_cdf(0.99)
_FORMS = "use fixed:SECONDS, uniform:low=A,high=B or lognormal:median=M,p99=P"


class Latency(NamedTuple):
    """kind: fixed (first: seconds), uniform (first..second) or lognormal (first: median, second: sigma)."""

    kind: str
    first: float
    second: float = 0.0

    def seconds(self, point: float) -> float:
        """The quantile at `point` in [0, 1)."""
        if self.kind == "fixed":
            return self.first
        if self.kind == "uniform":
            return self.first + point * (self.second - self.first)
        return self.first * math.exp(self.second * NormalDist().inv_cdf(min(max(point, 1e-9), 1 - 1e-9)))


NO_LATENCY = Latency("fixed", 0.0)


def parse_latency(text: str) -> Latency:
    """A law from text such as `fixed:0.05` or `lognormal:median=0.5,p99=4`. Raises UsageError."""
    kind, _, rest = text.partition(":")
    try:
        if kind == "fixed":
            law = Latency("fixed", float(rest))
        else:
            named = {name.strip(): float(value) for name, value in (part.split("=") for part in rest.split(","))}
            if kind == "uniform":
                law = Latency("uniform", named["low"], named["high"])
            elif kind == "lognormal":
                law = Latency("lognormal", named["median"], math.log(named["p99"] / named["median"]) / _Z99)
            else:
                raise ValueError(kind)
    except (ValueError, KeyError, ZeroDivisionError):
        raise UsageError(f"{text!r} is no law of latency; {_FORMS}") from None
    if law.first < 0 or law.second < 0:
        raise UsageError(f"{text!r} would answer before it is asked; {_FORMS}")
    return law
