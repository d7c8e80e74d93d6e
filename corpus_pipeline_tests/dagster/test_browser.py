"""The Dagster UI in a real browser: what people see of a partition, a check, a backfill and a paused run.

Screenshots are left for whoever wants to look (see `browser.artifacts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from corpus_pipeline_tests.dagster.conftest import UI
from corpus_pipeline_tests.dagster.graphql import wait_for
from corpus_pipeline_tests.servers import browser

HERE = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
BEACON = "http://localhost:9/beacon.png"
HOSTILE = f" ![x]({BEACON}) <img src={BEACON} onerror=alert(1)> ``` ![y]({BEACON})"
SECONDS = 60_000  # of patience, in milliseconds


@pytest.fixture(scope="module")
def page(ui: UI) -> Iterator[object]:
    with browser.chromium() as found:
        page = found.new_page(viewport={"width": 1360, "height": 860})
        page.elsewhere = []  # what it asks of anybody but the Dagster UI
        page.on("request", lambda request: request.url.startswith(HERE) or page.elsewhere.append(request.url))
        page.set_default_timeout(SECONDS)
        yield page


@pytest.fixture(scope="module")
def seen(ui: UI) -> tuple[str, str]:
    """(run that went through, run that was paused) of two partitions."""
    done, held = ui.add("seen_done", rows=8, extra=HOSTILE), ui.add("seen_paused", rows=16)
    first, second = ui.graphql.launch(done), ui.graphql.launch(held)
    wait_for(lambda: ui.stage(held, "augment")[1] >= 2, 120, "augmented rows")
    ui.corpus.pause([held], None, False, "the prices are to be looked at first")
    assert {ui.graphql.finished(run, 120)["status"] for run in (first, second)} == {"SUCCESS"}
    return first, second


def shot(page, name: str) -> None:
    page.wait_for_timeout(1500)  # what is still being drawn
    page.screenshot(path=str(browser.artifacts() / f"{name}.png"))


def test_the_lineage_shows_the_path_of_the_data(ui: UI, page, seen):
    page.goto(f"{ui.graphql.base_url}/asset-groups")
    for name in ("dataset_rows", "cleaned_rows", "augmented_rows", "jsonl_export"):
        page.get_by_text(name).first.wait_for()
    shot(page, "dagster-lineage")


def test_a_partition_shows_its_numbers_its_preview_and_its_checks(ui: UI, page, seen):
    page.goto(f"{ui.graphql.base_url}/assets/augmented_rows?view=partitions&partition=seen_done")
    for label in ("cost_usd", "input_tokens", "preview"):
        page.get_by_text(label, exact=True).first.wait_for()
    link = page.locator("a[href$='/files/seen_done']").first
    assert link.get_attribute("href") == f"{ui.corpus.settings.web_url}/files/seen_done"
    shot(page, "dagster-partition")
    page.goto(f"{ui.graphql.base_url}/assets/augmented_rows?view=checks")
    page.get_by_text("nothing_empty").first.wait_for()
    shot(page, "dagster-checks")


def test_a_hostile_row_in_a_preview_is_its_text_and_asks_nobody_for_anything(ui: UI, page, seen):
    page.goto(f"{ui.graphql.base_url}/assets/dataset_rows?view=partitions&partition=seen_done")
    page.get_by_text("[Show Markdown]").first.click()
    page.get_by_text(re.compile(re.escape(f"![x]({BEACON})"))).first.wait_for()
    page.wait_for_timeout(500)
    assert page.locator("img[src*='beacon']").count() == 0
    assert [url for url in page.elsewhere if "beacon" in url] == []


def test_numbers_are_plotted_over_the_partitions(ui: UI, page, seen):
    page.goto(f"{ui.graphql.base_url}/assets/augmented_rows")
    page.get_by_text("Plots", exact=True).first.click()
    for label in ("failed", "cost_usd"):
        page.get_by_text(label, exact=True).first.scroll_into_view_if_needed()
    assert page.locator("canvas").count() >= 10
    shot(page, "dagster-plots")


def test_a_paused_run_says_so_and_shows_no_failure(ui: UI, page, seen):
    page.goto(f"{ui.graphql.base_url}/runs/{seen[1]}")
    page.get_by_text(re.compile("the prices are to be looked at first")).first.wait_for()
    assert page.get_by_text("Failure", exact=True).count() == 0
    shot(page, "dagster-paused-run")


def test_backfills_and_the_export_are_pages_that_load(ui: UI, page, seen):
    page.goto(f"{ui.graphql.base_url}/assets/jsonl_export?view=partitions&partition=seen_done")
    page.get_by_text("sha256", exact=True).first.wait_for()
    shot(page, "dagster-export")
    page.goto(f"{ui.graphql.base_url}/runs?view=backfills")
    page.get_by_text("Backfills").first.wait_for()
    shot(page, "dagster-backfills")
