"""Form noise: what crawls, mergers and chat windows add to a text without changing what it teaches.

HTML entities, tags that only lay out, invisible characters, a greeting before the text, a closing sentence or a
signature behind it. `prepared` is quick and is what fingerprints are made of; it may make texts alike that are not
(`<b>` and `<i>` as subjects), which `canonical` then tells apart.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

import re2

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.normalize import plain_characters

_ENTITY = lazily(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LAYOUT_TAG = lazily(r"</?(?:p|br|div|span|b|i|u|em|strong|ul|ol|li|h[1-6])\s*/?>", re.I)
_INVISIBLE = lazily("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

_TAGS = r"(?:</?(?:p|div|span|br)\s*/?>|[\s\"'“”‘’*_~`#-]|> )*"
_END = r"[\s.!?~。！？～…]*(?:</(?:p|div|span)>|<br\s*/?>|[\s\"'”’*_~])*$"


def _unencoded() -> re2.Options:
    options = re2.Options()
    options.encoding, options.never_capture = re2.Options.Encoding.LATIN1, True
    return options


def _spaced(pattern: str) -> re.Pattern[str]:
    """A pattern in which a blank is any white space."""
    return re.compile(pattern.replace(" ", r"\s+"), re.I)


_GREETING = _spaced(
    _TAGS + r"(?:(?:hi|hello|hey|greetings|howdy|good (?:morning|afternoon|evening|day))"
    r"(?: (?:there|all|everyone|everybody|again|friend|team|assistant|chatgpt|ai))?"
    r"|dear (?:all|sir|madam|sir or madam|team|assistant|chatgpt|ai|colleagues?|community|friends?)"
    r"|你好|您好|嗨|哈喽|大家好|各位好|早上好|上午好|中午好|下午好|晚上好|亲爱的朋友们?"
    r"|hallo(?: zusammen)?|guten (?:tag|morgen|abend)|liebes team|bonjour|bonsoir|salut|hola|buenos días|buenas tardes"
    r"|ciao|buongiorno|olá|bom dia|boa tarde|hej|привет|здравствуйте|добрый день"
    r"|こんにちは|こんばんは|おはようございます|안녕하세요)"
    r"(?:\s*[,!.;:~，！。：；、～…—–-]+\s*|\s*\n+\s*| (?=(?:i|i'm|i’m|my|can|could|please|what|how|we)\b))"
)
_CLOSING = _spaced(
    r"(?:(?<=[.!?,;:…\n。！？，；：>])|(?<=[.!?。！？][\"'”’])|^)\s*[\"'“‘*_~-]*(?:"
    r"(?:many thanks|thanks|thank you|thx|cheers)(?: (?:so|very) much| a lot| a million)?"
    r"(?: in advance| again| for (?:your|the|any) (?:kind )?(?:help|time|support|attention|answer|reply)| for reading)?"
    r"|(?:i )?(?:really )?hope (?:this|that|it) (?:helps|is helpful|was helpful|answers your question)(?: you)?(?: out)?"
    r"|(?:please )?(?:do not hesitate|don't hesitate|feel free) to (?:ask|contact|reach out|let me know)[^.!?\n]{0,80}"
    r"|(?:please )?let me know if (?:you|there)[^.!?\n]{0,90}"
    r"|if you (?:ever )?(?:have|need) any[^.!?\n]{0,110}"
    r"|is there anything else (?:i can|you)[^.!?\n]{0,60}"
    r"|have a (?:nice|great|good|wonderful|lovely) (?:day|evening|weekend|one)[^.!?\n]{0,20}"
    r"|(?:非常|十分|多)?(?:感谢|谢谢)(?:你|您|大家|各位)?(?:的(?:帮助|阅读|支持|时间|耐心))?(?:了|啦)?"
    r"|(?:我)?希望(?:这|以上|我的|上述|能|可以|对)[^。！？!?\n]{0,24}(?:帮助|有用|参考)[^。！？!?\n]{0,6}"
    r"|(?:如果|如|若)(?:你|您)?(?:还|仍)?有(?:任何|其他|其它|更多|什么)?[^。！？!?\n]{0,8}(?:问题|疑问|需要)[^。！？!?\n]{0,30}"
    r"|祝(?:你|您)[^。！？!?\n]{1,12}|(?:期待|盼望)(?:你|您)的(?:回复|答复)"
    r"|(?:vielen|besten|herzlichen) dank(?: im voraus)?|danke(?: schön| im voraus)?|merci(?: beaucoup)?(?: d'avance)?"
    r"|(?:muchas )?gracias(?: de antemano)?|grazie(?: mille)?|(?:muito )?obrigad[oa]|спасибо(?: большое)?"
    r"|ich hoffe,? das hilft|j'espère que cela (?:vous )?aide|espero que (?:esto )?(?:te |le )?ayude"
    r"|ありがとうございま(?:す|した)|よろしくお願い(?:し|いたし)ます|감사합니다)" + _END
)
_SIGNATURE = lazily(
    r"(?:\n|(?<=[.!?。！？])\s)\s*[*_]*(?:(?:best|kind|warm|with kind|with best)\s+(?:regards|wishes)"
    r"|mit freundlichen grüßen|viele grüße|cordialement|saludos|atentamente|с уважением"
    r"|regards|sincerely(?:\s+yours)?"
    r"|yours\s+(?:sincerely|truly|faithfully)|此致敬礼|此致\s*敬礼|敬上)[,.!，。*_]*"
    r"\s*(?P<name>[^\n<]{0,48})(?:\n\s*(?P<more>[^\n<]{1,48}))?" + _END,
    re.I,
)
_HINTS = (
    "thank", "thx", "cheers", "hope", "hesitate", "feel", "let", "question", "any", "have",
    "regards", "sincerely", "yours", "wishes", "谢", "希望", "如", "若", "祝", "期待", "盼望", "敬", "ござ", "お願い", "감사",
    "dank", "grüße", "hilft", "merci", "cordialement", "gracias", "saludos", "atentamente", "ayude", "grazie",
    "obrigad", "спасибо", "уважением", "espère",
)  # fmt: skip
# what each closing and signature in ASCII letters has, in lower case: cheaper to look for than the patterns
_BLANK = r"[\s\v\x1c-\x1f]+"
_SIGNS = re2.compile(
    r"thank|thx|cheers|hope (?:this|that|it) |hesitate|feel free|let me know|(?:have|need) any|anything else|have a "
    r"|regards|wishes|sincerely|yours|dank|hilft|merci|gracias|grazie|obrigad|cordialement|saludos|atentamente"
    r"|ayude".replace(" ", _BLANK).encode(),
    _unencoded(),
)
# the first letters of the greetings in ASCII
_GREETS = (
    *("hi", "hell", "hey", "gree", "howd", "good", "dear", "hall", "gute", "lieb", "bonj", "bons", "salu"),
    *("hola", "buen", "ciao", "buon", "bom ", "boa ", "hej"),
)
_TAIL = 240  # characters in which a closing is looked for
_MAX_CLOSINGS = 4


class Stripped(NamedTuple):
    """A text without greeting and closing; signature: who signed, folded, "" when there is none."""

    text: str
    signature: str


def prepared(text: str) -> str:
    """The text that fingerprints and keys are made of; for a text without any noise the text itself."""
    text = unescaped(text)
    if "<" in text:
        text = _LAYOUT_TAG.sub(" ", text)
    if "_" in text:
        text = text.replace("_", " ")
    if "**" in text:  # within a word of a language that joins particles to it
        text = text.replace("**", "")
    return stripped(text).text


def unescaped(text: str) -> str:
    """With entities as characters, plain characters and nothing invisible."""
    if "&" in text and ";" in text:
        text = _ENTITY.sub(_character, text)
    if text.isascii():
        return text
    return _INVISIBLE.sub("", plain_characters(text))


def stripped(text: str) -> Stripped:
    """Without greeting, closing and signature; a text that is nothing else stays as it is."""
    found, signature = text, ""
    head = text[:4]
    if not (head.isascii() and head[:1].isalnum()) or head.lower().startswith(_GREETS):
        greeting = _GREETING.match(found)
        if greeting is not None:
            found = found[greeting.end() :]
    for _ in range(_MAX_CLOSINGS):
        tail = found[-_TAIL:]
        if not _may_close(tail.lower()):
            break
        signed = _SIGNATURE.search(tail)
        closing = signed or _CLOSING.search(tail)
        if closing is None:
            break
        if signed is not None:
            signature = " ".join(f"{signed['name']} {signed['more'] or ''} {signature}".casefold().split())
        found = found[: len(found) - len(tail) + closing.start()]
    if found is not text and not any(map(str.isalnum, found)):
        return Stripped(text, "")
    return Stripped(found, signature.strip(" .,!*_"))


def _may_close(tail: str) -> bool:
    """Whether the end of a text, in lower case, may hold a closing: yes too often, never no too often."""
    if tail.isascii():
        return _SIGNS.search(tail.encode()) is not None
    return any(map(tail.__contains__, _HINTS))


def _character(entity: re.Match[str]) -> str:
    found = html.unescape(entity[0])
    return found if not any("\ud800" <= character <= "\udfff" for character in found) else entity[0]
