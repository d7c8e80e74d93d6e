"""Documentation that is written from the code is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from corpus_pipeline.cli import cli
from corpus_pipeline.settings import VARIABLES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["reference.py", "formats.py", "json_schema.py"])
def test_generated_pages_are_what_the_code_says(script: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "reference.md"], ids=lambda page: page.name)
def test_every_command_and_option_on_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^ *corpus ([a-z][^#\n]*)", text, flags=re.MULTILINE) + re.findall(
        r"`corpus ([a-z][^`\n]*)`", text
    )
    assert lines or page.name != "README.md"
    for line in lines:
        words = line.split()
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            if command.invoke_without_command and words[0].startswith("--"):
                break  # a command of its own as well
            word = words.pop(0)
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{page.name}: corpus {line}"
            command = found
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        options = {word.partition("=")[0].rstrip(".,;:)") for word in words if word.startswith("--")}
        free = command.name == "llm-stub"  # its options are its own
        assert free or options <= known | {"--help"}, f"{page.name}: corpus {line}: {options - known}"


def test_links_between_the_pages_lead_somewhere() -> None:
    links = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\((?!https?://)([^)]+)", page.read_text(encoding="utf-8"))
    ]
    assert {"README.md", "architecture.md", "operating.md"} <= {page.name for page, _ in links}
    for page, link in links:
        path, _, place = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        if place:
            heads = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert place in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, link


def test_every_setting_that_the_code_reads_is_documented() -> None:
    named = {variable.name for variable in VARIABLES}
    read = {
        name: path
        for path in (ROOT / "corpus_pipeline").rglob("*.py")
        for name in re.findall(r"\"((?:CORPUS|OPENAI)_[A-Z0-9_]+)\"", path.read_text(encoding="utf-8"))
        if not name.startswith("CORPUS_CRASH_")  # for tests only, described in failpoints.py
    }
    assert {"CORPUS_HOME", "CORPUS_DATABASE_URL", "OPENAI_API_KEY"} <= set(read)
    assert {name: path for name, path in read.items() if name not in named | {"CORPUS_DAGSTER_STORAGE"}} == {}


def test_every_test_that_the_page_of_security_names_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", text)
    assert len(named) > 40
    sources = {path: (ROOT / "corpus_pipeline_tests" / path).read_text(encoding="utf-8") for path, _ in named}
    missing = [f"{path}::{test}" for path, test in named if f"def {test}(" not in sources[path]]
    assert missing == []


def test_the_page_of_security_has_every_threat_and_no_claim_without_a_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| S")]
    assert [row[0] for row in rows] == [f"S{number}" for number in range(1, 25)]
    for number, _, state, _, tests, missing in rows:
        assert state in ("holds", "partly", "not"), number
        assert state != "holds" or "::" in tests, number
        assert state == "holds" or missing, number


def test_every_module_that_the_page_of_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_0-9]+/)+(?:[a-z_0-9]+\.py)?|[a-z_]+\.py)`", text))
    assert len(named) > 60
    assert [
        name for name in sorted(named) if not any((place / name).exists() for place in (ROOT, ROOT / "corpus_pipeline"))
    ] == []
