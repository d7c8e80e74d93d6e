"""Templates that try to use up memory or time: in-process by meter, in the child by hard limits."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline import templates
from corpus_pipeline.templates import PromptTemplate, TemplateFault, check_template, compiled

DOUBLING = "{% set s = 'x' %}" + "{% set s = s + s %}" * 60 + "{{ s }}"
BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 999999999 }}",
    "{{ 999999999 * 'a' }}",
    "{{ [0] * 999999999 }}",
    "{{ '%9999999d' % 1 }}",
    "{{ '%s' % text }}",
    "{{ 2 ** 999999 }}",
    "{{ 999999999999 * 999999999999 * 999999999999 }}",
    "{{ 9999999999999999 }}",
    "{% for a in range(99999) %}x{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "{% for a in range(100) %}{% for b in range(100) %}{% for c in range(100) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(0, 99999999999, 1) %}{% endfor %}",
    "{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}",
    "{% for a in range(9000) %}" + "x" * 500 + "{% endfor %}",
    DOUBLING,
    "{% for a in range(9000) %}{% if text|upper == 'x' %}{% endif %}{% endfor %}",
    "{{ 'x'|center(999999999) }}",
    "{{ 'x'|indent(999999999) }}",
    "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
    "{{ range(9999)|join(text) }}",
    "{{ text|replace('x', text) }}",
]
MISSHAPEN = [
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "-" * 5000 + "1 }}",
    "{{ 1 " + "+1" * 5000 + " }}",
    "{{ " + "9" * 5000 + " }}",
    "{% if 1 %}" * 2000 + "{% endif %}" * 2000,
    "x" * (templates.MAX_TEMPLATE_CHARACTERS + 1),
]


@pytest.mark.parametrize("bomb", BOMBS + MISSHAPEN, ids=lambda bomb: bomb[:40])
def test_a_bomb_ends_as_a_fault_in_process(bomb: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with pytest.raises(TemplateFault):
        PromptTemplate(bomb).render({"text": "x" * 2000})
    assert time.process_time() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


def test_the_check_passes_a_good_template_and_names_the_fault_of_a_bad_one() -> None:
    check_template("{{ text }}", [{"text": "a"}, {"text": ""}])
    with pytest.raises(TemplateFault, match="'missing' is undefined"):
        check_template("{{ missing }}", [{"text": "a"}])
    with pytest.raises(TemplateFault, match="'Getattr' is not available"):
        check_template("{{ text.upper }}", [{"text": "a"}])


@pytest.mark.parametrize("bomb", [MISSHAPEN[0], MISSHAPEN[4], BOMBS[0]], ids=["parentheses", "ifs", "power"])
def test_the_check_survives_what_it_checks(bomb: str) -> None:
    with pytest.raises(TemplateFault):
        check_template(bomb, [{}])


def test_the_check_is_done_once_for_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    check_template("once {{ text }}", [{"text": "a"}])
    monkeypatch.setattr(templates.subprocess, "run", lambda *_args, **_kwargs: pytest.fail("a second process"))
    check_template("once {{ text }}", [{"text": "a"}])


@pytest.mark.parametrize(
    ("greed", "signs"), [("bytearray(2 * 1024**3)", "MemoryError"), ("all(True for _ in iter(int, 1))", "")]
)
def test_the_child_of_the_check_cannot_take_more_than_its_limits(greed: str, signs: str) -> None:
    """The child's own entry point, with a template class that takes what no meter would give."""
    program = (
        "import sys\n"
        "from corpus_pipeline import templates_child\n"
        "class Greedy:\n"
        "    def __init__(self, text): pass\n"
        f"    def render(self, context): {greed}\n"
        "templates_child.PromptTemplate = Greedy\n"
        "sys.exit(templates_child.main())\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", program],
        input=b'{"text": "", "contexts": [{}]}',
        capture_output=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(Path(templates.__file__).parents[3])},
    )
    assert child.returncode != 0
    assert signs in child.stderr.decode()


def test_the_child_of_the_check_inherits_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    run = subprocess.run

    def recorded(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["env"])
        return run(*args, **kwargs)

    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    monkeypatch.setattr(templates.subprocess, "run", recorded)
    check_template("inherits {{ text }}", [{"text": "a"}])
    assert [sorted(env) for env in seen] == [["PYTHONPATH", "PYTHONUTF8"]]


def test_a_check_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "CHECK_WALL_SECONDS", 0.001)
    with pytest.raises(TemplateFault, match="takes more than"):
        check_template("hangs {{ text }}", [{"text": "a"}])


def test_a_template_is_compiled_once() -> None:
    assert compiled("same {{ text }}") is compiled("same {{ text }}")
