"""Documentation that is written from the code is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from corpus_pipeline.cli import cli
from corpus_pipeline.settings import VARIABLES

ROOT = Path(__file__).parents[2]


def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_command_in_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\s*corpus ([a-z-]+)", text, flags=re.MULTILINE)) | set(
        re.findall(r"`corpus ([a-z-]+)", text)
    )
    assert named and named <= set(cli.commands), f"not commands: {named - set(cli.commands)}"


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_setting_that_the_code_reads_is_documented() -> None:
    named = {variable.name for variable in VARIABLES}
    for path in (ROOT / "corpus_pipeline").rglob("*.py"):
        for name in re.findall(r"\"((?:CORPUS|OPENAI)_[A-Z0-9_]+)\"", path.read_text(encoding="utf-8")):
            if not name.startswith("CORPUS_CRASH_"):  # for tests only, described in crashpoints.py
                assert name in named | {"CORPUS_DAGSTER_STORAGE"}, f"{path}: {name}"
