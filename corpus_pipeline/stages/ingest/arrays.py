"""Records of a JSON array, element by element, without ever holding the array.

An element that is broken costs itself only. Where it ends is known from its own brackets (a string ends at a raw line end at
the latest, a closing bracket closes all that stands open inside its pair), and at the latest by the beginning of the
next element (see `array_style`): a lost bracket or quote cannot swallow what follows. A lost comma costs nothing. What
stands behind the end of the array is read on as elements, and an array that is not closed is one reject more, so that every
byte is an element's, or white space, a comma or a bracket between two of them.

A comma behind the last element is none too many. What stands behind a whole element and cannot be a part of it (a comment,
a word) is a reject of its own.

The array may lie in an object, `{"version": 1, "data": [...]}`, also some levels deep. Further lists there whose elements look
like those of the first one (`train` and `test`) are read on; another list of objects is one reject.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from io import BufferedReader
from typing import Any

import orjson

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.ingest.array_style import (
    GENERIC_START,
    Style,
    Unfinished,
    decode_at,
    is_beside,
    is_list_of_objects,
    learn,
    opening,
)
from corpus_pipeline.stages.ingest.source import RAW_KEPT, Position, RawRecord, SourceBroken
from corpus_pipeline.states import RejectReason

_CHUNK = 256 * 1024
_HEAD = 1024 * 1024  # bytes of the file from which the look of its elements is learnt
_SPACE = lazily(rb"[ \t\r\n]*+")
_IN_STRING = lazily(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
_STRUCTURE = lazily(rb'["\[\]{},]')


def _balanced(levels: int) -> bytes:
    """A pattern of an object or array of this many levels, with strings that end where they should."""
    text = rb'"(?:[^"\\\n]++|\\[^\n])*+"'
    inside = rb'(?:[^"\[\]{}]++|' + text
    pattern = inside + rb")*+"
    for _ in range(levels):
        pattern = inside + rb"|\{" + pattern + rb"\}|\[" + pattern + rb"\])*+"
    return rb"\{" + pattern + rb"\}"


# nearly all elements: an object of a few levels, whole in the buffer, with what may follow it; others are scanned
_SIMPLE = lazily(_balanced(4) + rb"[ \t\r\n]*+(?=[,\]{])")
_TAIL = lazily(rb"[\]}][\]} \t]*+,?[ \t\r]*+\Z")
_TAIL_LOOK = 64
_OVERLAP = 1024  # longer than what shows where an element begins
_OPENER = {ord("]"): ord("["), ord("}"): ord("{")}
_QUOTE, _COMMA, _OPEN, _CLOSE, _LF = b'"'[0], b","[0], b"["[0], b"]"[0], b"\n"[0]
_BEGIN, _END, _COLON = b"{"[0], b"}"[0], b":"[0]
_BETWEEN = b" \t\r\n,"
_GET_AGAIN = "Get the file again, or repair it."
# what may stand behind an element without being the rest of it: no quote or bracket up to the next element or the end
_STRAY = lazily(rb'[^"\[\]{}]{1,1024}+(?=[{\]])')
_STRAY_LOOK = 1025
_MAX_OPEN = 1 << 20  # brackets that are remembered
_TRY = 512  # what asking costs, in bytes
_DEEP = 8192  # bytes that are taken for read when nesting is too deep
_MIN_SIMPLE = 1024
_READ_TWICE = 16  # bytes that may be read again for each one of a broken element
_PAST_THE_END = 1  # Position.part behind the reject of an array that is not closed
_BESIDE = 2  # behind a list beside the array, inside the object around it


def read_array(stream: BufferedReader, start: Position, limit: int, begin: int = 0) -> Iterator[RawRecord]:
    """Each element behind `start`. The stream stands at byte `begin`, where the text of the file begins.

    Raises SourceBroken when the file does not begin with an array, or with an object that holds one.
    """
    scanner = _Scanner(stream, start, limit, begin)
    if start.part != _PAST_THE_END:
        yield from scanner.records()


class _Scanner:
    """A window on the stream: `_buffer` begins at byte `_base`, `_place` is where scanning stands."""

    def __init__(self, stream: BufferedReader, start: Position, limit: int, begin: int) -> None:
        self._stream = stream
        self._limit = limit
        self._kept = min(limit, RAW_KEPT)
        self._number = start.row_identifier
        self._is_beside = start.part == _BESIDE
        self._buffer = b""
        self._base = begin
        self._place = 0
        self._dropped = 0
        self._simple_size = _CHUNK
        self._clear = (-1, -1)  # no element begins between these bytes
        self.line = max(start.source_line, 1)
        while len(self._buffer) < _HEAD and self._more(0):
            pass
        found = opening(self._buffer)
        if found is None:
            raise SourceBroken(f"byte {self.offset}: a JSON array begins with '['. {_GET_AGAIN}")
        self._wrapped = bool(found.path)
        self._style = learn(self._buffer, found.place)
        if self._number == 0:
            self._move(found.place)
        else:
            self._skip_to(start.source_offset)

    @property
    def offset(self) -> int:
        return self._base + self._place

    def records(self) -> Iterator[RawRecord]:
        """The elements from here to the end of the file."""
        behind = self._number > 0  # an element was read: a comma comes next
        closed = self._is_beside
        while True:
            if closed and self._wrapped:
                if not (yield from self._beside()):
                    return
                closed = behind = False
            self._skip_space()
            byte = self._at()
            if byte is None:
                if not closed:
                    yield self._not_closed()
                return
            if byte == _COMMA and behind and not closed:
                self._step()
                behind = False
            elif byte == _CLOSE and not closed:
                self._step()
                closed = True
            elif byte == _OPEN and closed and self._opens_again():
                self._step()
                closed = behind = False
            else:
                behind, closed = True, False
                record = self._nothing() if byte in (_COMMA, _CLOSE) else self._element()
                yield record
                if record.part == _PAST_THE_END:
                    return

    # elements

    def _element(self) -> RawRecord:
        """Read one element and stop behind it."""
        line, start = self.line, self.offset
        simple = _SIMPLE.match(self._buffer, self._place, self._place + self._simple_size)
        # damage is dear to this pattern: the more of it, the shorter it looks
        self._simple_size = max(_MIN_SIMPLE, self._simple_size // 2) if simple is None else _CHUNK
        if simple is not None and simple.end() - self._place <= self._limit and not self._swallows(simple.end()):
            try:
                value = orjson.loads(self._buffer[self._place : simple.end()])
            except orjson.JSONDecodeError:
                pass
            else:
                return self._record(line, start, simple.end(), None, value=value)
        end = self._whole()
        if end is not None and end - self._place <= self._limit:
            return self._record(line, start, end, None)
        return self._broken(line, start)

    def _swallows(self, end: int) -> bool:
        """Whether an object up to `end` may hold the elements behind it: inside of an object around the array, an element that
        is not closed is closed by the end of that object.
        """
        if not self._wrapped:
            return False
        following = self._next_start(self._place + 1)
        return following is not None and following < end

    def _whole(self) -> int | None:
        """Where the JSON value ends that begins here; None when it is broken, or too long, or something follows it.

        What looks like the next element ends the search, unless it lies in a text.
        """
        passed = 1  # beginnings of elements that were found to lie in a text
        while True:
            cut = self._cut(passed)
            stop = len(self._buffer) if cut is None else cut
            try:
                end, _ = decode_at(self._buffer, self._place, stop)
            except Unfinished as error:
                if cut is not None and error.in_text:
                    passed *= 2
                elif cut is not None or not self._doubled():
                    return None
                continue
            except ValueError:
                return None
            size = end - self._place
            followed = self._may_follow(size)  # may move the window
            return self._place + size if followed else None

    def _cut(self, passed: int) -> int | None:
        """The place of the `passed`-th beginning of an element behind this one."""
        place = self._place
        for _ in range(passed):
            found = self._next_start(place + 1)
            if found is None:
                return None
            place = found
        return place

    def _next_start(self, place: int) -> int | None:
        """The first sign of an element from `place` on. What was searched is not searched again."""
        sign = self._style.start
        if sign is None:
            return None
        clear_from, clear_to = self._clear[0] - self._base, self._clear[1] - self._base
        begin = clear_to if clear_from <= place <= clear_to else place
        match = sign.search(self._buffer, begin)
        clear_from = clear_from if begin == clear_to else place
        clear_to = max(begin, len(self._buffer) - _OVERLAP) if match is None else match.start()
        self._clear = (clear_from + self._base, clear_to + self._base)
        return None if match is None else match.end() - 1

    def _doubled(self) -> bool:
        """Read on until the window has twice its size; False at the end of the file or of what an element may have."""
        size = len(self._buffer) - self._place
        if size > self._limit:
            return False
        grown = False
        while len(self._buffer) - self._place < 2 * size + 1 and self._more(self._place):
            grown = True
        return grown

    def _may_follow(self, size: int) -> bool:
        """Whether what stands behind an element of this size may stand there; a comma may be missing."""
        while True:
            match = _SPACE.match(self._buffer, self._place + size)
            place = self._place + size if match is None else match.end()
            if place < len(self._buffer) and self._buffer[place] in b",]{":
                return True
            if len(self._buffer) - place >= _STRAY_LOOK:
                return _STRAY.match(self._buffer, place) is not None
            if not self._more(self._place):
                place -= self._dropped
                return place == len(self._buffer) or _STRAY.match(self._buffer, place) is not None

    def _broken(self, line: int, start: int) -> RawRecord:
        """The extent of an element that is no JSON, or too long to be held."""
        head: bytes | None = None  # the first bytes of an element that is too long
        opened = bytearray()
        in_string = False
        scan, looked, window = self._place, self._place + 1, 512
        starts = _Starts(self._style, self._buffer, self._place)
        while True:
            bound = min(len(self._buffer), looked + window)
            cut = self._next_start(looked) if self._style.start else starts.search(self._buffer, looked, bound)
            stop = bound if cut is None else min(cut, bound)
            while True:
                step = self._scan_string(scan, stop) if in_string else self._scan_structure(scan, stop, opened)
                if step is None:
                    scan = self._rest
                    break
                scan, event = step
                if event == _QUOTE:
                    in_string = not in_string
                elif event is not None:
                    return self._record(line, start, scan, head)
            if cut is not None and cut <= bound:
                return self._record(line, start, cut, head)
            window *= 2
            if bound < len(self._buffer):
                looked = bound
                continue
            looked = max(looked, bound - _OVERLAP)
            if head is None and scan - self._place > self._limit:
                head = self._buffer[self._place : self._place + self._kept]
            if head is not None:
                self._move(max(self._place, min(scan, looked) - _TAIL_LOOK))
            if not self._more(self._place):
                return self._record(line, start, len(self._buffer), head, cut_off=True)
            scan, looked = scan - self._dropped, looked - self._dropped

    # how the two scanners talk to `_broken`: None is "go on at _rest with more bytes"; (place, byte) is an event

    _rest = 0

    def _scan_string(self, scan: int, stop: int) -> tuple[int, int | None] | None:
        match = _IN_STRING.match(self._buffer, scan, stop)
        end = scan if match is None else match.end()
        if end >= stop or (self._buffer[end] == 92 and end + 1 >= stop):
            self._rest = end
            return None
        if self._buffer[end] == _QUOTE:
            return end + 1, _QUOTE
        # a raw line end, which no string can hold (behind a backslash too): brackets before it were not meant as text
        tail = _TAIL.search(self._buffer[max(self._place, end - _TAIL_LOOK) : end])
        if tail is not None:
            return end - len(tail.group()), _QUOTE
        return end + (1 if self._buffer[end] == _LF else 2), _QUOTE

    def _scan_structure(self, scan: int, stop: int, opened: bytearray) -> tuple[int, int | None] | None:
        match = _STRUCTURE.search(self._buffer, scan, stop)
        if match is None:
            self._rest = stop
            return None
        place, byte = match.start(), self._buffer[match.start()]
        if byte == _QUOTE:
            return place + 1, _QUOTE
        if byte == _COMMA:
            return (place, _COMMA) if not opened else (place + 1, None)
        opener = _OPENER.get(byte)
        if opener is None:
            if len(opened) < _MAX_OPEN:
                opened.append(byte)
            return place + 1, None
        if not opened and byte == _CLOSE:
            return place, _CLOSE
        pair = opened.rfind(opener)
        if pair >= 0:
            del opened[pair:]
        elif byte == _CLOSE:
            ends = self._ends_behind(place + 1)
            if ends is None:
                self._rest = place
                return None
            if ends:
                return place, _CLOSE
        return place + 1, None

    def _ends_behind(self, place: int) -> bool | None:
        """Whether only white space follows to the end of the file; None when more bytes are needed to tell."""
        match = _SPACE.match(self._buffer, place)
        end = place if match is None else match.end()
        if end < len(self._buffer):
            return False
        return True if self._at_end() else None

    def _record(
        self, line: int, start: int, end: int, head: bytes | None, *, value: Any = None, cut_off: bool = False
    ) -> RawRecord:
        too_long = head is not None or end - self._place > self._limit
        raw = head if head is not None else self._buffer[self._place : end]
        if too_long:
            tail = self._buffer[max(self._place, end - _TAIL_LOOK) : end]
            self._move(end - len(tail) + len(tail.rstrip(_BETWEEN)))
        else:
            raw = raw.rstrip(_BETWEEN)
            self._move(self._place + len(raw))
        here = (self.line, self.offset)
        self._number += 1
        if too_long:
            whole = self.offset - start
            detail = f"{whole} bytes, the limit is {self._limit}"
            problem, part = RejectReason.TOO_LONG, _PAST_THE_END if cut_off else 0
            return RawRecord(self._number, line, start, whole, raw[: self._kept], *here, problem, detail, part)
        if cut_off:
            detail = "the file ends inside this element"
            problem = RejectReason.BROKEN_JSON
            return RawRecord(self._number, line, start, len(raw), raw, *here, problem, detail, _PAST_THE_END)
        return RawRecord(self._number, line, start, len(raw), raw, *here, value=value)

    # what stands between elements

    def _nothing(self) -> RawRecord:
        self._number += 1
        here = (self.line, self.offset)
        detail = "nothing between two commas"
        return RawRecord(self._number, *here, 0, b"", *here, RejectReason.BROKEN_JSON, detail)

    def _not_closed(self) -> RawRecord:
        self._number += 1
        here = (self.line, self.offset)
        detail = "the file ends before its array is closed: it may be cut"
        return RawRecord(self._number, *here, 0, b"", *here, RejectReason.BROKEN_JSON, detail, part=_PAST_THE_END)

    def _opens_again(self) -> bool:
        match = _SPACE.match(self._buffer, self._place + 1)
        return match is not None and self._buffer[match.end() : match.end() + 1] in (b"{", b"")

    def _beside(self) -> Generator[RawRecord, None, bool]:
        """What stands beside an array in the object around it, up to the next list of records: whether there is one."""
        name, ended, valued = "", False, False
        while True:
            self._skip_space()
            byte = self._at()
            if byte is None:
                if not ended:
                    yield self._not_closed()
                return False
            if byte == _BEGIN and not valued and self._begins_element():
                return True  # a bracket too many ended the list before its time
            if byte in b"{},:":
                ended, valued = byte == _END, byte == _COLON
                self._step()
                continue
            is_list = self._begins_list()
            if is_list and self._resembles_first(unless_broken=is_beside(name)):
                self._step()
                return True
            line, start = self.line, self.offset
            value = self._value()
            if value is None:
                yield self._rest_of_file()
                return False
            end, found = value
            if is_list and not is_beside(name):
                self._move(end)
                yield self._other_list(line, start, name)
                valued = False
                continue
            self._move(end)
            name, valued = found if isinstance(found, str) else name, False

    def _begins_element(self) -> bool:
        while len(self._buffer) - self._place < _OVERLAP and self._more(self._place):
            pass
        return self._style.begins(self._buffer, self._place)

    def _begins_list(self) -> bool:
        while len(self._buffer) - self._place < _TAIL_LOOK and self._more(self._place):
            pass
        return is_list_of_objects(self._buffer, self._place)

    def _resembles_first(self, *, unless_broken: bool) -> bool:
        """Whether the first element of the list here looks like those of the first list, or is too broken to tell."""
        while True:
            place = self._buffer.index(b"{", self._place)
            try:
                _, value = decode_at(self._buffer, place, len(self._buffer))
            except Unfinished:
                if not self._doubled():
                    return not unless_broken
                continue
            except ValueError:
                return not unless_broken
            return self._style.resembles(value)

    def _value(self) -> tuple[int, Any] | None:
        """Where the JSON value here ends, and the value; None when it is broken or too long."""
        while True:
            try:
                return decode_at(self._buffer, self._place, len(self._buffer))
            except Unfinished:
                if not self._doubled():
                    return None
            except ValueError:
                return None

    def _other_list(self, line: int, start: int, name: str) -> RawRecord:
        self._number += 1
        raw = self._buffer[start - self._base : self._place][: self._kept]
        detail = f"'{name}' is a second list, of other objects: write each list to a file of its own"
        here = (self.line, self.offset)
        problem = RejectReason.WRONG_SHAPE
        return RawRecord(self._number, line, start, self.offset - start, raw, *here, problem, detail, part=_BESIDE)

    def _rest_of_file(self) -> RawRecord:
        line, start = self.line, self.offset
        while len(self._buffer) - self._place <= self._kept and self._more(self._place):
            pass
        raw = self._buffer[self._place :][: self._kept]
        while self._more(len(self._buffer)) or self._place < len(self._buffer):
            self._move(len(self._buffer))
        self._number += 1
        detail = "what follows the array is no whole JSON object"
        here = (self.line, self.offset)
        problem = RejectReason.BROKEN_JSON
        size = self.offset - start
        return RawRecord(self._number, line, start, size, raw, *here, problem, detail, part=_PAST_THE_END)

    # the window

    def _at(self) -> int | None:
        """The byte at this place; None at the end of the file."""
        if self._place >= len(self._buffer) and not self._more(self._place):
            return None
        return self._buffer[self._place]

    def _step(self) -> None:
        self._move(self._place + 1)

    def _skip_space(self) -> None:
        while True:
            match = _SPACE.match(self._buffer, self._place)
            self._move(self._place if match is None else match.end())
            if self._place < len(self._buffer) or not self._more(self._place):
                return

    def _skip_to(self, offset: int) -> None:
        while self._base + len(self._buffer) < offset:
            if not self._more(len(self._buffer)):
                raise SourceBroken(f"the file ends before byte {offset}, where reading was to go on")
        self._place = offset - self._base

    def _move(self, place: int) -> None:
        self.line += self._buffer.count(b"\n", self._place, place)
        self._place = place

    def _at_end(self) -> bool:
        return not self._stream.peek(1)

    def _more(self, keep: int) -> bool:
        """Read on; bytes before `keep` (not behind `_place`) are dropped, and `_dropped` says how many. False at the
        end.
        """
        chunk = self._stream.read(_CHUNK)
        self._dropped = keep
        self._buffer = self._buffer[keep:] + chunk
        self._base += keep
        self._place -= keep
        return bool(chunk)


class _Starts:
    """Where the next element begins, while a broken one is passed over and no sign shows it: the first object that is whole
    and looks like an element.
    """

    def __init__(self, style: Style, buffer: bytes, place: int) -> None:
        self._like = style if style.keys else learn(buffer[place : place + _OVERLAP], 0)
        self._credit = 4096  # bytes that may be read twice; grows with what was passed over

    def search(self, buffer: bytes, place: int, bound: int) -> int | None:
        """The first beginning from `place` on, looked for up to `bound`."""
        self._credit += _READ_TWICE * (bound - place)
        while self._credit > 0:
            match = GENERIC_START.search(buffer, place, min(len(buffer), bound + _OVERLAP))
            if match is None or match.start() >= bound:
                return None
            place = found = match.end() - 1
            try:
                place, value = decode_at(buffer, found, min(len(buffer), found + self._credit))
            except Unfinished:
                self._credit -= min(len(buffer) - found, self._credit)
                continue
            except ValueError as error:
                self._credit -= getattr(error, "pos", _DEEP) + _TRY
                continue
            self._credit -= place - found
            if self._like.resembles(value):
                return found
        return None
