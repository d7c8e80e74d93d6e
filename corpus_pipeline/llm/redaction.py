"""Error text that may be stored and shown: without keys, without user data in URLs, short."""

from __future__ import annotations

import re

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.plain_text import plain
from corpus_pipeline.secret_words import MASK

MAX_CHARACTERS = 500

_SECRETS = lazily(
    r"sk-[A-Za-z0-9_\-*.]{4,}"  # OpenAI and those who copy its keys, also with stars in the middle
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|(?<=earer )[A-Za-z0-9._~+/=\-]{6,}"
    r"|(?<=api-key: )\S+|(?<=api_key=)[^&\s\"']+"
    r"|(?<=Signature=)[^&\s\"']+|(?<=Credential=)[^&\s\"']+|(?<=Security-Token=)[^&\s\"']+"
    r"|(?<=://)[^/\s:@]+(?::[^/\s@]+)?(?=@)",
    re.IGNORECASE,
)


def redact(text: str, *known_secrets: str | None, limit: int = MAX_CHARACTERS) -> str:
    """`text` without anything that looks like a secret or is one of `known_secrets`, on one line, without what
    steers a terminal, cut to `limit`."""
    for secret in known_secrets:
        if secret and len(secret) >= 4:
            text = text.replace(secret, MASK)
    text = " ".join(_SECRETS.sub(MASK, plain(text[: 20 * limit])).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
