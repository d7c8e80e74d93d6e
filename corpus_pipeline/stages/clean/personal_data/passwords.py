"""Passwords and nameless secrets: in URLs, in assignments, in headers, and where a person says one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import Source, Span
from corpus_pipeline.stages.first_look import Screened

KIND = "password"

_IN_URL = lazily(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@'\"<>`]{0,64}:([^\s/@'\"<>`]{1,100})@(?=[\w.\[-])"
)
_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|passwd|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|api[_-]?(?:key|token|secret)|access[_-]?(?:token|key)"
    r"|auth[_-]?(?:token|key)|client[_-]?secret|private[_-]?key|bearer[_-]?token|refresh[_-]?token|encryption[_-]?key|signing[_-]?key"
    r"|account[_-]?key|session[_-]?token|webhook[_-]?secret|jwt[_-]?secret|app[_-]?secret|token|credentials?(?!s?[_-]?ids?\b))"
)
_ASSIGNED = Screened(
    rf"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{{1,24}}[_.-]){{0,3}}(?P<name>{_NAMES})(?:[_-]?[A-Za-z0-9]{{1,8}})?[\"'`*]{{0,3}}\s{{0,3}}(?:=>|:=|[:=：]|\s-p\s)\s{{0,3}}"
    r"(?:(?P<q>[\"'`])(?P<quoted>[^\"'`\n]{6,200})(?P=q)|(?P<bare>[^\s\"'`,;<>(){}\[\]|]{6,200}))",
    re.IGNORECASE,
)
_SAID = Screened(
    r"(?:(?<![A-Za-z])(?:password|passcode|passphrase|passwort|kennwort|contraseña|clave|mot de passe|senha|wachtwoord|hasło|şifre|parola"
    r"|kata sandi|mật khẩu|пароль)(?: (?:for|to|of|on|für|de|para|от|для) (?:\S{1,24} ){1,4}?)?(?: (?:is|was|are|ist|lautet|es|est|é|to|as|là|adalah|jest))?"
    r"|密码|密碼|口令|パスワード|비밀번호|كلمة المرور|كلمة السر|पासवर्ड)"
    r"\s{0,2}(?:is|was|是|为|為|は|가|는|هي|है)?\s{0,2}[:：=]?\s{0,2}[\"'“`「*]{0,3}([^\s\"'“”`「」,，。;；<>(){}\[\]]{6,64})",
    re.IGNORECASE,
)
_HEADER = lazily(
    r"(?i:Authorization|Proxy-Authorization)[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?i:Bearer|Basic|token)\s{1,2}([A-Za-z0-9._~+/=-]{16,2000})"
)
_FLAG = lazily(
    r"(?<!\S)(?:(?:-u|--user)[\s=]{1,2}[\"']?[\w.@-]{0,40}:|--password[= ]|sshpass -p ?)[\"']?([^\s\"'@]{6,100})"
)

_PLACEHOLDER = lazily(
    r"your|my[_-]?(?:secret|pass|token|key|api)|example|placeholder|change|dummy|sample|redacted|insert|replace|todo|secret|password|passwd|pass\b|token"
    r"|<|>|\{|\}|\$|%[sdv(]|\*{3}|x{4}|\.{3}|…|^\[|^#|abc123$|^test|^none$|^null$|^true$|^false$|^undefined$|^string|api_?key|here$|key$|^\W+$|hunter2|([^A])\1{7}",
    re.IGNORECASE,
)
_URL_PLACEHOLDER = lazily(
    r"^(?:user(?:name)?|admin|root|postgres|guest|pass(?:wd|word)?|pw|pwd|secret|mypass(?:word)?|example|test|x+|\*+)$|your|\$|\{|<|%[sd(]|\.{3}",
    re.IGNORECASE,
)
_CODE = lazily(
    r"^[A-Za-z_][\w.]*(?:\(|\[|$)|^(?:https?://|/|\./|@)|^[A-Z]+(?:_[A-Z]+)+$|::|->|==|^[a-z]+(?:[A-Z][a-z]+)+$"
)
_LOCAL = lazily(
    r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|host|db|database|server|example\.\w+)(?![\w.])", re.IGNORECASE
)


def find(source: Source) -> Iterator[Span]:
    """Every password of a text: the value alone, not its name."""
    text = source.text
    if "://" in text and "@" in text:
        yield from _in_urls(text)
    for pattern in (_ASSIGNED, _HEADER, _SAID, _FLAG):
        for match in pattern.finditer(text):
            group = ("quoted" if match["quoted"] is not None else "bare") if pattern is _ASSIGNED else 1
            value = match[group].rstrip(".,;:!?*_")
            said = pattern in (_SAID,)
            if _is_secret(value, quoted=group == "quoted" or pattern is _HEADER, said=said):
                yield Span(match.start(group), match.start(group) + len(value), KIND)
    if source.key and is_named_by(source.key) and _is_secret(text.strip(), quoted=True, said=False):
        yield Span(0, len(text), KIND)


_KEY_NAME = lazily(rf"(?:^|[_.-]|(?<=[a-z])(?=[A-Z])){_NAMES}$", re.IGNORECASE)


def is_named_by(key: str) -> bool:
    """Whether a value under this key is a password or a secret."""
    return _KEY_NAME.search(key) is not None


def _in_urls(text: str) -> Iterator[Span]:
    for match in _IN_URL.finditer(text):
        value = match[1]
        weak = _classes(value) < 2 and _LOCAL.match(text, match.end()) is not None
        if len(value) >= 4 and not _URL_PLACEHOLDER.search(value) and not weak:
            yield Span(match.start(1), match.end(1), KIND)


def _classes(value: str) -> int:
    """How many of small letters, capitals, digits and other signs occur."""
    return (
        any(map(str.islower, value))
        + any(map(str.isupper, value))
        + any(map(str.isdigit, value))
        + (not value.isalnum())
    )


def _is_secret(value: str, *, quoted: bool, said: bool) -> bool:
    if len(value) < 6 or " " in value or _PLACEHOLDER.search(value) or len(set(value)) < 5:
        return False
    if not quoted and _CODE.search(value) and not (said and any(map(str.isdigit, value))):
        return (
            _classes(value) >= 3
            and any(map(str.isdigit, value))
            and "." not in value
            and "(" not in value
            and "_" not in value
        )
    if quoted and _CODE.search(value) and not any(map(str.isdigit, value)):
        return False
    return any(map(str.isdigit, value)) and (_classes(value) >= 2) and _VERSION.fullmatch(value) is None


_VERSION = lazily(r"v?\d+(?:[.\-:/]\d+)*[a-z]?")
