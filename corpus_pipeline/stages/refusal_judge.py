"""A second judge of refusals, for wordings that no list knows: how much a short text reads like one.

Weights of short runs of characters, learnt by `scripts/refusal_weights.py` from the project's own labelled answers alone
(`labelled.jsonl`, `wordings.jsonl` in `corpus_pipeline_tests/clean/refusals`); no text of anyone else takes part.
`stages.refusals` asks it only about short answers in which the lists find nothing, and only where the question asks for no
text that may say no.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import re2

from corpus_pipeline.lazy_patterns import lazily

WEIGHTS: Final = Path(__file__).with_name("refusal_weights.bin")
BITS: Final = 18  # of a place in the table
HEAD: Final = 100  # characters that are read
RUNS: Final = (2, 5)  # characters of the shortest and the longest run
LONGEST: Final = 200  # characters of an answer about which it is asked
SHORTEST: Final = 24  # a shorter text has too few runs to tell
SHORTEST_DENSE: Final = 12  # of Chinese, Japanese, Korean
# of real ordinary answers 1 in 25,000 or fewer are above; Chinese ones reach 2.2
THRESHOLD: Final = 2.0
THRESHOLD_CHINESE: Final = 2.25

_HAN: Final = lazily(r"[\u3400-\u9fff]")
_KANA_HANGUL: Final = lazily(r"[\u3040-\u30ff\uac00-\ud7af]")
_BETWEEN: Final = lazily(r"[\s*_>#]+")
# every refusal has a word that denies, declines or says sorry; most other answers have none
_DENIES: Final = re2.compile(
    r"n['’]t|\bno|not\b|never|cannot|unable|declin|refus|rather|beyond|outside|pass\b|sorry|afraid|apolog|regret"
    r"|nich|kein|nein|leider|ablehn|bedau|verweiger|weiger|\bne |\bn['’]|\bpas\b|impossib|désol|navré|hors |abstien"
    r"|\bni |rechaz|niego|lamento|\bnon |rifiut|purtroppo|spiacen|impossíve|imposib|não|recus"
    r"|niet|geen|helaas|spijt|onmogelijk|\bnie|odm|wol|poza|przykro|не|нет|нель|отказ|увы|вне |невозмож"
    r"|不|无|無|没|沒|别|恕|拒|超出|抱歉|ません|ない|かね|控え|断|無理|なく|않|없|못|안 |안타|거절|삼가|불가|죄송|미안"
    r"|لا |لن|ليس|غير|لست|أرفض|آسف|عذر|للأسف|नहीं|इनकार|मना|असमर्थ|खेद|क्षमा|không|chẳng|từ chối|tiếc|ngoài|đừng"
    r"|m[ae]m\b|m[ae]z|m[ıiuü]yor|yok|değil|hayır|redd|üzgün|maalesef|dışında|imkânsız|kusura|ne yazık"
    r"|tidak|bukan|tak |menolak|maaf|sayang|mustahil|di luar|jangan"
    # and words for limits: only this, against that
    r"|only |wrong|against|\bnur |ausschließ|gegen|außerhalb|überst|widersp|verstö|falsch|lehne|contre|dépass|unique|seule|sort d|déclin|neutr"
    r"|contra|fuera|solo |sólo|únic|negar|fora |só |apenas|somente|oltre|esula|contro |soltanto|preferi|sbagliat|tylko|wyłącznie|jedynie"
    r"|alleen|buiten|uitsluitend|liever|wijz|verkeerd|только|лишь|рамк|против|sadece|yalnız|m[ae]y|am[ae]|suç|hanya|bertentang|nggak"
    r"|chỉ|vi phạm|vượt|trái|chưa|केवल|सिर्फ|बाहर|विरुद्ध|ठुकर|उल्लंघन|अस्वीकार|فقط|خارج|يخالف|يتعارض|أفضل|أعتذر|عفو|خطأ"
    r"|範囲|のみ|辞退|間違|만 |범위|거부|사양|불편"
)


def places(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The places in the table of all runs of characters at the beginning of a text."""
    head = f" {_BETWEEN.sub(' ', text[: HEAD + 60].lower()).strip()[:HEAD]} "
    codes = np.frombuffer(head.encode("utf-32-le", "replace"), np.uint32)
    shortest, longest = RUNS
    run, found = codes * np.uint32(2654435761), []
    for length in range(shortest, min(longest, len(codes)) + 1):
        run = (run[:-1] * np.uint32(0x01000193)) ^ (codes[length - 1 :] * np.uint32(0x85EBCA6B))
        mixed = (run ^ (run >> np.uint32(15))) * np.uint32(2654435769)
        found.append(mixed >> np.uint32(32 - BITS))
    return np.concatenate(found)


@cache
def _weights() -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]:
    """(a weight for each place, the constant) of the file: two 32-bit fractions, scale and constant, then a byte a place."""
    data = WEIGHTS.read_bytes()
    scale, constant = np.frombuffer(data[:8], "<f4")
    return np.frombuffer(data[8:], np.int8).astype(np.float32) * scale, float(constant)


def leaning(text: str) -> float:
    """How much a text reads like a refusal: log odds, about 0 where it may be either."""
    weights, constant = _weights()
    found = places(text)
    return constant + float(weights.take(found).sum()) / math.sqrt(len(found))


def may_decline(text: str) -> bool:
    """Whether the judge is asked about a text: it is short, and has a word that denies or declines."""
    shortest = SHORTEST_DENSE if _HAN.search(text) or _KANA_HANGUL.search(text) else SHORTEST
    if not shortest <= len(text) <= LONGEST or (" " not in text and text.isascii()):
        return False
    return denies(text)


def denies(text: str) -> bool:
    """Whether the beginning of a text has a word that denies, declines or limits."""
    return _DENIES.search(text[:HEAD].lower().encode("utf-8", "replace")) is not None


def declines(text: str) -> bool:
    """Whether a text about which it may be asked (see `may_decline`) reads like a refusal beyond doubt."""
    is_chinese = _HAN.search(text) is not None and _KANA_HANGUL.search(text) is None
    return leaning(text) > (THRESHOLD_CHINESE if is_chinese else THRESHOLD)
