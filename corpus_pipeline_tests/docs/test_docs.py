"""Documentation that is written from the code is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from corpus_pipeline.cli import cli
from corpus_pipeline.plugins import Group
from corpus_pipeline.settings import VARIABLES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["reference.py", "formats.py", "json_schema.py", "needed_words.py"])
def test_generated_pages_are_what_the_code_says(script: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "reference.md"], ids=lambda page: page.name)
def test_every_command_and_option_on_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^ *corpus ([a-z][^#\n]*)", text, flags=re.MULTILINE) + re.findall(
        r"`corpus ([a-z][^`\n]*)`", text
    )
    assert lines or page != ROOT / "README.md"
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


def spans(page: Path) -> list[str]:
    """What stands between backticks in the running text of a page, and the scripts that its examples start."""
    source = page.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", source, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"\bpython ([\w/]+\.py)\b", source)


def file_named(path: str) -> Path | None:
    """The file or folder that a page means by `path`: from the root, or from one of the two packages."""
    places = (ROOT, ROOT / "corpus_pipeline", ROOT / "corpus_pipeline_tests")
    return next((place / path for place in places if (place / path).exists()), None)


def test_every_module_and_folder_that_a_page_names_is_there() -> None:
    ours = {path.name for path in (ROOT / "corpus_pipeline").iterdir()} | {path.name for path in ROOT.iterdir()}
    named, missing = set(), []
    for page in PAGES:
        for span in spans(page):
            for word in span.split():
                path = word.partition("::")[0].rstrip(",;:")
                is_path = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", path) and (
                    path.endswith(".py") or ("/" in path and path.split("/")[0] in ours)
                )
                if is_path and path != "folder/file.py":  # the page of security says how it names tests
                    named.add(path)
                    missing += [] if file_named(path) else [f"{page.name}: {path}"]
    assert len(named) > 200
    assert missing == []


def test_every_name_that_a_page_places_in_a_module_is_there() -> None:
    named = [
        (page.name, names, path)
        for page in PAGES
        for names, path in re.findall(
            r"((?:`\w+`(?:, | and | or )?)+) of `([\w/]+\.py)`", page.read_text(encoding="utf-8")
        )
    ]
    assert len(named) > 15
    for page, names, path in named:
        found = file_named(path)
        assert found is not None, f"{page}: {path}"
        source = found.read_text(encoding="utf-8")
        for name in re.findall(r"\w+", re.sub(r"` (and|or) `|`, `", "` `", names)):
            defined = rf"^\s*(def|class) {name}\b|^{name}\b.* = |^    Variable\(\"{name}\""
            assert re.search(defined, source, flags=re.MULTILINE), f"{page}: {name} of {path}"


def test_every_dotted_name_on_a_page_is_there() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"\bcorpus_pipeline(?:\.\w+)+", text)) - {group.value for group in Group}
    assert len(named) > 5
    for name in named:
        module, rest = ROOT, name.split(".")
        while rest and (module / rest[0]).is_dir():
            module /= rest.pop(0)
        if rest and (module / f"{rest[0]}.py").exists():
            module /= f"{rest.pop(0)}.py"
        source = (module if module.is_file() else module / "__init__.py").read_text(encoding="utf-8")
        assert not rest or re.search(rf"\b{rest[0]}\b", source), name


def test_every_make_target_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert {"demo", "test", "check"} <= {target for _, target in named}
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_the_list_of_architecture_has_every_part_of_the_package_and_no_other() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"\b([a-z_0-9]+(?:\.py|/(?= )))", text.split("```")[1].partition("\n")[2].partition("\n")[2])
    package = ROOT / "corpus_pipeline"
    parts = {f"{path.name}/" for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    parts |= {path.name for path in package.glob("*.py") if path.name != "__init__.py"}
    assert sorted(set(listed)) == sorted(parts)
