"""Keys and tokens of services, by the prefix that each gives them; JSON web tokens; private keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus_pipeline.lazy_patterns import lazily
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
    (("xox", "xapp-"), r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{20,240}"),  # Slack
    (("hooks.slack.com", "discord.com/api/webhooks", "discordapp.com/api/webhooks"),
     r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,120}|discord(?:app)?\.com/api/webhooks/\d{16,20}/[A-Za-z0-9_-]{40,90}"),
    (("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"),
     rf"(?:M[TDjz]|N[DTjz]|O[DT])[A-Za-z0-9]{{21,24}}\.{_B64}{{6}}\.{_B64}{{27,40}}"),  # a bot of Discord: its id, a time, a key
    (("-us",), r"[0-9a-f]{32}-us\d{1,2}(?!\d)"),  # Mailchimp
    (("SG.",), r"SG\.[A-Za-z0-9_=.-]{60,80}"),  # SendGrid
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
    (tuple(f"{digit}Q~" for digit in range(10)), r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    (("glffct-", "glft-", "glimt-", "glagent-", "glsoat-", "glwt-", "GR1348941"),
     rf"gl(?:ffct|ft|imt|agent|soat|wt)-{_B64}{{20,64}}|GR1348941{_B64}{{20}}"),  # GitLab
    (("A3-",), r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),  # 1Password
    (("ops_eyJ",), r"ops_eyJ[A-Za-z0-9+/]{200,4000}={0,3}"),
    (("AKCp", "cmVmd"), r"AKCp[A-Za-z0-9]{69}|cmVmd[A-Za-z0-9]{59}"),  # Artifactory
    (("ABSK", "bedrock-api-key-"), r"ABSK[A-Za-z0-9+/]{109,269}={0,2}|bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]{0,400}"),
    (("CLOJARS_",), r"CLOJARS_[A-Za-z0-9]{60}"),
    (("4b1d",), r"4b1d[A-Za-z0-9]{38}"),  # ClickHouse Cloud
    (("v1.0-",), r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),  # Cloudflare Origin CA
    (("dp.pt.", "dp.st.", "dp.ct.", "dp.sa."), r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),  # Doppler
    (("duffel_",), r"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}"),
    (("dt0c01.", "dt0s01."), r"dt0[cs]01\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}"),  # Dynatrace
    (("EZAK", "EZTK"), r"EZ[AT]K[A-Za-z0-9]{54}"),  # EasyPost
    (("FLWSECK", "FLWPUBK"), r"FLW(?:SEC|PUB)K(?:_TEST)?-[a-h0-9]{12,32}(?:-X)?"),  # Flutterwave
    (("fm1a_", "fm1r_", "fm2_", "fo1_"), r"(?:fm1[ar]|fm2)_[A-Za-z0-9+/]{100,4000}={0,3}|fo1_[A-Za-z0-9_-]{43}"),  # Fly.io
    (("fio-u-",), r"fio-u-[A-Za-z0-9_=-]{64}"),
    (("glc_eyJ", "glc_"), r"glc_[A-Za-z0-9+/]{32,400}={0,3}"),  # Grafana
    (("pat.", "sat."), r"[ps]at\.[A-Za-z0-9_-]{22}\.[a-zA-Z0-9]{24}\.[A-Za-z0-9]{20}"),  # Harness
    ((".atlasv1.",), r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),  # Terraform
    (("HRKU-AA",), rf"HRKU-AA{_B64}{{58}}"),
    (("ico-",), r"ico-[A-Za-z0-9]{32}"),
    (("s-s4t2",), r"s-s4t2(?:ud|af)-[a-f0-9]{64}"),
    (("sha256~",), rf"sha256~{_B64}{{43}}"),  # OpenShift
    (("API-",), r"API-[A-Z0-9]{26}"),  # Octopus Deploy
    (("pscale_",), r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_=.-]{32,64}"),
    (("PMAK-",), r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    (("pnu_", "pul-"), r"pnu_[A-Za-z0-9]{36}|pul-[a-f0-9]{40}"),
    (("rdme_", "rubygems_"), r"rdme_[a-z0-9]{70}|rubygems_[a-f0-9]{48}"),
    (("tk-us-",), rf"tk-us-{_B64}{{48}}"),  # Scalingo
    (("xkeysib-", "xsmtpsib-"), r"x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),  # Brevo
    (("sntryu_",), r"sntryu_[a-f0-9]{64}"),
    (("sm_aat_", "sm_pat_", "sm_sat_"), r"sm_[aps]at_[A-Za-z0-9]{16}"),
    (("shippo_",), r"shippo_(?:live|test)_[a-fA-F0-9]{40}"),
    (("sgp_",), r"sgp_(?:[a-fA-F0-9]{16}|local)?_?[a-fA-F0-9]{40}"),  # Sourcegraph
    (("SK",), r"SK[a-fA-F0-9]{32}"),  # Twilio
    ((".webhook.office.com",), r"https://[a-z0-9]{1,60}\.webhook\.office\.com/webhookb2/[a-z0-9@-]{73,120}/IncomingWebhook/[a-z0-9]{32}/[a-z0-9-]{36}"),
    (("dnkey-",), rf"dnkey-{_B64}{{26}}-{_B64}{{52}}"),
    (("pubkey-", "pk.eyJ", "sk.eyJ"), rf"pubkey-[a-f0-9]{{32}}|[ps]k\.eyJ{_B64}{{40,120}}\.{_B64}{{22}}"),  # Mailgun, Mapbox
    (("NRJS-", "NRII-", "NRIQ-", "NRRA-"), r"NR(?:JS-[a-f0-9]{19}|(?:II|IQ|RA)-[A-Za-z0-9_-]{32,48})"),
    (("access-sandbox-", "access-development-", "access-production-"),
     r"access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),  # Plaid
    (("tfp_",), r"tfp_[A-Za-z0-9_.=-]{59}"),
    (("AQVN", "YC", "t1."), r"AQVN[A-Za-z0-9_-]{35,38}|YC[A-Za-z0-9_-]{38}|t1\.[A-Z0-9a-z_-]{20,400}=?=?\.[A-Z0-9a-z_-]{86}={0,2}"),  # Yandex
    (("AAAAAAAAAAAAAAAA",), r"A{22}[A-Za-z0-9%]{80,100}"),  # Twitter
    (("ATATT3", "ATCTT3"), r"AT[AC]TT3[A-Za-z0-9_=-]{60,220}"),  # Atlassian
    (("sl.B", "sl.A", "sl.u"), rf"sl\.{_B64}{{130,160}}"),  # Dropbox
    (("figd_",), rf"figd_{_B64}{{38,44}}"),
    (("lsv2_",), r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),  # LangSmith
    (("vercel_", "vck_"), r"(?:vercel_(?:blob_rw|[a-z]{2,8})|vck)_[A-Za-z0-9]{24,80}"),
    (("cfut_", "cfat_"), r"cf[ua]t_[A-Za-z0-9]{40,60}"),
    (("phc_", "phx_"), r"ph[cx]_[A-Za-z0-9]{40,50}"),  # PostHog
    (("re_",), r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30}"),  # Resend
    (("ext_", "sc_"), r"(?:ext|sc)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[a-z0-9+/_=-]{30,120}"),  # Authress
    (("eyJrIjoi",), r"eyJrIjoi[A-Za-z0-9]{70,400}={0,3}"),  # Grafana
    (("_mmk",), r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),  # MaxMind
    (("p8e-",), r"p8e-[A-Za-z0-9]{32}"),  # Adobe
    (("_gitlab_session=",), r"(?<=_gitlab_session=)[0-9a-z]{32}"),
    (("SCW",), r"SCW[A-Z0-9]{17}"),  # Scaleway
    (("jina_", "fc-"), r"jina_[A-Za-z0-9_-]{40,80}|fc-[a-f0-9]{32}"),
)  # fmt: skip
_PATTERNS = tuple(
    (
        hints,
        lazily(
            rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9]|\.(?:png|jpe?g|gif|svg|css|js|ico|html?)\b)"
            if "(?<" not in pattern
            else pattern
        ),
    )
    for hints, pattern in _KEYS
)
HINTS = (*tuple(hint for hints, _ in _KEYS for hint in hints), "PRIVATE KEY", "PuTTY-User-Key-File", "PRIVATE_KEY")

_BEGIN = lazily(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END = lazily(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_MAX_KEY = 20_000
_PLACEHOLDER = lazily(
    r"example|x{4}|\*{3}|\.{3}|your|placeholder|dummy|sample|redacted|insert|replace|changeme|here\b|1234567890|([^A])\1{7}",
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


_BODY_LINE = lazily(r"(?:\\n|\s)*[A-Za-z0-9+/=:, -]{1,100}(?=\\n|\s|\Z|[\"'])")


def _last_of_block(text: str, position: int) -> int:
    """Where a key without its end line stops: behind the last line that is of a key."""
    stop = position + _MAX_KEY
    while position < stop and (match := _BODY_LINE.match(text, position)) and match.end() > position:
        position = match.end()
    return position
