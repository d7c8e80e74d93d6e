"""Markup remnants: what scraping and prompt templates leave in prose. Text that shows markup because it is its subject,
and code with or without fences, stay as they are; in doubt the row is tagged.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from typing import ClassVar

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import CODE, Outcome, Side, TextRule, View, outside
from corpus_pipeline.stages.clean.rules.code import has_code
from corpus_pipeline.stages.clean.rules.subjects import MARKUP, PROGRAMS, asking

# `<...>` that cannot contain another one, so that no search goes over the same characters twice
_TAG = lazily(r"<(/?)([A-Za-z][A-Za-z0-9]*)(\s[^<>]*|/)?>")
_ANY_TAG = lazily(r"<[/!?]?[A-Za-z%-][^<>]*>|<!--")
_INLINE = frozenset("a abbr b big center em font i ins nobr small span strong tt u".split())
_BLOCK = frozenset("article blockquote br div footer h1 h2 h3 h4 h5 h6 header hr li ol p section ul".split())
_KNOWN = _INLINE | _BLOCK | {"img"}
_MAY_STAY_OPEN = frozenset(("br", "hr", "img", "li", "p"))
_LINE_AFTER = frozenset("p div li section article blockquote h1 h2 h3 h4 h5 h6 header".split())
# attributes of scraped pages; anything else (`v-for`, `onclick`, `data-x`) is somebody's code
_ATTRIBUTES = lazily(
    r"(?:\s+(?:href|src|alt|title|class|style|target|rel|id|width|height|border|align|color|face|size|name|lang|dir)"
    r"(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"']+))?)*\s*/?\s*",
    re.IGNORECASE,
)
_NEAR_QUOTE = lazily(r"['\"`(=]</?[A-Za-z]|[A-Za-z\"'/]>['\"`]")
_TEMPLATE = lazily(r"\{\{|\{%|\$\{|<%|</?[A-Z][a-z]\w*[\s/>]")
_ENTITY = lazily(
    r"&(?:(?:amp;)*amp|quot|apos|nbsp|lt|gt|hellip|[mn]dash|[lr][sd]quo|copy|reg|trade|euro|bull|middot|deg|times"
    r"|#\d{2,6}|#[xX][0-9a-fA-F]{2,5});"
)
_QUOTED_ENTITY = lazily(r"['\"`“‘]&[#\w]{2,8};['\"`”’]|&[#\w]{2,8};\s*(?:=|→|->|becomes|means)")
_ASKED = asking(r"&#?\w{2,8};")
_ESCAPED_TAG = lazily(r"&lt;(?=[A-Za-z/!?|])")

# Whole lines that a page says to its visitor and not to its reader.
_BOILERPLATE = lazily(
    r"^[ \t]*(?:(?:we|(?:this|our) (?:web)?site) uses? cookies (?:to|for|so)\b[^\n]{0,300}"
    r"|by (?:continuing|using|browsing) [^\n]{0,80}\bcookies\b[^\n]{0,200}"
    r"|(?:accept|reject|manage)(?: all)? cookies|skip to (?:main )?content"
    r"|本(?:网站|站)使用 ?cookies?[^\n]{0,200}|(?:点击)?展开(?:全文|全部))[ \t]*$\n?",
    re.IGNORECASE | re.MULTILINE,
)
_BOILERPLATE_HINTS = ("ookie", "kip to ", "展开全")
_SENTENCE = lazily(r"[^\W\d_][.!?。！？]")
_PAGE_SUBJECT = lazily(
    r"cookie|banner|consent|privacy|pop-?up|notice|web ?site|\bsite\b|shop|\bpage\b|\bapp\b|button|网站|隐私",
    re.IGNORECASE,
)
# Decoding and cutting may uncover more. Nothing but an attack is deeper, and that shall not take quadratic time.
_MAX_DEPTH = 5


class Markup(TextRule):
    name = "markup"
    version = 3
    summary = (
        "Removes left-over HTML tags from prose, decodes HTML entities and removes cookie banners; code (fenced or not), "
        "LaTeX, `<think>` and conversations about markup, pages or programs stay as they are. What may be a remnant and "
        "may be meant is tagged `markup`."
    )
    tags = ("markup",)
    _removes_banners: ClassVar[bool] = True

    def screen(self, view: View) -> bool:
        marks, text = view.marks, view.text
        if b"<" in marks and _TAG.search(text):
            return True
        if b"&" in marks and ";" in text and _ENTITY.search(text):
            return True
        if len(view.texts) > text.count("\n"):  # a banner is one line of several
            return False
        return any(hint in text for hint in _BOILERPLATE_HINTS[: 2 if view.ascii else 3])

    def apply(self, view: View) -> Outcome:
        context = view.context()
        if MARKUP.search(_without_addresses(view.text)) or PROGRAMS.search(context) or _ASKED.search(context):
            return Outcome(view.turns)
        outcome = TextRule.apply(_KEEPS_BANNERS if _PAGE_SUBJECT.search(context) else self, view)
        for place in View(outcome.turns, view.tools).places():
            if _TAG.search(place.text) or _ENTITY.search(place.text):
                tag = self.tag("markup", turn=place.turn, field=place.field)
                return outcome._replace(tags=(tag,))
        return outcome

    def spares(self, view: View, turn: int, field: str, text: str) -> bool:
        """What a prompt shows may be what the answer works on: it is edited where the answers hold remnants, too."""
        if view.side(turn, field) is Side.CONTEXT and not any(
            _TAG.search(answer.text) or _ENTITY.search(answer.text) for answer in view.answers()
        ):
            return True
        return has_code(_without_known_tags(text))

    def fix(self, text: str, field: str) -> tuple[str, int]:
        total = 0
        for _ in range(_MAX_DEPTH):
            if "<" not in text and "&" not in text:
                break
            text, count = outside(CODE, text, _fix_prose)
            if not count:
                break
            total += count
        if self._removes_banners:
            text, lines = _without_boilerplate(text)
            total += lines
        return text, total


class _KeepsBanners(Markup):
    _removes_banners = False


_KEEPS_BANNERS = _KeepsBanners()
_ADDRESS = lazily(r"(?:https?://|www\.)[^\s\"'<>]+", re.IGNORECASE)


def _without_addresses(text: str) -> str:
    """A path such as /page.html says nothing about the subject, nor does a tag's name."""
    return _TAG.sub(" ", _ADDRESS.sub(" ", text))


