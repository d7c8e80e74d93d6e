"""The frozen records that flow through every stage. They import nothing of the package but its words.

A conversation is a tuple of turns. Any list of chat messages is packed into turns greedily and without loss: a turn is
at most one system message, at most one prompt-side message and at most one answer, in this order (see
`corpus_pipeline.formats.messages`). A second prompt in a row, or a tool result, opens a new turn, so that every text
lies in a field of its own, where rules and people can see it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, NewType

from corpus_pipeline.states import DuplicateKind, RejectReason, RowState

FileId = NewType("FileId", int)
TaskId = NewType("TaskId", int)
ConversationId = NewType("ConversationId", int)
NanoDollars = NewType("NanoDollars", int)

# A conversation's id is its file and its row: file_id * 2**32 + row_identifier. Ids are therefore known before the insert,
# ordered by (file, row), the same in every run, and a file's rows are one range of the primary key.
ROW_BITS = 32
MAX_ROW = (1 << ROW_BITS) - 1


def conversation_id(file_id: FileId, row_identifier: int) -> ConversationId:
    """The id of row `row_identifier` (1..2**32-1) of a dataset file."""
    if not 0 < row_identifier <= MAX_ROW:
        raise ValueError(f"row_identifier {row_identifier} is outside 1..{MAX_ROW}")
    return ConversationId((file_id << ROW_BITS) | row_identifier)


def id_range(file_id: FileId) -> tuple[ConversationId, ConversationId]:
    """The half-open range (after, up to and including) of the ids of a file: ids lie in (first, last]."""
    return ConversationId(file_id << ROW_BITS), ConversationId((file_id << ROW_BITS) | MAX_ROW)


def split_id(identifier: int) -> tuple[FileId, int]:
    """(file_id, row_identifier) of a conversation id."""
    return FileId(identifier >> ROW_BITS), identifier & MAX_ROW


# the text fields of a turn, in the order in which they are read; rules look at all of them
TEXT_FIELDS = ("system", "prompt", "reasoning", "response", "rejected")


class Turn(NamedTuple):
    """One exchange. `None` is "there is no such message"; "" is an empty one.

    extra: what the messages of this turn carry beside text, None when nothing; known keys:
      system_role ("developer"), prompt_role ("tool", ...; "user" is left out), response_role, tool_calls (list, as read),
      tool_call_id, system_name, prompt_name, response_name, refusal, label (of a preference), rejected_messages (a losing
      answer of several messages), bare (an assistant message without text). JSON-able.
    """

    system: str | None = None
    prompt: str | None = None
    reasoning: str | None = None
    response: str | None = None
    rejected: str | None = None  # the answer that lost, in preference data
    weight: float | None = None  # 0 or 1: whether the response is trained on; None is not said
    extra: dict[str, Any] | None = None

    def texts(self) -> list[tuple[str, str]]:
        """(field, text) of every text that is there, in `TEXT_FIELDS` order."""
        texts = (self.system, self.prompt, self.reasoning, self.response, self.rejected)
        return [(name, text) for name, text in zip(TEXT_FIELDS, texts, strict=True) if text is not None]


class Conversation(NamedTuple):
    """One sample of a dataset file.

    shape: JSON text from which the record comes back key for key in the format it came in: `{"record": ..., "slots":
      [[path, turn, field], ...], "extra": [top-level keys the format does not know]}`; the texts at the slots are taken from
      the turns (see `corpus_pipeline.formats.shape`).
    tools: JSON text of the tool definitions, None when there are none.
    values: by task, the fields that it made of this row, for a task that reads them; None: nothing was looked up.
    """

    row_identifier: int
    turns: tuple[Turn, ...]
    shape: str
    tools: str | None = None
    source_line: int = 0  # physical line, 1-based
    source_offset: int = 0  # bytes from the start of the (decompressed) file
    source_bytes: int = 0  # length of the record without its line end
    values: dict[str, dict[str, Any]] | None = None


class Reject(NamedTuple):
    """A line (or array element) that became no conversation; `raw` is cut to the first 64 KiB."""

    row_identifier: int
    source_line: int
    source_offset: int
    source_bytes: int
    reason: RejectReason
    detail: str
    raw: bytes


class Change(NamedTuple):
    """What one rule did to one field: `count` places changed; for a drop, `field` may be "" and `detail` says why."""

    rule: str
    version: int
    turn: int  # 1-based; 0 is the whole conversation
    field: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which no one calls on a change
    detail: str = ""


def changing_rules(changes: Iterable[Change]) -> list[str]:
    """The names of the rules that changed something in a row, in their order; one that only dropped it has counted no place."""
    return list(dict.fromkeys(change.rule for change in changes if change.count))


class Tag(NamedTuple):
    """What a rule found in a row that it left as it was; `turn` is 1-based, 0 is the whole conversation."""

    word: str
    rule: str
    turn: int = 0
    field: str = ""


class Cleaned(NamedTuple):
    """The verdict of the rule pass on one conversation.

    turns: the cleaned turns when any rule changed them, else None (the raw turns hold).
    content_hash: sha256 (32 bytes) of the normalized content.
    fingerprint: 64-bit SimHash, None when the row has no token.
    frame: all that counts of the content but the wording of its texts (`clean.normalize.frame_of`).
    tools, shape: as they go out when a rule changed them, else None.
    """

    conversation_id: ConversationId
    state: RowState
    reason: str | None
    changes: tuple[Change, ...]
    turns: tuple[Turn, ...] | None
    content_hash: bytes
    fingerprint: int | None
    characters: int
    language: str | None = None
    tags: tuple[Tag, ...] = ()
    tools: str | None = None
    shape: str | None = None
    frame: bytes = b""


class Duplicate(NamedTuple):
    """`conversation_id` repeats the lower row `duplicate_of`; `distance` is in bits of the fingerprint, 0 when exact."""

    conversation_id: ConversationId
    duplicate_of: ConversationId
    kind: DuplicateKind
    distance: int


class Usage(NamedTuple):
    """Tokens of one call as the provider counted them; `estimated` when it did not say."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0  # part of input_tokens
    reasoning_tokens: int = 0  # part of output_tokens
    estimated: bool = False
    cache_write_tokens: int = 0  # part of input_tokens
    remark: str | None = None  # where numbers of the provider disagree; the larger ones are counted


