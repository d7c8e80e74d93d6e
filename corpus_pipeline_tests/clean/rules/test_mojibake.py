from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.rules.mojibake import Mojibake
from corpus_pipeline_tests.clean.rules.making import fixed, one, outcome


@pytest.mark.parametrize(
    "text",
    ["café at noon", "L’été à la plage – déjà vu", "Größe und Übermut", "£20 plus 5 €", "naïve — she said “no”"],
)
@pytest.mark.parametrize("wrong", ["latin-1", "windows-1252"])
def test_repairs_western_text(text: str, wrong: str) -> None:
    try:
        broken = text.encode().decode(wrong)
    except UnicodeDecodeError:
        pytest.skip("this text cannot be misread so")
    assert fixed(Mojibake(), "First line.\n" + broken) == "First line.\n" + text


@pytest.mark.parametrize(
    "text", ["他说，细胞理论是生物科学的一个理论，这是基础。", "我喜欢的书，是在图书馆借的，很好看。"]
)
def test_repairs_chinese_read_as_latin_1(text: str) -> None:
    assert fixed(Mojibake(), text.encode().decode("latin-1")) == text


@pytest.mark.parametrize("text", ["细胞由细胞分裂产生，这是定律", "我喜欢的书，在图书馆"])
def test_repairs_chinese_read_as_gbk(text: str) -> None:
    assert fixed(Mojibake(), text.encode().decode("gb18030")) == text


def test_repairs_around_the_holes_of_text_read_as_gbk() -> None:
    broken = ("他说，细胞理论是生物科学的一个理论，这是基础。" * 5).encode().decode("gb18030", "replace")
    repaired = Mojibake().fix(broken, "response")[0]
    assert repaired.count("理论") >= 8
    assert repaired.count("\ufffd") < 10
    assert outcome(Mojibake(), one(response=broken)).drop_reason == "lost_characters"


def test_gives_windows_punctuation_its_place_back() -> None:
    assert fixed(Mojibake(), "It is \x96 wow \x97 a \x93film\x94\x85") == "It is – wow — a “film”…"


@pytest.mark.parametrize(
    "text",
    [
        "Il a déjà été à Noël, où ça ? À Besançon, « là-bas » : 20 °C, 15 £, ½ l.",
        "ÄÖÜß – “quotes” … ‘single’ €5 ±3",
        "Đặng Văn Lâm sống ở Hà Nội; São Paulo; Æsop; Łódź; Ünïcödé",
        "浙江省涓流入海，锛是化学元素吗？在鐨字旁边。",  # genuine ideographs that broken text is full of
        "日本語の文章です。한국어 문장입니다.",
        "Привет, как дела? Всё хорошо, спасибо.",
        "锟斤拷 is what is left when broken text is broken again.",
    ],
)
def test_does_not_touch_good_text(text: str) -> None:
    assert fixed(Mojibake(), text) == text
    assert outcome(Mojibake(), one(response=text)).drop_reason is None


@pytest.mark.parametrize("lost", ["\ufffd", "锟斤拷"])
def test_drops_what_lost_too_many_characters(lost: str) -> None:
    result = outcome(Mojibake(), one(response=f"The {lost}r{lost} is {lost}n the {lost}x."))
    assert result.drop_reason == "lost_characters"
    assert result.changes[-1].field == "response"


def test_keeps_a_long_text_with_a_few_lost_characters() -> None:
    text = "A long and good text. " * 20 + "\ufffd\ufffd\ufffd"
    assert outcome(Mojibake(), one(response=text)).drop_reason is None
    assert outcome(Mojibake(max_lost_share=0.001), one(response=text)).drop_reason == "lost_characters"


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("What is Ã¤ doing in my mail?", "It is an ä."),
        ("Which of Ã¶ and Ã¼ is an ü?", "The second."),
        ("Why does it show â€œHiâ€\x9d with strange signs?", "It took one set of characters for another."),
        ("Repair it in Perl.", "$text =~ s/â€™/'/g;"),
        ("Which word is 'dÃ¼nn'?", "It is 'dünn'."),
        ("Decode MÃ¼nchen, please.", "München."),
    ],
)
def test_broken_letters_that_are_the_subject_stay(prompt: str, response: str) -> None:
    turns = one(prompt, response)
    assert outcome(Mojibake(), turns).turns == turns


def test_an_answer_is_repaired_though_the_prompt_has_the_word_as_it_should_be() -> None:
    result = outcome(Mojibake(), one("What is München known for?", "MÃ¼nchen is known for beer â€“ and more."))
    assert result.turns[0].response == "München is known for beer – and more."


def test_lost_characters_of_a_losing_answer_are_what_the_row_is_for() -> None:
    assert outcome(Mojibake(), one(rejected="T\ufffd\ufffd\ufffd w")).drop_reason is None
    assert outcome(Mojibake(), one(response="T\ufffd\ufffd\ufffd w", weight=0)).drop_reason is None


def test_broken_signs_that_are_asked_about_stay() -> None:
    asked = one(prompt="Was bedeutet â€œ?", response="Das war einmal “.")
    assert not outcome(Mojibake(), asked).changes
    met = one(prompt="Was sagte sie?", response="Sie sagte â€œjaâ€\x9d.")
    assert outcome(Mojibake(), met).changes
