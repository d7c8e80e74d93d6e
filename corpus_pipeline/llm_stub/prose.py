"""Texts made without intelligence: other words for the same content, and words that only look like another language.

Numbers, code, LaTeX, links and final answers pass through untouched, as honest validators demand of a real model.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from importlib import resources

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages

MARK = "(corpus-stub)"
_FENCES = ("```", "~~~")

PROTECTED = lazily(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)"  # fenced code
    r"|`[^`\n]+`"
    r"|\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|\\begin\{(\w+\*?)\}.*?\\end\{\1\}"  # LaTeX
    r"|\$(?![\s$])[^$\n]*[^\s$]\$(?!\d)"  # between the signs of two prices there is none
    r"|\\boxed\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
    r"|^\#{4}[^\n]*$"
    r"|https?://\S+|<[^<>\n]{1,200}>|\{\{?[^{}\n]{1,80}\}\}?"
    r"|[-+]?\d+(?:[.,:/]\d+)*[\u00b9\u00b2\u00b3\u2070-\u2079]*%?",
    re.DOTALL | re.MULTILINE,
)
_FINAL = lazily(
    r"(?:^\#{4}[^\n]*$|\\boxed\{|(?:the\s+)?(?:final\s+)?answer\s+is\b|(?:最终)?答案(?:是|为|:|\uff1a))",
    re.IGNORECASE | re.MULTILINE,
)
_CJK = lazily(r"[\u3400-\u9fff]")
_PLAIN_ENGLISH = 20  # characters: a shorter ASCII text is taken for English
_WORD = lazily(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")


def _tables() -> dict[str, list[list[str]]]:
    """section -> lines -> words, of `words.txt`."""
    tables: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in (resources.files(__package__) / "words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            rows = tables[line.strip("[]")] = []
        elif line:
            rows.append(line.split())
    return tables


def _both_ways(pairs: list[list[str]]) -> dict[str, str]:
    return {left: right for left, right in pairs} | {right: left for left, right in pairs}


_TABLES = _tables()
_EN = _both_ways(_TABLES["swap en"])
_ZH = _both_ways(_TABLES["swap zh"])
_ZH_ANY = lazily("|".join(sorted(_ZH, key=len, reverse=True)))
_SAY = {
    name.removeprefix("say "): {row[0]: " ".join(row[1:]) for row in rows}
    for name, rows in _TABLES.items()
    if name.startswith("say ")
}
_LANGUAGE_WORDS = {
    name.removeprefix("words "): tuple(word for row in rows for word in row)
    for name, rows in _TABLES.items()
    if name.startswith("words ")
}
# words that a made-up translation leaves out, so that the commonest of them does not become a loop
_LEFT_OUT = frozenset(_TABLES["left out"][0])
_UNSPACED = frozenset({"zh", "ja"})
_ASIAN_MARKS = str.maketrans(".,?!;:()", "\u3002\uff0c\uff1f\uff01\uff1b\uff1a\uff08\uff09")


def language_of(text: str) -> str:
    """The language in which a phrase is added to a text, `en` where there is none in its own."""
    if text.isascii() and len(text) < _PLAIN_ENGLISH:
        return "en"
    language = languages.guesses(PROTECTED.sub(" ", text)[:600])[0][0]
    return language if language in _SAY else "en"


def marked(text: str) -> str:
    """`text` with the stand-in's mark: in front when it ends in a final answer, else behind; not on a fence's line."""
    if _FINAL.search(text):
        return f"{MARK}\n\n{text}" if text.startswith(_FENCES) else f"{MARK} {text}"
    bare = text.rstrip()
    return f"{bare}\n\n{MARK}" if bare.endswith(_FENCES) else f"{bare} {MARK}"


def rewritten(text: str, salt: str) -> str:
    """Other words for `text`: synonyms for some words, all protected pieces kept; always different from `text`."""
    result = _piecewise(text, lambda piece: _synonyms(piece, salt))
    if result != text:
        return marked(result)
    if _FINAL.search(text):
        return marked(text)
    # nothing to swap, as in most languages: the first sentence goes last
    head, stop, rest = _first_sentence(text)
    turned = f"{rest.strip()} {head.strip()}{stop}" if rest.strip() else text
    return marked(turned if turned != text else f"{text.rstrip()}, {_SAY[language_of(text)]['please']}")


def evolved(text: str, salt: str) -> str:
    """A harder form of a prompt: the prompt in other words and one demand more."""
    return f"{rewritten(text, salt)} {_SAY[language_of(text)]['evolve']}"


def composed(text: str, salt: str) -> str:
    """Some sentences about the words of a question, for an answer that has no reference; Chinese questions get a short one."""
    if language_of(text) != "en":
        return rewritten(f"{text} {text}", salt)
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text) if len(word) > 3))[:_MOST_ABOUT]
    digest = hashlib.sha256(salt.encode()).digest()
    sentences = [
        _ABOUT[(digest[number % len(digest)] + number) % len(_ABOUT)].format(word) for number, word in enumerate(words)
    ]
    return marked(" ".join([*dict.fromkeys(sentences), _ABOUT_ALL]))


_MOST_ABOUT = 12
_ABOUT_ALL = "Taken together this answers what was asked, as far as a stand-in can."
_ABOUT = (
    "As for {}, a careful look at the details comes before anything else.",
    "People who know {} well would begin with a simple case.",
    "The part about {} is easier than it seems at first.",
    "It helps to write down what {} means here before going on.",
    "Many mistakes with {} come from haste, so take your time.",
    "Once {} is settled, everything behind it follows in small steps.",
    "A good example of {} says more than a long definition.",
)


def said(kind: str, text: str, about: str | None = None) -> str:
    """A sentence of a kind (`follow`, `ask`, `write`, `persona`, `wonder`, `more`) in the language of a text.

    about: its subject; None: a word of the text.
    """
    language = language_of(text)
    return _SAY[language][kind].format(about or subject(text))


def subject(text: str) -> str:
    """What a text is about, in a word of its own; of a run of Chinese a few characters."""
    run = _CJK_RUN.search(text)
    if run is not None:
        return run.group()[:6]
    words = [word for word in _WORD.findall(PROTECTED.sub(" ", text)[:600]) if len(word) <= _LONGEST_SUBJECT]
    return max(words, key=len, default="this")


_CJK_RUN = lazily(r"[\u3040-\u30ff\u3400-\u9fff]{2,}")
_LONGEST_SUBJECT = 24


def feedback(text: str) -> str:
    """A short remark in the language of `text`."""
    return f"{_SAY[language_of(text)]['feedback']} {MARK}"


def translated(text: str, language: str) -> str:
    """Words of `language` in place of the words of `text`, protected pieces kept. It means nothing and says so."""
    words = _LANGUAGE_WORDS.get(language[:2].lower(), _LANGUAGE_WORDS["en"])
    spaced = language[:2].lower() not in _UNSPACED
    return marked(_piecewise(text, lambda piece: _pseudo(piece, words, spaced)))


def _pseudo(piece: str, words: tuple[str, ...], spaced: bool) -> str:
    """Made-up words for the words of one piece; line breaks stay where they are, roughly."""
    lines = piece.split("\n")
    return "\n".join(_pseudo_line(line, words, spaced) for line in lines)


def _pseudo_line(line: str, words: tuple[str, ...], spaced: bool) -> str:
    out = [words[_number(f"{unit}{number // 5}") % len(words)] for number, unit in enumerate(_units(line))]
    if not out:
        return line
    bare = line.strip()
    head, tail = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    stop = "" if bare[-1].isalnum() else bare[-1]
    return head + (" " if spaced else "").join(out) + (stop if spaced else stop.translate(_ASIAN_MARKS)) + tail


def _units(line: str) -> list[str]:
    """The words of a line that count; of a run of Chinese, which has no spaces, two characters each."""
    units: list[str] = []
    for word in _WORD.findall(line):
        if _CJK.match(word):
            units += [word[at : at + 2] for at in range(0, len(word), 2)]
        elif word.lower() not in _LEFT_OUT:
            units.append(word.lower())
    return units


def _synonyms(piece: str, salt: str) -> str:
    def english(match: re.Match[str]) -> str:
        word = match.group()
        other = _EN.get(word.lower())
        if other is None or _number(salt + word.lower()) % 4 == 0:
            return word
        return other.capitalize() if word[0].isupper() else other

    return _ZH_ANY.sub(lambda match: _ZH[match.group()], _WORD.sub(english, piece))


def _piecewise(text: str, change: Callable[[str], str]) -> str:
    out: list[str] = []
    at = 0
    for kept in PROTECTED.finditer(text):
        out += [change(text[at : kept.start()]), kept.group()]
        at = kept.end()
    out.append(change(text[at:]))
    return "".join(out)


_STOP = lazily(r"(?<=[\w)\]\"'])([.!?](?=\s)|[\u3002\uff01\uff1f\u061f\u0964])")


def _first_sentence(text: str) -> tuple[str, str, str]:
    if PROTECTED.search(text) and "\n" in text:
        return text, "", ""  # order may matter to code and formulas
    match = _STOP.search(text)
    return (text, "", "") if match is None else (text[: match.start()], match.group(), text[match.end() :])


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")
