"""Mojibake: text that was decoded with the wrong character set, repaired with ftfy (Speer, "ftfy", Zenodo 2019).

Broken letters may be what a conversation is about: then they stand by themselves or between quotation marks and not
inside of words, or their repaired form stands beside them, or the words say so.
"""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Tag
from corpus_pipeline.stages.clean.rules.base import CODE, Outcome, Side, TextRule, View, outside
from corpus_pipeline.stages.clean.rules.code import is_code
from corpus_pipeline.stages.clean.rules.subjects import CHARACTERS, asking

# UTF-8 lead bytes seen through Latin-1, Windows-125x or Mac Roman, then what a continuation byte looks like there.
_SUSPECT = lazily(
    "[\u00c2-\u00f4\u0102\u0103\u0110\u0111\u0192\u201a\u00b1\u2030\u221a\u00ac\u0420\u0421\u0432\u0413]"
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022"
    "\u2026\u2030\u2039\u203a\u20ac\u2122\u2202\u2211\u221a\u0402-\u0491]"
)
# Frequent in UTF-8 Chinese read as GBK: comma, full stop and the commonest particles, at even and at odd places.
_GBK_SUSPECT = lazily("[锛紝銆鐨殑鏄槸鍦湪涓浜]")
# What is left when characters were lost for good: U+FFFD, and U+FFFD itself read as GBK.
_LOST = lazily("\ufffd|\u951f\u65a4\u62f7")


def _from_gbk(text: str) -> str | None:
    """The UTF-8 text that was read as GBK, None when `text` is not such a thing.

    Genuine Chinese written in GBK is nowhere near valid UTF-8; text that went the wrong way may have holes of U+FFFD.
    """
    try:
        repaired = text.replace("\ufffd", "").encode("gb18030").decode("utf-8", "replace")
    except UnicodeError:  # a lone surrogate
        return None
    return repaired if repaired.count("\ufffd") * 8 <= len(repaired) else None


# C1 controls in text are Windows-1252 that was read as Latin-1 (the HTML standard maps them so in references).
_C1 = lazily("[\x80-\x9f]")
_WINDOWS_1252 = {
    byte: bytes([byte]).decode("windows-1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def _repaired(line: str) -> str:
    """`line` repaired by ftfy, which gets the suspect stretch with two words on either side: it is thorough and slow."""
    from ftfy import fix_encoding  # an import that clean corpora never need

    suspects = list(_SUSPECT.finditer(line))
    start = line.rfind(" ", 0, max(0, line.rfind(" ", 0, suspects[0].start()))) + 1
    end = line.find(" ", suspects[-1].end())
    end = line.find(" ", end + 1) if end >= 0 else -1
    end = end if end >= 0 else len(line)
    return line[:start] + fix_encoding(line[start:end]) + line[end:]


# a letter that was read as two; standing for itself, or within a quoted word, it is shown and not meant
_LETTER = lazily("[\u00c2\u00c3][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
_SHOWN = lazily(
    f"(?<![^\\W_]){_LETTER.pattern}(?![^\\W_])|(?<=['\"`])[^\\W_]{{0,20}}{_LETTER.pattern}[^\\W_]{{0,20}}(?=['\"`])"
)

_ASKED = asking(f"{_LETTER.pattern}|\u00e2\u20ac\\S?|\u00ef\u00bf\u00bd|\ufffd")


class Mojibake(TextRule):
    name = "mojibake"
    version = 3
    summary = (
        "Repairs text that was decoded with the wrong character set (`cafÃ©` to `café`, UTF-8 read as GBK), and drops "
        "a conversation in which too many characters were lost for good; code and conversations about characters stay as "
        "they are and are tagged `mojibake`."
    )
    reasons = ("lost_characters",)
    tags = ("mojibake",)

    class Params(TextRule.Params):
        max_lost_share: float = Field(0.02, ge=0, le=1, description="of a text's characters, from 3 lost ones on")

    params: Params

    def screen(self, view: View) -> bool:
        text = view.beyond
        if not text:
            return False
        return bool(_SUSPECT.search(text) or _GBK_SUSPECT.search(text) or _C1.search(text) or _LOST.search(text))

    def spares(self, view: View, turn: int, field: str, text: str) -> bool:
        return text.isascii() or is_code(text)

    def fix(self, text: str, field: str) -> tuple[str, int]:
        return outside(CODE, text, _repaired_text)

    def apply(self, view: View) -> Outcome:
        if is_about_characters(view):
            return Outcome(view.turns, tags=self._tags(view))
        outcome = super().apply(view)
        for number, field, side, text in View(outcome.turns, view.tools).places():
            if side in (Side.AVERSE, Side.UNTRAINED):
                continue
            lost = len(_LOST.findall(text))
            if lost >= 3 and lost > self.params.max_lost_share * len(text):
                dropped = self.drop(
                    outcome.turns, "lost_characters", f"{lost} of {len(text)}", turn=number, field=field
                )
                return dropped._replace(changes=outcome.changes + dropped.changes)
        return outcome

    def _tags(self, view: View) -> tuple[Tag, ...]:
        return tuple(
            self.tag("mojibake", turn=place.turn, field=place.field)
            for place in view.places()
            if _SUSPECT.search(place.text) or _LOST.search(place.text)
        )[:1]


def is_about_characters(view: View) -> bool:
    """Whether strange letters may be the subject of a conversation: its words say so, or the letters are only shown."""
    if CHARACTERS.search(view.text):
        return True
    if _ASKED.search(view.context()):
        return True
    letters = len(_LETTER.findall(view.text))
    return letters > 0 and len(_SHOWN.findall(view.text)) == letters


def _repaired_text(text: str) -> tuple[str, int]:
    if text.isascii():
        return text, 0
    if len(_GBK_SUSPECT.findall(text)) > 1 and (repaired := _from_gbk(text)):
        return repaired, 1
    count = 0
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _SUSPECT.search(line) and (fixed := _repaired(line)) != line:
            lines[index] = fixed
            count += 1
    text = "\n".join(lines)
    if _C1.search(text):
        mapped = text.translate(_WINDOWS_1252)
        return mapped, count + (mapped != text)
    return text, count
