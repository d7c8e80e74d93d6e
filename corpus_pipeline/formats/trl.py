"""TRL (Transformer Reinforcement Learning): prompt, prompt + completion, preference and unpaired preference.

Source: its "Dataset formats" page. Each type is found with texts ("standard") and with lists of messages
("conversational"); language modelling is `text` or `messages`. `arguments` of a call is an object; a tool message is
`{"role", "name", "content"}`.
"""

from __future__ import annotations

from corpus_pipeline.formats.base import Loss, NotExportable, Record
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect, messages_of
from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.llama_factory_openai import object_arguments
from corpus_pipeline.formats.messages import ANSWER_SIDE, PROMPT_SIDE, Message, side_of
from corpus_pipeline.formats.vocabulary import several_answers

# a record with one of these beside `prompt` holds more than a prompt
_ANSWERS = ("completion", "response", "output", "answer", "chosen", "rejected", "target", "label", "messages", "text")


class _Messages(ChatFormat):
    def evidence(self, record: Record) -> int:
        return int(any(object_arguments(message.get("tool_calls")) for message in messages_of(record)))


class _Prompt(ChatFormat):
    def evidence(self, record: Record) -> int:
        return -1 if any(key in record for key in _ANSWERS) or several_answers(record) else 1

    def suited(self, messages: list[Message], losses: set[Loss]) -> list[Message]:
        kept = list(messages)
        while kept and side_of(kept[-1].role) == ANSWER_SIDE:
            losses |= {Loss.ANSWER} if kept.pop().rejected is None else {Loss.ANSWER, Loss.REJECTED}
        return super().suited(kept, losses)


class _Implicit(ChatFormat):
    def suited(self, messages: list[Message], losses: set[Loss]) -> list[Message]:
        """With a prompt: what both answers share is taken for it."""
        if not any(side_of(message.role) == PROMPT_SIDE for message in messages):
            raise NotExportable("no_prompt", "the pair has no prompt that its answers could share")
        return super().suited(messages, losses)


class _Labelless(ChatFormat):
    def evidence(self, record: Record) -> int:
        return 1 if type(record.get("label")) is not bool else 0


TRL_MESSAGES = _Messages("trl_messages", "TRL language modelling, conversational", Dialect(), ("messages", "tools"))
TRL_PROMPT_CHAT = _Prompt(
    "trl_prompt_chat", "TRL prompt only, conversational", Dialect(lists=(("prompt",),)), ("prompt", "tools")
)
TRL_PROMPT_CHAT.loses |= {Loss.ANSWER}
TRL_COMPLETION_CHAT = _Labelless(
    "trl_prompt_completion_chat",
    "TRL prompt and completion, conversational",
    Dialect(lists=(("prompt",), ("completion",))),
    ("prompt", "completion", "tools"),
)
TRL_LABEL_CHAT = ChatFormat(
    "trl_label_chat",
    "TRL unpaired preference, conversational",
    Dialect(lists=(("prompt",), ("completion",)), label="label"),
    ("prompt", "completion", "label", "tools"),
)
TRL_PREFERENCE_CHAT = ChatFormat(
    "trl_preference_chat",
    "TRL preference, conversational",
    Dialect(lists=(("prompt",), ("chosen",)), rejected=("rejected",)),
    ("prompt", "chosen", "rejected", "tools"),
)
TRL_IMPLICIT_CHAT = _Implicit(
    "trl_implicit_preference_chat",
    "TRL preference with the prompt inside both answers, conversational",
    Dialect(lists=(("chosen",),), rejected=("rejected",)),
    ("chosen", "rejected", "tools"),
)


class _PromptText(FlatFormat):
    def evidence(self, record: Record) -> int:
        return -1 if several_answers(record) else super().evidence(record)


TRL_PROMPT = _PromptText(
    "trl_prompt",
    "TRL prompt only",
    Columns(prompt="prompt"),
    foreign=_ANSWERS,
    joins=True,
    entry={"formatting": "alpaca", "columns": {"prompt": "prompt"}},
)
TRL_COMPLETION = FlatFormat(
    "trl_prompt_completion",
    "TRL prompt and completion; also what ms-swift, Together and Fireworks take as pairs",
    Columns(prompt="prompt", response="completion"),
    foreign=("context", "input"),
    joins=True,
    entry={"formatting": "alpaca", "columns": {"prompt": "prompt", "response": "completion"}},
)
TRL_LABEL = FlatFormat(
    "trl_label",
    "TRL unpaired preference",
    Columns(prompt="prompt", response="completion", label="label"),
    joins=True,
    entry={"formatting": "alpaca", "columns": {"prompt": "prompt", "response": "completion", "kto_tag": "label"}},
)
TRL_PREFERENCE = FlatFormat(
    "trl_preference",
    "TRL preference",
    Columns(prompt="prompt", response="chosen", rejected="rejected"),
    joins=True,
    entry={
        "formatting": "alpaca",
        "ranking": True,
        "columns": {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"},
    },
)
TRL_IMPLICIT = FlatFormat(
    "trl_implicit_preference",
    "TRL preference with the prompt inside both answers",
    Columns(response="chosen", rejected="rejected"),
    foreign=("prompt", "instruction", "question", "conversations"),
    joins=True,
)
