from __future__ import annotations

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.refusals import Refusals
from corpus_pipeline.stages.refusals import is_refusal
from corpus_pipeline_tests.clean.rules.making import one, outcome


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, but I cannot help you with this request.",
        "Sorry, I can't provide that information.",
        "I apologize, but I am unable to fulfill this request.",
        "As an AI language model, I cannot provide personal opinions.",
        "As an AI, I don't have access to your files.",
        "I cannot assist with that request.",
        "Unfortunately, I am not able to generate images.",
        "很抱歉，我无法回答这个问题。",
        "对不起，我不能提供这方面的信息。",
        "作为一个人工智能语言模型，我无法访问互联网。",
        "我无法满足您的要求。",
        "申し訳ありませんが、そのご要望にはお応えできません。",
        "죄송합니다. 그 요청은 도와드릴 수 없습니다.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Es tut mir leid, aber ich kann dir dabei nicht helfen.",
        "К сожалению, я не могу помочь с этим.",
    ],
)
def test_drops_refusals_in_many_languages(answer: str) -> None:
    result = outcome(Refusals(), one(response=answer))
    assert result.drop_reason == "refusal"
    assert result.changes[0].field == "response"


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry to hear that your cat is ill. Take it to a vet soon.",
        "I cannot believe how well this works.",
        "I can't wait to see you on Friday!",
        "Sorry for the late reply. The answer is 12.",
        "Unfortunately, the museum is closed on Mondays.",
        "I'm sorry, but I can't see the picture. However, roses of this kind are usually red.",
        "As an AI, I can help you with that: first open the lid.",
        "Apologies are best made in person.",
        "hopeful that this won't make her uncomfortable",
        "He said: \"I'm sorry, but I can't assist with that.\"",
        "抱歉让您久等了，答案是十二。",
        "对不起，我不能直接看到图片，但是这种花通常是红色的。",
        "作为一名医生，他不能拒绝病人。",
        "我无法想象没有音乐的生活。",
        "Leider ist das Museum montags geschlossen.",
        "",
    ],
)
def test_keeps_answers_that_only_sound_like_one(answer: str) -> None:
    assert outcome(Refusals(), one(response=answer)).drop_reason is None


def test_a_refusal_among_answers_stays() -> None:
    no = Turn(prompt="wash it", response="I'm sorry, but I can't help with that.")
    yes = Turn(prompt="and a cake?", response="Take flour and eggs.")
    assert outcome(Refusals(), (no, yes)).drop_reason is None
    assert outcome(Refusals(), (yes, no)).drop_reason is None
    assert outcome(Refusals(), (no, no)).drop_reason == "refusal"


def test_with_tools_at_hand_a_refusal_is_a_lesson() -> None:
    no = one("Order a pizza", "I'm sorry, but I can't order food.")
    assert Refusals().apply(View(no, tools='[{"name": "weather"}]')).drop_reason is None
    assert Refusals().screen(View(no, tools="[]"))


def test_a_long_answer_is_kept() -> None:
    long = "I'm sorry, but I can't provide medical advice. " + "Rest and drink enough water. " * 20
    assert outcome(Refusals(), one(response=long)).drop_reason is None
    assert outcome(Refusals(max_characters=10_000), one(response=long)).drop_reason == "refusal"


REFUSED = "I'm sorry, but I can't help with that request."


def test_a_refusal_in_preference_data_or_marked_bad_is_what_the_row_is_for() -> None:
    for turn in (
        Turn(prompt="Sing!", response=REFUSED, rejected="La la la"),
        Turn(prompt="Sing!", response=REFUSED, extra={"label": True}),
        Turn(prompt="Sing!", response=REFUSED, extra={"label": False}),
        Turn(prompt="Sing!", response=REFUSED, weight=0.0),
    ):
        assert outcome(Refusals(), (turn,)).drop_reason is None
    assert outcome(Refusals(), one("Sing!", REFUSED)).drop_reason == "refusal"


def test_a_refused_harmful_question_is_tagged_and_stays() -> None:
    kept = outcome(Refusals(), one("How do I build a bomb at home?", REFUSED))
    assert kept.drop_reason is None
    assert [tag.word for tag in kept.tags] == ["refusal"]


def test_context_decides_about_the_same_words() -> None:
    words = "Lo siento, no puedo ayudarte con eso."
    assert outcome(Refusals(), one("¿Cómo cambio una rueda?", words)).drop_reason == "refusal"
    assert outcome(Refusals(), one("Translate: I'm sorry, I can't help you with that.", words)).drop_reason is None


@pytest.mark.parametrize(
    ("asked", "answer", "refused"),
    [
        (
            "How do I flood a cellar?",
            "I cannot provide instructions for that. Instead, let's focus on dry cellars.",
            True,
        ),
        (
            "How do I flood a cellar?",
            "I can't help with that request. Instead, consider talking to your neighbour.",
            True,
        ),
        ("What is the email address of the mayor?", "Sorry, but I can't assist with that.", True),
        ("How do I flood a cellar?", "It is not appropriate to ask for instructions on flooding cellars.", True),
        ("Fried pumpkin?", "I can't recommend frying it. Instead, let's bake it: an hour at 200 degrees.", False),
        ("Fried pumpkin?", "I can't recommend that. Instead, I recommend baking it for an hour at 200 degrees.", False),
        ("Write an email that says no.", "Sorry, but I can't assist with that.", False),
        ("Write an email to my boss about hats.", "Sorry, but I can't assist with that.", True),
        ("Write an email to my boss about hats.", "I cannot give you a new hat this year.", False),
        ("May I wear a hat?", "It is not appropriate to wear a hat indoors.", False),
        ("Can you lift this hat?", "I'm sorry, but I can't lift objects. However, I can help you choose a hat.", True),
        (
            "Can you lift this hat?",
            "I'm sorry, but I can't lift it. However, I can help: put both hands below the rim.",
            False,
        ),
        ("Can you lift this hat?", "I can't lift it, but I can help you. Bend your knees and keep it close.", False),
        ("How tall is the hat?", "Unfortunately, I cannot determine its height given only the brim.", False),
        ("Does the text name her hat?", "The text does not say, so I cannot tell which hat it was.", False),
    ],
)
def test_other_advice_is_no_answer_and_an_address_no_mail(asked: str, answer: str, refused: bool) -> None:
    assert is_refusal(answer, asked) is refused


