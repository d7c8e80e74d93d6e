"""The canonical tokens of a text: two texts with the same ones differ in form alone.

Form is letter case, blanks and line ends, punctuation, quotes, Markdown, entities, greeting and closing. Everything that
can change the meaning at one character stays: words, numbers as they are written, operators and other symbols, signs of
numbers, brackets in formulas, emoji; in lines of code everything but blanks.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import compress, count
from operator import not_
from typing import NamedTuple

import re2

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.dedup.form_noise import stripped, unescaped

CJK = (
    "\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
TOKEN = lazily(rf"[{CJK}]|[^\W\d_{CJK}]+(?:'[^\W\d_{CJK}]+)*|\d+(?:[.,:]\d+)*|[^\w\s]|_|\w")
CODE_TOKEN = lazily(r"\w+|[^\w\s]")
_CODE_LINE = re2.compile(
    r"[{}\\]|;\s*$|=>|->|::|[!=<>]=|<<|>>|&&|\|\||\+\+|--\w|\w--|[+*/-]=|\w\(\)|[a-z]\w*_\w+|\w\.\w+\("
    r"|^\s*(?:def|class|import|from|return|public|private|static|void|int|const|let|var|function|print|elif|else|try"
    r"|except|for|while|if|SELECT|INSERT|UPDATE|DELETE|CREATE|#include)\b.*[(){};:=]\s*$"
    r"|^\s*[#$]!?\s*\w+\s+-{1,2}\w|<[A-Za-z][^>]*>|</[A-Za-z]"
)
# a query, whatever its length: capitals beside small letters or a sign (else it is prose in capitals), or all small letters
_SQL = re2.compile(
    r"^\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|(?:CREATE|ALTER|DROP) (?:TABLE|VIEW|INDEX)|FROM|WHERE|GROUP BY|ORDER BY"
    r"|HAVING|(?:(?:LEFT|RIGHT|INNER|FULL|CROSS|OUTER) )*JOIN|UNION|VALUES|WITH \w+ AS)\b.*[a-z_=*]"
    r"|^\s*select\s.+\sfrom\s.+\s(?:where\s.*[=<>]|join\s.*=|group by\s|order by\s|having\s|limit\s+\d)"
    r"|^\s*(?:insert into\s.*\svalues\s*\(|update\s.*\sset\s.*=|delete from\s.*\swhere\s.*[=<>])"
)
# the first letters of all that it finds, in capitals
_QUERY_HEADS = (
    *(
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "CREATE",
        "ALTER",
        "DROP",
        "FROM",
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "LEFT",
    ),
    *("RIGHT", "INNER", "FULL", "CROSS", "OUTER", "JOIN", "UNION", "VALUES", "WITH"),
)
_CODE_SIGN = lazily(r"[{}\\;=<>&|+_()\[\]]")
_PROSE_WORDS, _WORDS_PER_SIGN = 16, 6  # a line of this many words with fewer signs is prose
_FENCE = lazily(r"^\s*(?:```|~~~)")
_BLOCK = lazily(r"^\s*(?:#{1,6}\s+|(?:>\s?)+|[-*+•·●▪◦]\s+)+")
_EMPHASIS = lazily(r"(?<![\w*~])(\*{1,3}|_{1,3}|~~)(?=[^\W_])([^*_~\n]+?)(?<=[^\s*_~])\1(?![\w*~])")
_EMPHASIS_UNSPACED = lazily(rf"\*\*(?=[{CJK}\uac00-\ud7a3])([^*\n]+?)(?<=[{CJK}\uac00-\ud7a3])\*\*")
_BACKTICKS = lazily(r"(?<!`)`([^`\n]+)`(?!`)")
_LEADING_TAGS = lazily(r"\s*(?:<(?:p|div|li|h[1-6])>\s*)+", re.I)
_LAST_TAG = lazily(r"(?:</(?:p|div|li|h[1-6])>|<br\s{0,2}/?>)$", re.I)
_TAG_LENGTH = 8  # characters of the longest of them
_PAIRED_TAG = lazily(r"<(b|i|u|em|strong|span)>([^<>\n]{1,400})</\1>", re.I)
_OPERATION = re2.compile(r"[\w)\]]\s*[+*/^=<>×÷−]\s*[\w(\[-]|\d\s+-\s+\d")
_WORD = lazily(rf"[^\W\d_]{{2}}|[{CJK}]")  # a line without one is a formula
# of these alone, a line is prose in which no symbol counts
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t.,:;?\"'"
_PLAIN_TOKEN = lazily(r"[a-z]+(?:'[a-z]+)*|\d+(?:[.,:]\d+)*")
# what parts words and is no part of any token, for `words_of`
_PARTING = str.maketrans(dict.fromkeys(';!?"()[]', " "))
_DASHES = str.maketrans("‐‑−﹣－", "-----")
_LITERALS = frozenset(("true", "false", "none", "null", "nil", "nan", "na"))
_LOW_ACRONYM = 3  # a single word of this many capitals is an abbreviation: IT is not it


class Canonical(NamedTuple):
    """tokens: see above; signature: who signed, "" when no one did."""

    tokens: tuple[str, ...]
    signature: str


def canonical(text: str) -> Canonical:
    """The canonical tokens of a text."""
    found = stripped(unescaped(text))
    return Canonical(tuple(_tokens(found.text)), found.signature)


def plain(text: str) -> str:
    """A text without the noise of form that has no meaning anywhere: entities, invisible characters, greeting, closing."""
    return stripped(unescaped(text)).text


def is_fence(line: str) -> bool:
    """Whether a line begins or ends a block of code."""
    return _FENCE.match(line) is not None


def is_code_line(line: str) -> bool:
    """Whether a line reads as code, so that each of its characters counts; a long line of words with a sign or two does
    not."""
    if _SQL.search(line) is not None:
        return True
    if _CODE_LINE.search(line) is None:
        return False
    words = len(line.split())
    return words < _PROSE_WORDS or len(_CODE_SIGN.findall(line)) * _WORDS_PER_SIGN > words


def prose_line(line: str) -> str:
    """A line of prose without Markdown and layout tags; a line whose rest is code stays as it is."""
    bare = line
    if "<" in bare:
        bare = _PAIRED_TAG.sub(r"\2", _without_layout_tags(bare))
    if "`" in bare:
        bare = _BACKTICKS.sub(r"\1", bare)
    block = _BLOCK.match(bare)
    if block is not None:
        rest = bare[block.end() :]
        if rest[:1].isalpha() or rest[:1] in "*_~\"'`([<" or not rest:
            bare = rest
    if "*" in bare or "_" in bare or "~~" in bare:
        bare = _EMPHASIS_UNSPACED.sub(r"\1", bare)
        bare = _EMPHASIS.sub(r"\2", bare)
        bare = _EMPHASIS.sub(r"\2", bare)
    return bare


def words_of(line: str, token: re.Pattern[str]) -> list[str]:
    """`token.findall(line)` for a lower-case line and a pattern that finds words, and neither blanks nor `;!?"()[]`, and
    `.,:` only before what is no blank. Most words of a line are plain letters, which need no pattern.
    """
    words = line.translate(_PARTING).replace(". ", " ").replace(", ", " ").replace(": ", " ").split()
    if not line.isascii():
        return [one for word in words for one in ((word,) if _is_plain_word(word) else token.findall(word))]
    found: list[str] = []
    begin = 0
    for place in compress(count(), map(not_, map(str.isalpha, words))):
        found += words[begin:place]
        found += token.findall(words[place])
        begin = place + 1
    return found + words[begin:] if begin else words


def _is_plain_word(word: str) -> bool:
    return word.isalpha() and word.isascii()


def is_plain(line: str) -> bool:
    """Whether a line is prose without Markdown and without any symbol that counts; quick, and no too often."""
    if not line:
        return True
    if not line.isascii() or line.encode().translate(None, _PLAIN) or _WORD.search(line) is None:
        return False
    if "::" in line or line.rstrip()[-1:] in (";", ":"):
        return False
    return not line.lstrip()[:6].upper().startswith(_QUERY_HEADS) or _SQL.search(line) is None


def _without_layout_tags(line: str) -> str:
    """A line without the tags that lay it out at its two ends; goes backwards, so that the work follows its length."""
    leading = _LEADING_TAGS.match(line)
    begin, end = leading.end() if leading else 0, len(line)
    while True:
        place = end
        while place > begin and line[place - 1].isspace():
            place -= 1
        found = _LAST_TAG.search(line, max(begin, place - _TAG_LENGTH), place)
        if found is None:
            return line[begin:end]
        end = found.start()


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if not fenced and is_plain(line):
            found += words_of(line.lower(), _PLAIN_TOKEN)
            continue
        if is_fence(line):
            fenced = not fenced
            found += CODE_TOKEN.findall(line.replace("`", "").replace("~", ""))
            continue
        bare = line if fenced else prose_line(line)
        if fenced or is_code_line(bare):
            indent = len(bare) - len(bare.lstrip())
            found.append(f"\n{indent}" if fenced or indent > 1 else "\n")
            found += CODE_TOKEN.findall(bare.replace("'", '"'))
            if not fenced and found[-1] in ".?!":
                found.pop()
        elif bare:
            found += _prose_tokens(bare)
    if not found:
        return text.split()  # punctuation alone: "!" and "?" are two answers
    if len(found) == 1 and found[0].isalpha():
        return [_single_word(text)]
    return found


def _prose_tokens(line: str) -> list[str]:
    line = line.translate(_DASHES)
    formula = _OPERATION.search(line) is not None or _WORD.search(line) is None
    found = []
    for match in TOKEN.finditer(line):
        token = match[0]
        if token[0].isalnum():
            found.append(token if formula and len(token) == 1 else token.lower())
        elif symbol_counts(line, match.start(), token, formula):
            found.append(token)
    return found


def _single_word(text: str) -> str:
    """A single word keeps its case where that makes another word of it."""
    bare = " ".join(map(prose_line, text.split("\n")))
    word = next(token for token in TOKEN.findall(bare) if token[0].isalnum())
    capitals = len(word) <= _LOW_ACRONYM and word.isupper() and len(word) > 1 and word not in ("YES", "NO")
    mixed = not (word.isupper() or word.islower() or word.istitle())
    return word if word.lower() in _LITERALS or capitals or mixed else word.lower()


def symbol_counts(line: str, place: int, symbol: str, formula: bool) -> bool:
    """Whether a symbol of a line of prose can change its meaning."""
    always = _counts_always(symbol)
    if always is not None:
        return always
    before = line[place - 1] if place else " "
    behind = line[place + 1] if place + 1 < len(line) else " "
    if symbol in "-–—":
        return _is_minus(line, place, before, behind)
    if symbol == "/":
        return before.isdigit() or behind.isdigit() or (before.isspace() and behind.isspace()) or formula
    if symbol == "!":
        return before.isdigit()
    return formula if symbol in "()[]" else False


@lru_cache(maxsize=4096)
def _counts_always(symbol: str) -> bool | None:
    """True and false for symbols that count everywhere and nowhere, None for those whose neighbours decide."""
    if symbol in "-–—/!()[]":
        return None
    if symbol in "+=<>^|\\@#&$~%*_{}":
        return True
    category = unicodedata.category(symbol)
    return category[0] == "M" or category in ("Sm", "Sc", "So", "No", "Co", "Cn")


def _is_minus(line: str, place: int, before: str, behind: str) -> bool:
    left, right = line[:place].rstrip(), line[place + 1 :].lstrip()
    if behind.isdigit():
        return not before.isalpha()
    if before.isspace() and not behind.isspace():
        return behind.isalpha() and not right[1:2].isalpha() and before.isspace() and place > 0
    operands = _ends_as_operand(left), _starts_as_operand(right)
    return all(operands)


def _ends_as_operand(left: str) -> bool:
    return left[-1:].isdigit() or left[-1:] in (")", "]") or (left[-1:].isalpha() and not left[-2:-1].isalpha())


def _starts_as_operand(right: str) -> bool:
    return right[:1].isdigit() or right[:1] in ("(", "[") or (right[:1].isalpha() and not right[1:2].isalpha())
