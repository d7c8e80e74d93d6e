"""Internet addresses: IPv4 and IPv6 in every legal notation, when they are public."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import Source, Span, Words

KIND = "ip_address"

_IPV4 = lazily(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)", re.ASCII)
_IPV4_IN_URL = lazily(
    r"(?<=//)(?:0x[0-9A-Fa-f]{1,8}|\d{8,11})(?=[:/?#\s]|$)|(?<=//)(?:0x?[0-9A-Fa-f]{1,3}\.){3}0x?[0-9A-Fa-f]{1,3}(?=[:/?#\s]|$)"
)
_IPV6 = lazily(
    r"(?<![\w:.])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|[23][0-9A-Fa-f]{3}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?|[23][0-9A-Fa-f]{3}::"
    r"|(?:[23][0-9A-Fa-f]{3}(?::{1,2}[0-9A-Fa-f]{1,4}){0,5}|:|64:ff9b:|(?:0{1,4}:){5}[Ff]{4}|::[Ff]{4}|::):(?:\d{1,3}\.){3}\d{1,3})"
    r"(?:%[0-9A-Za-z]{1,15})?(?![\w:]|\.\d)",
    re.ASCII,
)
# Resolvers and the like that everybody cites.
_PUBLIC_SERVICES = frozenset(
    (
        "8.8.8.8",
        "8.8.4.4",
        "1.1.1.1",
        "1.0.0.1",
        "9.9.9.9",
        "208.67.222.222",
        "208.67.220.220",
        "149.112.112.112",
        "2001:4860:4860::8888",
        "2001:4860:4860::8844",
        "2606:4700:4700::1111",
        "2606:4700:4700::1001",
        "2620:fe::fe",
    )
)
_ADDRESS_WORDS = Words(
    "ips?|ipv4|addr|address|addresses|host|hosts|hostname|server|servers|client|clients|ping|ssh|from|login|logged|remote|peer|gateway"
    "|dns|proxy|connect|connected|connection|src|dst|source|destination|whois|traceroute|nslookup|visitor|attacker|adresse|dirección"
    "|indirizzo|endereço|адрес|adres|nameserver|router|vpn|firewall|blocked|banned|requests?",
    "地址|服务器|主机|来源|アドレス|주소|عنوان",
)
_VERSION_WORDS = Words(
    "versions?|ver|v|sections?|sec|chapter|clause|release|build|firmware|driver|revision|paragraph|article|rule|oid|table|figure"
    "|appendix|step|theorem|lemma|abschnitt|kapitel|sección|capítulo|версия|раздел|chrome|firefox|safari|edge|opera|sdk|python|node|package"
    "|abschn|nummer|§|upgrade|upgraded|assembly|assemblyversion|fileversion|standard|item|exercise",
    "§|版本|章|节|節|条|第|バージョン|버전",
)
_GROUPS = 8  # of an IPv6 address in full
_MIN_UNNAMED = 11  # shorter ones look like versions and sections


def find(source: Source) -> Iterator[Span]:
    """Every public address of a text."""
    text = source.text
    if "::" in text or text.count(":") > 5:
        for match in _IPV6.finditer(text):
            address = match.group().partition("%")[0]
            if _is_public(address) and not _is_of_bytes(address):
                yield Span(match.start(), match.end(), KIND)
    if "//" in text:
        for match in _IPV4_IN_URL.finditer(text):
            number = _number_of(match.group())
            if number is not None and _is_public(number):
                yield Span(match.start(), match.end(), KIND)
    for match in _IPV4.finditer(text):
        if _is_public(match.group()) and _is_meant(source, match):
            yield Span(match.start(), match.end(), KIND)


def _is_meant(source: Source, match: re.Match[str]) -> bool:
    """Whether four numbers are an address: by the words before them, a port, a URL, or their length."""
    text, start, end = source.text, match.start(), match.end()
    if text[start - 2 : start] == "//" or text[start - 1 : start] == "@":
        return True
    if text[start - 2 : start] in ("==", ">=", "~=", "<="):
        return False  # a requirement
    if text[start - 1 : start] in ("/", "-") or (
        text[end : end + 1] in ("/", "-") and text[end + 1 : end + 2].isdigit()
    ):
        return False  # a product's version, a network, a range
    before = source.before(start, 28)
    own, other = _ADDRESS_WORDS.last(before), _VERSION_WORDS.last(before)
    if own > other:
        return True
    if other > own:
        return False
    return len(match.group()) >= _MIN_UNNAMED and not before.endswith((".", ","))


def _is_public(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or (
            ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if text.startswith("64:ff9b:") else None
        )
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if text.startswith("::"):
            return False
    return address.is_global and not address.is_multicast and str(address) not in _PUBLIC_SERVICES


def _is_of_bytes(text: str) -> bool:
    """Whether eight groups are bytes rather than halves of words, as in the name of a disk or a network card."""
    groups = text.split(":")
    return len(groups) == _GROUPS and sum(len(group) > 2 for group in groups) < _GROUPS // 2


def _number_of(text: str) -> str | None:
    """The usual notation of an address that is written as one number, or in octal or hexadecimal parts."""
    try:
        if "." not in text:
            return str(ipaddress.IPv4Address(int(text, 0 if text.startswith("0x") else 10)))
        parts = [
            int(p, 16) if p.lower().startswith("0x") else int(p, 8) if p.startswith("0") and p != "0" else int(p)
            for p in text.split(".")
        ]
        return ".".join(map(str, parts))
    except ValueError:
        return None
