"""Words in place of others in long answers: which of them say something else."""

from __future__ import annotations

import pytest

from corpus_pipeline.jobs.clean.corpus_scope import rule_of
from corpus_pipeline.recipe import DedupSection
from corpus_pipeline_tests.clean.dedup.making import dropped, pair

BEFORE = (
    "The keeper of the old lighthouse wrote a page every evening. She counted the ships that passed and drew the shape of "
    "the clouds above the bay, and when the fog came in she rang the bell until her arms were sore. Visitors who stayed for "
    "the night were given soup and a blanket. "
)
BEHIND = (
    " Years later a teacher from the village copied the pages by hand, bound them in green linen and put them on the shelf "
    "of the school, where the children still read them on rainy afternoons and look for the names of their own families."
)


def said(sentence: str) -> tuple:
    return pair("Tell me about the lighthouse.", BEFORE + sentence + BEHIND)


OTHER = (
    ("For her cough she took thyme with honey.", "For her cough she took sage with honey."),
    ("The nurse gave the patient warfarin at noon.", "The nurse gave the patient heparin at noon."),
    ("Her son became a carpenter in the end.", "Her son became a surgeon in the end."),
    ("The dog slept near the stove.", "The dog slept near the window."),
    ("They repaired the boat in the harbour.", "They painted the boat in the harbour."),
    ("The water of the well is rich in nitrate.", "The water of the well is rich in nitrite."),
    ("The lamp was filled with ethanol.", "The lamp was filled with methanol."),
    ("The study asked for a causal link.", "The study asked for a casual link."),
    ("The soup was delicious that day.", "The soup was terrible that day."),
    ("The room smelt of a beach in summer.", "The room smelt of a lawn in summer."),
    ("The old goat ate the letter.", "The old magpie ate the letter."),
    ("The tower is made of granite.", "The tower is made of sandstone."),
    ("She admired the inspector for years.", "She despised the inspector for years."),
    ("Er hatte damals eine Katze und war nicht allein.", "Er hatte damals eine Ziege und war nicht allein."),
)
SAME = (
    ("It was an important day for the bay.", "It was a crucial day for the bay."),
    ("The colour of the door was dark.", "The color of the door was dark."),
    ("They organise a feast there.", "They organize a feast there."),
    ("She carried a lamp to the door.", "She carries a lamp to the door."),
    ("She believed in the sea.", "She beleived in the sea."),
    ("The government paid for the bell.", "The goverment paid for the bell."),
    ("She found a shell.", "She finds a shell."),
    ("She went to the shore with a friend.", "She went to this shore with a friend."),
    ("She went to the shore, however.", "She went to the shore, though."),
    ("The bell was very heavy to ring.", "The bell was really heavy to ring."),
    ("She went to the shore with a friend.", "She quietly went to the shore with a friend."),
    ("She waited for a letter after lunch.", "She waited for a letter aftr lunch."),
)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_thing_person_or_deed_is_another_answer(one: str, other: str) -> None:
    assert not dropped([said(one), said(other)]) and not dropped([said(other), said(one)])


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_form_spelling_error_or_synonym_of_a_word_is_an_edit(one: str, other: str) -> None:
    assert dropped([said(one), said(other)]) and dropped([said(other), said(one)])


def test_a_recipe_may_allow_words_in_place_of_others() -> None:
    rows = [said("The tower is made of granite."), said("The tower is made of sandstone.")]
    assert dropped(rows, rule_of(DedupSection(other_words=1)))
    # opposites and numbers count all the same
    rows = [said("The door is open at night."), said("The door is closed at night.")]
    assert not dropped(rows, rule_of(DedupSection(other_words=1)))


ZH_BEFORE = (
    "村口的老茶馆每天清晨开门。老板先把水烧开，再把昨晚洗好的茶碗摆到木桌上。来喝茶的人大多住在附近，有的带着鸟笼，"
    "有的拿着报纸。大家坐下以后慢慢聊天，从天气谈到庄稼，从孩子谈到亲戚，一坐就是大半个上午。"
)
ZH_BEHIND = (
    "到了下午，茶馆里安静多了，阳光从窗子照进来，落在墙上的旧照片上。老板说那些照片是他父亲年轻的时候拍的，"
    "里面的人很多已经不在这个村子了，可是他们的故事还常常有人讲起。"
)


def said_zh(sentence: str) -> tuple:
    return pair("讲讲村口的茶馆。", ZH_BEFORE + sentence + ZH_BEHIND)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("他最爱吃苹果。", "他最爱吃芒果。"),
        ("医生说他得的是肝病。", "医生说他得的是肾病。"),
        ("墙边种着一排柳树。", "墙边种着一排松树。"),
    ],
)
def test_another_thing_in_chinese(one: str, other: str) -> None:
    assert not dropped([said_zh(one), said_zh(other)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("他在门口坐着。", "他再门口坐着。"),
        ("茶碗上的画很漂亮。", "茶碗上的画很美丽。"),
        ("他高兴地走了。", "他高兴的走了。"),
        ("他用这个办法泡茶。", "他用这个方法泡茶。"),
    ],
)
def test_a_like_sound_a_synonym_or_a_particle_in_chinese(one: str, other: str) -> None:
    assert dropped([said_zh(one), said_zh(other)])


def test_units_and_code_beside_words() -> None:
    edit = "In 2010 the keeper left the island."
    assert dropped([said(edit), said("In 2010 a keeper left the island.")])
    assert not dropped([said("It is 30 m high."), said("It is 30 ft high.")])
    formula = "The keeper sold half of the shells, which is <<48/2=24>>24, to the people of the town."
    assert dropped([said(formula), said(formula.replace("sold half", "gladly sold half"))])
    assert not dropped([said(formula), said(formula.replace("48/2=24", "46/2=24"))])
    fenced = "\n```\nfor the shells in the box print the name of the keeper\n```\n"
    assert not dropped([said(fenced), said(fenced.replace("in the box", "in the big box"))])
