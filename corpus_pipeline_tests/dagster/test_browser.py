"""The Dagster UI in a real browser: people materialize, backfill, pause and re-execute with the mouse, and see what came of it.

Screenshots are left for whoever wants to look (see `browser.artifacts`).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from corpus_pipeline_tests.dagster.conftest import UI
from corpus_pipeline_tests.dagster.graphql import TOKEN, wait_for
from corpus_pipeline_tests.servers import browser

HERE = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
BEACON = "http://localhost:9/beacon.png"
HOSTILE = f" ![x]({BEACON}) <img src={BEACON} onerror=alert(1)> ``` ![y]({BEACON})"
SECONDS = 60_000  # of patience, in milliseconds


@pytest.fixture(scope="module")
def page(ui: UI) -> Iterator[Any]:
    with browser.chromium() as found:
        page = found.new_page(viewport={"width": 1360, "height": 860})
        page.goto(f"{ui.graphql.base_url}/?token={TOKEN}")
        page.elsewhere = []  # what it asks of anybody but the Dagster UI
        page.wrong = []  # what the browser complains of
        page.on("request", lambda request: request.url.startswith(HERE) or page.elsewhere.append(request.url))
        page.on("console", lambda message: message.type == "error" and page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.set_default_timeout(SECONDS)
        yield page


def materialize(ui: UI, page, *names: str) -> None:
    """What a person clicks: Materialize, the partitions, Launch; then the page of the run or backfill."""
    page.goto(f"{ui.graphql.base_url}/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_text("Select a partition or create one").click()
    for name in names:
        page.get_by_placeholder("Filter partitions").fill(name)
        page.get_by_role("menu").locator("span").get_by_text(name, exact=True).click()
    page.get_by_text("Launch runs to materialize").click()  # closes the list
    launch = page.get_by_role("button", name=re.compile(r"^Launch (1 run|backfill)"))
    launch.wait_for()
    shot(page, f"dagster-materialize-{len(names)}")
    launch.click()
    page.get_by_text(re.compile("^(Launched run|Created backfill)")).wait_for()
    page.get_by_text("View", exact=True).click()


@pytest.fixture(scope="module")
def seen(ui: UI, page) -> tuple[str, str]:
    """(run that went through, run that was paused) of a backfill of two partitions, all of it done with the mouse."""
    done, held = ui.add("seen_done", rows=8, extra=HOSTILE), ui.add("seen_paused", rows=40)
    materialize(ui, page, done, held)
    page.get_by_text(held, exact=True).first.wait_for()
    wait_for(lambda: ui.stage(held, "augment")[1] >= 2, 120, "augmented rows")
    # before the pause: behind it, a run that waits in the queue for the end of the flag is the newest
    first, second = (ui.graphql.runs_of(name)[0]["runId"] for name in (done, held))
    rows = page.context.browser.new_page(viewport={"width": 1360, "height": 860})
    rows.goto(f"{ui.rows_url}/?token={TOKEN}")
    rows.goto(f"{ui.rows_url}/files/{held}")
    rows.get_by_label("Stage").select_option("augment")
    rows.get_by_label("Reason").fill("the prices are to be looked at first")
    rows.get_by_role("button", name="Pause").click()
    rows.locator("#live").get_by_text("paused", exact=True).first.wait_for(timeout=SECONDS)  # the page renews itself
    rows.screenshot(path=str(browser.artifacts() / "browser-paused.png"))
    rows.close()
    assert {ui.graphql.finished(run, 120)["status"] for run in (first, second)} == {"SUCCESS"}
    return first, second


def shot(page, name: str) -> None:
    page.wait_for_timeout(1500)  # what is still being drawn
    page.screenshot(path=str(browser.artifacts() / f"{name}.png"))


def test_a_backfill_says_how_far_it_is(ui: UI, page, seen):
    """Its page was opened when it was launched, and has renewed itself since."""
    page.get_by_text(re.compile("1 completed|50%")).first.wait_for()
    shot(page, "dagster-backfill")


def test_a_failed_run_is_re_executed_from_its_failure(ui: UI, page):
    name = ui.add("seen_failed", rows=4)
    path = ui.folder / "data" / f"{name}.jsonl"
    right = path.read_bytes()
    path.write_bytes(right + b"{}\n")
    materialize(ui, page, name)
    page.get_by_text("Failure", exact=True).first.wait_for()
    page.get_by_text(re.compile("changed since it was registered")).first.wait_for()
    shot(page, "dagster-failed-run")
    path.write_bytes(right)
    page.get_by_role("button", name="Re-execute").first.locator("xpath=following::button[1]").click()
    page.get_by_role("menuitem").filter(has_text="From failure").click()
    page.get_by_text("ROOT", exact=True).first.wait_for()  # the page of the new run, which nobody reloads
    page.get_by_text("RUN_SUCCESS", exact=True).first.wait_for()
    shot(page, "dagster-re-executed-run")
    assert ui.stage(name, "export")[0] == "done"


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
    assert link.get_attribute("href") == f"{ui.rows_url}/files/seen_done"
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


def test_an_image_from_elsewhere_is_not_loaded_even_if_a_text_made_one(ui: UI, page, seen):
    """The second fence alone."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/beacon.png"
        page.evaluate("url => document.body.append(Object.assign(new Image(), {src: url}))", url)
        page.wait_for_timeout(500)
        with pytest.raises(BlockingIOError):  # nobody has come
            elsewhere.accept()
    (refused,) = [text for text in page.wrong if "beacon" in text]
    assert "Content Security Policy" in refused
    page.wrong.remove(refused)


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


