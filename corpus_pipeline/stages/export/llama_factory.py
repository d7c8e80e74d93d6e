"""The entry of an export in LLaMA-Factory's `dataset_info.json`, from its rows as they are; or a word why there is none.

Its reader skips what does not fit the entry with a warning at most, so an entry is only written when it would read every
row: the tags are those that the rows use, and every row alternates as its converters want it.
Source: `src/llamafactory/data/converter.py` and `parser.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from corpus_pipeline.formats import Format
from corpus_pipeline.formats.reading import ROLES
from corpus_pipeline.formats.sharegpt import MEDIA_COLUMNS

_TAG_OF_ROLE = {
    "system": "system_tag",
    "developer": "system_tag",
    "user": "user_tag",
    "assistant": "assistant_tag",
    "tool": "observation_tag",
    "function_call": "function_tag",
}
_DEFAULTS = {
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
_PLAIN = {"user_tag": "user", "assistant_tag": "assistant", "observation_tag": "tool"}  # beside the roles of a chat
_ODD, _EVEN = ("user_tag", "observation_tag"), ("assistant_tag", "function_tag")


class Entry(NamedTuple):
    """entry: without its `file_name`; None when that tool cannot read every row, for the reason `why`."""

    entry: dict[str, Any] | None
    why: str | None


class Reader:
    """Takes every record of an export and says how LLaMA-Factory would read them."""

    def __init__(self, format: Format) -> None:
        self._format = format
        self._rows = 0
        self._skipped = 0
        self._first = ""
        self._tags: dict[str, str] = {}
        self._lists: tuple[str, str, str] | None = None  # the keys of the messages, of a role, of a text
        self._calls = False  # or results of several calls in a row: what its openai reader alone understands

    def take(self, record: Mapping[str, Any]) -> None:
        """Look at one record."""
        self._rows += 1
        problem = self._problem(record)
        if problem:
            self._skipped += 1
            self._first = self._first or problem

    def entry(self, columns: Sequence[str]) -> Entry:
        """The entry for a file with these columns."""
        if not self._rows:
            return Entry(None, "there are no rows")
        if self._skipped:
            return Entry(None, f"{self._skipped} of {self._rows} rows would be skipped ({self._first})")
        if self._lists is not None:
            return self._of_messages(columns)
        entry = self._format.llama_factory_entry("", columns)
        if entry is None:
            return Entry(
                None, f"it has no reader for {self._format.name}; export as sharegpt, alpaca or theirs for pairs"
            )
        entry.pop("file_name", None)
        return Entry(entry, None)

    def _problem(self, record: Mapping[str, Any]) -> str | None:
        key = next((key for key in ("conversations", "messages") if isinstance(record.get(key), list)), None)
        if key is None:
            return None
        return self._messages(record, key)

    def _messages(self, record: Mapping[str, Any], key: str) -> str | None:
        messages = record[key]
        if not messages or not all(isinstance(message, dict) for message in messages):
            return f"{key} is no list of messages"
        role_key = "from" if "from" in messages[0] else "role"
        text_key = "value" if role_key == "from" else "content"
        if self._lists not in (None, (key, role_key, text_key)):
            return "other rows have other keys"
        self._lists = (key, role_key, text_key)
        tags = []
        for message in messages:
            problem = self._message(message, role_key, text_key)
            if problem:
                return problem
            tags.append(_TAG_OF_ROLE[ROLES[message[role_key]]])
        self._calls |= any(a == b == "observation_tag" for a, b in pairwise(tags))
        return _order(tags, pairs="chosen" in record and "rejected" in record) or self._pair(record, role_key)

    def _message(self, message: Mapping[str, Any], role_key: str, text_key: str) -> str | None:
        role = message.get(role_key)
        known = ROLES.get(role) if isinstance(role, str) else None
        if known is None:
            return f"the role {role!r} has no tag"
        tag = _TAG_OF_ROLE[known]
        if self._tags.setdefault(tag, str(role)) != role:
            return f"'{self._tags[tag]}' and '{role}' would need the same tag"
        if text_key not in message:
            return f"a message has no {text_key}"
        if message.get("tool_calls"):
            self._calls = True
            if not all(
                isinstance(call, dict) and isinstance(call.get("function"), dict) for call in message["tool_calls"]
            ):
                return "a call is none of a function"
            return None if message.get(text_key) in (None, "") else "it would lose the text beside a call"
        return None if isinstance(message.get(text_key), str) else f"a {text_key} is no text"

    def _pair(self, record: Mapping[str, Any], role_key: str) -> str | None:
        for key in ("chosen", "rejected"):
            if key in record:
                answer = record[key]
                if not isinstance(answer, dict) or role_key not in answer:
                    return f"{key} is not one message"
                if self._message(answer, role_key, "value" if role_key == "from" else "content"):
                    return f"{key} is no answer"
        return None

    def _of_messages(self, columns: Sequence[str]) -> Entry:
        assert self._lists is not None
        key, role_key, text_key = self._lists
        if self._calls and role_key == "from":
            return Entry(None, "calls, or several results in a row, beside from and value have no reader")
        present = {"messages": key}
        present |= {tag: tag for tag in ("system", "tools", "chosen", "rejected", "kto_tag") if tag in columns}
        present |= {tag: tag for tag in MEDIA_COLUMNS if tag in columns}
        if "label" in columns and "chosen" not in columns and "label" in self._format.keys:
            present["kto_tag"] = "label"
        rest = _DEFAULTS if role_key == "from" else _DEFAULTS | _PLAIN
        tags = {tag: self._tags.get(tag, word) for tag, word in rest.items()}
        if len(set(tags.values())) < len(tags):
            return Entry(None, f"two of its tags would be the same word: {', '.join(sorted(tags.values()))}")
        return Entry(
            {
                "formatting": "openai" if self._calls else "sharegpt",
                **({"ranking": True} if "chosen" in columns and "rejected" in columns else {}),
                "columns": present,
                "tags": {"role_tag": role_key, "content_tag": text_key, **tags},
            },
            None,
        )


def _order(tags: Sequence[str], *, pairs: bool) -> str | None:
    """What is wrong with the order of a row. Results of several calls in a row are one observation to its openai reader."""
    body = list(tags[1:] if tags[0] == "system_tag" else tags)
    merged = [tag for at, tag in enumerate(body) if tag != "observation_tag" or at == 0 or body[at - 1] != tag]
    if any(tag not in (_EVEN if at % 2 else _ODD) for at, tag in enumerate(merged)):
        return "prompts and answers do not alternate"
    if len(merged) % 2 != (1 if pairs else 0):
        return (
            "the last message is not an answer" if not pairs else "the last message before the answers is not a prompt"
        )
    return None
