"""Subjects of a conversation under which strange text is content: markup, special tokens, characters, blanks, repetition.

Every word is looked for in the whole conversation. The lists are long on purpose: where one of them speaks, a rule leaves
the texts alone, and that costs less than a good answer that is edited.
"""

from __future__ import annotations

import re

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.first_look import Screened

# web pages and their notation, wherever they are named
MARKUP = Screened(
    r"\b(?:x?html\d?|xml|xslt?|css|jsx|tsx|svg|php|(?:java|type)script|xpath|dom|ajax|jquery|mark(?:up|down)|tags?"
    r"|web ?pages?|(?:html |xml )?entit(?:y|ies)|hyperlinks?|front-?end|angle brackets?|ampersands?|bb ?code|javadoc)\b"
    r"|<!doctype|</?(?:html|head|body|form|input|table|button|canvas)\b"
    r"|网页|标签|前端|超链接|表单|转义|タグ|ウェブ|태그|разметк",
    re.IGNORECASE,
)
# what a request says that wants markup or a program, or works on one
PROGRAMS = Screened(
    r"\b(?:web ?sites?|browsers?|templates?|components?|render\w*|(?:un)?escap\w*|(?:en|de)cod(?:e[sdr]?|ing)|bootstrap"
    r"|react|vue|angular|svelte|jinja|django|flask|rails|doc ?strings?|wiki(?:text)?|latex|e-?pub|rich text|bold"
    r"|italics?|underlin\w*|headings?|headers?|footers?|elements?|attributes?|snippets?|codes?|coding|scripts?"
    r"|program(?:s|ming)?|functions?|methods?|python|java|kotlin|swift|golang|rust|perl|ruby|c\+\+|c#|regex\w*"
    r"|regular expressions?|strings?|variables?|ant|maven|gradle|sitemaps?|rss|newsletters?|links?|format\w*)\b"
    r"|代码|标记|元素|实体|模板|编码|解码|浏览器|コード|テンプレート|코드|код",
    re.IGNORECASE,
)
# language models and what their prompts are made of
TOKENS = Screened(
    r"\b(?:(?:de)?tokeni[sz]\w*|tokens?|chat ?ml|gpt-?(?:\d|j|neo)\w*|llama\w*|mistral|mixtral|qwen\w*|gemma"
    r"|deepseek|phi-?\d"
    r"|(?:large )?language models?|llms?|prompt (?:format|template|syntax)\w*|chat (?:format|template)\w*|templates?"
    r"|sentinels?|delimiters?|separators?|eos|bos|control (?:characters?|codes?|words?)|special (?:markers?"
    r"|words?|symbols?|strings?)"
    r"|end[- ]of[- ](?:text|sequence|sentence|turn|string)|fine-?tun\w*|pre-?train\w*|transformers?"
    r"|vocabular(?:y|ies)"
    r"|bert|hugging ?face|vllm|placeholder|jailbreak\w*|prompt injection\w*)\b"
    r"|分词|词元|标记|模板|特殊符|大语言模型|トークン|토큰|токен",
    re.IGNORECASE,
)
# characters as such: sets, encodings, look-alikes
CHARACTERS = Screened(
    r"\b(?:utf-?\d*|latin-?\d|iso-?8859\S*|(?:windows|cp)-?125\d|ascii|ansi|unicode|code ?(?:points?|pages?)"
    r"|char(?:acter)?[- ]?sets?"
    r"|charsets?|characters?|encod\w*|decod\w*|mojibake|garbled|gibberish|bytes?|glyphs?|diacritics?|accents?"
    r"|umlauts?"
    r"|(?:odd|strange|weird|funny|wrong|broken|special|unreadable|corrupt\w*|mangled|damaged|missing) "
    r"(?:signs?|symbols?|letters?|text|quotes?|apostrophes?|marks?|dashes|string)|nf[k]?[cd]|normali[sz]\w*"
    r"|combining|zero[- ]width"
    r"|invisible|ligatures?|homoglyphs?|replacement|ocr|fonts?|keyboard|typograph\w*|ftfy|iconv|gbk|gb2312|big5"
    r"|shift[-_]?jis|bom"
    r"|escape sequences?|control codes?|zeichens(?:atz|ätze)|kodierung|codierung|umlaute?|encodage"
    r"|caract[eè]res?|codificaci[oó]n)\b"
    r"|字符|编码|編碼|乱码|亂碼|文字コード|文字化け|인코딩|글자|кодировк|символ|[Uu]\+[0-9A-Fa-f]{4}|\\[ux][0-9A-Fa-f]{2}",
    re.IGNORECASE,
)
# blanks and line ends, wherever they are named
BLANKS = Screened(
    r"\b(?:white ?spaces?|newlines?|line (?:breaks?|feeds?|endings?)|carriage returns?|crlf|zero[- ]width"
    r"|(?:trailing|leading|extra|non-?breaking) (?:spaces?|blanks?|tabs?))\b|[Uu]\+20[0-9A-Fa-f]{2}|\\[nrt]\b|&#820\d;",
    re.IGNORECASE,
)
# what a request says that wants a layout
LAYOUT = Screened(
    r"\b(?:blanks?|(?:blank|empty|new) ?lines?|spaces?|indent\w*|tabs?|spacing|padding|padded|invisible|haiku|layout"
    r"|ascii[- ]art|tsv|fixed[- ]width|columns?|diff|patch|lines? apart"
    r"|poems?|poetry|verses?|stanzas?|lyrics?|sonnets?|ballads?|limericks?|hymns?|gedicht\w*|strophen?|po[eè]m[ae]s?|po[eé]s[ií]as?"
    r"|poésies?|estrofas?|wiersz\w*|şiir\w*|puisi|pantun)\b|空格|空行|换行|改行|空白|诗|詩|시를|стих|поэм|قصيدة|कविता",
    re.IGNORECASE,
)
# answers that are meant to say a thing again
REPETITION = Screened(
    r"\b(?:repeat\w*|repetit\w*|again and again|over and over|times|twice|thrice|copies|copy|duplicat\w*"
    r"|loop\w*|chant\w*"
    r"|chorus\w*|refrain\w*|songs?|lyrics?|poems?|verses?|rhymes?|mantra\w*|prayer\w*|lines? of|patterns?"
    r"|rows? of|grid"
    r"|table|matrix|sequence|series|pyramid|triangle|ascii|draw|print\w*|output|simulat\w*|drill\w*|exercise"
    r"|practi[cs]e"
    r"|stutter\w*|echo\w*|scream\w*|laugh\w*|beat\w*|rap|nursery|anthem|ballad|sonnet|mock|test data"
    r"|sample data|filler"
    r"|lorem|dna|rna|binary|stream|count\w*|n times|x times|buffalo|tongue[- ]twister\w*|\d+x)\b"
    r"|重复|遍|次|歌|诗|绕口令|繰り返|回|반복|번|повтор|раз|wiederhol\w*|mal\b|répét\w*|fois|repit\w*|veces|repet\w*|vezes",
    re.IGNORECASE,
)


def asking(thing: str) -> re.Pattern[str]:
    """A question what a thing is, does or means, in which it stands by itself. thing: a pattern without groups."""
    return lazily(
        r"\b(?:what|why|how|which|when|was|wie|warum|wof[uü]r|que|qué|qu'est-ce|pourquoi|cosa|perch[eé]|что|почему)\b"
        r"[^\n.!?;]{0,50}\b(?:do(?:es)?|is|are|of|by|see|seeing|shows?|get|types?|writes?|uses?|bedeutet|hei[sß]+t|ist|macht|signifie|fait"
        r"|significa|es|fa|означает|значит|это)\s+(?:(?:the|a|an|das|der|le|la|el|il)\s+)?"
        rf"['\"`“‘«]?(?:{thing})['\"`”’»]?(?=[\s?.,:!]|$)"
        rf"|['\"`“‘「]?(?:{thing})['\"`”’」]?\s?(?:是什么|什么意思|代表什么|とは|は何|은 무엇|는 무엇|이란)",
        re.IGNORECASE,
    )
