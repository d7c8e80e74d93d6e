"""Records whose texts lie under keys of their own, whatever these are called: a question with what belongs to it, and an
answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corpus_pipeline.formats.any_chat import add_calls
from corpus_pipeline.formats.base import Loss, wrong_shape
from corpus_pipeline.formats.choices import ranked_answers
from corpus_pipeline.formats.message_lists import Meanings, messages_at
from corpus_pipeline.formats.messages import PROMPT_SIDE, Message, side_of
from corpus_pipeline.formats.reading import Decoded, Part
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.formats.sketch import Sketch, joined_texts
from corpus_pipeline.formats.transcripts import read_transcript
from corpus_pipeline.formats.vocabulary import answer_keys, plain_name

_INSTRUCTIONS = frozenset(("instruction", "instructions", "prompt", "definition", "taskdefinition"))
_QUESTIONS = frozenset(("question", "query", "problem", "userinput", "userquery", "userquestion", "inputs"))
_LETTERS = frozenset("abcde")  # the names of choices
# a question when an answer stands beside it
_TEXTS = frozenset(("text", "content", "message", "sentence", "utterance"))


def read_flat(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> bool:
    """Take question and answer; False when there is no such pair. The answer may still come as a pair (see `add_pair`)."""
    prompt_keys = [key for key in meanings.get("prompt", ()) if type(record[key]) is str]
    if meanings.get("choices"):
        wrong_shape(
            f"what is asked stands partly in '{meanings['choices'][0]}': say in the recipe how they are put together"
        )
    letters = [key for key in record if plain_name(key) in _LETTERS]
    if len(letters) > 1:
        wrong_shape(
            f"what is asked stands partly in '{letters[0]}', '{letters[1]}': say in the recipe how they are put together"
        )
    context_keys = [key for key in meanings.get("context", ()) if key not in prompt_keys[:1]]
    if not prompt_keys:
        asked = context_keys[:1] or [key for key in record if plain_name(key) in _TEXTS and answer_keys(record)][:1]
        if not asked or type(record[asked[0]]) is not str:
            return False
        prompt_keys, context_keys = asked, context_keys[1:]
    _history(sketch, record, meanings)
    last, first = len(sketch.messages) - 1, prompt_keys[0]
    if (
        last >= 0
        and sketch.messages[last].message.role == "user"
        and sketch.messages[last].message.text == record[first]
    ):
        sketch.alias(last, [Part((first,), "text")])  # what went before ends with the question itself
        sketch.known.add(first)
        return True
    said = read_transcript(sketch, record[first], (first,), is_open=True) if not sketch.messages else None
    if said and side_of(said[-1].message.role) == PROMPT_SIDE:
        sketch.add(said, first)
        return True
    _question(sketch, record, prompt_keys, context_keys)
    return True


def _history(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> None:
    for key in meanings.get("history", ()):
        if record[key] in (None, [], ""):
            sketch.known.add(key)
            continue
        found = messages_at(sketch, record[key], (key,))
        if found:
            sketch.add(found, key)
            return


def _question(
    sketch: Sketch, record: Mapping[str, Any], prompt_keys: Sequence[str], context_keys: Sequence[str]
) -> None:
    first = prompt_keys[0]
    parts: list[tuple[Path, str]] = [((first,), record[first])]
    sketch.known.add(first)
    for key in prompt_keys[1:]:
        text = record[key]
        if text == record[first]:
            continue  # a copy: see `copies`
        is_question = plain_name(first) in _INSTRUCTIONS and plain_name(key) in _QUESTIONS
        if is_question and text and text not in record[first] and record[first] not in text:
            parts.append(((key,), text))
            sketch.known.add(key)
    for key in context_keys:
        if key in sketch.known:
            continue
        value = record[key]
        texts = _texts(value, (key,))
        if texts is not None and [text for _, text in texts] != [record[first]]:
            parts += texts
            sketch.known.add(key)
    sketch.messages.append(joined_texts("user", parts))


def _texts(value: Any, path: Path) -> list[tuple[Path, str]] | None:
    """The filled texts of a context; None when it is none."""
    if value is None:
        return []
    if type(value) is str:
        return [(path, value)] if value else []
    if type(value) is list and all(type(one) is str for one in value):
        return [((*path, at), one) for at, one in enumerate(value) if one]
    return None


def read_answer(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> bool:
    """Take the answer to a question; False when there is none."""
    if sketch.tools is not None and add_calls(sketch, record, meanings):
        _reasoning(sketch, record, meanings)
        return True
    for key in meanings.get("response", ()):
        if key in sketch.known or _is_count(key, record[key]):
            continue
        found = _answer(sketch, record[key], (key,))
        if found is not None:
            sketch.add([found], key)
            _reasoning(sketch, record, meanings)
            return True
    if "answers" in record and (found := _answer(sketch, record["answers"], ("answers",))) is not None:
        sketch.add([found], "answers")
        return True
    if ranked_answers(sketch, record, meanings):
        return True
    return add_calls(sketch, record, meanings)


def _is_count(key: str, value: Any) -> bool:
    """Whether a number says how many answers there are, as under `responses`."""
    return isinstance(value, int | float) and plain_name(key).endswith("s")


def _answer(sketch: Sketch, value: Any, path: Path) -> Decoded | None:
    if type(value) is dict:
        for key in ("text", "content", "value", "aliases"):
            if key in value and (found := _answer(sketch, value[key], (*path, key))) is not None:
                return found._replace(kept=found.kept | ({Loss.MESSAGE_KEYS} if len(value) > 1 else set()))
        return None
    if type(value) is list:
        if not value or not all(type(one) is str for one in value):
            return None
        same = all(one == value[0] for one in value)
        parts = [Part((*path, at), "text") for at in range(len(value) if same else 1)]
        return Decoded(
            Message("assistant", value[0]), tuple(parts), frozenset() if same else frozenset({Loss.OTHER_ANSWERS})
        )
    return sketch.text_of(value, path)


def _reasoning(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> None:
    for key in meanings.get("reasoning", ()):
        text = record[key]
        if key in sketch.known or type(text) is not str:
            continue
        if not text:
            sketch.known.add(key)
            continue
        answer = sketch.messages[-1]
        sketch.messages[-1] = answer._replace(
            message=answer.message._replace(reasoning=text), parts=(*answer.parts, Part((key,), "reasoning"))
        )
        sketch.known.add(key)
        return


def copies(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> None:
    """Take keys of questions and answers that repeat a text which was read as further places of it."""
    for kind, role in (("prompt", "user"), ("response", "assistant"), ("system", "system")):
        numbers = [n for n, item in enumerate(sketch.messages) if item.message.role == role and item.message.text]
        if not numbers:
            continue
        number = numbers[0] if kind != "response" else numbers[-1]
        text = sketch.messages[number].message.text
        for key in meanings.get(kind, ()):
            if key not in sketch.known and type(record[key]) is str and record[key] == text:
                sketch.alias(number, [Part((key,), "text")])
                sketch.known.add(key)
