"""Debian's Chromium, headless, driven by Playwright: for what only a real browser can show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

WITHOUT_BROWSER = "CORPUS_TEST_WITHOUT_BROWSER"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# as root in a sandbox of its own, and silent towards the network
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


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
