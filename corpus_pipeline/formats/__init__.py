"""Training-data conventions: one file each, reading and writing. `FORMATS` is also the order of detection.

To add one: write `formats/<name>.py` with an instance of `Format`, add it below, and give the tests a generator of
examples.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpus_pipeline import plugins
from corpus_pipeline.errors import UnknownName
from corpus_pipeline.formats import detection, jsontext
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.alpaca import ALPACA, ALPACA_KTO, ALPACA_PREFERENCE
from corpus_pipeline.formats.axolotl import AXOLOTL
from corpus_pipeline.formats.base import Format, Loss, NotExportable, Parsed, Record, Written, require_media_keys
from corpus_pipeline.formats.content_parts import CONTENT_PARTS
from corpus_pipeline.formats.detection import Detection
from corpus_pipeline.formats.empty import EMPTY
from corpus_pipeline.formats.general import GENERAL
from corpus_pipeline.formats.grpo import SWIFT_GRPO, TRL_GRPO, TRL_GRPO_CHAT
from corpus_pipeline.formats.llama_factory_openai import LLAMA_FACTORY_OPENAI
from corpus_pipeline.formats.mapped import FIELDS, MAPPED, mapped
from corpus_pipeline.formats.openai import OPENAI_DPO, OPENAI_SFT
from corpus_pipeline.formats.question_answer import (
    INSTRUCTION_RESPONSE,
    PROMPT_RESPONSE,
    QUERY_RESPONSE,
    QUESTION_ANSWER,
)
from corpus_pipeline.formats.reasoning_content import REASONING_CONTENT
from corpus_pipeline.formats.sharegpt import SHAREGPT, SHAREGPT_KTO, SHAREGPT_PREFERENCE
from corpus_pipeline.formats.text import TEXT
from corpus_pipeline.formats.trl import (
    TRL_COMPLETION,
    TRL_COMPLETION_CHAT,
    TRL_IMPLICIT,
    TRL_IMPLICIT_CHAT,
    TRL_LABEL,
    TRL_LABEL_CHAT,
    TRL_MESSAGES,
    TRL_PREFERENCE,
    TRL_PREFERENCE_CHAT,
    TRL_PROMPT,
    TRL_PROMPT_CHAT,
)
from corpus_pipeline.model import Conversation

__all__ = [
    "EMPTY",
    "FIELDS",
    "FORMATS",
    "GENERAL",
    "MAPPED",
    "Detection",
    "Format",
    "Loss",
    "NotExportable",
    "Parsed",
    "Record",
    "Written",
    "by_name",
    "detect",
    "export_line",
    "look_at",
    "mapped",
    "of_plugins",
    "target_by_name",
]

# what says more stands before what says less: of formats that understand equally much the first is taken
FORMATS: tuple[Format, ...] = (
    OPENAI_DPO,
    SHAREGPT_PREFERENCE,
    SHAREGPT_KTO,
    SHAREGPT,
    CONTENT_PARTS,
    AXOLOTL,
    REASONING_CONTENT,
    LLAMA_FACTORY_OPENAI,
    TRL_MESSAGES,
    OPENAI_SFT,
    SWIFT_GRPO,
    TRL_PREFERENCE_CHAT,
    TRL_IMPLICIT_CHAT,
    TRL_LABEL_CHAT,
    TRL_COMPLETION_CHAT,
    TRL_GRPO_CHAT,
    TRL_PROMPT_CHAT,
    ALPACA_PREFERENCE,
    ALPACA_KTO,
    ALPACA,
    TRL_PREFERENCE,
    TRL_IMPLICIT,
    TRL_LABEL,
    TRL_COMPLETION,
    TRL_GRPO,
    QUESTION_ANSWER,
    PROMPT_RESPONSE,
    QUERY_RESPONSE,
    INSTRUCTION_RESPONSE,
    TRL_PROMPT,
    TEXT,
)

# EMPTY is no choice of detection, and the general reader comes behind the formats that a tool names
_BY_NAME = {format.name: format for format in (*FORMATS, *GENERAL, EMPTY)}


def by_name(name: str) -> Format:
    """The format of this name, built in or of a plugin. Raises UnknownName that lists the known ones."""
    return plugins.named(plugins.Group.FORMATS, Format, _BY_NAME, name)


def of_plugins() -> dict[str, Format]:
    """The formats that other packages add."""
    return plugins.usable(plugins.Group.FORMATS, Format, _BY_NAME)


def target_by_name(name: str) -> Format:
    """The format of this name that an export may be written in. Raises UnknownName that lists the known ones."""
    known = {format.name: format for format in FORMATS} | of_plugins()
    if name not in known:
        raise UnknownName("export format", name, known)
    return known[name]


def look_at(records: Sequence[Record]) -> Detection:
    """What a sample of records is, with the formats of plugins behind the built-in ones: see `detection`."""
    return detection.look_at(records, (*FORMATS, *of_plugins().values()))


def detect(records: Sequence[Record]) -> Format | None:
    """The format of a sample of records; None: the recipe must name the columns."""
    best = look_at(records).best
    return None if best is None else best.format


def export_line(
    conversation: Conversation, source: Format, target: Format, *, checked: bool = False
) -> tuple[bytes, tuple[str, ...]]:
    """One line (compact UTF-8 JSON without line end) of a conversation read as `source`, and what it loses as `target`.

    In its own format the record comes back key for key while its turns fit its shape, and is written again when a step
    dropped, added or moved turns. checked: also then only as the target's tool reads it. Raises NotExportable.
    """
    checked = checked or not _is_same(source, target)
    if checked:
        target.require_usable(conversation)
        require_media_keys(conversation, target.media)
    if _is_same(source, target) and (not checked or target.fits_as_it_is(conversation)):
        line = shapes.render_line(conversation)
        if line is not None:
            return line, ()
    record, losses = target.write(conversation)
    return jsontext.encode(record), losses


def _is_same(source: Format, target: Format) -> bool:
    return source is target or source.name == target.name != MAPPED
