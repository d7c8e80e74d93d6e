"""A fault in a recipe is named with its file, its line and what would be right."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline.recipe import Recipe, parse
from corpus_pipeline.service.commands.recipes import checked, resolve
from corpus_pipeline_tests import small_corpus

STRATEGY = "augment:\n  strategies:\n    - paraphrase:\n        {}\n"
RULE = "clean:\n  rules:\n    - unicode\n    - length_bounds: {}\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("augmnet: {}", 1, "did you mean 'augment'"),
        ("augment:\n  max_retries: 3\n  stratgies: []", 3, "did you mean 'strategies'"),
        ("augment:\n  limits:\n    token_per_minute: 5", 3, "did you mean 'tokens_per_minute'"),
        ("augment:\n  strategies: paraphrase", 2, "needs a list"),
        ("augment:\n  strategies:\n    - paraphrase\n    - translate", 4, "unknown strategy 'translate'"),
        ("augment:\n  strategies:\n    - paraphrase:\n      samples: 2", 3, "indent"),
        (STRATEGY.format("samples: two"), 4, "samples: needs a number, got 'two'"),
        (STRATEGY.format("first: {at_leest: 3}"), 4, "did you mean 'at_least'"),
        (STRATEGY.format("label: x\n    - paraphrase: {label: x}"), 5, "two strategies are called 'x'"),
        (STRATEGY.format('template: "none"'), 3, "is missing"),
        (RULE.format("{max_turn: 3}"), 4, "did you mean 'max_turns'"),
        (RULE.format("\n    - unicod"), 5, "unknown rule 'unicod'"),
        ("clean:\n  dedup:\n    features: wrods", 3, "did you mean 'words'"),
        ("ingest:\n  format: alpacca", 2, "did you mean 'alpaca'"),
        ("ingest:\n  columns: {promt: a}", 2, "did you mean 'prompt'"),
        ("export:\n  format: opnai_sft", 2, "did you mean 'openai_sft'"),
        ("notify:\n  url: example.org/hook", 2, "https://HOST/PATH"),
        ("augment:\n  concurrency: yes", 2, "needs a number"),
        ("augment:\n  concurrency: 5.5", 2, "needs a whole number, got 5.5"),
        ("augment:\n  budget: {day_usd: .inf}", 2, "finite"),
        ("augment:\n  budget: {day_usd: 1.0e+15}", 2, "less than"),
        ("augment:\n  prices: {m: {input: 1}}", 2, "output: is missing"),
        ("augment:\n  budget: 5", 2, "task_usd"),
        ("name: x\naugment:", 2, "is empty"),
        ("augment:\n  model: a\n  model: b", 3, "comes twice, first in line 2"),
        ("augment:\n\tmodel: a", 2, "not valid YAML"),
    ],
)
def test_every_mistake_is_found_in_its_line_before_anything_is_worked(text: str, line: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(text, origin="mine.yaml")
    assert f"mine.yaml, line {line}" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["- a\n- b", "words", "[" * 5000, "name: 2020-99-99", "!!python/object:os.X {}"])
def test_what_is_no_recipe_at_all_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match=r"^mine\.yaml"):
        checked(text, origin="mine.yaml")


def test_several_mistakes_are_said_together_each_in_its_line() -> None:
    with pytest.raises(UsageError) as caught:
        parse("augment:\n  concurrency: 0\nexport:\n  include: [cleand]", origin="r")
    assert [text.split(":")[0] for text in str(caught.value).splitlines()[:2]] == ["r, line 2", "r, line 4"]


def test_a_file_that_is_not_text_is_refused_and_a_mark_at_its_begin_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    with small_corpus.opened(tmp_path / "home") as corpus:
        path.write_bytes(b"name: \xff\xfe")
        with pytest.raises(UsageError, match="not UTF-8"):
            resolve(corpus.store, str(path))
        path.write_bytes(b"\xef\xbb\xbfname: mine\n")
        assert resolve(corpus.store, str(path)).recipe.name == "mine"


def test_anchors_are_followed_and_what_is_written_out_reads_the_same() -> None:
    text = "augment:\n  strategies:\n    - paraphrase: &p {samples: 2}\n    - translation: *p\n"
    recipe = checked(text, origin="r")
    assert [step.params for step in recipe.augment.strategies] == [{"samples": 2}] * 2
    assert checked(recipe.to_yaml(), origin="r") == recipe
    assert checked("", origin="r") == Recipe()


def _laughs(first: str, levels: int) -> str:
    lines = [f"{first} &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"  - &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "name: x\nclean:\n  rules:\n" + _laughs("  -", 9),
        "name: x\nother:\n" + _laughs("  -", 30),
        "a0: &a0 {k: 1}\n" + "".join(f"a{n + 1}: &a{n + 1}\n  <<: [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(20)),
        "name: x\nclean: &c\n  rules: [*c]\n",
        "name: x\n" + "".join(f"k{n}: v\n" for n in range(200_000)),
        "name: " + "[" * 100_000,
        "name: x\nclean: " + "{a: " * 20_000 + "1" + "}" * 20_000,
        "name: x\nclean: {rules: [{length_bounds: {min_text_characters: " + "9" * 200_000 + "}}]}",
        'name: !!python/object/apply:os.system ["true"]',
    ],
    ids=["aliases", "aliases elsewhere", "merged", "in circles", "long", "deep", "deep maps", "number", "tag"],
)
def test_a_recipe_that_was_made_to_take_for_ever_is_refused_at_once(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(UsageError):
        parse(text)
    assert time.process_time() - begun < 10
