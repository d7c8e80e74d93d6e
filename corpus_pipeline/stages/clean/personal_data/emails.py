"""E-mail addresses: plain, in URLs (`mailto:`, `%40`), with names and domains in any script, and spelt out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import Source, Span

KIND = "email"

_MAX_LOCAL, _MAX_DOMAIN = 64, 190
_LOCAL_ASCII = lazily(r"[A-Za-z0-9](?:[A-Za-z0-9._+'~!#$&*=?^`{|}-]{0,62}[A-Za-z0-9_+-])?\Z")
_LOCAL_TAIL = lazily(r"[A-Za-z0-9._%+'-]{1,64}\Z")
_LOCAL_ANY = lazily(r"[^\W_][\w.+-]{0,62}\Z")
_DOMAIN_ASCII = lazily(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,5}[A-Za-z][A-Za-z0-9-]{1,23}(?![A-Za-z0-9-])"
)
_DOMAIN_ANY = lazily(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,5}[^\W\d_]{2,24}(?![\w-])")
# a top level that the root zone does not know, in prose: made up, or of a network of its own
_UNKNOWN_TOP = lazily(r"[a-z][a-z0-9-]{4,62}\.[a-z]{4,24}(?![\w(\[@-]|\.\w)")
_MAX_LINE = 120
_SPELT = lazily(
    r"(?<![\w@])([a-z0-9][a-z0-9._-]{1,40})\s{0,2}(?:\s(?:at|AT)\s|[\[({<]\s?(?:at|AT|@)\s?[\])}>])\s{0,2}"
    r"([a-z0-9-]{2,40}(?:(?:\s{0,2}(?:\s(?:dot|DOT)\s|[\[({<]\s?(?:dot|DOT|\.)\s?[\])}>])\s{0,2}|\.)[a-z0-9-]{2,24}){1,3})(?!\w)",
    re.IGNORECASE,
)
_SPELT_DOT = lazily(r"\s{0,2}(?:\s(?:dot)\s|[\[({<]\s?(?:dot|\.)\s?[\])}>])\s{0,2}", re.IGNORECASE)
# RFC 2606 and RFC 6761: there is no mailbox; nor in the domains that people write when they mean "yours".
_RESERVED = lazily(
    r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local)$"
    r"|^(?:your|my|some|the|our)?-?(?:domain|company|email|mail|site|website|server|provider|host)(?:name)?\.(?:com|org|net|co|io)$"
    r"|^(?:foo|bar|baz|xyz|abc|xxx)\.(?:com|org|net)$",
    re.IGNORECASE,
)


@cache
def top_level_domains() -> frozenset[str]:
    """The top-level domains of the root zone."""
    text = (resources.files(__package__) / "top_level_domains.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def is_mail_domain(domain: str) -> bool:
    """Whether mail could go to this domain: a known top level, and none of the reserved names."""
    top = domain.rpartition(".")[2].lower()
    known = top in top_level_domains() or top.startswith("xn--")
    return known and not _RESERVED.search(domain) and len(domain) <= _MAX_DOMAIN


def find(source: Source) -> Iterator[Span]:
    """Every address of a text."""
    text = source.text
    done = 0
    for sign in ("@", "%40", "＠"):
        at, done = text.find(sign), 0
        while at >= 0:
            span = _around(text, at, len(sign), done)
            if span is not None:
                yield span
                done = span.end
            at = text.find(sign, at + len(sign))
    if " at " in text.lower() or "at]" in text.lower() or "at)" in text.lower() or "[@]" in text or "(@)" in text:
        yield from _spelt_out(text)


def _around(text: str, at: int, width: int, floor: int) -> Span | None:
    """The address around the sign at `at`; what lies before `floor` belongs to another one."""
    domain = _domain_at(text, at + width)
    if domain is None:
        return None
    start = _local_before(text, at, floor, width == 3)
    if start is None:
        return None
    local = text[start:at]
    if text[max(0, start - 2) : start] == "//" or (
        local == "git" and text[at + width + len(domain) :][:1] in (":", "/", "")
    ):
        return None  # the user of a URL, and the common user of repositories
    if text[start - 1 : start] == "@":
        return None  # a handle of a federated network is no mailbox
    return Span(start, at + width + len(domain), KIND)


def _domain_at(text: str, start: int) -> str | None:
    window = text[start : start + _MAX_DOMAIN + 1]
    unknown = _UNKNOWN_TOP.match(window)
    if unknown is not None and not is_mail_domain(unknown.group()) and not _RESERVED.search(unknown.group()):
        line = text[max(text.rfind("\n", 0, start), start - _MAX_LINE) + 1 : start]
        known = unknown.group().rpartition(".")[2] in top_level_domains()
        return None if known or "=" in line or "(" in line else unknown.group()
    for pattern in (_DOMAIN_ASCII, _DOMAIN_ANY):
        match = pattern.match(window)
        if match is None:
            continue
        domain = match.group()
        while domain and not is_mail_domain(domain):
            if _RESERVED.search(domain):
                return None
            # "jane@acme.com.Then": a full stop without a blank behind it
            domain, _, rest = domain.rpartition(".")
            if "." not in domain or not rest[:1].isupper():
                domain = ""
        if domain:
            return domain
    return None


def _local_before(text: str, at: int, floor: int, encoded: bool) -> int | None:
    window = text[max(floor, at - _MAX_LOCAL) : at]
    tail = _LOCAL_TAIL.search(window)
    if tail is None:
        other = None if window.isascii() else _LOCAL_ANY.search(window)
        return None if other is None else at - len(other.group())
    local = tail.group()
    if "%" in local:  # what an encoded URL holds before it: "?to%3Djane%40acme.io"
        local = re.split(r"%[0-9A-Fa-f]{2}", local)[-1]
    local = local.lstrip(".'-+")
    if not local or local.endswith((".", "'")) or not _LOCAL_ASCII.search(local):
        return None
    if window[: len(window) - len(local)][-1:].isalpha() and not window.isascii() and not encoded:
        # "zoë@…": letters beyond ASCII that touch Latin ones are part of the name; ideographs and the like are not
        whole = _LOCAL_ANY.search(window)
        if whole is not None and len(whole.group()) > len(local) and all(ord(c) < 0x2E80 for c in whole.group()):
            return at - len(whole.group())
    return at - len(local)


def _spelt_out(text: str) -> Iterator[Span]:
    for match in _SPELT.finditer(text):
        domain = _SPELT_DOT.sub(".", match.group(2)).replace(" ", "")
        spelt_dot = _SPELT_DOT.search(match.group(2)) is not None
        bracketed = any(c in match.group() for c in "[({<")
        if (spelt_dot or bracketed) and is_mail_domain(domain) and match.group(1).lower() not in _NO_NAMES:
            yield Span(match.start(), match.end(), KIND)


_NO_NAMES = frozenset(
    (
        "is",
        "was",
        "are",
        "look",
        "it",
        "me",
        "us",
        "here",
        "there",
        "available",
        "find",
        "visit",
        "read",
        "meet",
        "only",
        "and",
        "or",
    )
)
