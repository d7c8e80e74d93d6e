from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.rules.special_tokens import SpecialTokens
from corpus_pipeline_tests.clean.rules.making import fixed, one, outcome


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("The answer.<|endoftext|>", "The answer."),
        ("The answer <|endoftext|>", "The answer "),
        ("<|im_start|>assistant\nHi<|im_end|>", "Hi"),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nHi<|eot_id|>", "\nHi"),
        ("[INST] Say hi. [/INST]", " Say hi. "),
        ("<s>Bonjour</s>", "Bonjour"),
        ("<s> [INST] <<SYS>>Be kind.<</SYS>> Go on. [/INST] </s>", "Be kind. Go on. "),
        ("<|im_<|pad|>end|>x", "x"),  # removing one token must not make another
        ("<｜end▁of▁sentence｜>好", "好"),
        ("Done.<|im_end|>\n<|im_end|>\n", "Done."),
        ("One.<|endoftext|>Two.", "One.Two."),
        ("One. <|endoftext|><|endoftext|> Two.", "One. Two."),
        ("Yes.<eos><pad><pad><pad>", "Yes."),
    ],
)
def test_removes_what_templates_and_generations_left(text: str, better: str) -> None:
    assert fixed(SpecialTokens(), text) == better


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("What does <|im_start|> do in ChatML?", "It opens a turn: <|im_start|>user begins it, <|im_end|> closes it."),
        ("Which tokens end a text?", "<|endoftext|>"),
        ("How does a Llama 2 prompt look?", "[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHello [/INST]"),
        ("What stands between the documents?", "There is <|endoftext|> between two of them."),
        ("What stands between the documents?", "It is written `<|endoftext|>`."),
        ("What is the old price?", "Was <s>10</s> and is 8."),
        ("Array syntax?", "x[INSTANCE] and <eosio> are names."),
    ],
)
def test_what_is_talked_about_stays(prompt: str, response: str) -> None:
    turns = one(prompt, response)
    assert outcome(SpecialTokens(), turns).turns == turns


def test_a_prompt_about_html_does_not_protect_a_token() -> None:
    result = outcome(SpecialTokens(), one("Write an HTML paragraph", "<p>Hello &amp; welcome</p><|endoftext|>"))
    assert result.turns[0].response == "<p>Hello &amp; welcome</p>"
    assert [change.count for change in result.changes] == [1]


def test_what_stays_is_tagged() -> None:
    result = outcome(SpecialTokens(), one("Which tokens end a text?", "It is <|endoftext|>."))
    assert [(tag.word, tag.field) for tag in result.tags] == [("special_tokens", "response")]


def test_a_million_tokens_take_linear_time() -> None:
    text = "<|pad|> " * 120_000
    assert outcome(SpecialTokens(), one(response="Yes. " + text)).turns[0].response == "Yes. "
