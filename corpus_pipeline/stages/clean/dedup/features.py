"""What a text is compared by: tokens, their n-grams, and the 64-bit hash of each feature.

This module is the definition, readable and slow, one text at a time; `features_batch` computes the same hashes for many
texts at once and is proven equal to it. A feature is a string, so that any SimHash program can be given the same ones.

Tokens: letters, digits and the marks that belong to them form a word, lower-cased character by character. A character
of a script that is written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar, Tibetan) is a token of its own.
Everything else (space, punctuation, symbols, emoji) separates.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

from corpus_pipeline.lazy_patterns import lazily

MASK = (1 << 64) - 1

# kinds of characters; the values are bits, so that `kind & next kind & LETTER` says "the word goes on"
SEPARATOR, LETTER, ALONE = 0, 1, 2

# inclusive ranges of scripts without spaces between words (Unicode block names in the comments)
_ALONE_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # iteration mark, closing mark, zero of CJK Symbols
    (0x3021, 0x3029),
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana Phonetic Extensions
    (0x3400, 0x4DBF),  # CJK Extension A
    (0x4E00, 0x9FFF),  # CJK Unified Ideographs
    (0xF900, 0xFAFF),  # CJK Compatibility Ideographs
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x1B000, 0x1B16F),  # Kana Supplement and Extended
    (0x20000, 0x3FFFF),  # CJK Extensions B and later
)
_VARIATION_SELECTORS = (0xFE00, 0xFE0F)  # marks by category, but they follow emoji
FIRST_UNUSED = 0x40000  # beyond are variation selectors, tags and private use: separators

WORD_CHARACTERS = lazily(r"[\w\u4e00-\u9fcc]+")  # of PyPI simhash

# odd multipliers of the polynomial hashes, modulo 2**64 (digits of the golden ratio and of xxHash's primes)
BASE = 0x9E3779B97F4A7C15
PAIR = 0xC2B2AE3D27D4EB4F
TRIPLE = 0x165667B19E3779F9


def kind_of(code: int) -> int:
    """SEPARATOR, LETTER or ALONE for a code point."""
    if code >= FIRST_UNUSED:
        return SEPARATOR
    character = chr(code)
    if character == "_":
        return LETTER
    category = unicodedata.category(character)
    if category[0] not in "LNM" or category == "Me" or _VARIATION_SELECTORS[0] <= code <= _VARIATION_SELECTORS[1]:
        return SEPARATOR
    if any(low <= code <= high for low, high in _ALONE_RANGES):
        return ALONE
    return LETTER


def lower_code(code: int) -> int:
    """The code point of the (first) lower-case character; each character by itself, whatever stands around it."""
    return ord(chr(code).lower()[0])


def tokens(text: str) -> list[str]:
    """The tokens of a text in reading order."""
    found: list[str] = []
    for kind, characters in groupby(text, key=lambda character: kind_of(ord(character))):
        lowered = "".join(chr(lower_code(ord(character))) for character in characters)
        if kind == LETTER:
            found.append(lowered)
        elif kind == ALONE:
            found.extend(lowered)
    return found


def ngrams(items: list[str], width: int) -> list[str]:
    """Neighbouring items joined by a space, which no token contains."""
    return [" ".join(items[start : start + width]) for start in range(len(items) - width + 1)]


def word_features(text: str) -> list[str]:
    """Tokens and pairs of neighbouring tokens, each as often as it occurs."""
    items = tokens(text)
    return items + ngrams(items, 2)


def character_features(text: str, width: int = 4) -> list[str]:
    """The features of `simhash.Simhash(text)`: shingles of the lower-cased text without its non-word characters.

    A text shorter than the width is one feature, and so is the empty text: "" (see PyPI simhash 2.1.2, `_tokenize`).
    """
    content = "".join(WORD_CHARACTERS.findall(text.lower()))
    return [content[start : start + width] for start in range(max(len(content) - width + 1, 1))]


def mix(value: int) -> int:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit moves every output bit."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def token_hash(token: str) -> int:
    """64 bits of a token: a polynomial over mixed characters, mixed."""
    total, power = 0, 1
    for character in token:
        total = (total + mix(ord(character) + BASE & MASK) * power) & MASK
        power = (power * BASE) & MASK
    return mix(total)


def feature_hash(feature: bytes) -> int:
    """64 bits of one to three tokens joined by spaces; takes UTF-8 bytes, as the hash functions of PyPI simhash do."""
    hashes = [token_hash(token) for token in feature.decode("utf-8").split(" ")]
    if len(hashes) == 1:
        return hashes[0]
    if len(hashes) == 2:
        return mix((hashes[0] * PAIR + hashes[1]) & MASK)
    first, second, third = hashes
    return mix((first * TRIPLE + second * PAIR + third) & MASK)
