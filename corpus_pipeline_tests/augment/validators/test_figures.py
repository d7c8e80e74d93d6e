"""One number, century or verdict in the place of another: found in short answers, and what looks like it is let be."""

from __future__ import annotations

import pytest

from corpus_pipeline.stages.augment.validators.base import Pair
from corpus_pipeline.stages.augment.validators.complete import Complete
from corpus_pipeline.stages.augment.validators.numbers import FiguresKept, NumbersKept

ASKED = "Tell me about the bridge."


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("The bridge has 14 arches.", "It rests on 17 arches."),
        ("It was built in the 14th century.", "It is a work of the 15th century."),
        ("No, cars may not cross it.", "Yes, cars may cross it all day."),
        ("Non, elle est fermée.", "Oui, elle est ouverte."),
        ("7 * 6 = 42 arches in all.", "Seven rows of six make 48 arches."),
    ],
)
def test_one_figure_for_another_is_found(source: str, new: str) -> None:
    assert FiguresKept(("response",)).judge(Pair("response", source, new, ASKED)) is not None


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("The bridge has 14 arches.", "It rests on fourteen arches."),
        ("It is 1,482 metres long.", "It is about 1,500 metres long."),
        ("It was built in the 14th century.", "It is from the 1300s."),
        ("No, cars may not cross it.", "Cars are kept out."),
        ("3 * 14 = 42 arches in all.", "2 * 21 makes 42 arches."),
        ("It has 14 arches and was opened in 1350.", "It has 14 arches and 2 towers."),
    ],
)
def test_what_only_looks_like_it_is_let_be(source: str, new: str) -> None:
    assert FiguresKept(("response",)).judge(Pair("response", source, new, ASKED)) is None


@pytest.mark.parametrize(
    ("source", "new", "right"),
    [
        ("The train takes five hours.", "Der Zug braucht fünf Stunden.", True),
        (
            "The train takes five hours and stops at nine towns.",
            "Der Zug braucht sechs Stunden und hält in neun Orten.",
            False,
        ),
        ("It stood for three decades.", "Es stand 30 Jahre lang.", True),
        ("9 + 2 = 11，11 + 8 = 19。", "9 + 2 = 11, 11 + 8 = 19.", True),
        ("Six eggs cost 3 euros: 6 for 3 €.", "Six œufs coûtent 3 euros : 3 pour 6 €.", False),
        ("书架上有7本书，拿走了3本，又放回5本。", "书架上有7本书，拿走了5本，又放回3本。", False),
    ],
)
def test_numbers_in_words_and_at_signs(source: str, new: str, right: bool) -> None:
    assert (NumbersKept(("prompt",)).judge(Pair("prompt", source, new)) is None) is right


@pytest.mark.parametrize(
    ("new", "is_cut"),
    [
        ("Er rief laut: „Die Brücke ist heute leider für alle gesperrt.“", False),
        ("Versez le lait dans le bol et ajoutez peu à peu trois cuillères d'", True),
    ],
)
def test_closing_quotes_and_elided_words(new: str, is_cut: bool) -> None:
    source = "Pour the milk into the bowl. Then add the flour little by little."
    assert (Complete(("response",)).judge(Pair("response", source, new)) is not None) is is_cut
