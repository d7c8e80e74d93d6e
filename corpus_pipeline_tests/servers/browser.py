"""Debian's Chromium, headless, driven by Playwright: for what only a real browser can show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

WITHOUT_BROWSER = "CORPUS_TEST_WITHOUT_BROWSER"
ARTIFACTS = "CORPUS_TEST_ARTIFACTS"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# as root in a sandbox of its own, and silent towards the network
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


def artifacts() -> Path:
    """Where screenshots are left for whoever wants to look: the folder that CORPUS_TEST_ARTIFACTS names, or test-artifacts/."""
    folder = Path(os.environ.get(ARTIFACTS) or Path(__file__).parents[2] / "test-artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser. Fails when there is none, and skips only when somebody said that this is accepted."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        if os.environ.get(WITHOUT_BROWSER) == "1":
            pytest.skip(f"{WITHOUT_BROWSER}=1: NOT TESTED IN A BROWSER")
        pytest.fail(f"none of {', '.join(PROGRAMS)} found: run `apt-get install chromium`", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
