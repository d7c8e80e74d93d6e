"""The identity of a request, and how many tokens it may have at most."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Final

from corpus_pipeline.model import Request

# what chat formats add around each message and around the whole; measured formats add 3 to 5
TOKENS_PER_MESSAGE: Final = 6
TOKENS_PER_REQUEST: Final = 6

_ASCII_WORDS: Final = re.compile(r"[A-Za-z]+")
_SPACES: Final = re.compile(r"\s+")
_TWO_BYTES: Final = re.compile(r"[\u0080-\u07ff]")  # accented Latin, Greek, Cyrillic, Hebrew, Arabic
_THREE_BYTES: Final = re.compile(r"[\u0800-\uffff]")  # the scripts of Asia, CJK, punctuation, symbols
_FOUR_BYTES: Final = re.compile(r"[\U00010000-\U0010ffff]")  # rare Han, emoji


def request_key(request: Request, sample_index: int) -> str:
    """sha256 (hex) of all that shapes an answer: the same key is the same question, and is paid once.

    sample_index: tells apart several samples that are wanted for one and the same question.
    """
    body = {
        "model": request.model,
        "messages": list(request.messages),
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "response_schema": request.response_schema,
        "seed": request.seed,
        "sample_index": sample_index,
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def estimate_tokens(text: str) -> int:
    """An upper-bound-ish count of tokens without any tokenizer's vocabulary.

    Rates, chosen to lie above what byte-pair vocabularies of 100,000 entries and more usually need on ordinary text:
    an ASCII word one token and another for each 3.5 letters beyond its first five; a digit or an ASCII punctuation mark
    one; a two-byte character (accented Latin, Greek, Cyrillic, Hebrew, Arabic) 0.7; a three-byte one (CJK, Indic, Thai)
    1.3; a four-byte one (emoji, rare Han) 3; white space beyond a single blank one for every four characters of a run.
    """
    if not text:
        return 0
    words = letters_beyond = letters = 0
    for match in _ASCII_WORDS.finditer(text):
        size = match.end() - match.start()
        words += 1
        letters += size
        if size > 5:
            letters_beyond += size - 5
    blanks = blank_tokens = 0
    for match in _SPACES.finditer(text):
        size = match.end() - match.start()
        blanks += size
        if size > 1 or match.group() != " ":
            blank_tokens += math.ceil(size / 4)
    two, three, four = (len(pattern.findall(text)) for pattern in (_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES))
    other_ascii = max(0, len(text) - letters - blanks - two - three - four)
    return math.ceil(words + letters_beyond / 3.5 + blank_tokens + other_ascii + 0.7 * two + 1.3 * three + 3.0 * four)


def estimate_request_tokens(request: Request) -> int:
    """The input tokens of a request at most: its messages, their framing, and its schema."""
    tokens = TOKENS_PER_REQUEST
    for message in request.messages:
        tokens += TOKENS_PER_MESSAGE + sum(estimate_tokens(value) for value in message.values())
    if request.response_schema is not None:
        tokens += estimate_tokens(json.dumps(request.response_schema))
    return tokens
