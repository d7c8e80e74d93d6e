"""What an endpoint refuses of every request for one model, learnt from its own words and left out from then on.

A lesson is drawn only about a parameter that was sent, that the refusal names, and for which there is another way to say the
same, or that only fine-tunes the answer. What decides about money or was asked for by name (the service tier, keys of
`extra_body`) is never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm.failures import Failure, Reason

_LIMITS: Final = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
_OMITTABLE: Final = frozenset({"temperature", "seed", "response_format", "reasoning_effort", "stream_options"})


class Learnt(NamedTuple):
    """How requests for one model are put to one endpoint, as learnt. refused: names of the limit that it does not take."""

    omitted: frozenset[str] = frozenset()
    output_limit: str | None = None
    system: str | None = None
    stream: bool | None = None
    extra: tuple[tuple[str, Any], ...] = ()
    refused: frozenset[str] = frozenset()

    def with_fact(self, name: str, value: str) -> Learnt:
        """With one lesson more, as `Lesson` names it; unknown ones change nothing."""
        match name:
            case "output_limit" if value in _LIMITS:
                return self._replace(output_limit=value, refused=self.refused | {_LIMITS[value]})
            case "system" if value in ("role", "first_user"):
                return self._replace(system=value)
            case "stream":
                return self._replace(stream=value == "true")
            case "enable_thinking":
                return self._replace(extra=(*self.extra, ("enable_thinking", False)))
            case _ if value == OMITTED and name in _OMITTABLE:
                return self._replace(omitted=self.omitted | {name})
        return self


NOTHING_LEARNT: Final = Learnt()
OMITTED: Final = "omitted"


class Lesson(NamedTuple):
    """One thing that was learnt: the name of the parameter, and how it is sent from now on. said: the provider's words."""

    name: str
    value: str
    said: str

    def sentence(self) -> str:
        """What is done, for people."""
        return f"{self.name}: {self.value} from now on, the provider said: {self.said}"


_REFUSES: Final = lazily(
    r"unsupported|not (?:\w+ ){0,2}support|unrecogni[sz]ed|unknown|unexpected|extra|not permitted|not allowed|invalid|"
    r"only the default|deprecated|cannot be|can only be|must be|incompatible|not available|no longer|not accept|removed|"
    r"unavailable|"
    r"only support|not a valid|does not exist|not enabled|should be|can ?not be|非法|无效|不支持|不合法|不允许|参数错误",
    re.IGNORECASE,
)
# a value that is out of bounds is the recipe's to change: another name for it would be refused as well
_BOUNDS: Final = lazily(
    r"too (?:large|small|high|low|many)|at (?:most|least)|(?:less|greater|larger|smaller|more) than|maximum|minimum|range|"
    r"exceed",
    re.IGNORECASE,
)
_SYSTEM: Final = lazily(
    r"system[^.]{0,30}\brole|role[^.]{0,40}\bsystem|system (?:message|prompt|instruction)s?[^.]{0,40}not|"
    r"developer instruction[^.]{0,40}not|roles must alternate|only user and assistant roles|"
    r"messages?[.\[]\d+\]?\.role\b.{0,40}\b(?:should|must) be '?\"?(?:user|assistant)",
    re.IGNORECASE,
)
_DEVELOPER: Final = lazily(r"developer[^.]{0,30}\brole|role[^.]{0,40}\bdeveloper|'developer'", re.IGNORECASE)
_STREAM_ONLY: Final = lazily(
    r"only supports? (?:the )?stream|stream(?:ing)? (?:is |mode )?(?:required|only)|must (?:be|set|use)[^.]{0,40}stream|"
    r"stream[^.]{0,30}must be[^.]{0,20}true|(?:set|enable)[^.]{0,30}\bstream|streaming is (?:strongly )?re(?:quired|commended)",
    re.IGNORECASE,
)


def lesson_of(failure: Failure, sent: Mapping[str, Any], learnt: Learnt) -> Lesson | None:
    """What a refusal teaches about the shape of requests; None when it teaches nothing new. sent: the body that was refused."""
    if failure.reason not in (Reason.INVALID_REQUEST, Reason.WRONG_ADDRESS, Reason.TOO_LONG):
        return None
    said = f"{failure.param or ''} {failure.code or ''} {failure.message}"
    if isinstance(
        config := sent.get("generationConfig"), Mapping
    ):  # of Gemini, whose parameters stand one level deeper
        sent = {**sent, **config}
    if (found := _thinking_switch(said, sent) or _stream(said, sent) or _system(said, sent, learnt)) is not None:
        return Lesson(*found, failure.message)
    name = _blamed(failure, said, sent)
    if name is None:
        return None
    if name in _LIMITS:
        other = _LIMITS[name]
        if other in learnt.refused or (_BOUNDS.search(failure.message) and "support" not in failure.message.lower()):
            return None
        return Lesson("output_limit", other, failure.message)
    return Lesson(name, OMITTED, failure.message)


