"""How the elements of a JSON array look, learnt from the head of a file: by what one tells where an element begins.

In a well-formed file nothing inside an element may look like the beginning of one; only then is it taken for a sign.
Everything is learnt from the same bytes, wherever reading begins, so that a resumed read finds the same elements.
"""

from __future__ import annotations

import json
import re
from json import JSONDecodeError
from typing import Any, NamedTuple

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.lazy_patterns import lazily

_SPACE = lazily(rb"[ \t\r\n]*+")
_BETWEEN = lazily(rb"[ \t\r\n,]*+")
_FIRST_KEY = lazily(rb'\{[ \t\r\n]*+("(?:[^"\\\x00-\x1f]|\\.){1,128}")[ \t\r\n]*+:')
_LIST = lazily(rb'("(?:[^"\\\x00-\x1f]|\\.){1,128}")[ \t\r\n]*+:[ \t\r\n]*+\[[ \t\r\n]*+\{')
_OWN_LINE = lazily(rb"\n([ \t]{0,128})\Z")
# an object behind what may stand before an element
GENERIC_START = lazily(rb"[\[,}\]\n][ \t\r\n]*+\{")
_ELEMENTS_READ = 100  # of the head
_BEGINNINGS = 8  # that are tried when the first one is none
_TRIES = 20  # to find the next one behind a broken one
_WINDOW = 2048  # bytes that are decoded at first
_TOKEN = 24  # longer than any word, number or escape whose end may be missing at the end of a window
# numbers stay text: only the extent is asked for
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_KEYS_TRIED = 20  # with which elements begin
_MOST_LEVELS = 4  # of objects around the array
# lists of objects that are found beside lists of records
_BESIDE = frozenset(
    (
        "features",
        "schema",
        "columns",
        "fields",
        "licenses",
        "authors",
        "contributors",
        "citations",
        "links",
        "errors",
        "warnings",
    )
)
_Element = tuple[int, int, dict[str, Any]]  # begin, end, value


class Unfinished(ControlFlow):
    """The window ends inside a value. in_text: inside one of its strings."""

    def __init__(self, in_text: bool) -> None:
        super().__init__()
        self.in_text = in_text


class Opening(NamedTuple):
    """Where the elements of the array begin, and the keys that lead to it from the object around it."""

    place: int
    path: tuple[str, ...] = ()


class Style(NamedTuple):
    """keys: top-level keys of well-formed elements. start: matches up to the brace that begins an element, and nothing
    inside one; None when nothing tells."""

    keys: frozenset[str]
    start: re.Pattern[bytes] | None

    def resembles(self, value: Any) -> bool:
        """Whether a value looks like an element and not like a part of one."""
        return isinstance(value, dict) and bool(value) and 2 * len(self.keys & value.keys()) >= len(value)

    def begins(self, buffer: bytes, place: int) -> bool:
        """Whether an object with a key of an element begins here."""
        match = _FIRST_KEY.match(buffer, place)
        return match is not None and _name(match[1]) in self.keys


def decode_at(buffer: bytes, place: int, stop: int) -> tuple[int, Any]:
    """The end of the JSON value that begins at `place`, and the value; its texts are decoded byte by byte.

    Raises Unfinished when it may go on behind `stop`, ValueError when it is broken. The work is that of the value, however
    far away `stop` is.
    """
    size = _WINDOW
    while True:
        try:
            return _decode(buffer, place, min(stop, place + size))
        except Unfinished:
            if place + size >= stop:
                raise
            size *= 4


def _decode(buffer: bytes, place: int, stop: int) -> tuple[int, Any]:
    text = buffer[place:stop].decode("latin-1")
    try:
        value, end = _DECODER.raw_decode(text)
    except JSONDecodeError as error:
        if error.msg.startswith("Unterminated string"):
            raise Unfinished(in_text=True) from None
        if error.pos >= len(text.rstrip(" \t\r\n")) or (
            len(text) - error.pos < _TOKEN and error.msg.startswith(("Expecting value", "Invalid \\"))
        ):
            raise Unfinished(in_text=error.msg.startswith("Invalid \\")) from None
        raise
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if end == len(text) and text[-1] not in ']}"':  # a number may go on
        raise Unfinished(in_text=False)
    return place + end, value


