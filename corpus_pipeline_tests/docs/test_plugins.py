"""The example package of docs/extending.md, installed: its plugins are found, listed, and used by a recipe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from corpus_pipeline import plugins
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.formats import by_name, detect
from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.plugins import Group
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.service import code_versions
from corpus_pipeline.service.commands.recipes import checked
from corpus_pipeline.service.queries import catalogue
from corpus_pipeline.stages.augment.strategies import accept
from corpus_pipeline.stages.augment.strategies import build as build_strategies
from corpus_pipeline.stages.clean.rule_effects import Effect, Effects
from corpus_pipeline.stages.clean.rules import build as build_rules
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.docs.test_extending import blocks

Change = Callable[[str, str], None]
SOURCE = Conversation(1, (Turn(prompt="How long?", response="Bake it for an hour, then let it rest."),), "{}")


def block(language: str, holds: str) -> str:
    (found,) = [text for text in blocks("extending.md", language) if holds in text]
    return found


def install(project: Path, site: Path) -> None:
    """Build the wheel and unpack it into `site`, as pip does, without an index."""
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, "."], cwd=project, check=True, capture_output=True, text=True)
    wheel = project / done.stdout.split()[-1]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", site, wheel]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("bakery")
    package = project / "corpus_bakery"
    (package / "prompts").mkdir(parents=True)
    (project / "pyproject.toml").write_text(block("toml", "corpus-bakery"))
    (package / "__init__.py").write_text(block("python", "class Shouting"))
    (package / "prompts" / "headline.j2").write_text(block("jinja", "titles"))
    install(project, project / "site")
    return project / "site"


@pytest.fixture
def bakery(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Change]:
    """The package is installed; `bakery(old, new)` changes its source, for this test."""
    source = site / "corpus_bakery" / "__init__.py"
    before = source.read_text()
    monkeypatch.syspath_prepend(str(site))

    def look_again() -> None:
        sys.modules.pop("corpus_bakery", None)
        invalidate_caches()
        plugins.forget()

    def change(old: str, new: str) -> None:
        assert old in source.read_text()
        source.write_text(source.read_text().replace(old, new))
        for compiled in source.parent.glob("__pycache__/*"):
            compiled.unlink()
        look_again()

    look_again()
    yield change
    source.write_text(before)
    for compiled in source.parent.glob("__pycache__/*"):
        compiled.unlink()
    monkeypatch.undo()
    look_again()


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (Group.RULES, "shouting"),
        (Group.STRATEGIES, "headline"),
        (Group.FORMATS, "recipe_card"),
        (Group.VALIDATORS, "max_words"),
    ],
)
def test_what_a_package_adds_is_listed_with_where_it_comes_from(bakery: Change, group: Group, name: str) -> None:
    (entry,) = [one for one in catalogue.listed(group) if not one["built_in"]]
    assert (entry["name"], entry["package"], entry["version"]) == (name, "corpus-bakery", "1.2.0")
    assert entry["summary"] and "problem" not in entry
    assert all(one["package"] == "corpus-pipeline" for one in catalogue.listed(group) if one["built_in"])


def test_the_recipe_that_names_them_works(bakery: Change) -> None:
    recipe = checked(block("yaml", "shouting"), origin="docs/extending.md")
    effects = Effects(build_rules(recipe.clean.rules))
    loud = Turn(prompt="Bread?", response="FOUR CUPS OF FLOUR, WATER, SALT AND REALLY A LOT OF TIME")
    effects.take(1, Conversation(1, (loud,), "{}"))
    effects.take(2, SOURCE)
    assert effects.of_rule["shouting"].rows == {Effect.DROPPED: 1} and effects.kept == 1
    (strategy,) = build_strategies(recipe.augment.strategies, "some-model")
    assert "rest" in strategy.next_request(SOURCE).messages[1]["content"]  # type: ignore[union-attr]
    said = Answer("On patience", "stop", "some-model", Usage(10, 2))
    assert accept(strategy, SOURCE, (said,)).turns[0].response == "On patience"
    with pytest.raises(Exception, match="13 words"):
        accept(strategy, SOURCE, (said._replace(text="word " * 13),))
    record = {"dish": "Bread", "method": "Bake it."}
    assert (
        detect([record]) is by_name("recipe_card")
        and by_name("recipe_card").read(record).turns[0].response == "Bake it."
    )


def test_parameters_of_plugins_are_checked(bakery: Change) -> None:
    with pytest.raises(UsageError, match=r"clean.rules\[0\].shouting.min_letters"):
        build_rules([NamedStep(name="shouting", params={"min_letters": 0})])
    with pytest.raises(UsageError, match="validator max_words"):
        build_strategies(
            [NamedStep(name="paraphrase", params={"plugin_validators": [{"max_words": {"most": 3}}]})], "m"
        )
    with pytest.raises(UnknownName, match="did you mean 'max_words'"):
        build_strategies([NamedStep(name="paraphrase", params={"plugin_validators": ["max_word"]})], "m")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("PLUGIN_INTERFACE = 1 ", "PLUGIN_INTERFACE = 7 ", "is written for interface 7"),
        ("PLUGIN_INTERFACE = 1 ", "OTHER = 1 ", "does not say PLUGIN_INTERFACE"),
        ("from typing import ClassVar", "from typing import ClassVarr", "ImportError"),
        ('name = "shouting"', 'name = "whispering"', "it calls itself whispering"),
        ("class Shouting(Rule)", "class Shouting(Validator)", "it is no corpus_pipeline.stages.clean.rules.base.Rule"),
    ],
)
def test_a_plugin_that_cannot_be_used_stops_only_who_names_it(bakery: Change, old: str, new: str, says: str) -> None:
    bakery(old, new)
    (entry,) = [one for one in catalogue.listed(Group.RULES) if not one["built_in"]]
    assert says in entry["problem"]
    assert any("rule shouting of corpus-bakery 1.2.0" in problem for problem in catalogue.problems())
    assert build_rules(None) and build_rules([NamedStep(name="whitespace")])
    with pytest.raises(UsageError, match=r"corpus-bakery 1\.2\.0 cannot be used"):
        build_rules([NamedStep(name="shouting")])


def test_a_plugin_never_takes_the_place_of_a_built_in_one(bakery: Change, site: Path) -> None:
    (entry_points,) = site.glob("*.dist-info/entry_points.txt")
    text = entry_points.read_text()
    try:
        entry_points.write_text(text.replace("shouting = ", "markup = "))
        bakery('name = "shouting"', 'name = "markup"')
        (problem,) = [one["problem"] for one in catalogue.listed(Group.RULES) if not one["built_in"]]
        assert "built-in" in problem and build_rules([NamedStep(name="markup")])[0].__module__.startswith(
            "corpus_pipeline."
        )
    finally:
        entry_points.write_text(text)


def test_its_code_counts_towards_what_is_stale(bakery: Change) -> None:
    with_it = {stage: code_versions.code_version(stage) for stage in Stage}
    bakery("answer.text.isupper()", "answer.text.upper() == answer.text")
    changed = {stage: code_versions.code_version(stage) for stage in Stage}
    assert all(with_it[stage] != changed[stage] for stage in Stage)


def test_without_plugins_the_version_is_our_own() -> None:
    plugins.forget()
    assert plugins.code_hash(*Group) == "" and all(len(code_versions.code_version(stage)) == 16 for stage in Stage)