def overrun_lesson(written: int, limit: int, sent: Mapping[str, Any], learnt: Learnt) -> Lesson | None:
    """What it teaches that an answer is longer than its limit: the server may know the limit by its other name only."""
    if "max_tokens" in sent or "max_completion_tokens" not in sent or "max_tokens" in learnt.refused:
        return None
    return Lesson(
        "output_limit",
        "max_tokens",
        f"nothing, but it wrote {written:,} tokens where max_completion_tokens allowed {limit:,}",
    )


def _blamed(failure: Failure, said: str, sent: Mapping[str, Any]) -> str | None:
    """The parameter that a refusal names first, of those that were sent and that there is another way for."""
    own = re.split(r"[.\[]", failure.param or "", maxsplit=1)[0]
    mine = [name for name in (*_LIMITS, *_OMITTABLE) if name in sent]
    if own in sent:
        return own if own in mine else None
    if not _REFUSES.search(said):
        return None
    places = {name: match.start() for name in mine if (match := _named(name).search(said))}
    if "response_format" in mine and re.search(r"json_schema|structured output|guided", said, re.IGNORECASE):
        places.setdefault("response_format", len(said))
    return min(places, key=lambda name: places[name], default=None)


def _named(name: str) -> re.Pattern[str]:
    """A parameter's name by itself, also where letters of another script follow."""
    return re.compile(rf"(?<![A-Za-z0-9_-]){name}(?![A-Za-z0-9_-])")


def _thinking_switch(said: str, sent: Mapping[str, Any]) -> tuple[str, str] | None:
    wants_off = re.search(r"enable[_ ]thinking", said) and re.search(r"false|non-?stream", said, re.IGNORECASE)
    return ("enable_thinking", "false") if wants_off and "enable_thinking" not in sent else None


def _stream(said: str, sent: Mapping[str, Any]) -> tuple[str, str] | None:
    if not sent.get("stream"):
        return ("stream", "true") if _STREAM_ONLY.search(said) else None
    refused = re.search(r"(?<![\w-])stream(?:ing)?(?![\w-])", said) and _REFUSES.search(said)
    return ("stream", "false") if refused and "stream_options" not in said and not _STREAM_ONLY.search(said) else None


def _system(said: str, sent: Mapping[str, Any], learnt: Learnt) -> tuple[str, str] | None:
    roles = [message.get("role") for message in sent.get("messages", ()) if isinstance(message, Mapping)]
    if "developer" in roles and learnt.system is None and _DEVELOPER.search(said):
        return "system", "role"
    if "system" in roles and learnt.system != "first_user" and _SYSTEM.search(said):
        return "system", "first_user"
    return None


_HINTS: Final = (
    (lazily(r"enable_thinking", re.IGNORECASE), "`extra_body: {enable_thinking: false}`"),
    (lazily(r"max_(?:completion_)?tokens"), "`output_limit: max_tokens`, or a smaller max_output_tokens"),
    (lazily(r"temperature", re.IGNORECASE), "`temperature: null`"),
    (lazily(r"reasoning_effort", re.IGNORECASE), "another `reasoning_effort`, or none"),
    (lazily(r"service_tier|\btier\b", re.IGNORECASE), "another `service_tier`, or none"),
    (lazily(r"response_format|json_schema|structured", re.IGNORECASE), "`structured_output: false`"),
    (lazily(r"\bstream", re.IGNORECASE), "`stream: true`"),
    (lazily(r"\bsystem\b|\brole\b", re.IGNORECASE), "`system: first_user`"),
)  # fmt: skip


def hint_of(failure: Failure) -> str:
    """The line of the recipe that a refusal of every request asks for."""
    said = f"{failure.param or ''} {failure.message}"
    line = next((line for pattern, line in _HINTS if pattern.search(said)), None)
    wanted = line or "what the provider wants (`extra_body`, `temperature`, `output_limit`, `system`, `stream`)"
    return f"Write into the strategy's parameters: {wanted}, and bind the recipe again."