def opening(head: bytes) -> Opening | None:
    """The begin of the array in the head of a file: the file itself, or the first list of objects inside one object that is
    not named like something beside the records."""
    place = _behind_space(head, 0)
    if head[place : place + 1] == b"[":
        return Opening(place + 1)
    if head[place : place + 1] != b"{":
        return None
    try:
        return _list_within(head, place, ())[0]
    except (Unfinished, ValueError):
        return None


def passed_over(text: bytes) -> list[str]:
    """The lists of objects beside the records that are read for none, by their names; text: a file, or its begin."""
    found = opening(text)
    if found is None or not found.path:
        return []
    try:
        value = json.loads(text)
    except ValueError:  # a begin only: what stands before the records
        return [name for match in _LIST.finditer(text, 0, found.place - 1) if is_beside(name := _name(match[1]))]
    for key in found.path[:-1]:
        value = value[key]
    first = value[found.path[-1]][0]
    behind = list(value).index(found.path[-1])
    like = Style(frozenset(first) if isinstance(first, dict) else frozenset(), None)
    return [
        key
        for at, (key, inner) in enumerate(value.items())
        if is_beside(key)
        and isinstance(inner, list)
        and any(isinstance(one, dict) for one in inner[:1])
        and not (at > behind and like.resembles(inner[0]))
    ]


def _list_within(head: bytes, place: int, path: tuple[str, ...]) -> tuple[Opening | None, int]:
    """The list within the object at `place`, or where the object ends when there is none."""
    place = _behind_space(head, place + 1)
    while head[place : place + 1] == b'"':
        end, key = decode_at(head, place, len(head))
        place = _behind_space(head, end)
        if head[place : place + 1] != b":":
            raise ValueError(place)
        place = _behind_space(head, place + 1)
        if head[place : place + 1] == b"{" and len(path) < _MOST_LEVELS:
            found, end = _list_within(head, place, (*path, key))
            if found is not None:
                return found, end
        elif is_list_of_objects(head, place) and not is_beside(key):
            return Opening(place + 1, (*path, key)), place
        else:
            end, _ = decode_at(head, place, len(head))
        place = _behind_space(head, end)
        if head[place : place + 1] == b",":
            place = _behind_space(head, place + 1)
    if head[place : place + 1] != b"}":
        raise ValueError(place)
    return None, place + 1


def is_list_of_objects(buffer: bytes, place: int) -> bool:
    """Whether a list that begins with an object begins here."""
    return buffer[place : place + 1] == b"[" and buffer[_behind_space(buffer, place + 1) :][:1] == b"{"


def is_beside(key: str) -> bool:
    """Whether a list of this name says something of the records, and is none of them."""
    return key.casefold() in _BESIDE


def learn(head: bytes, place: int) -> Style:
    """The look of the elements behind `place`, where the first one may begin."""
    signs, found = _best_beginning(head, place)
    if not found:
        key = _FIRST_KEY.search(head, place)
        return Style(frozenset() if key is None else frozenset({_name(key[1])}), None)
    if found and _behind_space(head, found[-1][1]) == len(head):
        # nothing closes the array: the last one may have swallowed its end, and the elements before that
        found = found[:-1] or _swallowed(head, found[0], signs) or found
    keys = frozenset(key for _, _, value in found for key in value)
    if len(signs) > 1 and all(signs[0].search(head, begin + 1, end) is None for begin, end, _ in found):
        return Style(keys, signs[0])
    return Style(keys, _first_keys(head, found))


def _swallowed(head: bytes, element: _Element, signs: list[re.Pattern[bytes]]) -> list[_Element]:
    """The elements that lie inside of one, when they are closed and it is not."""
    begin, end, _ = element
    for sign in signs:
        match = sign.search(head, begin + 1, end)
        found = [] if match is None else _well_formed(head, match.end() - 1, [sign])
        if found and _behind_space(head, found[-1][1]) < len(head):
            return found
    return []


