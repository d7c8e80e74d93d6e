"""Markup remnants: what scraping and prompt templates leave in text. Text that is about markup is left alone."""

from __future__ import annotations

import html
import re

from corpus_pipeline.stages.clean.rules.base import CODE, Outcome, TextRule, View, outside

_INLINE = "a|abbr|b|big|center|em|font|i|ins|nobr|small|span|strong|tt|u"
_BLOCK = "article|blockquote|br|div|footer|h[1-6]|header|hr|li|ol|p|section|ul"
_ATTRIBUTES = r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"<>]{0,2000}\"|'[^'<>]{0,2000}'|[^\s\"'<>]{1,500}))*"
_OPEN = re.compile(rf"<({_INLINE}|{_BLOCK}|img)({_ATTRIBUTES})\s*/?>", re.IGNORECASE)
_CLOSE = re.compile(rf"</({_INLINE}|{_BLOCK})\s*>", re.IGNORECASE)
_WITH_CONTENT = re.compile(r"<(script|style)\b[^<>]*>.{0,2000}?</\1\s*>|<!--.{0,2000}?-->", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(
    r"&(?:(?:amp;)*amp|quot|apos|nbsp|lt|gt|hellip|[mn]dash|[lr][sd]quo|copy|reg|trade|euro|bull|middot|deg|times"
    r"|#\d{2,6}|#[xX][0-9a-fA-F]{2,5});"
)
# Decoding and cutting may uncover more. Nothing but an attack is deeper, and that shall not take quadratic time.
_MAX_DEPTH = 5
_ESCAPED_TAG = re.compile(r"&lt;(?=[A-Za-z/!?|])")

# Control tokens of tokenizers and chat templates (GPT, Llama, Qwen, Phi, DeepSeek): they would be read as structure.
_TOKEN = re.compile(
    r"<\|[A-Za-z0-9_]{2,40}\|>|<｜[^｜<>\s]{2,40}｜>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
)

# Whole lines that a page says to its visitor and not to its reader.
_BOILERPLATE = re.compile(
    r"^[ \t]*(?:(?:we|(?:this|our) (?:web)?site) uses? cookies (?:to|for|so)\b[^\n]{0,300}"
    r"|by (?:continuing|using|browsing) [^\n]{0,80}\bcookies\b[^\n]{0,200}"
    r"|(?:accept|reject|manage)(?: all)? cookies|skip to (?:main )?content"
    r"|本(?:网站|站)使用 ?cookies?[^\n]{0,200}|(?:点击)?展开(?:全文|全部))[ \t]*$\n?",
    re.IGNORECASE | re.MULTILINE,
)
_BOILERPLATE_HINT = ("ookie", "kip to ", "展开全")

# Signs of a conversation whose subject is markup, web pages or code that has angle brackets of its own: tags of whole
# pages, and words (first parts of them, which are searched for fast, then the words).
_PAGE_TAG = re.compile(r"<(?:/?(?:html|head|body|form|input|table|button|canvas)\b|!doctype)", re.IGNORECASE)
_SUBJECT_PARTS = (
    "html", "xml", "xsl", "css", "jsx", "tsx", "svg", "php", "script", "xpath", "dom", "ajax", "jquery", "bootstrap",
    "mark", "tag", "page", "entit", "hyperlink", "front",
)  # fmt: skip
_SUBJECT = re.compile(
    r"\b(?:x?html\d?|xml|xslt?|css|jsx|tsx|svg|php|(?:java|type)script|xpath|dom|ajax|jquery|bootstrap|mark(?:up|down)"
    r"|tags?|web ?pages?|entit(?:y|ies)|hyperlinks?|front-?end)\b"
)
_CHINESE_SUBJECT = re.compile("网页|标签|前端|超链接|表单")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s\"'<>]+|<[^<>]*\.html?[^<>]*>", re.IGNORECASE)