def _without_known_tags(text: str) -> str:
    """What of a text would be left, to look for code in it: an attribute is no assignment."""
    return _TAG.sub(lambda match: "" if match[2].lower() in _KNOWN else match[0], text) if "<" in text else text


def _fix_prose(text: str) -> tuple[str, int]:
    tags = entities = 0
    if "<" in text and _is_scraped(text):
        text, tags = _without_tags(text)
    if "&" in text and not _QUOTED_ENTITY.search(text):
        text, entities = _decoded(text)
    return text, tags + entities


def _is_scraped(text: str) -> bool:
    """Whether the tags of a text are formatting around prose: known ones, in pairs, with the attributes of web pages."""
    if _NEAR_QUOTE.search(text) or _TEMPLATE.search(text):
        return False
    balance: Counter[str] = Counter()
    found = 0
    for match in _TAG.finditer(text):
        closing, name, rest = match[1], match[2].lower(), match[3] or ""
        if name not in _KNOWN or (rest and not _ATTRIBUTES.fullmatch(rest)):
            return False
        found += 1
        if name not in _MAY_STAY_OPEN:
            balance[name] += -1 if closing else 1
        elif name == "p" and not closing and f"</{name}>" not in text.lower() and not rest:
            return False  # `List<p>`
    others = len(_ANY_TAG.findall(text))
    return found > 0 and others <= found and not any(balance.values()) and bool(_WORD.search(_TAG.sub("", text)))


_WORD = lazily(r"\w")


def _without_tags(text: str) -> tuple[str, int]:
    def replaced(match: re.Match[str]) -> str:
        name = match[2].lower()
        if match[1]:
            return "\n" if name in _LINE_AFTER else ""
        return "\n" if name in ("br", "hr") else ""

    return _TAG.subn(replaced, text)


def _without_boilerplate(text: str) -> tuple[str, int]:
    """Without the lines of a banner; a text that is nothing else, or goes on about cookies, is no scraped page."""
    if not any(hint in text for hint in _BOILERPLATE_HINTS):
        return text, 0
    rest, count = _BOILERPLATE.subn("", text)
    if not _SENTENCE.search(rest) or _PAGE_SUBJECT.search(rest):
        return text, 0
    return rest, count


def _decoded(text: str) -> tuple[str, int]:
    """HTML entities decoded once; `&lt;` stays where it hides a tag, because that tag is meant to be read."""
    keep_brackets = _ESCAPED_TAG.search(text) is not None
    count = 0

    def character(match: re.Match[str]) -> str:
        nonlocal count
        entity = match.group()
        if entity == "&nbsp;":
            decoded = " "
        elif entity.startswith("&amp;"):  # however often it was encoded
            decoded = "&"
        else:
            decoded = html.unescape(entity)
        if (keep_brackets and decoded in "<>") or not (decoded == " " or decoded.isprintable()):
            return entity
        count += 1
        return decoded

    return _ENTITY.sub(character, text), count
