"""Code and structured text, fenced or not: what reads like prose to a rule for prose and is none.

Heuristics on single lines, so that the time is linear. They say code too often rather than too seldom: a rule that knows
"code" leaves a text alone.
"""

from __future__ import annotations

import json
import re
from typing import Final

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import CODE

_KEYWORD = lazily(
    r"\s*(?:(?:(?:async|export|default|public|private|protected|static|final|abstract) )*"
    r"(?:def|class|function|func|fn|interface|enum|struct|namespace|module|package|trait|impl)\s+\w"
    r"|(?:import|using|require|include|from|extern)\s+[\w.\"'{<*@/]"
    r"|#\s*(?:include|define|ifn?def|pragma|!)"
    r"|(?:if|for|while|switch|catch|elif|else if|foreach|with)\b.*[:{]$|(?:else|try|finally|do|begin)\s*[:{]$"
    r"|(?:const|let|var|val|my|int|float|double|char|bool|string|auto|long|void|final|unsigned)\s+[\w$*&<>\[\]]+\s*[=;(,]"
    r"|return\b|<\?php|@\w+\s*(?:\(|$)|\$\s?\w|[>$#]\s(?:sudo|pip|npm|git|cd|ls|docker|apt|curl)\b"
    r"|(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE (?:TABLE|INDEX|VIEW)|ALTER TABLE|DROP TABLE|VALUES|WHERE)\b"
    r"|(?:expect|assert|describe|it|print|puts|echo|printf|console\.\w+|System\.\w+|fmt\.\w+|self\.\w+|this\.\w+)\s*[(.]"
    r"|/\*|\*/|//|\* @|<!--|--\s|%%|\\(?:begin|end|usepackage|documentclass)\b)"
)
_ENDING = lazily(r"(?:[;{}]|\):|\) ?=>|=> ?[({]|\)\)|\},?|\],|\\)$")
_CALL = lazily(r"\s*[A-Za-z_$][\w$.]{0,100}(?:\[[^\]]{0,40}\])?\(.*\)[;,]?$")
_ASSIGNMENT = lazily(
    r"\s*[A-Za-z_$][\w$.]{0,60}(?:\[[^\]]{0,40}\])?\s{0,9}(?::[\w\[\], ]{1,40})?(?:[-+*/%|&^]|:)?=(?![=~])\s{0,9}\S"
)
_ENTITY = lazily(r"&(?:amp;)*#?[A-Za-z0-9]{1,8};")
_OPERATORS = lazily(r"=>|===|!==|\+=|&&|\|\||::\w|->\w|\{\{|\}\}|\$\{|</?[A-Z]\w*|\w\(['\"]|['\"]\)|==|!=")
_SPACED_WORDS = lazily(r"(?<![A-Za-z])[A-Za-z]{2,}[,;:]? [A-Za-z]{2,}[,;:]? [A-Za-z]{2,}")
# what stands at the end of what `_ENDING` finds, and what each of the patterns behind it has: most prose has neither
_ENDING_SIGNS: Final = frozenset(";{}:>(),\\")
_SIGNS: Final = lazily(r"[=&|:{}$<>(]")
_LONGEST_LINE: Final = 2_000  # of a line that is looked at
_MAX_LINES: Final = 400


def is_code_line(line: str) -> bool:
    """Whether a line of text reads like one of a program."""
    line = line[:_LONGEST_LINE]
    if "&" in line:
        line = _ENTITY.sub("", line)  # its semicolon ends no statement
    line = line.rstrip()
    if not line:
        return False
    if _KEYWORD.match(line) and not _is_sentence(line):
        return True
    if line[-1] in _ENDING_SIGNS and _ENDING.search(line) and not _is_sentence(line):
        return True
    if _SIGNS.search(line) is None and "')" not in line and '")' not in line:
        return False
    return bool(_OPERATORS.search(line) or _CALL.match(line) or (_ASSIGNMENT.match(line) and not _is_sentence(line)))


def _is_sentence(line: str) -> bool:
    """Whether a line is plain words up to a final stop: `from the hill we saw it.`, `return to sender.`"""
    stripped = line.rstrip()
    return (
        stripped[-1:] in ".!?:,;"
        and stripped[-2:] not in ("):", ");", "};")
        and bool(_SPACED_WORDS.search(stripped) and not re.search(r"[=(){}\[\]<>$]", stripped))
    )


def code_share(text: str) -> float:
    """The share of the lines of `text`, without blank ones, that read like code; fenced ones count as code."""
    total = found = 0
    for line in CODE.sub("```", text).split("\n")[:_MAX_LINES]:
        if line.strip():
            total += 1
            found += "`" in line or is_code_line(line)
    return found / total if total else 0.0


def has_code(text: str) -> bool:
    """Whether any line outside of fences reads like code."""
    return any(map(is_code_line, CODE.sub("", text).split("\n")[:_MAX_LINES]))


def is_code(text: str) -> bool:
    """Whether a text is code for the most part."""
    return code_share(text) > 0.5


# an indented line, a comment, a target or key with what belongs to it, a setting, a row of numbers or of cells
_PART = lazily(r"\t| {4}|\s*(?:#+!?(?:\s|$)|//|/\*|\*/|;|%|--(?:\s|$)|'''|\"\"\"|\.[a-z]|\[[\w.-]{1,40}\]$|<[?!/]?\w|[|+])"
                   r"|\s*[\w.$()/%*-]{1,60}\s?[:?+!]{0,2}[:=](?:\s|$)|[-\d.,\s:%]+$|[^\t]{0,80}\t\S|\s*!\s*\S")  # fmt: skip


def may_be_code(text: str) -> bool:
    """Whether a text may hold a program, a configuration or data without a fence: every fourth line reads like a part of
    one. Says so more often than `is_code`, for what a change to prose would gain little."""
    lines = [line for line in CODE.sub("", text).split("\n")[:_MAX_LINES] if line.strip()]
    return sum(map(is_part_of_code, lines)) * 4 >= max(len(lines), 1)


def is_part_of_code(line: str) -> bool:
    """Whether a line may belong to a program, a configuration or data."""
    return _PART.match(line[:_LONGEST_LINE]) is not None or is_code_line(line)


_ROW = lazily(r"\s*+(?:\|.*\||[-+=|:\s]{3,}|[^,\t;]{0,80}(?:[,\t;][^,\t;]{0,80}){2,}|[-\d.,\s:%$€£/]+|[\[\]{}\"'(),:\s]+"
                  r"|\"[^\"]{0,200}\"\s*:.*|[\w.-]{1,40}:\s*\S.{0,80}|</?[\w:-]+[^<>]*>.*"
                  r"|[\[(]?\d{2,4}[-/.]\d\d[-/.]\d{2,4}[T ,].*)$")  # fmt: skip


def is_structured(text: str) -> bool:
    """Whether a text is data, a table, a listing or a program and no prose: then lines that come back are no fault."""
    stripped = text.strip()
    if stripped[:1] in "[{" and stripped[-1:] in "]}":
        try:
            json.loads(stripped)
        except (ValueError, RecursionError):
            pass
        else:
            return True
    lines = [line[:_LONGEST_LINE] for line in CODE.sub("", stripped).split("\n")[:_MAX_LINES] if line.strip()]
    if len(lines) < 3:
        return bool(lines) and sum(map(is_code_line, lines)) * 2 > len(lines)
    rows = sum(1 for line in lines if (_ROW.match(line) and not _is_sentence(line)) or is_code_line(line))
    return rows * 2 > len(lines)