class Markup(TextRule):
    name = "markup"
    summary = (
        "Removes left-over HTML tags, decodes HTML entities, removes special tokens such as `<|endoftext|>` and cookie "
        "banners; code, LaTeX, `<think>` and conversations about markup stay as they are."
    )

    def screen(self, view: View) -> bool:
        marks = view.marks
        if b"<" in marks or b"[" in marks or (b"&" in marks and ";" in view.text):
            text = view.text
            if (
                _TOKEN.search(text) or _OPEN.search(text) or _CLOSE.search(text) or _ENTITY.search(text)
                or "<s>" in text or "</s>" in text or _WITH_CONTENT.search(text)
            ):  # fmt: skip
                return True
        text = view.text
        if len(view.texts) > text.count("\n"):  # a banner is one line of several
            return False
        return "ookie" in text or "kip to " in text or (not view.ascii and "展开全" in text)

    def apply(self, view: View) -> Outcome:
        whole = view.text
        has_markup = any(pattern.search(whole) for pattern in (_OPEN, _CLOSE, _ENTITY, _WITH_CONTENT))
        about_markup = has_markup and _is_about_markup(whole)
        return TextRule.apply(_TOKENS_ONLY if about_markup else self, view)

    def fix(self, text: str, field: str) -> tuple[str, int]:
        total = 0
        for _ in range(_MAX_DEPTH):
            if "<" not in text and "&" not in text and "[" not in text:
                break
            text, count = outside(CODE, text, self._fix_prose)
            if not count:
                break
            total += count
        text, sentences = _without_sentence_tokens(text)
        text, lines = _without_boilerplate(text)
        return text, total + sentences + lines

    def _fix_prose(self, text: str) -> tuple[str, int]:
        text, tokens = _TOKEN.subn("", text)
        tags = entities = 0
        if "<" in text:
            text, tags = _without_tags(text)
        if "&" in text:
            text, entities = _decoded(text)
        return text, tokens + tags + entities


class _TokensOnly(Markup):
    """The rule for conversations about markup: only control tokens are never their subject."""

    def _fix_prose(self, text: str) -> tuple[str, int]:
        return _TOKEN.subn("", text)


_TOKENS_ONLY = _TokensOnly()


def _is_about_markup(text: str) -> bool:
    if _PAGE_TAG.search(text) or (not text.isascii() and _CHINESE_SUBJECT.search(text)):
        return True
    lowered = text.lower()
    return any(part in lowered for part in _SUBJECT_PARTS) and _SUBJECT.search(_ADDRESS.sub("", lowered)) is not None


def _without_sentence_tokens(text: str) -> tuple[str, int]:
    """`<s>` at the start and `</s>` at the end, unless they mark struck-through text within."""
    if "s>" not in text:
        return text, 0
    inner, count = text.strip(), 0
    while inner.startswith("<s>"):
        inner, count = inner[3:].lstrip(), count + 1
    while inner.endswith("</s>"):
        inner, count = inner[:-4].rstrip(), count + 1
    return (text, 0) if not count or "<s>" in inner or "</s>" in inner else (inner, count)


def _without_boilerplate(text: str) -> tuple[str, int]:
    """Without the lines of a banner; a text that is nothing else, or goes on about cookies, is no scraped page."""
    if not any(hint in text for hint in _BOILERPLATE_HINT):
        return text, 0
    rest, count = _BOILERPLATE.subn("", text)
    return (text, 0) if not rest.strip() or "cookie" in rest.lower() else (rest, count)


def _without_tags(text: str) -> tuple[str, int]:
    text, blocks = _WITH_CONTENT.subn("", text)
    closed = {match.group(1).lower() for match in _CLOSE.finditer(text)}
    count = blocks

    def opened(match: re.Match[str]) -> str:
        nonlocal count
        tag = match.group(1).lower()
        # `List<p>` and `a <b> c` are not HTML: a short tag must be closed somewhere or have attributes
        if len(tag) == 1 and tag not in closed and not match.group(2):
            return match.group()
        count += 1
        return "\n" if tag in ("br", "hr") else ""

    def closing(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        tag = match.group(1).lower()
        return "\n" if tag in ("p", "div", "li", "section", "article", "blockquote") or tag[0] == "h" else ""

    return _CLOSE.sub(closing, _OPEN.sub(opened, text)), count


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
