from __future__ import annotations

import pytest

from corpus_pipeline.stages.augment.validators.base import Pair
from corpus_pipeline.stages.augment.validators.final_answer import FinalAnswerKept, final_answer, same_answer
from corpus_pipeline.stages.augment.validators.words import BadReason


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("48 / 2 = 24\n48 + 24 = 72\n#### 72", "72"),
        ("#### 10\nwait\n#### 12", "12"),
        ("so \\boxed{\\frac{1}{2}} it is", "\\frac{1}{2}"),
        ("\\boxed{1} then \\boxed{2}", "2"),
        ("The answer is 3.5.", "3.5"),
        ("**Final answer:** 42", "42"),
        ("The correct answer is (B).", "(B)"),
        ("答案是：B", "B"),
        ("所以答案为72。", "72"),
        ("La réponse est 12.", "12"),
        ("答えは7です", "7です"),
        ("Ответ: 15", "15"),
        ("The answer is that there are many reasons for this, of which 3 matter.", None),
        ("It rains.", None),
        ("\\boxed{unclosed", None),
        ("", None),
    ],
)
def test_the_mark_of_a_final_answer_is_read(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("So 72.\n#### 72", "Altogether it is 72.\n#### 72"),
        ("#### 72", "She sold 48 and 24, so 72 clips."),
        ("#### 66", "The score for a correct answer is 48 points.\nWith the bonus that makes **66** altogether."),
        ("#### 72", "所以答案是72。"),
        ("#### 1,234", "#### 1234"),
        ("#### 10", "She earned $10.00"),
        ("#### -5", "The sum is -5"),
        ("\\boxed{\\frac{1}{2}}", "Hence \\boxed{\\dfrac12} is wrong, \\boxed{\\dfrac{1}{2}} is right"),
        ("\\boxed{x = 3}", "\\boxed{x=3}"),
        ("The answer is B.", "I think that the answer is (B)."),
        ("A", "(A) because of the second law"),
        ("Yes", "Yes, it does."),
        ("是", "是的，没错"),
        ("72", "It is 72."),
    ],
)
def test_the_same_end_in_other_words(source: str, new: str) -> None:
    assert same_answer(source, new) is True


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("#### 72", "#### 73"),
        ("#### 72", "72 was the first guess, but it is 73"),
        ("#### 66", "The answer is 66.\nNo: the answer is 48."),
        ("#### 5", "The sum is -5"),
        ("#### 72", "I do not know."),
        ("\\boxed{\\frac{1}{2}}", "\\boxed{\\frac{1}{3}}"),
        ("The answer is B.", "The answer is: C"),
        ("A", "(B) because of the second law"),
        ("Yes", "No, it does not."),
        ("72", "It is 73."),
    ],
)
def test_another_end_is_an_answer_changed(source: str, new: str) -> None:
    assert same_answer(source, new) is False
    fault = FinalAnswerKept(("response",)).judge(Pair("response", source, new))
    assert fault is not None
    assert fault.reason == BadReason.ANSWER_CHANGED


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("A poem about spring, in four lines and without a rhyme.", "Another poem."),
        ("World politics", "Sports"),
        ("Answer: Paris", "答案：巴黎"),
        ("", "anything"),
    ],
)
def test_what_has_no_end_to_compare_is_not_judged(source: str, new: str) -> None:
    assert same_answer(source, new) is None
