"""Control characters: bytes that no reader is meant to see."""

from __future__ import annotations

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import TextRule, View
from corpus_pipeline.stages.clean.rules.mojibake import is_about_characters

# Tab, line ends and separators that act as line ends belong to the whitespace rule.
_ASCII = lazily(rb"[\x00-\x08\x0b\x0c\x0e-\x1b\x1f\x7f]")
_ANSI = r"\x1b\[[0-9;?]*[ -/]*[@-~]"  # terminal colours and cursor moves, ECMA-48
# C1 controls, byte order marks, interlinear annotation marks, noncharacters, and surrogates, which UTF-8 cannot hold
_BEYOND = "\x80-\x84\x86-\x9f\ufeff\ufff9-\ufffb\ufffe\uffff\ufdd0-\ufdef\ud800-\udfff"
# Tag characters are invisible and can smuggle instructions; they are legal only in the flags of regions.
_TAGS = "(?:(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+)"
_REMOVED = lazily(f"{_ANSI}|{_TAGS}|[\x00-\x08\x0e-\x1b\x1f\x7f{_BEYOND}]")
_BEYOND_ASCII = lazily(f"[{_BEYOND}\U000e0000-\U000e007f]")

# LaTeX whose backslash was read as a JSON escape: \frac arrives as form feed + "rac".
_EATEN = lazily(
    "\x0c(?=rac\\b|rac\\{|orall\\b|lat\\b)|\x08(?=eta\\b|egin\\{|inom\\{|ar\\{|oldsymbol\\{|ullet\\b|mod\\b|igl?\\b)"
    "|\x07(?=lpha\\b|pprox\\b|ngle\\b|rctan\\b)|\x0b(?=ec\\b|ec\\{|arepsilon\\b|arphi\\b|dots\\b|ee\\b)"
)
_LETTER = {"\x0c": "\\f", "\x08": "\\b", "\x07": "\\a", "\x0b": "\\v"}


_ASCII_CONTROL = lazily("[\x00-\x08\x0b\x0c\x0e-\x1b\x1f\x7f\ud800-\udfff]")


class ControlCharacters(TextRule):
    name = "control_characters"
    version = 2
    summary = (
        "Removes control characters, terminal escapes, byte order marks, noncharacters and hidden tag characters; "
        "gives LaTeX commands back the backslash that a JSON escape ate."
    )

    mends_bad_answers = True  # a lone surrogate cannot even be written

    def screen(self, view: View) -> bool:
        return bool(_ASCII.search(view.marks) or (view.beyond and _BEYOND_ASCII.search(view.beyond)))

    def spares(self, view: View, turn: int, field: str, text: str) -> bool:
        """Broken letters that a conversation is about end in C1 controls: the right quotation mark of UTF-8 does."""
        return not _ASCII_CONTROL.search(text) and is_about_characters(view)

    def fix(self, text: str, field: str) -> tuple[str, int]:
        text, eaten = _EATEN.subn(lambda match: _LETTER[match.group()], text)
        text, removed = _REMOVED.subn("", text)
        return text, eaten + removed
