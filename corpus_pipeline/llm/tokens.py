"""How many tokens a text has when no one has counted it yet: an expectation and a bound that always holds."""

from __future__ import annotations

from corpus_pipeline.model import Medium, Request, Usage

# Chat formats wrap each message and prime the answer: 3-7 tokens in the published formats; the bound takes more.
_PER_MESSAGE = 4
_PER_MESSAGE_BOUND = 16


def expected(text: str) -> int:
    """Expected tokens: four UTF-8 bytes each, which is near the truth for English, Chinese and code alike."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


def bound(text: str) -> int:
    """At most this many tokens: a byte-level vocabulary never spends more than one token on one byte."""
    return len(text.encode("utf-8", "surrogatepass"))


# Tokens of a picture: 258 to some 1,600 in the published rules of OpenAI, Anthropic and Gemini for usual sizes; the most is
# 48,169, of gpt-4o-mini, whose pictures count 33 times as much. Sounds and films: 10 to 300 a second of some kilobytes.
EXPECTED_IMAGE, _IMAGE_BOUND = 1_100, 48_200
_BYTES_PER_TOKEN, _BYTES_PER_TOKEN_BOUND = 500, 20
_UNKNOWN_BYTES = 1024 * 1024  # of a sound or a film of which only the address is known


def expected_of_medium(medium: Medium) -> int:
    """Expected tokens of a picture, a sound, a film or a file."""
    return EXPECTED_IMAGE if medium.kind == "image" else (medium.size or _UNKNOWN_BYTES) // _BYTES_PER_TOKEN


def _bound_of_medium(medium: Medium) -> int:
    if medium.kind == "image":
        return _IMAGE_BOUND
    return (medium.size or _UNKNOWN_BYTES) // _BYTES_PER_TOKEN_BOUND


def expected_input(request: Request) -> int:
    """Expected input tokens of a request, with the wrapping of its messages."""
    texts = sum(expected(message["content"]) + _PER_MESSAGE for message in request.messages)
    return texts + sum(map(expected_of_medium, request.media))


def input_bound(request: Request) -> int:
    """Input tokens of a request that no provider with a byte-level vocabulary exceeds."""
    schema = bound(str(request.response_schema)) if request.response_schema else 0
    texts = sum(bound(message["content"]) + _PER_MESSAGE_BOUND for message in request.messages)
    return texts + schema + sum(map(_bound_of_medium, request.media))


def estimated_usage(request: Request, text: str) -> Usage:
    """The usage of a call whose provider did not say; marked as estimated."""
    return Usage(expected_input(request), expected(text), estimated=True)
