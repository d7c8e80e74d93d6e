"""What to do about a file whose records no format reads: the keys that are there, and the mapping to write."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import NoneType
from typing import Any

import orjson

from corpus_pipeline.errors import LineRejected, UsageError
from corpus_pipeline.formats import FORMATS, GENERAL, Detection, mapped, of_plugins
from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.message_lists import is_single_message
from corpus_pipeline.formats.paths import leaves
from corpus_pipeline.formats.vocabulary import keys_by_meaning, means, plain_name, role_of, several_answers
from corpus_pipeline.recipe import RECORD_KEYS
from corpus_pipeline.stages.ingest.contests import answers_and_verdict

_KEYS_SHOWN = 12
_KINDS = {"str": "text", "dict": "object", "int": "number", "float": "number", "bool": "true/false", "NoneType": "null"}
_MEANT = ("prompt", "context", "response", "system", "reasoning", "chosen", "rejected")


def of_columns(record: Record) -> str | None:
    """What to do about the only record of a file when it holds the columns of a table, not a row; None when it does not."""
    lists = [value for value in record.values() if isinstance(value, list)]
    plain = all(isinstance(one, (str, int, float, bool, NoneType)) for value in lists for one in value)
    if plain and len(lists) == len(record) > 1 and len({len(one) for one in lists}) == 1 and len(lists[0]) > 1:
        return f"holds {len(record)} columns of {len(lists[0]):,} values, not rows"
    by_key = [value for value in record.values() if isinstance(value, dict)]
    numbered = all(key.isdigit() for value in by_key for key in value)
    if numbered and len(by_key) == len(record) > 1 and len({tuple(one) for one in by_key}) == 1 and len(by_key[0]) > 1:
        return f"holds {len(record)} columns of {len(by_key[0]):,} values by their number, not rows"
    return None


def of_records_by_key(record: Record) -> str | None:
    """The same when it holds records under keys of their own, such as identifiers."""
    inner = [value for value in record.values() if isinstance(value, dict) and value]
    alike = len(inner) == len(record) > 1 and len({tuple(sorted(one)) for one in inner}) == 1
    return f"holds {len(record):,} records under keys of their own, not in a list" if alike else None


# what a first record is when it is no JSON object, and what makes it one: how it looks, what to say
_ALMOST: tuple[tuple[Callable[[str], bool], str], ...] = (
    (
        lambda text: isinstance(inner := _value(text), list) and bool(inner) and _is_message(inner[0]),
        "its records are bare lists of messages:"
        " jq -c '(if (.[0] | type) == \"array\" then .[] else . end) | {messages: .}' IN > OUT",
    ),
    (lambda text: isinstance(_value(text), list), "its records stand in arrays: jq -c '.[]' IN > OUT"),
    (
        lambda text: isinstance(inner := _value(text), str) and isinstance(_value(inner), dict),
        "its records are JSON inside of texts: jq -c 'if type == \"array\" then .[] else . end | fromjson' IN > OUT",
    ),
    (
        lambda text: "\ufffd" in text and isinstance(_value(text), dict),
        "its text is not UTF-8, but Latin-1 or Windows-1252, say: iconv -f WINDOWS-1252 -t UTF-8 IN > OUT",
    ),
    (
        lambda text: text.startswith("{") and _rest(text).startswith("{"),
        "several objects stand on one line: jq -c . IN > OUT",
    ),
    (lambda text: _rest(text) == ",", "its lines end in commas: sed 's/,[[:space:]]*$//' IN > OUT"),
    (lambda text: _is_python(text), "this is Python's notation, not JSON: write it with json.dumps"),
    (
        lambda text: re.match(r"\{\s*[A-Za-z_$][\w$]*\s*:", text) is not None,
        "this is JavaScript's notation (names without quotes), not JSON: write it with JSON.stringify",
    ),
    (
        lambda text: re.match(r"\S+[\t ,|]+\{", text) is not None,
        "something stands before the object in each line: sed 's/^[^{]*//' IN > OUT",
    ),
)


def almost_json(raw: bytes) -> str:
    """What a first record that cannot be read is, and what makes JSON lines of it; "" when that is not known."""
    text = raw.decode("utf-8", "replace").strip()
    return next((f" It seems that {words}." for looks, words in _ALMOST if looks(text)), "")


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _is_message(value: Any) -> bool:
    meanings = keys_by_meaning(tuple(value)) if isinstance(value, dict) else {}
    return bool(meanings.get("role")) and bool(meanings.get("content"))


def _rest(text: str) -> str:
    """What follows the first value."""
    try:
        return text[json.JSONDecoder().raw_decode(text)[1] :].strip()
    except (ValueError, RecursionError):
        return ""


def _is_python(text: str) -> bool:
    try:
        return isinstance(ast.literal_eval(text), dict)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def keys_in_words(records: Sequence[Record]) -> str:
    """The keys of records, nested ones as paths, each with the types of its values and how often."""
    counts = Counter((place, type(value).__name__) for record in records for place, value in leaves(record))
    shown = [f"{place} ({_KINDS.get(kind, kind)}, {n}x)" for (place, kind), n in counts.most_common(_KEYS_SHOWN)]
    more = len(counts) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more > 0 else "")


def _packed(records: Sequence[Record]) -> list[str]:
    """The keys under which every record has an object or a list of objects as a text."""
    keys = [key for key, value in records[0].items() if isinstance(value, str)] if records else []
    return [key for key in keys if all(_holds_objects(_unpacked(record.get(key))) for record in records)]


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _unpacked(value: Any) -> Any:
    return _value(value) if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") else None


def _jq(key: str) -> str:
    """The place of a key, or of a path of keys, as jq writes it."""
    plain = re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", key, re.ASCII)
    return f".{key}" if plain else f".[{json.dumps(key, ensure_ascii=False)}]"


def unknown_format(path: Path, records: Sequence[Record], found: Detection) -> str:
    """The refusal of a file whose format was not found."""
    said = (
        f"{path}: no known format fits: {found.problem}.\nKeys in {len(records)} records: {keys_in_words(records)}.\n"
    )
    if sum(is_single_message(record, keys_by_meaning(tuple(record))) for record in records) * 2 > len(records):
        return said + "No mapping can do that: a record has to hold its whole conversation."
    if packed := _packed(records):
        steps = " | ".join(f"{_jq(key)} |= fromjson" for key in packed)
        return (
            f"{said}What stands under {', '.join(packed)} is JSON inside of texts. Unpack it (of JSON lines by"
            f" jq -c '{steps}' IN > OUT), then add that."
        )
    if advice := _unrolled(records) or _renamed(records):
        return said + advice
    columns = suggested(records)
    asks_only = {"response", "chosen", "messages"}.isdisjoint(columns)
    return (
        f"{said}Say in the recipe which key holds what, for example:\n  ingest:\n    columns:\n"
        + "".join(f"      {field}: {_quoted(place)}\n" for field, place in columns.items())
        + (_ASKS_ONLY if asks_only else "")
        + f"or name a format with --format: {', '.join([*(format.name for format in (*FORMATS, *GENERAL)), *of_plugins()])}."
    )


_ASKS_ONLY = (
    "No key seems to hold an answer, and without one the rows are questions alone: add response: KEY if one does,\n"
)


def _unrolled(records: Sequence[Record]) -> str:
    """What to do about records of a list of questions and one of as many answers; "" for others."""
    inner = [one.get("qas") for record in records for one in record.get("paragraphs") or () if isinstance(one, dict)]
    if inner and all(isinstance(one, list) for one in inner):
        return (
            "Each record holds paragraphs with questions of their own. Write one record for each question (of JSON lines by"
            " jq -c '.paragraphs[] | .context as $context | .qas[] | {context: $context} + .' IN > OUT), then add that."
        )
    found = [{place: value for place, value in _lists(record).items() if _are_texts(value)} for record in records]
    by_meaning = {
        kind: [place for place in found[0] if means(_last(place), kind)] for kind in ("prompt", "response", "calls")
    }
    inside = [place for place in found[0] if "." in place and means(place.split(".", 1)[0], "calls")]
    answers = [*by_meaning["response"], *by_meaning["calls"], *inside]
    if not by_meaning["prompt"] or not answers or by_meaning["prompt"][0] == answers[0]:
        return ""
    asked, answer = by_meaning["prompt"][0], answers[0]
    if not all(len(one.get(asked, ())) == len(one.get(answer, ())) > 0 for one in found):
        return ""
    steps = (
        f".messages = [[{_jq(asked)}, {_jq(answer)}] | transpose[]"
        ' | {role: "user", content: .[0]}, {role: "assistant", content: .[1]}]'
        f" | del({_jq(asked)}, {_jq(answer)})"
    )
    return (
        f"Each record holds several questions in '{asked}' and as many answers in '{answer}'. Make one conversation of"
        f" them (of JSON lines by jq -c '{steps}' IN > OUT), then add that."
    )


def _renamed(records: Sequence[Record]) -> str:
    """What to do about messages whose speakers have names of their own; "" for others."""
    for place, value in _lists(records[0]).items():
        keys = _speaker_and_text(value)
        lists = [_lists(record).get(place, []) for record in records]
        if keys is None or not all(isinstance(one, dict) and set(keys) <= set(one) for said in lists for one in said):
            continue
        names = list(dict.fromkeys(str(one[keys[0]]) for said in lists for one in said))
        if len(names) > _SPEAKERS_SHOWN or all(map(role_of, names)):
            continue
        who = {
            name: (len(name) > 1 and role_of(name)) or ("user", "assistant")[at % 2] for at, name in enumerate(names)
        }
        roles = json.dumps(who, ensure_ascii=False)
        steps = f"{_jq(place)} |= map({{role: {roles}[{_jq(keys[0])}], content: {_jq(keys[1])}}})"
        return (
            f"The messages in '{place}' are said by {', '.join(map(repr, names))}, which are no roles. Say who is who (of JSON"
            f" lines by jq -c {shlex.quote(steps)} IN > OUT, with the roles as they are right), then add that."
        )
    return ""


_SPEAKERS_SHOWN = 4


def _speaker_and_text(value: list[Any]) -> tuple[str, str] | None:
    """The keys of messages: the one that says who speaks, and the one of the text."""
    if not value or not isinstance(value[0], dict):
        return None
    meanings = keys_by_meaning(tuple(value[0]))
    texts = [key for key in meanings.get("content", ()) if isinstance(value[0][key], str)]
    speakers = [*meanings.get("role", ()), *(key for key in value[0] if key.casefold() in ("name", "user", "id"))]
    names = [key for key in speakers if isinstance(value[0][key], str) and key not in texts[:1]]
    return (names[0], texts[0]) if names and texts else None


def _lists(value: Any, path: str = "", depth: int = 0) -> dict[str, list[Any]]:
    """The lists of a record below its objects, by their places as a recipe writes them."""
    found: dict[str, list[Any]] = {}
    for key, inner in value.items():
        place = f"{path}.{key}" if path else key
        if isinstance(inner, list):
            found[place] = inner
        elif isinstance(inner, dict) and depth < _DEPTH_OF_LISTS:
            found |= _lists(inner, place, depth + 1)
    return found


_DEPTH_OF_LISTS = 2


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def suggested(records: Sequence[Record]) -> dict[str, str]:
    """A mapping to begin with: the first of several that reads most of the records, or one with KEY to fill in."""
    mappings = [*_of_contests(records), *_of_lists(records), _by_meaning(records)]
    return next((columns for columns in mappings if _reads(columns, records)), mappings[-1])


def _reads(columns: dict[str, str], records: Sequence[Record]) -> bool:
    read = 0
    with suppress(UsageError):
        format = mapped(columns)
        for record in records:
            with suppress(LineRejected):
                format.parse(record)
                read += 1
    return read * 2 > len(records)


def _of_contests(records: Sequence[Record]) -> Iterator[dict[str, str]]:
    """Mappings of records with two answers and a verdict."""
    for one, two, pair in answers_and_verdict(records):
        texts, lists, _ = _texts(records)
        for place, value in _lists(records[0]).items():
            if _speaker_and_text(value) is not None:
                yield {"messages": place, **pair}
        varied = [place for place in texts if not _is_constant(texts[place], len(records))]
        for place in (*(place for place in (*texts, *lists) if _asks(_last(place))), *varied, *texts):
            if place not in (one, two) and not _names(place, texts.get(place, set())):
                yield {"prompt": place, **pair}
                break


def _of_lists(records: Sequence[Record]) -> Iterator[dict[str, str]]:
    """Mappings of records that hold a whole conversation, or all but its answer, in a list."""
    texts = _texts(records)[0]
    answer = next((place for place in texts if _may_answer(place, texts[place], len(records))), None)
    for place, value in _lists(records[0]).items():
        if (
            not value
            or isinstance(value[0], str)
            or (_speaker_and_text(value) is None and not isinstance(value[0], list))
        ):
            continue
        ends_with_answer = isinstance(value[-1], list) or any(
            role_of(one) == "assistant" for one in value[-1].values() if isinstance(one, str)
        )
        if ends_with_answer or answer is None:
            yield {"messages": place}
        else:
            yield {"history": place, "response": answer}


def _texts(records: Sequence[Record]) -> tuple[dict[str, set[str]], dict[str, list[str]], dict[str, set[str]]]:
    """Where texts lie and what is there, the lists of texts, and the numbers and truths as texts."""
    texts: dict[str, set[str]] = {}
    lists: dict[str, list[str]] = {}
    numbers: dict[str, set[str]] = {}
    for record in records:
        for place, value in leaves(record):
            if isinstance(value, str):
                texts.setdefault(place, set()).add(value)
            elif _are_texts(value):
                lists[place] = value
            elif isinstance(value, bool | int | float):
                numbers.setdefault(place, set()).add(str(value))
    return texts, lists, numbers


def _by_meaning(records: Sequence[Record]) -> dict[str, str]:
    """What the keys say, and for the rest the texts that differ most from record to record."""
    texts, lists, numbers = _texts(records)
    columns = _meant(texts)
    if "prompt" not in columns and (asked := next((place for place in lists if _asks(_last(place))), None)) is not None:
        return {"prompt": asked if any(mark in asked for mark in "[ -") else _joined(asked), **columns}
    labels = [place for place in (*texts, *numbers) if plain_name(_last(place)) in _LABELS]
    if "response" not in columns and "chosen" not in columns and labels:
        columns["response"] = labels[0] if labels[0] in texts else f"{{{{ {labels[0]} }}}}"
    rest = [
        place
        for place in texts
        if place not in columns.values()
        and not _names(place, texts[place])
        and plain_name(_last(place)) not in _OPTIONS
    ]
    rest.sort(key=lambda place: _is_constant(texts[place], len(records)))  # stable: else in the order of the record
    if "prompt" not in columns and "context" in columns:
        columns["prompt"] = columns.pop("context")
    if "prompt" not in columns:
        said = [*rest, *(place for place in texts if place not in columns.values() and place not in rest)]
        words = [place for place in said if any(" " in value or not value.isascii() for value in texts[place])]
        columns["prompt"] = next((place for place in (*words, *rest) if words or "." not in place), "KEY")
        rest = [place for place in rest if place != columns["prompt"]]
    if "response" not in columns and "chosen" not in columns:
        several = [place for place in (*texts, *lists) if several_answers({_last(place): records[0].get(place)})]
        answers = [place if place in texts else f"{place}[0]" for place in several]
        varied = not _is_constant(texts.get(columns["prompt"], set()), len(records))
        answers += [place for place in rest if _may_answer(place, texts[place], len(records) if varied else 0)]
        if answers:
            columns["response"] = answers[0]
            rest = [place for place in rest if place != answers[0]]
    options = [
        place
        for place in (*lists, *texts)
        if plain_name(place) in _OPTIONS or (means(place.split(".")[0], "choices") and not _is_label(place))
    ]
    beside = rest if labels and labels[0] in columns.get("response", "") else []
    more = [*beside, *(place for place in options if place not in columns.values())]
    together = (columns["prompt"], *more)
    if more and not any(mark in place for place in together for mark in "[ -"):
        columns["prompt"] = "\\n".join(_joined(place) if place in lists else f"{{{{ {place} }}}}" for place in together)
    return dict(sorted(columns.items(), key=lambda item: _MEANT.index(item[0])))


_OPTIONS = frozenset(
    "a b c d e opa opb opc opd ope option1 option2 option3 option4 ending0 ending1 ending2 ending3".split()
)
_LABELS_OF_OPTIONS = frozenset(("label", "labels", "key", "keys"))
_LABELS = frozenset(
    "answer answerkey answeridx answerindex correctanswer correct correctoption cop gold label labels labeltext class sentiment"
    " category intent target".split()
)
_METADATA = frozenset(
    "cat category type kind lang language level difficulty topic subject domain split name title model tags".split()
)


def _joined(place: str) -> str:
    """A template of the texts of a list, one on each line."""
    return f"{{{{ {place} | join('\\n') }}}}"


def _is_label(place: str) -> bool:
    return plain_name(_last(place)) in _LABELS_OF_OPTIONS


def _asks(key: str) -> bool:
    return means(key, "prompt") or means(key, "messages")


def _names(place: str, values: set[str]) -> bool:
    """Whether what lies there only names the record."""
    last = _last(place)
    return last in RECORD_KEYS or (last.casefold().endswith("id") and not any(" " in value for value in values))


def _may_answer(place: str, values: set[str], records: int) -> bool:
    if "[" in place or _names(place, values) or plain_name(_last(place)) in _METADATA:
        return False
    return not _is_constant(values, records)


def _meant(texts: dict[str, set[str]]) -> dict[str, str]:
    last = {place: _last(place) for place in texts}
    meanings = keys_by_meaning(tuple(dict.fromkeys(last.values())))
    columns: dict[str, str] = {}
    for field in _MEANT:
        for key in meanings.get(field, ()):
            place = next((place for place in texts if last[place] == key and place not in columns.values()), None)
            if place is not None and field not in columns:
                columns[field] = place
    if "response" in columns and "chosen" in columns:
        del columns["response"]
    if "chosen" in columns and "rejected" not in columns:
        del columns["chosen"]
    return columns


def _last(place: str) -> str:
    return place.rpartition(".")[2].partition("[")[0]


def _is_constant(values: set[str], records: int) -> bool:
    """Whether a text says the same in most records, or is as short as an identifier."""
    return len(values) * 2 <= records or (records > 0 and sum(map(len, values)) < 4 * len(values))


def _quoted(place: str) -> str:
    return f'"{place}"' if place.startswith("{{") else place
