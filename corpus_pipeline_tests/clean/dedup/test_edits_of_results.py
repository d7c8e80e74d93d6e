"""What may differ in a sentence that says what comes out: a slip, and nothing that would be another result."""

from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.dedup.canonical import is_code_line
from corpus_pipeline.stages.clean.dedup.edits import Bounds, similarity
from corpus_pipeline.stages.clean.dedup.meaning import states_a_result

PROSE = (
    "The gardener keeps a list of everything that grows along the southern wall, because the beds there dry out sooner than "
    "the ones behind the shed. Every evening somebody walks along the wall with a can and looks under the leaves. "
)
CHINESE = (
    "园丁把南墙边所有的植物都记在一本册子上，因为那里的土壤比棚子后面的干得更快。每天傍晚都有人提着水壶沿着墙慢慢走，"
    "一边浇水一边看看叶子下面有没有虫子，然后把看到的情况写进册子里，方便第二天的人接着照看这些植物。\n"
)


def like(one: str, other: str) -> bool:
    return min(similarity(one, other, Bounds(), question=False), similarity(other, one, Bounds(), question=False)) > 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Watering: Give each bed two cans of rain water when the soil feels dry.", ("rain water", "water")),
        ("The answer is the older of the two wells.", ("older of", "older of of")),
        ("The answer is the deepest of the wells.", ("deepest", "deepset")),
        (
            "In conclusion, a wall that faces south wants more water, closer looks and a gardener who writes down "
            "patiently what was seen there on each of the evenings.",
            ("patiently ", ""),
        ),
    ],
)
def test_slips_and_words_of_prose_are_seen_through(before: str, after: tuple[str, str]) -> None:
    assert before.count(after[0]) == 1
    assert like(PROSE + before, PROSE + before.replace(*after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Bed: sunny and dry", ("sunny and", "sunny")),
        ("The answer is the older well of the two.", ("older ", "")),
        ("The answer is 5 in all of the beds.", ("5 in", "5 5 in")),
        ("The answer was given by Smith.", ("Smith", "Smiht")),
        ("So the beds must not be dug in spring.", ("not ", "not not ")),
        ("Therefore the pear tree stays.", ("pear ", "")),
        ("Diagnosis: The tree has a mild case of the grey leaf rot.", ("mild ", "")),
    ],
)
def test_what_may_be_another_result_is_another_row(before: str, after: tuple[str, str]) -> None:
    assert before.count(after[0]) == 1
    assert not like(PROSE + before, PROSE + before.replace(*after))


def test_a_heading_before_a_chinese_sentence_is_no_field() -> None:
    line = "勤于浇水：傍晚的时候给每一块苗床浇上两壶积下来的雨水，土就不会裂开。"
    assert like(CHINESE + line, CHINESE + line.replace("积下来的", "积下的"))
    assert like(CHINESE + line, CHINESE + line.replace("苗床浇", "苗床床浇"))
    assert not like(CHINESE + "苗床：向阳干燥", CHINESE + "苗床：阳干燥")


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        ("Label: spam", True),
        ("Colour: a rather dark and dusty green", True),
        ("Mood: The writer sounds tired.", True),
        ("Mood: The writer sounds tired and wants to go home early.", False),
        ("情绪：有些低落", True),
        ("情绪：写信的人听起来有些累了，很想早一点回家去休息。", False),
        ("Note: " + "word " * 13, False),
    ],
)
def test_a_field_is_short_or_no_sentence(sentence: str, stated: bool) -> None:
    assert states_a_result(sentence, last=False) == stated


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("The two cans hold 4 * 5 = 20 cups of clean rain water.", ("clean ", ""), True),
        ("The two cans hold 4 * 5 = 20 cups of clean rain water.", ("cups of", "cups of of"), True),
        ("The two cans hold 4 * 5 = 20 cups of clean rain water.", ("clean", "claen"), True),
        ("The two cans hold 4 * 5 = 20 cups of clean rain water.", ("4 *", "4 +"), False),
        ("The two cans hold 4 * 5 = 20 cups of clean rain water.", ("clean", "dirty"), False),
        ("The size of the first can is t = 20 cups.", ("t =", "s ="), False),
        ("for can in cans: total = total + can.size * count", ("total + can", "can"), False),
        ("SELECT Name, Size FROM Cans WHERE Size = 20 ORDER BY Name", ("Name, ", ""), False),
        ("Total = sum(can.size for can in all_cans if can.full)", (" if can.full", ""), False),
    ],
)
def test_a_sentence_with_a_formula_is_no_program(before: str, after: tuple[str, str], same: bool) -> None:
    assert before.count(after[0]) == 1
    text = f"{before}\n{PROSE}"
    assert like(text, text.replace(*after)) == same


@pytest.mark.parametrize(
    ("query", "after"),
    [
        (
            "SELECT c.name, c.size, w.depth FROM cans c JOIN wells w ON w.can = c.id AND w.open = 1 WHERE c.owner IN "
            "('Ann', 'Bob') AND c.bought > '2019-05-01' AND w.depth > 4 "
            "GROUP BY c.name, c.size, w.depth HAVING count(*) > 2 ORDER BY c.name",
            ("c.size, w.depth FROM", "w.depth FROM"),
        ),
        (
            "select distinct name from cans left join wells using (id) where owner is null and bought = 2019 and size = 4 and "
            "colour = 'green' and lid = 'loose' and handle = 'wood' group by name having count(size) > 3 order by name limit 7",
            ("distinct ", ""),
        ),
        ("SELECT Name, Size\nFROM Cans\nWHERE Owner = 'Ann'\nORDER BY Name DESC", (" DESC", "")),
    ],
)
def test_each_word_of_a_query_counts(query: str, after: tuple[str, str]) -> None:
    assert query.count(after[0]) == 1
    text = f"{query}\n{PROSE}"
    assert not like(text, text.replace(*after))


@pytest.mark.parametrize(
    "line",
    [
        "SELECT THE BEST OF THE CANS FROM THE SHED",
        "Select a can from the shelf where it is dry.",
        "WHERE IS IT? JOIN US!",
    ],
)
def test_prose_in_capitals_is_no_query(line: str) -> None:
    assert not is_code_line(line)
