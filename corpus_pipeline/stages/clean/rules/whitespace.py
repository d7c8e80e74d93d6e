"""Whitespace: line ends, trailing blanks, runs of blank lines and zero-width spaces.

Blanks that mean something stay: hard line breaks of Markdown, the context lines of a diff, empty cells of tables that are
parted by tabs, code, the gaps between the lines of verse, dialogues in one text, and everything where blanks are what a
conversation is about.
"""

from __future__ import annotations

import re
from itertools import pairwise
from operator import ne

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import FENCES, Side, TextRule, View, outside
from corpus_pipeline.stages.clean.rules.code import is_part_of_code, may_be_code
from corpus_pipeline.stages.clean.rules.subjects import BLANKS, LAYOUT

_BLANKS = " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_END_CHARACTERS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_BLANK_START = lazily("\\A\n+")
_LINE_ENDS = lazily(f"\r\n?|[{_LINE_END_CHARACTERS}]")
# Scripts without blanks between words (Thai to Khmer, Balinese, Javanese) mark the borders with U+200B: it stays there.
_ZERO_WIDTH = lazily(
    "(?<![\u0e00-\u109f\u1780-\u17ff\u1950-\u1aad\u1b00-\u1b7f\ua980-\uaa7f])"
    "[\u200b\u2060\u180e]+(?![\u0e00-\u109f\u1780-\u17ff\u1950-\u1aad\u1b00-\u1b7f\ua980-\uaa7f])"
)
_BEYOND_ASCII = lazily("[\x85\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000]")
_MARKS = lazily(rb"[\r\x0b\x0c\x1c-\x1e]")


def _has_odd_line_ends(text: str) -> bool:
    return any(map(text.__contains__, _LINE_END_CHARACTERS))


# verse, lists, headings: short lines, most of which end no sentence; the gaps between them are part of the setting
_SET_LINES, _SET_WIDTH = 3, 60
_SENTENCE_END = tuple(".!?。！？؟।…")


def _is_set_in_lines(text: str) -> bool:
    """Whether a text is set in short lines that are no sentences, as verse is."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < _SET_LINES or max(map(len, lines)) > _SET_WIDTH:
        return False
    return 2 * sum(line.endswith(_SENTENCE_END) for line in lines) < len(lines)


_DIFF = lazily(r"^(?:@@ -\d|--- \S|\+\+\+ \S|diff --git )", re.MULTILINE)


def _trimmed(line: str, following: str, has_cells: bool) -> str:
    """A line without the blanks at its end, unless they mean something."""
    bare = line.rstrip(_BLANKS)
    if len(bare) == len(line):
        return line
    blanks = line[len(bare) :]
    if has_cells and "\t" in blanks:
        return line  # empty cells
    # two spaces or more before another line are a line break in Markdown
    return line if bare and following.strip() and blanks.strip(" ") == "" and len(blanks) > 1 else bare


def _is_about_blanks(view: View) -> bool:
    return BLANKS.search(view.text) is not None or LAYOUT.search(view.context()) is not None


def _is_labelled(view: View, turn: int, field: str) -> bool:
    """Whether a text is an answer with a label: blanks that good answers alone lost would tell them from bad ones."""
    extra = view.turns[turn - 1].extra
    return extra is not None and "label" in extra and view.side(turn, field) is not Side.CONTEXT


class Whitespace(TextRule):
    name = "whitespace"
    summary = (
        "Turns every line end into a line feed, removes blanks at line ends, blank lines at both ends and in excess, "
        "and zero-width spaces; indentation, code (fenced or not), hard line breaks of Markdown, diffs, gaps in verse, "
        "ideographic spaces inside text, and the edges of texts that a format joins stay."
    )
    version = 4

    class Params(TextRule.Params):
        max_blank_lines: int = Field(2, ge=0, description="blank lines in a row that are kept")

    params: Params

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._asked_for = "max_blank_lines" in self.params.model_fields_set  # then it holds for verse, too
        keep = self.params.max_blank_lines + 1
        self._run = "\n" * (keep + 1)
        self._runs = re.compile(f"\n{{{keep + 1},}}")
        self._kept = "\n" * keep

    def screen(self, view: View) -> bool:
        if any(map(self._is_untidy, view.texts)):
            return True
        if view.marks and (b"\t" in view.marks or _MARKS.search(view.marks)):
            return True
        return bool(view.beyond) and _BEYOND_ASCII.search(view.beyond) is not None

    def _is_untidy(self, text: str) -> bool:
        """Whether the commonest faults are there: blank lines, or blanks at line ends, that should not be."""
        if "\n" in text and (text[0] == "\n" or " \n" in text or self._run in text):
            return True
        return text != "" and text[-1].isspace()

    def spares(self, view: View, turn: int, field: str, text: str) -> bool:
        return view.is_dialogue or _is_labelled(view, turn, field) or _is_about_blanks(view)

    def fix(self, text: str, field: str) -> tuple[str, int]:
        if text.isascii() and "\t" not in text and not self._is_untidy(text) and not _has_odd_line_ends(text):
            return text, 0
        count = 0
        if _has_odd_line_ends(text):
            text, count = _LINE_ENDS.subn("\n", text)
        if not text.isascii():
            text, hidden = _ZERO_WIDTH.subn("", text)
            count += hidden
        trimmed = 0
        if not _DIFF.search(text) and not may_be_code(text):
            text, trimmed = outside(FENCES, text, self._trim)
        edges = len(text)
        text = _BLANK_START.sub("", text).rstrip("\n")
        return text, count + trimmed + (len(text) < edges)

    def _trim(self, text: str) -> tuple[str, int]:
        lines = text.split("\n")
        has_cells = any("\t" in line.strip() for line in lines)
        trimmed = [_trimmed(line, following, has_cells) for line, following in pairwise((*lines, ""))]
        count = sum(map(ne, lines, trimmed))
        text = "\n".join(trimmed)
        if self._run not in text or (not self._asked_for and _is_set_in_lines(text)):
            return text, count
        shorter = self._runs.sub(self._shortened, text)
        return shorter, count + (len(shorter) < len(text))

    def _shortened(self, run: re.Match[str]) -> str:
        """A run of blank lines, as long as is kept; before and behind a line of code it stays."""
        text = run.string
        before = text[text.rfind("\n", 0, run.start()) + 1 : run.start()]
        end = text.find("\n", run.end())
        after = text[run.end() : end if end >= 0 else len(text)]
        return run[0] if is_part_of_code(before) or is_part_of_code(after) else self._kept
