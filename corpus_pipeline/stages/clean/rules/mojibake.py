"""Mojibake: text that was decoded with the wrong character set, repaired with ftfy (Speer, "ftfy", Zenodo 2019)."""

from __future__ import annotations

import re

from corpus_pipeline.stages.clean.rules.base import Outcome, TextRule, View

# UTF-8 lead bytes seen through Latin-1, Windows-125x or Mac Roman, then what a continuation byte looks like there.
_SUSPECT = re.compile(
    "[\u00c2-\u00f4\u0102\u0103\u0110\u0111\u0192\u201a\u00b1\u2030\u221a\u00ac\u0420\u0421\u0432\u0413]"
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022"
    "\u2026\u2030\u2039\u203a\u20ac\u2122\u2202\u2211\u221a\u0402-\u0491]"
)
# Frequent in UTF-8 Chinese read as GBK: comma, full stop and the commonest particles, at even and at odd places.
_GBK_SUSPECT = re.compile("[锛紝銆鐨殑鏄槸鍦湪涓浜]")
# What is left when characters were lost for good: U+FFFD, and U+FFFD itself read as GBK.
_LOST = re.compile("\ufffd|\u951f\u65a4\u62f7")


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
_C1 = re.compile("[\x80-\x9f]")
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


class Mojibake(TextRule):
    name = "mojibake"
    summary = (
        "Repairs text that was decoded with the wrong character set (`cafÃ©` to `café`, UTF-8 read as GBK), and drops "
        "a conversation in which too many characters were lost for good."
    )
    reasons = ("lost_characters",)

    class Params(TextRule.Params):
        max_lost_share: float = 0.02  # of a text's characters, from 3 lost ones on

    params: Params

    def screen(self, view: View) -> bool:
        text = view.beyond
        if not text:
            return False
        return bool(_SUSPECT.search(text) or _GBK_SUSPECT.search(text) or _C1.search(text) or _LOST.search(text))

    def fix(self, text: str, field: str) -> tuple[str, int]:
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

    def apply(self, view: View) -> Outcome:
        outcome = super().apply(view)
        for number, turn in enumerate(outcome.turns, 1):
            for field, text in turn.texts():
                lost = len(_LOST.findall(text))
                if lost >= 3 and lost > self.params.max_lost_share * len(text):
                    dropped = self.drop(
                        outcome.turns, "lost_characters", f"{lost} of {len(text)}", turn=number, field=field
                    )
                    return dropped._replace(changes=outcome.changes + dropped.changes)
        return outcome
