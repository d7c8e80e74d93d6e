"""How many tokens a text has when nobody has counted it yet: an expectation and a bound that always holds."""

from __future__ import annotations

from corpus_pipeline.model import Request, Usage

# Chat formats wrap each message and prime the answer: 3-7 tokens in the published formats; the bound takes more.
_PER_MESSAGE = 4
_PER_MESSAGE_BOUND = 16


def expected(text: str) -> int:
    """Expected tokens: four UTF-8 bytes each, which is near the truth for English, Chinese and code alike."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


def bound(text: str) -> int:
    """At most so many tokens: a byte-level vocabulary never spends more than one token on one byte."""
    return len(text.encode("utf-8", "surrogatepass"))


def expected_input(request: Request) -> int:
    """Expected input tokens of a request, with the wrapping of its messages."""
    return sum(expected(message["content"]) + _PER_MESSAGE for message in request.messages)


def input_bound(request: Request) -> int:
    """Input tokens of a request that no provider with a byte-level vocabulary exceeds."""
    schema = bound(str(request.response_schema)) if request.response_schema else 0
    return sum(bound(message["content"]) + _PER_MESSAGE_BOUND for message in request.messages) + schema


def estimated_usage(request: Request, text: str) -> Usage:
    """The usage of a call whose provider did not say; marked as estimated."""
    return Usage(expected_input(request), expected(text), estimated=True)
