"""Hostile rows in a real browser: nothing of them runs, nothing leaves the machine, our own pages break no rule of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from corpus_pipeline.service import Corpus
from corpus_pipeline.service.commands import pause
from corpus_pipeline.service.queries import progress
from corpus_pipeline.states import Stage
from corpus_pipeline.store import failed_samples
from corpus_pipeline.web import create_app
from corpus_pipeline.web.serve import default_options, start_background
from corpus_pipeline_tests.servers import browser
from corpus_pipeline_tests.web.conftest import HOSTILE

TOKEN = "a-token-of-these-tests-0123456789"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(corpus: Corpus) -> Iterator[str]:
    options = default_options(corpus.settings, port=0, token=TOKEN)
    server = start_background(create_app(corpus, options), options)
    yield server.url
    server.stop()


class Watch:
    """All that a page must not do: dialogs, requests to elsewhere, complaints of the browser."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.wrong: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("dialog", self._dialog)
        self.page.on("console", lambda message: self.wrong.append(f"console {message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("popup", lambda popup: self.wrong.append(f"popup: {popup.url}"))
        self.page.on("request", lambda request: self._request(request.url, address))

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str, address: str) -> None:
        if not url.startswith(address + "/"):
            self.wrong.append(f"request: {url}")


@pytest.fixture
def watch(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Watch]:
    options = getattr(request, "param", {})
    context = chromium.new_context(base_url=address, **options)
    assert context.request.get(f"{address}/?token={TOKEN}").ok  # the cookie is the context's
    yield Watch(context, address)
    context.close()


# opens what is folded, and touches everything with mouse and keyboard
TOUCH = """() => {
  for (const element of document.querySelectorAll('details')) element.open = true;
  for (const element of document.querySelectorAll('main *'))
    for (const kind of ['mouseover', 'focus', 'load', 'error', 'toggle']) element.dispatchEvent(new Event(kind));
}"""
PAGES = (
    "/files",
    "/files/hostile",
    "/files/hostile/rows?limit=100",
    "/files/hostile/rows?search=alert",
    "/files/hostile/rows?stage=clean&search=onerror",
    "/files/hostile/rows?stage=augment",
    "/files/hostile/rejects",
    "/files/hostile/duplicates",
    "/files/hostile/statistics",
    "/exports/1/lines",
    "/audit",
    "/cost?by=consumer",
    *(f"/files/hostile/rows/{number}" for number in range(1, len(HOSTILE) + 1)),
    "/files/hostile/rows/2?with=paraphrase/0",
    "/files/hostile/rows/50",
    "/purges/2",
    "/audit?action=purge",
    "/exports/1/lines/4",
    "/files/hostile/rows?search=%3Cscript%3Ealert(1)%3C/script%3E&reason=%22%3E%3Csvg%20onload=alert(1)%3E",
)


def test_hostile_rows_run_nothing_and_load_nothing(watch, fail_some):
    samples = fail_some(len(HOSTILE))
    for path in (*PAGES, "/failed", *(f"/failed/{identifier}" for identifier in samples[-len(HOSTILE) :])):
        watch.page.goto(path)
        watch.page.evaluate(TOUCH)
        assert (
            watch.page.evaluate(
                "document.querySelectorAll('iframe, object, embed, base, style, script:not([src])').length"
            )
            == 0
        )
    assert watch.wrong == []


def test_a_hostile_text_is_shown_as_what_it_is(watch):
    watch.page.goto("/files/hostile/rows/1")
    assert "<script>alert(1)</script>" in watch.page.inner_text(".message.prompt .body")
    watch.page.goto("/files/hostile/rows/8")
    assert "{{ 7*7 }}" in watch.page.inner_text(".message.prompt .body")
    watch.page.goto("/files/hostile/rows/13")
    assert watch.page.locator(".message.prompt .ctl").all_inner_texts()[:2] == ["RLO", "PDF"]
    watch.page.goto("/files/hostile/rows/14")
    assert watch.page.locator(".message.prompt .ctl").all_inner_texts()[:2] == ["NUL", "ESC"]
    assert watch.wrong == []


def test_the_policy_of_the_page_stops_what_a_mistake_would_let_in(watch):
    """The second fence alone: markup that got in unescaped neither runs nor loads."""
    watch.page.goto("/files")
    for markup in (
        '<img src="http://127.0.0.1:9/x.png">',
        '<img src="/nothing.png" onerror="window.ran = 1">',
        '<iframe src="http://127.0.0.1:9/"></iframe>',
    ):
        watch.page.evaluate("text => document.querySelector('main').insertAdjacentHTML('beforeend', text)", markup)
    watch.page.wait_for_timeout(200)
    assert watch.page.evaluate("window.ran") is None
    assert [line for line in watch.wrong if line.startswith(("dialog", "popup"))] == []
    assert sum("Content Security Policy" in line for line in watch.wrong) >= 3


def test_pausing_and_resuming_with_the_mouse_and_the_page_renews_itself(watch, corpus):
    page = watch.page
    page.goto("/files")
    page.fill("form[action='/pause'] input[name=reason]", "a look at the prices")
    page.select_option("form[action='/pause'] select[name=stage]", "augment")
    page.click("form[action='/pause'] button")
    assert "a look at the prices" in page.inner_text(".flag")
    assert [flag["scope"] for flag in corpus.store.fetch(progress.flags)] == ["augment of every file"]
    (flag,) = corpus.store.fetch(progress.flags)
    progress.clear_flag(corpus.store, flag["id"], "somebody else")
    page.evaluate(
        "htmx.trigger('#live', 'renew'); htmx.ajax('GET', '/files', {target: '#live', select: '#live', swap: 'outerHTML'})"
    )
    page.wait_for_selector(".flag", state="detached")
    assert watch.wrong == []


def test_the_keyboard_stays_where_it_is_when_the_page_renews_itself(watch, corpus):
    page = watch.page
    pause.pause(corpus.store, ["hostile"], None, False, "a look at the prices", "somebody")
    page.goto("/files")
    page.focus(".flag button")
    page.evaluate("window.old = document.activeElement; htmx.ajax('GET', '/files', {source: '#live'})")
    page.wait_for_function("!window.old.isConnected && document.activeElement.textContent == 'Resume'")
    page.keyboard.press("Enter")
    page.wait_for_selector(".flag", state="detached")
    assert watch.wrong == []


def test_enter_in_a_field_of_the_failed_samples_neither_replays_nor_dismisses(watch, corpus, fail_some):
    """Both buttons are those of one form: Enter would press the first, and ask a model again what was to be dismissed."""
    fail_some(2)
    page = watch.page
    page.goto("/failed")
    assert not page.locator("button[disabled]").is_visible()
    page.locator("input[name=id]:enabled").first.check()
    for field in ("Reason for dismissing", "Another model", "Maximum output tokens"):
        page.get_by_label(field).press("Enter")
    page.get_by_label("Reason for dismissing").fill("the source is broken")
    page.get_by_label("Reason for dismissing").press("Enter")
    assert corpus.failed_samples(failed_samples.Where(state="replayed"), limit=10) == []
    page.get_by_role("button", name="Dismiss").click()
    assert "1 sample dismissed" in page.inner_text("[role=status]")
    assert watch.wrong == []


def test_the_keyboard_goes_from_row_to_row(watch):
    page = watch.page
    page.goto("/files/hostile/rows")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "row 2"
    page.keyboard.press("Enter")
    page.wait_for_url("**/rows/2")
    page.goto("/files/hostile/rows?limit=5")
    page.keyboard.press("n")
    page.wait_for_url("**after=5*")
    page.keyboard.press("p")
    page.wait_for_url("**/rows?limit=5")
    page.focus("select[name=state]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")  # past the first of the list, and nothing was sent
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Show").press("Enter")
    page.wait_for_url("**state=dropped*")
    page.goto("/files/hostile/rows")
    page.keyboard.press("/")
    page.keyboard.type("柠檬酸")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=*")
    assert page.locator("[data-row]").count() == 1
    assert watch.wrong == []


@pytest.mark.parametrize(
    "watch", [{"java_script_enabled": False, "viewport": {"width": 360, "height": 740}}], indirect=True, ids=["narrow"]
)
def test_without_scripts_and_in_a_narrow_window_everything_can_be_read(watch, corpus):
    page = watch.page
    pause.pause(corpus.store, ["hostile"], Stage.EXPORT, False, "x" * 300, "somebody")
    for path in (
        "/files",
        "/files/hostile",
        "/files/hostile/rows",
        "/files/hostile/rows/15",
        "/files/hostile/statistics",
        "/files/hostile/reports",
        "/files/hostile/rejects",
        "/failed?state=any",
        "/cost",
        "/exports",
        "/exports/2",
        "/exports/1/lines/4",
        "/pauses",
        "/audit",
        "/purges/2",
    ):
        page.goto(path)
        assert page.locator("h1, .tabs").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, f"{path} is wider than the window"
    pause.resume(corpus.store, ["hostile"], Stage.EXPORT, False, "somebody")
    page.goto("/files/hostile/rows?search=柠檬酸")
    page.locator("[data-row] a").first.click()
    assert "柠檬酸" in page.inner_text(".message.response")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(chromium, address, scheme):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 for text."""
    context = chromium.new_context(base_url=address, color_scheme=scheme)
    assert context.request.get(f"{address}/?token={TOKEN}").ok
    page = context.new_page()
    poor = []
    for path in ("/files/hostile/rows/2?with=paraphrase/0", "/files/hostile/rows", "/failed?state=any", "/nothing"):
        page.goto(path)
        poor += page.evaluate(CONTRAST)
    for name, path in (
        ("files", "/files"),
        ("row", "/files/hostile/rows/20?with=paraphrase/0"),
        ("trace", "/exports/1/lines/40"),
    ):
        page.goto(path)
        page.screenshot(path=str(browser.artifacts() / f"browser-{name}-{scheme}.png"))
    context.close()
    assert poor == []


CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('main *, header *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push([element.tagName, element.className, ratio.toFixed(2)]);
  }
  return poor;
}"""