class Answer(NamedTuple):
    """One model answer, as it arrived."""

    text: str
    finish_reason: str
    model: str
    usage: Usage
    refusal: str | None = None
    reasoning: str | None = None
    provider_request_id: str | None = None
    service_tier: str | None = None  # as the provider says it
    response_id: str | None = None  # of the body, which usage exports may name


class CallOptions(NamedTuple):
    """How a request is put to its endpoint, as a recipe says it; None: as the endpoint's settings say, or what was learnt.

    output_limit: max_completion_tokens, max_tokens or both. system: role, developer or first_user. extra_body: further
    keys of the body. headers: further headers.
    """

    output_limit: str | None = None
    system: str | None = None
    stream: bool | None = None
    service_tier: str | None = None
    reasoning_effort: str | None = None
    extra_body: dict[str, Any] | None = None
    headers: dict[str, str] | None = None

    def said(self) -> dict[str, Any]:
        """The options that are set."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def over(self, defaults: CallOptions) -> CallOptions:
        """These options, and for those that are not set the `defaults`; bodies and headers are merged."""
        merged = defaults.said() | self.said()
        for name in ("extra_body", "headers"):
            both = (getattr(defaults, name) or {}) | (getattr(self, name) or {})
            if both:
                merged[name] = both
        return CallOptions(**merged)


class Medium(NamedTuple):
    """A picture, sound, film or file that goes with a request: its bytes in base64, or an address that is passed on.

    kind: image, audio, video or file. mime: None where only an address is known. size: of the bytes. sha256: hex, of the
    bytes or of the address.
    """

    kind: str
    mime: str | None
    sha256: str
    data: str | None = None
    url: str | None = None
    size: int = 0

    def described(self) -> dict[str, Any]:
        """What it is, without its bytes."""
        said = {"kind": self.kind, "mime": self.mime, "sha256": self.sha256, "url": self.url, "bytes": self.size}
        return {name: value for name, value in said.items() if value}


class Request(NamedTuple):
    """What is asked of a model: OpenAI chat messages and the parameters that shape the answer.

    media: what stands before the text of the last user message.
    """

    model: str
    messages: tuple[dict[str, str], ...]
    max_output_tokens: int
    temperature: float | None = None
    response_schema: dict[str, Any] | None = None  # JSON schema when a structured answer is wanted
    seed: int | None = None
    options: CallOptions = CallOptions()
    media: tuple[Medium, ...] = ()


class AugmentedRow(NamedTuple):
    """What a strategy made from `parent_id`, which is never touched: a new row, or values beside the parent (no turns).

    values: the fields of the answer, where the strategy has any. tag: a word to tag the parent with, from `tag_field`.
    """

    parent_id: ConversationId
    strategy: str
    sample_index: int
    turns: tuple[Turn, ...]
    values: dict[str, Any] | None = None
    tag: str | None = None
    tag_field: str | None = None
