"""Length in tokens: by the tokenizer of the model that is trained, or by an estimate that says that it is one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

from corpus_pipeline.errors import UsageError
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule

Count = Callable[[str], int]
_BYTES_OF_TOKEN = 4  # near the truth for English, Chinese and code alike
_NEEDS = "needs corpus-pipeline[tokenizers]: pip install 'corpus-pipeline[tokenizers]'"


class TokenLength(JudgingRule):
    name = "token_length"
    summary = (
        "Finds conversations with too few or too many tokens, counted by a `tokenizer.json` or an encoding of tiktoken; "
        "without one it takes four bytes for a token, and each verdict says *about*. The template of a chat is not counted; "
        "off by default."
    )
    words = reasons = tags = ("too_few_tokens", "too_many_tokens")

    class Params(JudgingRule.Params):
        tokenizer: str | None = Field(
            None,
            description="a tokenizer.json by its path, or an encoding of tiktoken such as o200k_base; null: an estimate",
        )
        min_tokens: int = Field(1, ge=0, description="of all texts of a conversation together")
        max_tokens: int = Field(32_768, ge=1, description="of all texts of a conversation together")

    params: Params

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        if self.params.tokenizer is not None:
            counter(self.params.tokenizer)  # says what is wrong with it before any row is read

    def screen(self, view: View) -> bool:
        """No tokenizer makes more tokens than bytes, if it has all bytes; hardly one fewer than a sixteenth."""
        return len(view.data) > self.params.max_tokens or len(view.data) < 16 * self.params.min_tokens

    def fault(self, view: View) -> Fault | None:
        count = _estimated if self.params.tokenizer is None else counter(self.params.tokenizer)
        tokens = sum(count(place.text) for place in view.places())
        about = "about " if self.params.tokenizer is None else ""
        if tokens > self.params.max_tokens:
            return Fault("too_many_tokens", detail=f"{about}{tokens} > {self.params.max_tokens}")
        if tokens < self.params.min_tokens:
            return Fault("too_few_tokens", detail=f"{about}{tokens} < {self.params.min_tokens}")
        return None


def _estimated(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_OF_TOKEN)


@lru_cache(maxsize=8)
def counter(name: str) -> Count:
    """What counts the tokens of a text. Raises UsageError when the tokenizer cannot be had."""
    return _from_file(Path(name)) if name.endswith(".json") else _from_tiktoken(name)


def _from_file(path: Path) -> Count:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UsageError(f"token_length: {path} {_NEEDS}") from error
    if not path.is_file():
        raise UsageError(
            f"token_length: there is no file {path}. Name the tokenizer.json of the model that is trained."
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise UsageError(f"token_length: {path} is no tokenizer.json: {error}") from error
    return lambda text: len(tokenizer.encode(_encodable(text), add_special_tokens=False).ids)


def _from_tiktoken(name: str) -> Count:
    try:
        import tiktoken
    except ImportError as error:
        raise UsageError(f"token_length: {name} {_NEEDS}") from error
    try:
        encoding = tiktoken.get_encoding(name)
    except Exception as error:  # an unknown name, or a vocabulary that could not be fetched
        raise UsageError(f"token_length: tiktoken has no encoding {name} here: {error}") from error
    return lambda text: len(encoding.encode_ordinary(_encodable(text)))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
