"""Texts for eyes: hostile characters made visible, words compared, numbers and times in few characters."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup, escape
from rapidfuzz.distance import Indel

from corpus_pipeline.model import TEXT_FIELDS

SHORT = 280
LONG = 20_000  # characters of one text on a page; the JSON has it whole

# what cannot be seen, or what makes a text look like another one: controls but tab and line feed, direction marks,
# zero-width characters, lone line separators, tags, noncharacters
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_JOINERS = "\u200c\u200d"  # needed inside words of Persian, Indic scripts and emoji
_NAMES = {"\x00": "NUL", "\r": "CR", "\x1b": "ESC", "\u200b": "ZWSP", "\ufeff": "BOM", "\u00ad": "SHY"} | {
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
}


def visible(text: object, most: int = LONG) -> Markup:
    """A text as HTML: escaped, with hidden characters shown by name, cut after `most` characters."""
    text = str(text)
    shown = _marked(text[:most])
    if len(text) <= most:
        return shown
    return shown + Markup('<span class="cut" title="cut here; the JSON twin has it whole">… {} more</span>').format(
        f"{len(text) - most:,}"
    )


def with_evidence(text: object, evidence: Sequence[str], most: int = LONG) -> Markup:
    """`visible`, with the passages that speak against a text marked, also where JSON has them escaped."""
    text = str(text)
    if len(text) > most:
        return visible(text, most)
    written = {form for said in evidence if said for form in (said, *_in_json(said))}
    wanted = sorted(written, key=len)
    if not wanted:
        return visible(text, most)
    parts, at = [], 0
    for match in re.finditer("|".join(re.escape(passage) for passage in reversed(wanted)), text):
        parts += [_marked(text[at : match.start()]), Markup("<mark>{}</mark>").format(_marked(match.group()))]
        at = match.end()
    return Markup("").join([*parts, _marked(text[at:])])


def _in_json(text: str) -> tuple[str, str]:
    """A text as it stands within JSON, escaped by two customs."""
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _marked(text: str) -> Markup:
    parts, at = [], 0
    for match in _HIDDEN.finditer(text):
        letter = match.group()
        if letter in _JOINERS:
            continue
        parts += [_breakable(text[at : match.start()]), _named(letter)]
        at = match.end()
    parts.append(_breakable(text[at:]))
    return Markup("").join(parts)


@cache
def _named(letter: str) -> Markup:
    code = f"U+{ord(letter):04X}"
    title = f"{code} {unicodedata.name(letter, '')}".strip()
    return Markup('<span class="ctl" title="{}">{}</span>').format(title, _NAMES.get(letter, code))


_UNBROKEN = re.compile(r"\S{120}(?=\S)")


def _breakable(text: str) -> Markup:
    """Escaped, with places to break in what has none: browsers take minutes to wrap a word of some ten thousand letters."""
    if not text:
        return Markup()
    parts, at = [], 0
    for match in _UNBROKEN.finditer(text):
        parts += [escape(text[at : match.end()]), Markup("<wbr>")]
        at = match.end()
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def excerpt(text: str | None, search: str | None = None, most: int = SHORT) -> Markup:
    """One line of a text, around the first place where `search` is found, which is marked."""
    flat = " ".join((text or "").split())
    at = flat.casefold().find(search.casefold()) if search else -1
    if not search or at < 0 or len(flat.casefold()) != len(flat):
        return _marked(flat[:most]) + ("…" if len(flat) > most else "")
    begin = max(0, at - most // 3)
    end = begin + most
    found = Markup("<mark>{}</mark>").format(_marked(flat[at : at + len(search)]))
    before, behind = _marked(flat[begin:at]), _marked(flat[at + len(search) : max(end, at + len(search))])
    return Markup("").join(("…" if begin else "", before, found, behind, "…" if end < len(flat) else ""))


def elsewhere(turns: Sequence[Mapping[str, object]], search: str | None) -> str | None:
    """The first text of a row that has `search`, when its first prompt and its first response do not."""
    texts = [(field, turn[field]) for turn in turns for field in TEXT_FIELDS if isinstance(turn.get(field), str)]
    wanted = (search or "").casefold()
    found = [(field, text) for field, text in texts if wanted and wanted in " ".join(str(text).split()).casefold()]
    first = dict(reversed(texts))
    if not found or any(first[field] is text for field, text in found if field in ("prompt", "response")):
        return None
    return str(found[0][1])


class Piece(NamedTuple):
    """A stretch of a comparison: `kind` is same, gone or new."""

    kind: str
    text: str


# a character each where words are not spaced: Han, kana, hangul, Thai, Lao, Khmer, Burmese
_TOKEN = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003ffff]|[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+|[ \t]+|\s|.",
    re.DOTALL,
)
_MOST_TOKENS = 3_000  # of what differs; beyond it lines are compared instead of words


def difference(before: str, after: str) -> list[Piece]:
    """What was taken out of a text and what was put in, by words, or by characters where words are not spaced."""
    if before == after:
        return [Piece("same", before)] if before else []
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(old_middle), len(new_middle)) > _MOST_TOKENS:
        old_middle = "".join(old_middle).splitlines(keepends=True)
        new_middle = "".join(new_middle).splitlines(keepends=True)
    pieces = [Piece("same", "".join(old[:head]))]
    if max(len(old_middle), len(new_middle)) > _MOST_TOKENS:
        pieces += [Piece("gone", "".join(old_middle)), Piece("new", "".join(new_middle))]
    else:
        pieces += _by_tokens(old_middle, new_middle)
    pieces.append(Piece("same", "".join(old[len(old) - tail :])))
    return [piece for piece in pieces if piece.text]


def _by_tokens(old: list[str], new: list[str]) -> list[Piece]:
    """The pieces of two lists of tokens. In C and in bounded time: difflib takes minutes for a few thousand equal ones."""
    pieces: list[Piece] = []
    gone, put = "", ""
    for op in Indel.opcodes(old, new):
        before, after = "".join(old[op.src_start : op.src_end]), "".join(new[op.dest_start : op.dest_end])
        if op.tag == "equal":
            pieces += [Piece("gone", gone), Piece("new", put), Piece("same", before)]
            gone, put = "", ""
        else:
            gone, put = gone + before, put + after
    return [*pieces, Piece("gone", gone), Piece("new", put)]


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _dagster_url() -> str | None:
    """Dagster's address, where it is known (CORPUS_DAGSTER_URL; `corpus ui` knows its own)."""
    base = os.environ.get("CORPUS_DAGSTER_URL", "").rstrip("/")
    return base if base.startswith(("http://", "https://")) else None


def run_link(run_id: str) -> Markup:
    """A Dagster run, as a link where Dagster's address is known."""
    base = _dagster_url()
    if base is None:
        return Markup("<code>{}</code>").format(run_id)
    return Markup('<a href="{}/runs/{}"><code>{}</code></a>').format(base, quote(run_id, safe=""), run_id)


def runs_link(name: str) -> Markup:
    """The list of all Dagster runs of a dataset file, as a link; nothing where Dagster's address is not known."""
    base = _dagster_url()
    asked = quote(f"tag:dagster/partition={name}", safe="")
    return Markup('<a href="{}/runs?q[0]={}">runs in Dagster</a>').format(base, asked) if base else Markup("")


def plain(value: object) -> str:
    """A value of JSON without its brackets and quotes: lists by commas, objects as name and value."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "–" if value is None else str(value)


def counted(count: int, thing: str) -> str:
    """`1 sample`, `1,200 samples`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def words(text: object) -> str:
    """A word of ours, such as near_duplicate, as people write it."""
    return str(text).replace("_", " ")
