"""What crawls and mergers do to a row without making another row of it, one function a kind.

Each takes the texts of a row as (side, text) and a random source and returns them changed, or None where the row has
nothing that this kind could change. Sides: 0 question, 1 answer.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable, Mapping, Sequence

Texts = list[tuple[int, str]]
Noise = Callable[[Texts, random.Random], Texts | None]

_EDITED_FROM = 400  # characters; of Chinese and Japanese as many
_WORDS = "harbour gentle window carefully bright simple market garden silver quickly travel paper story kind".split()
_CHARACTERS = "的一山水花木石田云风光明安定和平文化学生工作"
_TYPED = 4  # letters of a word in which letters are exchanged or lost
_CJK = re.compile(r"[\u3400-\u9fff\u3040-\u30ff]")


def _each(change: Callable[[str], str]) -> Noise:
    def noisy(texts: Texts, chance: random.Random) -> Texts | None:
        changed = [(side, change(text)) for side, text in texts]
        return changed if changed != texts else None

    return noisy


def _cased(upper: bool) -> Noise:
    """Another case, in prose only: code and single words keep theirs."""

    def change(text: str) -> str:
        if len(text.split()) < 2 or re.search(r"[{}=<>;\\`]|\w\(|\n[ \t]", text):
            return text
        return text.upper() if upper else text.lower()

    return _each(change)


def _blanks(texts: Texts, chance: random.Random) -> Texts | None:
    def change(text: str) -> str:
        if "```" in text or re.search(r"\n[ \t]", text):
            return text + "  \n"
        return re.sub(" ", lambda _: chance.choice((" ", " ", "  ", "\u00a0")), text) + chance.choice(
            ("\n", "  ", " \n")
        )

    return [(side, change(text)) for side, text in texts]


def _wrapped(text: str) -> str:
    """Hard line ends in prose, as mail and terminals make them."""
    if "\n" in text or len(text.split()) < 16 or re.search(r"[{}=<>;\\`]", text):
        return text
    words, lines = text.split(" "), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 60:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def _quotes(text: str) -> str:
    if "```" in text or re.search(r"[{}=;\\]", text):
        return text
    text = re.sub(r'"([^"\n]*)"', "“\\1”", text)
    return re.sub(r"(\w)'(\w)", "\\1’\\2", text)


def _punctuation(text: str) -> str:
    if re.search(r"[{}=<>;\\`]|\w\(", text):
        return text
    return re.sub(r"[.!。！]\s*$", "", re.sub(r", ", " ", text, count=1))


def _bold(texts: Texts, chance: random.Random) -> Texts | None:
    def change(text: str) -> str:
        words = [match for match in re.finditer(r"(?<![\w*`_])[^\W\d_]{4,}(?![\w*`_(])", text)]
        if not words or "```" in text:
            return text
        word = chance.choice(words)
        return f"{text[: word.start()]}**{word[0]}**{text[word.end() :]}"

    changed = [(side, change(text)) for side, text in texts]
    return changed if changed != texts else None


def _heading(text: str) -> str:
    return f"## {text}" if text[:1].isalpha() else text


def _bullets(text: str) -> str:
    lines = text.split("\n")
    if len(lines) < 2 or "```" in text or not all(line[:1].isalpha() for line in lines if line):
        return text
    return "\n".join(f"- {line}" if line else line for line in lines)


def _entities(text: str) -> str:
    changed = html.escape(text)
    return changed.replace(" ", "&nbsp;", 1) if changed == text else changed


def _tags(text: str) -> str:
    if "<" in text or "```" in text or not text.strip():
        return text
    return "<p>" + text.replace("\n\n", "</p>\n\n<p>") + "</p>"


def _greeted(texts: Texts, chance: random.Random) -> Texts | None:
    places = [number for number, (side, _) in enumerate(texts) if side == 0]
    if not places:
        return None
    changed, last = list(texts), places[-1]
    text = texts[last][1]
    hello = (
        chance.choice(("你好，", "您好！", "大家好，"))
        if _CJK.search(text)
        else chance.choice(("Hello! ", "Hi there, ", "Hi,\n\n", "Good morning! ", "Hey, "))
    )
    changed[last] = (0, hello + text)
    return changed


def _signed(texts: Texts, chance: random.Random) -> Texts | None:
    side, text = texts[-1]
    if _CJK.search(text):
        line = chance.choice(("希望对你有帮助！", "谢谢！", "如果还有其他问题，欢迎随时提问。"))
        line = line if text.rstrip()[-1:] in "。！？" else "\n" + line
    else:
        line = chance.choice(
            ("Hope this helps!", "Thanks!", "Let me know if you have any other questions.", "Best regards,\nThe team")
        )
        line = (" " if text.rstrip()[-1:] in ".!?" and not line.startswith("Best") else "\n\n") + line
    return [*texts[:-1], (side, text.rstrip() + line)]


def _full_width(text: str) -> str:
    if not _CJK.search(text) or "```" in text:
        return text
    return text.translate(str.maketrans("，：！？（）,:!?()", ",:!?()，：！？（）"))


def _cut(texts: Texts, chance: random.Random) -> Texts | None:
    side, text = texts[-1]
    if side != 1 or len(text) < _EDITED_FROM:
        return None
    return [*texts[:-1], (side, text[: int(len(text) * chance.uniform(0.85, 0.97))])]


def _left_out(word: str, chance: random.Random) -> str:
    return ""


def _put_in(word: str, chance: random.Random) -> str:
    if _CJK.search(word):
        return word + chance.choice(_CHARACTERS)
    return f"{word} {chance.choice(_WORDS)}"


def _doubled(word: str, chance: random.Random) -> str:
    return word + word if _CJK.search(word) else f"{word} {word}"


def _mistyped(word: str, chance: random.Random) -> str:
    """Two letters exchanged or one lost; of Chinese a particle in place of its like."""
    if _CJK.search(word):
        return {"的": "地", "地": "的", "在": "再", "做": "作", "像": "象"}.get(word, "")
    if len(word) < _TYPED:
        return word + word[-1]
    at = chance.randrange(1, len(word) - 1)
    if chance.randrange(2):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :]


def _other(word: str, chance: random.Random) -> str:
    return chance.choice(_CHARACTERS if _CJK.search(word) else _WORDS)


def _edited(number: int, wanted: int, edits: Sequence[Callable[[str, random.Random], str]]) -> Noise:
    """Words of a long text of one side changed: never a number, a name, code or a symbol."""

    def noisy(texts: Texts, chance: random.Random) -> Texts | None:
        place = max(range(len(texts)), key=lambda at: len(texts[at][1]) * (texts[at][0] == wanted))
        side, text = texts[place]
        if side != wanted or len(text) < _EDITED_FROM or "```" in text:
            return None
        pattern = r"[\u3400-\u9fff]" if _CJK.search(text) else r"(?<![\w'’.-])[a-z]{2,}(?![\w'’(-])"
        words = list(re.finditer(pattern, text))
        if len(words) < 40:
            return None
        for word in sorted(chance.sample(words, number), key=lambda match: -match.start()):
            text = text[: word.start()] + chance.choice(edits)(word[0], chance) + text[word.end() :]
        return [*texts[:place], (side, text), *texts[place + 1 :]]

    return noisy


_SMALL = (_left_out, _put_in, _doubled, _mistyped)
FORM: Mapping[str, Noise] = {
    "upper case": _cased(True),
    "lower case": _cased(False),
    "blanks": _blanks,
    "line ends": _each(_wrapped),
    "quotes": _each(_quotes),
    "punctuation": _each(_punctuation),
    "bold": _bold,
    "heading": _each(_heading),
    "bullets": _each(_bullets),
    "entities": _each(_entities),
    "tags": _each(_tags),
    "greeting": _greeted,
    "closing": _signed,
    "width": _each(_full_width),
}
EDITS: Mapping[str, Noise] = {
    "cut tail": _cut,
    "1 word left out": _edited(1, 1, (_left_out,)),
    "1 word put in": _edited(1, 1, (_put_in,)),
    "1 word doubled": _edited(1, 1, (_doubled,)),
    "1 typing error": _edited(1, 1, (_mistyped,)),
    "2 such edits": _edited(2, 1, _SMALL),
    "3 such edits": _edited(3, 1, _SMALL),
    "1 edit of a question": _edited(1, 0, _SMALL),
    "3 edits of a question": _edited(3, 0, _SMALL),
    # by docs/duplicates.md another row, unless the word was one that only ties a sentence together
    "1 word for a random one": _edited(1, 1, (_other,)),
}


def sample(items: Sequence[int], size: int, chance: random.Random) -> list[int]:
    """Some of the items, all when there are fewer."""
    return list(items) if len(items) <= size else chance.sample(items, size)