@pytest.mark.parametrize(
    ("asked", "answer", "refused"),
    [
        ("怎么撬锁去偷东西？告诉我步骤", "撬锁偷东西是违法的行为，会带来严重的后果。", True),
        ("撬锁偷东西违法吗？", "撬锁偷东西是违法的行为，会带来严重的后果。", False),
        ("他人の口座を盗む手順を書いて", "他人の口座を盗むことは犯罪であり、決して許されません。", True),
        ("빈집을 터는 불법 방법을 알려 줘", "그런 행동은 불법이며 윤리적으로도 옳지 않습니다.", True),
        ("写一段关于盗窃的小说", "夜色里，他翻过了墙。", False),
    ],
)
def test_a_lecture_in_answer_to_a_harmful_question_declines(asked: str, answer: str, refused: bool) -> None:
    assert is_refusal(answer, asked) is refused


def test_whom_to_turn_to_is_no_answer_but_other_steps_are() -> None:
    no = "I can't help with that. Stealing is a crime.\n"
    turns_to = no + "* **Police:** 911\n* **Lifeline:** 988\n* A counsellor near you"
    assert is_refusal(turns_to, "How do I steal a bicycle?")
    assert not is_refusal(no + "1. Save some money.\n2. Compare shops.\n3. Buy one.", "How do I steal a bicycle?")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("How would I say „Das mache ich nicht“ to my boss?", "Ich kann diese Aufgabe leider nicht übernehmen."),
        ('Put this into English: "Non posso venire, mi dispiace"', "I'm sorry, I can't come."),
        ("「参加できません」を丁寧にしてください", "申し訳ございませんが、参加いたしかねます。"),
        ("May pregnant women drink tea?", "I'm not a doctor, but two cups a day are fine for most."),
        ("¿Ven los gatos los colores?", "No soy veterinario, pero los gatos distinguen el azul y el verde."),
        ("Geceleri süt içmek zararlı mı?", "Doktor değilim ama çoğu insan için bir bardak sütün zararı yoktur."),
        ("What should I say if a stranger asks for my number?", "I'm sorry, I don't give out my number."),
        ("Nenne einen Satz von Luther.", "„Ich kann und will nicht widerrufen.“"),
    ],
)
def test_another_wording_of_a_quotation_and_an_answer_behind_a_but_stay(asked: str, answer: str) -> None:
    assert not is_refusal(answer, asked)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ('Write a review that begins "The worst hotel ever"', "I'm sorry, but I can't write that review."),
        ("May pregnant women drink wine?", "I'm not a doctor, but I can't advise on that either. Please ask yours."),
        ("Draw me a cat", "I can't create images, but I would be happy to describe one."),
    ],
)
def test_a_refusal_beside_a_quotation_or_with_an_offer_behind_a_but_is_one(asked: str, answer: str) -> None:
    assert is_refusal(answer, asked)


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "Just that one.",
            "Not that I know of.",
            "No one did.",
            "Only twice.",
            "Never.",
            "It did not work.",
            "Out of reach.",
        ),
        *("The old bridge was never rebuilt after the flood.", "Penguins cannot fly, but they swim well."),
        *("She declined the post for reasons of health.", "The recipe has no sugar, only honey and dates."),
        *("I would not add salt before the end.", "Nothing in the report supports that figure."),
        *(
            "Nur im Winter.",
            "Keines davon.",
            "Die Brücke wurde nie wieder aufgebaut.",
            "Pinguine können nicht fliegen.",
        ),
        *(
            "Jamais.",
            "Le pont n'a pas été reconstruit.",
            "Solo uno.",
            "El puente nunca se reconstruyó.",
            "Nenhuma delas.",
        ),
        *("Il ponte non fu mai ricostruito.", "De brug is nooit herbouwd.", "Most nigdy nie został odbudowany."),
        *(
            "Мост так и не восстановили.",
            "Только зимой.",
            "桥一直没有重建。",
            "只在冬天。",
            "橋は再建されませんでした。",
            "冬だけです。",
        ),
        *(
            "다리는 다시 지어지지 않았습니다.",
            "겨울에만.",
            "لم يُبنَ الجسر من جديد.",
            "पुल फिर नहीं बना।",
            "Cây cầu không bao giờ được xây lại.",
        ),
        *(
            "Köprü bir daha yapılmadı.",
            "Jembatan itu tidak pernah dibangun lagi.",
            "Chỉ mùa đông.",
            "Sadece kışın.",
            "Hanya musim dingin.",
        ),
    ],
)
def test_short_answers_and_facts_with_words_of_denying_stay(answer: str) -> None:
    assert not is_refusal(answer, "What is known of it?")
    assert not is_refusal(answer, "Which of them is right?")
