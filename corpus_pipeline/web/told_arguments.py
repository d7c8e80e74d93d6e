"""What the audit log says of the arguments of a change: each of them, in bounded room, without secrets and without free text.

A name, an id, a path, a number is told as it is. Of a text that may be words of a row (with blanks, in other letters, or where
free text is expected) its length is told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from graphql import Undefined

from corpus_pipeline.llm.redaction import redact
from corpus_pipeline.secret_words import MASK, hider, in_environment, sounds_secret, without_parameters
from corpus_pipeline.stages.clean.personal_data import api_keys
from corpus_pipeline.stages.clean.personal_data.spans import Source

ROOM: Final = 12_000  # characters for all arguments of a request, shared evenly, so that none can push another out
_LEAST = 12  # characters below which only the size of a value is told
_MOST_KEYS, _MOST_ITEMS = 40, 20
_WORD = re.compile(r"[A-Za-z0-9_.:/@+=,*%&?#~\[\]<>|-]{1,200}")
_FREE: Final = frozenset({"description", "title", "metadata", "serializedMetadata", "cursor", "attributes", "message"})
# beside what `sounds_secret` knows
_SECRET = re.compile(r"auth(?!or(?!iz))|bearer|cookie|jwt|hmac|otp$", re.IGNORECASE)
RUN_CONFIG: Final = "runConfigData"

Read = Callable[[str], Any]  # a text of a run's configuration as who runs it reads it; raises ValueError


class Teller:
    """Tells the arguments of changes; knows the secrets of this process's environment."""

    def __init__(self, environment: Mapping[str, str] | None = None, read_config: Read | None = None) -> None:
        """read_config: without it the text of a run's configuration is told by its length alone."""
        self._hide = hider(in_environment(os.environ if environment is None else environment))
        self._read_config = read_config

    def told(self, changes: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """`[{"change": NAME, "arguments": {...}}]` for (name, arguments) of each change, as JSON has it."""
        listed = list(changes)
        room = ROOM // max(1, len(listed))
        return [{"change": name[:200], "arguments": self._told(given, room)} for name, given in listed]

    def _told(self, value: Any, room: int, *, free: bool = False, secret: bool = False) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return (
                value
                if isinstance(value, float) or -(1 << 63) <= value < 1 << 63
                else "(a number of more than 64 bits)"
            )
        if isinstance(value, str):
            return self._word(value, room, free=free, secret=secret)
        if isinstance(value, list | tuple):
            shown = value[: min(_MOST_ITEMS, room // _LEAST)]
            share = room // max(1, len(shown))
            items = [self._told(item, share, free=free, secret=secret) for item in shown]
            return items + ([f"({len(value) - len(shown):,} more)"] if len(value) > len(shown) else [])
        if isinstance(value, Mapping):
            return self._fields(value, room, free=free, secret=secret)
        return f"({type(value).__name__})"

    def _fields(self, value: Mapping[str, Any], room: int, *, free: bool, secret: bool) -> dict[str, Any]:
        given = {key: item for key, item in value.items() if item is not Undefined}
        shown = list(given)[: min(_MOST_KEYS, room // _LEAST)]
        share = room // max(1, len(shown))
        told: dict[str, Any] = {}
        is_pair, is_variable = given.keys() == {"key", "value"}, given.keys() == {"env"}
        for key in shown:
            item = given[key]
            # of {"key": NAME, "value": ...} (a tag) the name is told, and says what the value is; of {"env": NAME} the name
            named = str(given["key"]) if is_pair and key == "value" else key
            is_secret = secret or sounds_secret(named) or _SECRET.search(named) is not None
            hidden = is_secret and not is_variable and not (is_pair and key == "key")
            if key == RUN_CONFIG and isinstance(item, str) and self._read_config is not None:
                item = self._config(item)
            name = self._word(str(key), 200)
            name = name if name not in told else f"{name} ({len(told)})"
            told[name] = self._told(item, share, free=free or key in _FREE, secret=hidden)
        if len(given) > len(shown):
            told["..."] = f"({len(given) - len(shown):,} more)"
        return told

    def _config(self, text: str) -> Any:
        try:
            return self._read_config(text) if self._read_config is not None else text
        except ValueError:
            return text

    def _word(self, text: str, room: int, *, free: bool = False, secret: bool = False) -> str:
        if secret:
            return MASK
        if free or not _WORD.fullmatch(text):
            return f"(text of {len(text):,} characters)" if text else ""
        for span in sorted(api_keys.find(Source(text, strict=True)), reverse=True):
            text = text[: span.start] + MASK + text[span.end :]
        text = redact(self._hide(without_parameters(text)), limit=200)
        return text if len(text) <= max(room, _LEAST) else text[: max(room, _LEAST) - 1] + "…"
