"""Is the code of the source still there, and are its formulas?"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.scripts import FENCED_CODE, INLINE_CODE, without_fences
from corpus_pipeline.stages.augment.validators.words import BadReason

_COMMENT: Final = lazily(r"(?:(?<=\s)|^)(?:#|//|--)[^\n]*|/\*.*?\*/|<!--.*?-->", re.DOTALL | re.MULTILINE)
_STRING: Final = lazily(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_TOKEN: Final = lazily(r"[^\W\d]\w*|\d+(?:\.\d+)?|[^\w\s]")

_FORMULA: Final = lazily(
    r"\$\$(?P<display>.+?)\$\$|\\\[(?P<bracket>.+?)\\\]|\\\((?P<paren>.+?)\\\)"
    r"|(?<![\\$\w])\$(?P<dollar>[^\s$](?:[^$\n]{0,300}?[^\s$\\])?)\$(?![\w$])",
    re.DOTALL,
)
_WORDS_INSIDE: Final = lazily(r"\\(?:text|mbox|textbf|textit|mathrm|operatorname)\s*\{[^{}]*\}")
_MATHEMATICAL: Final = lazily(r"[\\^_=<>+*/{}|]|\A\w{1,3}\Z")


def code_blocks(text: str) -> list[str]:
    """The contents of fenced code blocks, without what trails the lines."""
    if "```" not in text and "~~~" not in text:
        return []
    return [
        "\n".join(line.rstrip() for line in body.strip("\n").split("\n")) for _, _, body in FENCED_CODE.findall(text)
    ]


def inline_code(text: str) -> list[str]:
    """The contents of inline code outside of fenced blocks."""
    if "`" not in text:
        return []
    return [code.strip() for code in INLINE_CODE.findall(without_fences(text)) if code.strip()]


def formulas(text: str) -> list[str]:
    """LaTeX formulas without their delimiters, white space and words; an amount in dollars is no formula."""
    if "$" not in text and "\\" not in text:
        return []
    found = []
    for match in _FORMULA.finditer(without_fences(text)):
        body = next(group for group in match.groups() if group is not None)
        if match.group("dollar") is not None and not _MATHEMATICAL.search(body):
            continue
        if match.group("dollar") is not None and len(re.findall(r"[A-Za-z]{3,}", re.sub(r"\\[A-Za-z]+", "", body))) > 3:
            continue  # words between two prices
        found.append(re.sub(r"\s+|\\[,;!:]", "", _WORDS_INSIDE.sub("", body)).rstrip(".,"))
    return [formula for formula in found if formula]


def _tokens(code: str) -> Counter[str]:
    return Counter(_TOKEN.findall(_STRING.sub(" ", _COMMENT.sub(" ", code))))


@dataclass(frozen=True)
class CodeKept(PairValidator):
    """Every fenced block and every inline code of the source is in the new text.

    With `translated`, comments and string literals may have been translated: blocks are compared by their other tokens,
    and as long as 95 % of them are there.
    """

    name: ClassVar[str] = "code_kept"
    translated: bool = False

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        blocks = code_blocks(pair.new)
        if self.translated:
            lost_tokens = sum(map(_tokens, code_blocks(pair.source)), Counter[str]())
            size = lost_tokens.total()
            lost_tokens.subtract(sum(map(_tokens, blocks), Counter[str]()))
            if (+lost_tokens).total() > 0.05 * size:
                what = ", ".join(list(+lost_tokens)[:6])
                return BadAnswer(BadReason.CODE_CHANGED, f"{pair.field}: code lacks {what}")
        else:
            known = code_blocks(pair.source)
            lost = Counter(known) - Counter(blocks) if known else None
            if lost:
                return BadAnswer(BadReason.CODE_CHANGED, f"{pair.field}: a code block changed: {next(iter(lost))[:80]}")
        for code in inline_code(pair.source):
            if code not in pair.new and not (self.translated and not code.isascii()):
                return BadAnswer(BadReason.CODE_CHANGED, f"{pair.field}: `{code[:60]}` is gone")
        return None


@dataclass(frozen=True)
class LatexKept(PairValidator):
    """Every formula of the source is in the new text; delimiters, blanks and words inside a formula may differ."""

    name: ClassVar[str] = "latex_kept"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        wanted = formulas(pair.source)
        if not wanted:
            return None
        # anywhere in the text counts: a formula may have moved into a larger one
        there = re.sub(r"\s+|\\[,;!:]", "", _WORDS_INSIDE.sub("", pair.new))
        lost = [formula for formula in wanted if formula not in there]
        if lost:
            return BadAnswer(BadReason.LATEX_CHANGED, f"{pair.field}: lost {lost[0][:80]}")
        return None
