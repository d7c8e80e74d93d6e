"""Records of a JSON array, element by element, without ever holding the array.

An element that is broken costs itself only, where its end can still be told: a string ends at a raw line end at the
latest (a legal one has none), before the brackets that close this line; a closing bracket closes all that stands open
inside its pair, and a bracket without
its pair is passed over. A file that ends inside the array is broken as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader

from corpus_pipeline.stages.ingest.source import RAW_KEPT, Position, RawRecord, SourceBroken
from corpus_pipeline.states import RejectReason

_CHUNK = 256 * 1024
_SPACE = re.compile(rb"[ \t\r\n]*+")
_IN_STRING = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
_STRUCTURE = re.compile(rb'["\[\]{},]')


def _balanced(levels: int) -> bytes:
    """A pattern of an object or array of so many levels, with strings that end where they should."""
    text = rb'"(?:[^"\\\n]++|\\[^\n])*+"'
    inside = rb'(?:[^"\[\]{}]++|' + text
    pattern = inside + rb")*+"
    for _ in range(levels):
        pattern = inside + rb"|\{" + pattern + rb"\}|\[" + pattern + rb"\])*+"
    return rb"\{" + pattern + rb"\}"


# nearly all elements: an object of a few levels, whole in the buffer, with its comma or bracket; others are scanned
_SIMPLE = re.compile(_balanced(4) + rb"[ \t\r\n]*+(?=[,\]])")
_TAIL = re.compile(rb"[\]}][\]} \t]*+,?[ \t\r]*+\Z")
_TAIL_LOOK = 64
_OPENER = {ord("]"): ord("["), ord("}"): ord("{")}
_QUOTE, _COMMA, _CLOSE, _LF = b'"'[0], b","[0], b"]"[0], b"\n"[0]
_GET_AGAIN = "Get the file again, or repair it."


def read_array(stream: BufferedReader, start: Position, limit: int) -> Iterator[RawRecord]:
    """Each element. Raises SourceBroken when this is not one whole JSON array."""
    scanner = _Scanner(stream, start, limit)
    if not scanner.enter(first=start.row_identifier == 0):
        return
    number = start.row_identifier
    ended = False
    while not ended:
        number += 1
        record = scanner.element(number)
        # looked for before the record is given away, so that a position is always followed by "," or "]"
        ended = scanner.at() == _CLOSE
        yield record
        scanner.step()
    scanner.finish()


class _Scanner:
    """A window on the stream: `_buffer` begins at byte `_base`, `_place` is where scanning stands."""

    def __init__(self, stream: BufferedReader, start: Position, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._kept = min(limit, RAW_KEPT)
        self._buffer = b""
        self._base = start.source_offset
        self._place = 0
        self.line = max(start.source_line, 1)

    @property
    def offset(self) -> int:
        return self._base + self._place

    def at(self) -> int | None:
        """The byte at this place; None at the end of the file."""
        if self._place >= len(self._buffer) and not self._more(self._place):
            return None
        return self._buffer[self._place]

    def step(self) -> None:
        """Pass over one byte."""
        self._move(self._place + 1)

    def enter(self, *, first: bool) -> bool:
        """Pass the opening bracket, or on resuming the comma; False when no element follows."""
        self._skip_space()
        found = self.at()
        if first:
            if found != ord("["):
                raise SourceBroken(f"byte {self.offset}: a JSON array begins with '['. {_GET_AGAIN}")
            self.step()
            self._skip_space()
            found = self.at()
            if found != _CLOSE:
                return True
        elif found == _COMMA:
            self.step()
            return True
        if found != _CLOSE:
            raise SourceBroken(f"byte {self.offset}: expected ',' or ']'. {_GET_AGAIN}")
        self.step()
        self.finish()
        return False

    def finish(self) -> None:
        """Only white space may follow the array."""
        self._skip_space()
        if self.at() is not None:
            raise SourceBroken(f"byte {self.offset}: something follows the end of the array. {_GET_AGAIN}")

    def element(self, number: int) -> RawRecord:
        """Scan one element and stop at the comma or bracket behind it."""
        self._skip_space()
        line, start = self.line, self.offset
        simple = _SIMPLE.match(self._buffer, self._place)
        if simple is not None:
            return self._record(number, line, start, simple.end(), None)
        head: bytes | None = None  # the first bytes of an element that is too long
        opened = bytearray()
        in_string = False
        scan = self._place
        while True:
            step = self._scan_string(scan) if in_string else self._scan_structure(scan, opened)
            if step is None:
                scan = self._rest
                if head is None and scan - self._place > self._limit:
                    head = self._buffer[self._place : self._place + self._kept]
                if head is not None:
                    self._move(max(self._place, scan - _TAIL_LOOK))
                if not self._more(self._place):
                    raise SourceBroken(
                        f"the file ends inside element {number}, which begins at byte {start} (line {line}). "
                        + _GET_AGAIN
                    )
                scan -= self._dropped
                continue
            scan, event = step
            if event == _QUOTE:
                in_string = not in_string
            elif event is not None:
                break
        return self._record(number, line, start, scan, head)

    # how the two scanners talk to `element`: None is "more bytes, and go on at _rest"; (place, byte) is an event

    _rest = 0
    _dropped = 0

    def _scan_string(self, scan: int) -> tuple[int, int | None] | None:
        match = _IN_STRING.match(self._buffer, scan)
        end = scan if match is None else match.end()
        if end >= len(self._buffer) or (self._buffer[end] == 92 and end + 1 >= len(self._buffer)):
            self._rest = end
            return None
        if self._buffer[end] == _QUOTE:
            return end + 1, _QUOTE
        # a raw line end, which no string can hold (behind a backslash too): brackets before it were not meant as text
        tail = _TAIL.search(self._buffer[max(self._place, end - _TAIL_LOOK) : end])
        if tail is not None:
            return end - len(tail.group()), _QUOTE
        return end + (1 if self._buffer[end] == _LF else 2), _QUOTE

    def _scan_structure(self, scan: int, opened: bytearray) -> tuple[int, int | None] | None:
        match = _STRUCTURE.search(self._buffer, scan)
        if match is None:
            self._rest = len(self._buffer)
            return None
        place, byte = match.start(), self._buffer[match.start()]
        if byte == _QUOTE:
            return place + 1, _QUOTE
        if byte == _COMMA:
            return (place, _COMMA) if not opened else (place + 1, None)
        opener = _OPENER.get(byte)
        if opener is None:
            opened.append(byte)
            if len(opened) > max(self._limit, 1 << 20):
                raise SourceBroken(f"byte {self._base + place}: {len(opened)} open brackets. {_GET_AGAIN}")
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

    def _record(self, number: int, line: int, start: int, end: int, head: bytes | None) -> RawRecord:
        raw = head if head is not None else self._buffer[self._place : end]
        self._move(end)
        here = (self.line, self.offset)
        whole = self.offset - start
        if whole > self._limit:
            detail = f"{whole} bytes, the limit is {self._limit}"
            return RawRecord(number, line, start, whole, raw[: self._kept], *here, RejectReason.TOO_LONG, detail)
        raw = raw.rstrip(b" \t\r\n")
        if not raw:
            detail = "nothing between two commas"
            return RawRecord(number, line, start, 0, b"", *here, RejectReason.BROKEN_JSON, detail)
        return RawRecord(number, line, start, len(raw), raw, *here)

    def _skip_space(self) -> None:
        while True:
            match = _SPACE.match(self._buffer, self._place)
            self._move(self._place if match is None else match.end())
            if self._place < len(self._buffer) or not self._more(self._place):
                return

    def _move(self, place: int) -> None:
        self.line += self._buffer.count(b"\n", self._place, place)
        self._place = place

    def _at_end(self) -> bool:
        return not self._stream.peek(1)

    def _more(self, keep: int) -> bool:
        """Read on; bytes before `keep` (not behind `_place`) are let go, and `_dropped` says how many. False at the
        end.
        """
        chunk = self._stream.read(_CHUNK)
        self._dropped = keep
        self._buffer = self._buffer[keep:] + chunk
        self._base += keep
        self._place -= keep
        return bool(chunk)