def _best_beginning(head: bytes, place: int) -> tuple[list[re.Pattern[bytes]], list[_Element]]:
    """The signs and the elements from the first object on behind which most bytes are those of elements: it is none inside
    an element.
    """
    first, best = head.find(b"{", place), 0
    signs, found = list[re.Pattern[bytes]](), list[_Element]()
    for _ in range(_BEGINNINGS if first >= 0 else 0):
        tried = _signs(head, first)
        elements = _well_formed(head, first, tried) if tried else []
        # what is followed by a closing brace lies inside of another
        covered = sum(end - begin for begin, end, _ in elements if head[_behind_space(head, end) :][:1] != b"}")
        if covered > best:
            best, signs, found = covered, tried, elements
        if 2 * best > len(head) - place:
            return signs, found
        match = GENERIC_START.search(head, first)
        if match is None:
            break
        first = match.end() - 1
    return (signs, found) if len(found) >= _ELEMENTS_READ else ([], [])


def _signs(head: bytes, first: int) -> list[re.Pattern[bytes]]:
    """What may show that an element begins, the surest first: a line of its own, its first key."""
    signs = []
    line = _OWN_LINE.search(head[max(0, first - 200) : first])
    if line is not None:
        signs.append(re.compile(rb"\n" + line[1] + rb"\{"))
    key = _FIRST_KEY.match(head, first)
    if key is not None:
        signs.append(_key_sign(re.escape(key[1])))
    return signs


def _well_formed(head: bytes, place: int, signs: list[re.Pattern[bytes]]) -> list[_Element]:
    """(begin, end, value) of objects that are whole, one behind the other."""
    found: list[_Element] = []
    for _ in range(_ELEMENTS_READ + _TRIES):
        if len(found) >= _ELEMENTS_READ:
            break
        try:
            end, value = decode_at(head, place, len(head))
        except (Unfinished, ValueError):
            value = None
        if not isinstance(value, dict):  # broken, or the rest of an element that ended too early
            following = _next_one(head, place + 1, signs, found)
            if following is None:
                break
            place = following
            continue
        found.append((place, end, value))
        behind = _BETWEEN.match(head, end)
        place = end if behind is None else behind.end()
        if head[place : place + 1] == b"" or (
            head[place : place + 1] == b"]" and head[_behind_space(head, place + 1) :][:1] in (b"}", b",", b"")
        ):
            break
    return found


def _next_one(head: bytes, place: int, signs: list[re.Pattern[bytes]], found: list[_Element]) -> int | None:
    """Where the next element begins behind a broken one: at a sign, or at an object like those before."""
    following = signs[0].search(head, place) if signs else None
    if following is not None or not found:
        return None if following is None else following.end() - 1
    like = Style(frozenset(key for _, _, value in found for key in value), None)
    for _ in range(_TRIES):
        match = GENERIC_START.search(head, place)
        if match is None:
            return None
        place = match.end() - 1
        try:
            _, value = decode_at(head, place, len(head))
        except (Unfinished, ValueError):
            continue
        if like.resembles(value):
            return place
    return None


def _first_keys(head: bytes, found: list[_Element]) -> re.Pattern[bytes] | None:
    """The sign of elements that begin with different keys: any of those that no element holds behind its begin."""
    names = {match[1] for begin, _, _ in found if (match := _FIRST_KEY.match(head, begin)) is not None}
    usable = []
    for name in sorted(names)[:_KEYS_TRIED]:
        sign = _key_sign(re.escape(name))
        if all(sign.search(head, begin + 1, end) is None for begin, end, _ in found):
            usable.append(re.escape(name))
    return _key_sign(rb"(?:" + rb"|".join(usable) + rb")") if usable else None


def _key_sign(names: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\{(?=[ \t\r\n]{0,200}+" + names + rb"[ \t\r\n]{0,200}+:)")


def _behind_space(head: bytes, place: int) -> int:
    match = _SPACE.match(head, place)
    return place if match is None else match.end()


def _name(raw: bytes) -> str:
    """A key as it is read; one that is damaged itself (`"\\messages"`) is its bytes, which no other key has."""
    try:
        return str(_DECODER.decode(raw.decode("latin-1")))
    except ValueError:
        return raw.decode("latin-1")