def test_the_buttons_of_the_row_browser_start_runs_and_lead_to_them(ui: UI, page):
    name = ui.add("by_button", rows=3)
    rows = page.context.browser.new_page(viewport={"width": 1360, "height": 860})
    rows.set_default_timeout(SECONDS)
    rows.goto(f"{ui.rows_url}/?token={TOKEN}")

    ui.model.meet(refusal=1.0)
    try:
        rows.goto(f"{ui.rows_url}/files/{name}")
        rows.get_by_role("button", name="Start", exact=True).click()
        rows.locator("#live").get_by_text("blocked", exact=True).first.wait_for()  # the page renews itself
        rows.screenshot(path=str(browser.artifacts() / "browser-started.png"))
    finally:
        ui.model.meet()

    rows.goto(f"{ui.rows_url}/failed?file={name}&state=open")
    rows.get_by_label("Select all on this page").check()
    rows.screenshot(path=str(browser.artifacts() / "browser-replay.png"))
    rows.get_by_role("button", name="Replay and run").click()
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 120, "the run after the replay")

    for one in ui.graphql.runs_of(name):
        ui.graphql.finished(one["runId"])
    replayed, started = ui.graphql.runs_of(name)
    assert [one["tags"]["corpus/end"] for one in (replayed, started)] == ["done", "blocked"]
    assert all(one["tags"]["corpus/started_for"] for one in (replayed, started))

    ui.add("by_backfill", rows=3)  # what comes of it is in test_daemon
    rows.goto(f"{ui.rows_url}/files")
    rows.get_by_role("button", name="Backfill failed and missing").click()
    rows.get_by_text("Backfill up to export").first.wait_for()
    rows.screenshot(path=str(browser.artifacts() / "browser-backfill.png"))

    rows.goto(f"{ui.rows_url}/files/{name}")
    rows.get_by_role("link", name=replayed["runId"]).first.click()  # to Dagster, under the same session
    rows.wait_for_url(f"{ui.graphql.base_url}/runs/{replayed['runId']}")
    rows.get_by_text("RUN_SUCCESS", exact=True).first.wait_for()
    shot(rows, "dagster-run-of-a-button")
    rows.goto(f"{ui.graphql.base_url}/assets/jsonl_export?view=partitions&partition={name}")
    with rows.expect_popup() as back:  # a tab of its own
        rows.locator(f"a[href$='/files/{name}']").first.click()
    back.value.locator("#live").get_by_text("done", exact=True).first.wait_for()
    assert back.value.url == f"{ui.rows_url}/files/{name}"
    back.value.close()
    rows.close()


def test_no_page_asked_anybody_else_and_the_browser_had_nothing_to_complain_of(page):
    assert (page.wrong, page.elsewhere) == ([], [])
