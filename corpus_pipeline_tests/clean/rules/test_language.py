from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.rules.language import Language, detect
from corpus_pipeline_tests.clean.rules.making import one, outcome

ENGLISH = "The children played in the garden until it was too dark to see the ball."
GERMAN = "Die Kinder spielten im Garten, bis es zu dunkel war, um den Ball zu sehen."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        ("孩子们在花园里玩耍，一直玩到天黑看不见球为止。", "zh"),
        ("子供たちは暗くなってボールが見えなくなるまで庭で遊んでいました。", "ja"),
        ("아이들은 공이 보이지 않을 만큼 어두워질 때까지 정원에서 놀았습니다.", "ko"),
        ("请用 Python 的 pandas 写一个 groupby 例子，并解释每一行代码。", "zh"),
        ("ما أفضل وقت لزراعة الزيتون؟", "ar"),
        ("كيف أصلح دراجتي القديمة؟", "ar"),
        ("Yes", None),
        ("42 = 40 + 2", None),
        ("", None),
    ],
)
def test_detects(text: str, language: str | None) -> None:
    assert detect(text) == language


def test_code_does_not_count() -> None:
    code = "```python\nfor item in items:\n    print(item.name, item.price)\n```\n" * 3
    assert detect(code + GERMAN) == "de"


def test_tags_and_drops_by_the_lists() -> None:
    english, german = one(ENGLISH, ENGLISH), one(GERMAN, GERMAN)
    assert outcome(Language(), english).language == "en"
    assert outcome(Language(allow=["en"]), english).drop_reason is None
    assert outcome(Language(allow=["en"]), german).drop_reason == "language"
    assert outcome(Language(deny=["de"]), german).detail == "de"
    assert outcome(Language(deny=["de"]), english).drop_reason is None


def test_unclear_is_kept_unless_asked() -> None:
    assert outcome(Language(allow=["en"]), one("2+2?", "4")).drop_reason is None
    assert outcome(Language(allow=["en"], drop_unclear=True), one("2+2?", "4")).drop_reason == "language_unclear"


def test_looks_at_the_fields_it_is_told() -> None:
    translation = one(ENGLISH, GERMAN)
    assert outcome(Language(allow=["de"], fields=["response"]), translation).drop_reason is None
    assert outcome(Language(allow=["de"], fields=["prompt"]), translation).drop_reason == "language"
