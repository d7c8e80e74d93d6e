"""Keys and tokens of services, by the prefix that each gives them; JSON web tokens; private keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus_pipeline.stages.clean.personal_data.spans import Source, Span

KIND = "secret"

_B64 = "[A-Za-z0-9_-]"
# what each begins with, for a first look; the pattern of the whole
_KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("sk-",), rf"sk-(?:proj-|ant-|or-|svcacct-|admin-|lf-)?{_B64}{{20,240}}"),  # OpenAI, Anthropic, OpenRouter, ...
    (("k_live_", "k_test_"), r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,200}"),  # Stripe
    (("whsec_",), r"whsec_[A-Za-z0-9+/=]{24,80}"),
    (("AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA"), r"A(?:KIA|SIA|ROA|IDA|BIA|CCA)[0-9A-Z]{16}"),  # AWS
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{20,255}"),  # GitHub
    (("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,255}"),
    (("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "gloas-"), r"gl(?:pat|dt|rt|cbt|ptt|oas)-[A-Za-z0-9_.-]{20,64}"),  # GitLab
    (("xox", "xapp-"), r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,240}"),  # Slack
    (("hooks.slack.com", "discord.com/api/webhooks", "discordapp.com/api/webhooks"),
     r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,120}|discord(?:app)?\.com/api/webhooks/\d{16,20}/[A-Za-z0-9_-]{40,90}"),
    (("SG.",), rf"SG\.{_B64}{{16,32}}\.{_B64}{{32,64}}"),  # SendGrid
    (("AIza",), rf"AIza{_B64}{{35}}"),  # Google
    (("ya29.",), rf"ya29\.{_B64}{{20,400}}"),
    (("GOCSPX-",), rf"GOCSPX-{_B64}{{20,40}}"),
    (("hf_", "api_org_"), r"(?:hf|api_org)_[A-Za-z0-9]{30,64}"),  # Hugging Face
    (("npm_",), r"npm_[A-Za-z0-9]{36}"),
    (("pypi-",), rf"pypi-{_B64}{{50,250}}"),
    (("LTAI",), r"LTAI[A-Za-z0-9]{12,30}"),  # Alibaba
    (("AKID",), r"AKID[A-Za-z0-9]{32}"),  # Tencent
    (("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{64}"),
    (("shpat_", "shpss_", "shpca_", "shppa_"), r"shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}"),
    (("dapi",), r"dapi[a-f0-9]{32}(?:-\d)?"),
    (("gsk_", "xai-", "pplx-", "nvapi-", "r8_", "lin_api_", "sntrys_", "sbp_", "glsa_", "tskey-", "rpa_", "fw_", "tvly-", "ntn_"),
     r"(?:gsk_|xai-|pplx-|nvapi-|r8_|lin_api_|sntrys_|sbp_|glsa_|tskey-|rpa_|fw_|tvly-|ntn_)[A-Za-z0-9_-]{24,200}"),
    (("secret_",), r"secret_[A-Za-z0-9]{43}"),  # Notion
    (("key-",), r"key-[a-f0-9]{32}"),  # Mailgun
    ((":AA",), rf"\d{{8,10}}:AA{_B64}{{33}}"),  # Telegram
    (("sq0",), rf"sq0(?:atp|csp|idp)-{_B64}{{22,43}}"),
    (("EAA",), r"EAA[A-Za-z0-9]{80,300}"),  # Meta
    (("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    (("hvs.", "hvb."), rf"hv[sb]\.{_B64}{{20,200}}"),  # Vault
    (("NRAK-",), r"NRAK-[A-Z0-9]{27}"),
    (("dckr_pat_",), rf"dckr_pat_{_B64}{{20,60}}"),
    (("eyJ",), rf"eyJ{_B64}{{10,4000}}\.(?:eyJ|[A-Za-z0-9_-])[A-Za-z0-9_-]{{10,8000}}\.{_B64}{{0,2000}}(?:\.{_B64}{{1,2000}}){{0,2}}"),
    (("AccountKey=", "SharedAccessKey=", "accountkey=", "sharedaccesskey="),
     r"(?<=[Aa]ccount[Kk]ey=)[A-Za-z0-9+/]{40,100}={0,2}|(?<=[Ss]hared[Aa]ccess[Kk]ey=)[A-Za-z0-9+/]{40,100}={0,2}"),  # Azure
    (("sig=",), r"(?<=[?&]sig=)[A-Za-z0-9%+/_-]{40,100}={0,2}"),
    (("8Q~",), r"[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}"),
)  # fmt: skip
_PATTERNS = tuple(
    (hints, re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9])" if "(?<" not in pattern else pattern))
    for hints, pattern in _KEYS
)
HINTS = (*tuple(hint for hints, _ in _KEYS for hint in hints), "PRIVATE KEY", "PuTTY-User-Key-File", "PRIVATE_KEY")

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_MAX_KEY = 20_000
_PLACEHOLDER = re.compile(
    r"example|x{4}|\*{3}|\.{3}|your|placeholder|dummy|sample|redacted|insert|replace|changeme|here\b|1234567890abcdef|(.)\1{7}",
    re.IGNORECASE,
)


def find(source: Source) -> Iterator[Span]:
    """Every key of a text."""
    text = source.text
    for hints, pattern in _PATTERNS:
        if any(hint in text for hint in hints):
            for match in pattern.finditer(text):
                if _is_real(match.group(), source.strict):
                    yield Span(match.start(), match.end(), KIND)
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)


def _is_real(token: str, strict: bool) -> bool:
    if strict:
        return True
    if not any(map(str.isdigit, token)) or len(set(token)) <= 8:
        return False
    words = re.split(r"[-_.]", token)
    if len(token) > 24 and max(map(len, words)) < 12 and sum(map(str.isdigit, token)) < 4:
        return False  # "sk-fading-circle-of-the-spinner-kit-2"
    return not _PLACEHOLDER.search(token)


def _private_keys(text: str) -> Iterator[Span]:
    done = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < done:
            continue
        end = _END.search(text, begin.end(), begin.end() + _MAX_KEY)
        last = end.end() if end else _last_of_block(text, begin.end())
        body = re.sub(r"\\[nr]|\s", "", text[begin.end() : end.start() if end else last])
        if (
            len(body) >= 20
            and not re.fullmatch(r"[^A-Za-z0-9]*(?:[A-Za-z.]{0,40}\.\.\.)?[^A-Za-z0-9]*", body)
            and "..." not in body[:24]
        ):
            done = last
            yield Span(begin.start(), last, KIND)


_BODY_LINE = re.compile(r"(?:\\n|\s)*[A-Za-z0-9+/=:, -]{1,100}(?=\\n|\s|\Z|[\"'])")


def _last_of_block(text: str, position: int) -> int:
    """Where a key without its end line stops: behind the last line that is of a key."""
    stop = position + _MAX_KEY
    while position < stop and (match := _BODY_LINE.match(text, position)) and match.end() > position:
        position = match.end()
    return position
