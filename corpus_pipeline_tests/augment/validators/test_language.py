from __future__ import annotations

import pytest

from corpus_pipeline.stages.augment.validators.base import Pair
from corpus_pipeline.stages.augment.validators.language import LANGUAGES, Language, tongue_of
from corpus_pipeline.stages.augment.validators.scripts import prose
from corpus_pipeline.stages.augment.validators.words import BadReason

TEXTS = {
    "en": "The train leaves the old station every morning at seven, and most of the people who take it work in the "
    "city on the other side of the river, where the offices are.",
    "fr": "Le train quitte la vieille gare tous les matins à sept heures, et la plupart des gens qui le prennent "
    "travaillent dans la ville de l'autre côté du fleuve, où sont les bureaux.",
    "de": "Der Zug verlässt den alten Bahnhof jeden Morgen um sieben Uhr, und die meisten Leute, die ihn nehmen, "
    "arbeiten in der Stadt auf der anderen Seite des Flusses, wo die Büros sind.",
    "es": "El tren sale de la vieja estación todas las mañanas a las siete, y la mayoría de las personas que lo toman "
    "trabajan en la ciudad al otro lado del río, donde están las oficinas.",
    "zh": "火车每天早上七点从老车站出发，乘坐它的大多数人都在河对岸的城市里工作，那里有很多办公室。",
    "ja": "列車は毎朝七時に古い駅を出発します。乗客のほとんどは川の向こう側の町で働いています。",
    "ko": "기차는 매일 아침 일곱 시에 오래된 역을 출발하며, 승객 대부분은 강 건너 도시에서 일합니다.",
    "ru": "Поезд каждое утро в семь часов уходит со старого вокзала, и "
    "большинство пассажиров работают в городе за рекой.",
    "ar": "يغادر القطار المحطة القديمة كل صباح في الساعة السابعة، ومعظم الركاب يعملون في المدينة على الضفة الأخرى.",
    "hi": "ट्रेन हर सुबह सात बजे पुराने स्टेशन से निकलती है और ज़्यादातर लोग नदी के उस पार शहर में काम करते हैं।",
    "th": "รถไฟออกจากสถานีเก่าทุกเช้าเวลาเจ็ดโมง และคนส่วนใหญ่ทำงานในเมืองอีกฝั่งของแม่น้ำ",
    "el": "Το τρένο φεύγει από τον παλιό σταθμό κάθε πρωί στις επτά και οι περισσότεροι δουλεύουν στην πόλη.",
}


def off(new: str, *, source: str = "", target: str | None = None) -> bool:
    fault = Language(("response",), target=target).judge(Pair("response", source, new))
    assert fault is None or fault.reason == BadReason.OFF_LANGUAGE
    return fault is not None


@pytest.mark.parametrize("source", TEXTS)
@pytest.mark.parametrize("new", TEXTS)
def test_every_pair_of_languages_is_told_apart(source: str, new: str) -> None:
    assert off(TEXTS[new], source=TEXTS[source]) is (source != new)
    assert off(TEXTS[new], target=source) is (source != new)


@pytest.mark.parametrize(
    "text",
    [
        "72",
        "#### 72",
        "Yes.",
        "Paris",
        "$\\int_0^1 x^2 \\, dx = \\frac{1}{3}$",
        "x = 3, y = 4",
        "```python\ndef add(first, second):\n    return first + second  # the sum of both of the numbers\n```",
        "`SELECT name FROM users WHERE id = 1`",
        "https://example.org/a/very/long/path/that/has/english/words/in/it",
        "",
    ],
)
def test_short_texts_code_and_formulas_have_no_language(text: str) -> None:
    for source in TEXTS.values():
        assert not off(text, source=source)
    for target in TEXTS:
        assert not off(text, target=target)


def test_names_and_terms_of_another_script_do_not_count() -> None:
    mixed = "GPT-4 和 Claude 的 API 都支持 JSON 输出，使用 Python 时建议安装官方的客户端库，并设置超时。"
    assert not off(mixed, source=TEXTS["zh"])
    assert not off(mixed, target="zh")
    assert off(mixed, target="en")


def test_code_with_english_names_does_not_hide_the_language_around_it() -> None:
    code = "\n```python\ndef compute_the_total_price(items, discount):\n    return sum(items) * discount\n```\n"
    assert not off(TEXTS["zh"] + code, target="zh")
    assert off(TEXTS["en"] + code, target="zh")


def test_a_lesson_in_two_languages_is_not_judged() -> None:
    lesson = TEXTS["en"][:110] + TEXTS["zh"]
    assert tongue_of(lesson).mixed
    for text in TEXTS.values():
        assert not off(text, source=lesson)
    assert not off(TEXTS["en"], source=lesson, target="zh")


def test_japanese_with_many_ideographs_is_no_chinese() -> None:
    text = "東京都庁舎は新宿区西新宿に所在する東京都の本庁舎である。"
    assert not off(text, target="ja")
    assert off(text, target="zh")


def test_every_language_has_a_name_and_a_script_that_is_known() -> None:
    from corpus_pipeline.stages.augment.validators.scripts import _SCRIPTS

    known = {name for name, _weight, _ranges in _SCRIPTS}
    assert all(name and scripts and scripts <= known for name, scripts in LANGUAGES.values())


def test_prose_is_what_is_left_without_code() -> None:
    assert prose("Use `len(x)` of item_1, see https://e.org now").split() == ["Use", "of", ",", "see", "now"]


def test_a_very_long_text_that_changes_its_language_in_the_end_is_noticed() -> None:
    assert off(TEXTS["zh"] * 10 + TEXTS["en"] * 60, target="zh")


def test_prices_hide_no_sentence_and_digits_no_ideograph() -> None:
    assert (
        tongue_of("She spent $28 on a lamp and saved half of what was left of the $60 that she had earned.").script
        == "latin"
    )
    assert tongue_of("24小时有多少分钟？").script == "han"
