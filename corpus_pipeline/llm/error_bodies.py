"""What an error body says, in the shapes of all providers: an object, a text, a list, details of a validator, HTML.

An error may also stand inside of a response that says success; `in_band` finds it there.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm import lenient_json, waits

QUOTED_CHARACTERS: Final = 200
_MAX_MESSAGE: Final = 2000
_TAG: Final = lazily(r"<(script|style)\b.*?</\1\s*>|<[^>]{0,400}>", re.IGNORECASE | re.DOTALL)


class Words(NamedTuple):
    """What an error body says. status: of its own, where a code is one. param: the parameter that it names.

    wait: seconds that it asks to wait. per_day: whether it speaks of a quota by the day.
    """

    message: str
    code: str = ""
    kind: str = ""
    param: str = ""
    status: int | None = None
    wait: float | None = None
    per_day: bool = False


def read(raw: bytes) -> Words:
    """The words of a response that is an error by its status; what is no JSON is quoted."""
    body = lenient_json.loads(raw)
    if body is None:
        text = quoted(raw)
        return Words(text, wait=waits.in_words(text), per_day=waits.is_per_day(text))
    return of_json(body)


def of_json(body: Any) -> Words:
    """As `read`, from parsed JSON."""
    error = _error_part(body)
    text = _message(error) or _message(body)
    code, kind = _code(error), ""
    if isinstance(error, dict):
        kind = str(error.get("type") or error.get("status") or "").lower()[:200]
    return Words(
        message=text[:_MAX_MESSAGE],
        code=code,
        kind=kind,
        param=_param(error),
        status=_status(code, kind),
        wait=waits.of_body(body),
        per_day=waits.is_per_day(str(body)),
    )


def in_band(body: Any) -> Words | None:
    """The error in a body that came with a status of success; None when there is none."""
    if isinstance(body, list) and body and isinstance(body[0], dict) and body[0].get("error"):
        return of_json(body)
    if not isinstance(body, dict):
        return None
    if body.get("error") or body.get("type") == "error" or (body.get("object") == "error"):
        return of_json(body)
    if (told := _base_resp(body.get("base_resp"))) is not None:
        return told
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("error"):
        return of_json({"error": choices[0]["error"]})
    has_answer = any(key in body for key in ("choices", "candidates", "content", "output", "promptFeedback"))
    errors = body.get("errors")  # in the envelope of a gateway: success false, result empty
    if not has_answer and isinstance(errors, list) and errors:
        return of_json(body)
    if not has_answer and any(isinstance(body.get(key), str) and body[key] for key in _SENTENCES):
        return of_json(body)
    return None


_SENTENCES: Final = (
    "message",
    "detail",
    "msg",
    "errorMessage",
    "error_msg",
    "errMsg",
    "error_message",
    "error_description",
)

# https://platform.minimax.io/docs/api-reference/errorcode
_BASE_RESP: Final = {1002: 429, 1004: 401, 1008: 402, 1026: 400, 1027: 400, 1039: 429, 2013: 400, 2049: 401}


def _base_resp(said: Any) -> Words | None:
    """A status of its own beside the answer, 0 for success."""
    code = said.get("status_code") if isinstance(said, dict) else None
    if not isinstance(code, int) or code == 0:
        return None
    text = str(said.get("status_msg") or "")[:_MAX_MESSAGE]
    if code in (1026, 1027):
        text = f"{text} (sensitive content)"
    return Words(
        text, str(code), status=_BASE_RESP.get(code), wait=waits.in_words(text), per_day=waits.is_per_day(text)
    )


def quoted(raw: bytes) -> str:
    """The beginning of a body that is no JSON, without markup."""
    text = raw[:20_000].decode("utf-8", "replace")
    return " ".join(_TAG.sub(" ", text).split())[:QUOTED_CHARACTERS]


def _error_part(body: Any) -> Any:
    if isinstance(body, list):
        return _error_part(body[0]) if body else ""
    if not isinstance(body, dict):
        return body
    error = body.get("error")
    if not error and isinstance(body.get("errors"), list) and body["errors"]:
        error = body["errors"][0]
    if isinstance(error, str) and error.lstrip().startswith("{"):  # the error of another server, as text
        error = _parsed(error) or error
    return _error_part(error) if isinstance(error, list) else (error or body)


def _parsed(text: str) -> Any:
    value = lenient_json.loads(text.encode("utf-8", "replace"))
    return value.get("error", value) if isinstance(value, dict) else None


def _message(error: Any) -> str:
    """The sentence of an error, with what a gateway passes on of the server behind it."""
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return "" if error is None else str(error)[:_MAX_MESSAGE]
    said: Any = next((error[key] for key in _SENTENCES if error.get(key)), "")
    if isinstance(said, dict):
        said = said.get("detail") or said.get("message") or said
    if isinstance(said, list):
        said = "; ".join(_detail(entry) for entry in said[:5])
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else error.get("cause")
    behind = f" ({str(raw)[:400]})" if raw and str(raw) not in str(said) else ""
    return f"{said}{behind}"[:_MAX_MESSAGE]


def _detail(entry: Any) -> str:
    """One finding of a validator: `body.max_completion_tokens: Extra inputs are not permitted`."""
    if not isinstance(entry, dict):
        return str(entry)
    place = ".".join(str(part) for part in _list(entry.get("loc")))
    return f"{place}: {entry.get('msg') or entry.get('message') or entry}" if place else str(entry.get("msg") or entry)


def _param(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    if isinstance(param := error.get("param"), str) and param:
        return param[:200]
    details = error.get("detail") or error.get("details") or error.get("message")
    details = details.get("detail") if isinstance(details, dict) else details
    for entry in _list(details):
        if isinstance(entry, dict) and (place := [str(part) for part in _list(entry.get("loc")) if part != "body"]):
            return ".".join(place)[:200]
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _code(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    inner = error.get("innererror") or error.get("inner_error")
    code = next((error[key] for key in ("code", "errorCode", "error_code", "errCode") if key in error), None)
    if isinstance(inner, dict) and inner.get("code"):  # Azure: the outer code is the status in a word
        code = inner["code"]
    return "" if code is None or isinstance(code, dict | list) else str(code).lower()[:200]


_STATUS_OF_WORD: Final = {
    "rate_limit": 429,
    "resource_exhausted": 429,
    "too_many_requests": 429,
    "insufficient": 402,
    "billing": 402,
    "unauthenticated": 401,
    "authentication": 401,
    "invalid_api_key": 401,
    "permission": 403,
    "forbidden": 403,
    "not_found": 404,
    "invalid_argument": 400,
    "invalid_request": 400,
    "bad_request": 400,
    "failed_precondition": 400,
    "overloaded": 529,
    "unavailable": 503,
    "timeout": 504,
    "deadline_exceeded": 504,
    "server_error": 500,
    "internal": 500,
    "api_error": 500,
}


def _status(code: str, kind: str) -> int | None:
    """The status that a code or a type stands for."""
    if code.isascii() and code.isdigit() and 400 <= int(code[:9]) <= 599:
        return int(code)
    words = f"{code} {kind}".replace("-", "_").replace("toomanyrequests", "too_many_requests")
    return next((status for word, status in _STATUS_OF_WORD.items() if word in words), None)
