"""Every page answers, every page has a JSON twin, and both say the same."""

from __future__ import annotations

import json
import re

import pytest

from corpus_pipeline.service.queries import lineage
from corpus_pipeline.states import Stage
from corpus_pipeline.web.app import _routes
from corpus_pipeline_tests.web.conftest import GONE

PAGES = (
    "/files",
    "/files/hostile",
    "/files/hostile/rows",
    "/files/hostile/rows?stage=clean",
    "/files/hostile/rows?stage=augment&strategy=paraphrase",
    "/files/hostile/rows/1",
    "/files/hostile/rows/20?with=paraphrase/0",
    "/files/hostile/rows/50",
    "/files/hostile/rejects",
    "/files/hostile/duplicates",
    "/files/hostile/review",
    "/files/hostile/try",
    "/files/hostile/duplicates?sort=difference",
    "/files/hostile/statistics",
    "/files/hostile/reports",
    "/failed?state=any",
    "/pauses",
    "/cost",
    "/cost?by=day",
    "/exports",
    "/exports/1",
    "/exports/1/lines",
    "/exports/1/lines/2",
    "/audit",
    "/audit?action=purge",
    "/purges/2",
)


def twin(path: str) -> str:
    base, mark, query = path.partition("?")
    return f"{base}.json{mark}{query}"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_twin_by_suffix_and_by_accept(client, path):
    page = client.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    by_suffix, by_accept = client.get(twin(path)), client.get(path, headers={"Accept": "application/json"})
    assert by_suffix.headers["content-type"] == by_accept.headers["content-type"] == "application/json"
    assert by_suffix.json().keys() == by_accept.json().keys() != set()


def test_the_list_above_has_every_page():
    """But those that are no pages: files, forms, redirects."""
    shown = {re.sub(r"\d+", "{}", page.partition("?")[0]).replace("hostile", "{}") for page in PAGES}
    known = {re.sub(r"{[^}]*}", "{}", route.path) for route in _routes() if "GET" in route.methods}
    others = {
        "/",
        "/healthz",
        "/metrics",
        "/static/{}",
        "/login",
        "/login/oidc",
        "/login/oidc/done",
        "/exports/{}/download",
        "/files/{}/selection.jsonl",
        "/failed/{}",
    }
    assert known - others == shown


def test_every_link_of_every_page_leads_somewhere(client, fail_some):
    fail_some(2)
    seen, waiting, broken = set(), ["/files"], []
    while waiting:
        path = waiting.pop()
        kind = re.sub(r"\d+", "0", path)
        if kind in seen:
            continue  # one row, one line, one page of each kind will do
        seen.add(kind)
        answer = client.get(path)
        if answer.status_code != 200:
            broken.append((path, answer.status_code))
        if "html" in answer.headers["content-type"]:
            links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"#]*)"', answer.text)]
            waiting += [path.partition("?")[0] + link if link.startswith("?") else link for link in links]
    assert broken == [] and len(seen) > 40


def test_pages_by_key_meet_every_row_once(client):
    met, after = [], 0
    while after is not None:
        page = client.get(f"/files/hostile/rows.json?limit=7&after={after}").json()
        met += [row["number"] for row in page["rows"]]
        after = page["next_after"]
    assert met == list(range(1, client.get("/files.json").json()["files"][0]["conversations"] + 1))


def found(client, query: str) -> list[int]:
    return [row["number"] for row in client.get(f"/files/hostile/rows.json?limit=200&{query}").json()["rows"]]


def test_search_finds_chinese_and_ignores_case(client):
    (chinese,) = found(client, "search=柠檬酸")
    assert found(client, "search=KETTLE") == found(client, "search=kettle") != []
    assert found(client, "search=%25") == found(client, "search=_") == [8]  # no wildcards of LIKE
    assert "<mark>柠檬酸</mark>" in client.get("/files/hostile/rows?search=柠檬酸").text
    assert chinese == client.get(f"/files/hostile/rows/{chinese}.json").json()["number"]


def test_filters_by_state_reason_and_change_agree_with_the_report(client, corpus):
    (report,) = corpus.report("hostile", Stage.CLEAN)
    dropped, kept = found(client, "state=dropped"), found(client, "state=kept")
    assert (len(dropped), len(kept)) == (report["dropped"], report["succeeded"])
    for reason, count in report["drop_reasons"].items():
        assert len(found(client, f"reason={reason}")) == count
    assert len(found(client, "changed=true")) == report["changed"] > 0
    assert found(client, "stage=clean") == kept


def test_a_question_that_takes_too_long_says_how_far_it_looked(corpus):
    from corpus_pipeline.service.queries import rows as queries_rows
    from corpus_pipeline.store.row_queries import Filter

    wanted = Filter(Stage.INGEST, search="柠檬酸")
    page = corpus.store.fetch(queries_rows.row_page, "hostile", wanted, limit=50, seconds=-1.0)
    assert page.stopped_at is None  # a corpus this small is one range
    original, queries_rows._RANGE = queries_rows._RANGE, 10
    try:
        page = corpus.store.fetch(queries_rows.row_page, "hostile", wanted, limit=50, seconds=-1.0)
        assert (page.found, page.stopped_at, page.next_after) == ([], 10, 10)
    finally:
        queries_rows._RANGE = original


def test_a_changed_row_shows_what_was_taken_out_and_put_in(client):
    changed = found(client, "changed=true&state=kept")[-1]
    text = client.get(f"/files/hostile/rows/{changed}").text
    assert "<del>" in text and "whitespace" in text


def test_a_duplicate_and_its_keeper_name_each_other(client):
    (repeated,) = found(client, "reason=exact_duplicate")
    keeper = client.get(f"/files/hostile/rows/{repeated}.json").json()["duplicates"]["keeper"]["number"]
    twins = client.get(f"/files/hostile/rows/{keeper}.json").json()["duplicates"]["twins"]
    assert repeated in [twin["number"] for twin in twins]


def test_a_call_shows_the_prompt_that_was_sent_and_its_cost(client):
    number = found(client, "stage=augment")[-1]
    calls = client.get(f"/files/hostile/rows/{number}.json").json()["calls"]
    assert calls and all(call["prompt"]["same"] for call in calls)
    assert sum(call["cost_usd"] for call in calls) > 0
    assert calls[0]["prompt"]["messages"][0]["role"] == "system"


def test_forward_and_backward_traces_agree(client):
    for line in (1, 2, 60):
        trace = client.get(f"/exports/1/lines/{line}.json").json()
        row = trace["row"].partition(":")[2].partition("/")[0]
        places = client.get(f"/files/hostile/rows/{row}.json").json()["exported"]
        assert (1, line) in {(place["export_id"], place["line"]) for place in places}


def test_a_line_of_a_superseded_export_is_still_traced(client):
    older, newer = (client.get(f"/exports/{number}/lines/1.json").json() for number in (1, 2))
    assert older["source"] == newer["source"]
    assert (older["superseded"], newer["superseded"]) == (True, False)


def test_every_line_of_every_export_is_traced_whatever_was_done_since(client, corpus):
    lines = {export["id"]: export["lines"] for export in client.get("/exports.json").json()["exports"]}
    gone = []
    assert lines[1] > lines[2] > 50
    for export, number in ((export, number) for export, most in lines.items() for number in range(1, most + 1)):
        found = corpus.store.fetch(lineage.trace_export, export, number)
        assert [step["stage"] for step in found["steps"]][-1] == "export"
        assert (found["purged"] is not None) == (found["source"]["row"] == GONE)
        for step in found["steps"]:
            assert found["purged"] or all(call["prompt"]["same"] for call in step.get("calls", ()))
            gone += [number] if found["purged"] and step["stage"] == "augment" else []
    shown = client.get(f"/exports/1/lines/{gone[0]}").text
    assert "removed on request" in shown and "asked for &lt;script&gt;" in shown
    people = client.get(f"/exports/1/lines/{gone[0]}.json").json()["people"]
    assert [person["action"] for person in people][:3] == ["add", "purge", "redo"]


def test_metrics_are_the_numbers_of_the_pages_in_the_text_format(client, corpus):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            parts = re.fullmatch(r'([a-z_]+)((?:\{[a-z]+="(?:[^"\\]|\\.)*"[^}]*\})?) ([0-9.e+-]+)', line)
            assert parts, line
            told[parts[1], parts[2]] = float(parts[3])
    assert told["corpus_file_rows", '{file="hostile",stage="ingest",what="processed"}'] == 60
    assert told["corpus_files", '{stage="ingest",status="done"}'] == 1
    money = sum(value for (name, _), value in told.items() if name == "corpus_cost_dollars_total")
    assert money == pytest.approx(client.get("/cost.json").json()["total_usd"]) and money > 0
    assert any('consumer="<b>team</b>"' in labels for _, labels in told)


def test_an_operator_removes_a_row_and_gets_the_report(client, corpus):
    form = {"file": "hostile", "row": "51", "reason": "request 8"}
    assert client.form("/purge", **form).status_code == 400  # is not sure
    assert client.get("/files/hostile/rows/51.json").json()["turns"][0]["prompt"]
    answer = client.form("/purge", **form, sure="yes")
    assert answer.status_code == 303
    report = client.get(answer.headers["location"] + ".json").json()
    assert (report["by"], report["reason"], report["rows"][0]["row"]) == ("local", "request 8", "hostile:51")
    assert client.get("/files/hostile/rows/51.json").json()["turns"] == [{}]
    assert client.get("/audit.json?action=purge").json()["entries"][0]["who"] == "local"


def test_an_admin_removes_a_file_after_typing_its_name(client, corpus, tmp_path):
    path = tmp_path / "brief.jsonl"
    path.write_text('{"question": "How deep is the well?", "answer": "Nine metres."}\n')
    corpus.add(path)
    form = {"file": "brief", "reason": "the wrong file"}
    assert client.form("/remove", **form, sure="brie").status_code == 400
    assert client.get("/files/brief").status_code == 200
    assert client.form("/remove", **form, sure="brief").status_code == 303
    assert client.get("/files/brief").status_code == 404
    entry = client.get("/audit.json?action=remove").json()["entries"][0]
    assert (entry["who"], entry["subject"], entry["detail"]["reason"]) == ("local", "brief", "the wrong file")
    assert client.get("/audit?action=remove").status_code == 200


def test_an_operator_asks_for_a_run_and_the_page_says_so_until_it_begins(client, corpus, tmp_path):
    (tmp_path / "oats.jsonl").write_text('{"prompt": "What are oats?", "response": "A cereal grain for porridge."}\n')
    corpus.add(tmp_path / "oats.jsonl")
    assert client.form("/start", file="oats", stage="wash").status_code == 400
    assert client.form("/start", file="oats", stage="clean", back="/files/oats").headers["location"] == "/files/oats"
    page = client.get("/files/oats").text
    assert "Up to clean: requested by" in page and "corpus run oats" in page
    (wish,) = client.get("/files/oats.json").json()["start_requests"]
    assert wish["to"] == "clean"
    assert client.get("/audit.json?action=start").json()["entries"]


def test_an_operator_asks_for_a_backfill_of_what_has_failed_or_is_missing(client, corpus, tmp_path):
    (tmp_path / "rye.jsonl").write_text('{"prompt": "What is rye?", "response": "A cereal grain for dark bread."}\n')
    corpus.add(tmp_path / "rye.jsonl")
    assert client.form("/backfill", stage="wash").status_code == 400
    assert client.form("/backfill", stage="clean", back="/files").headers["location"] == "/files"
    assert client.form("/backfill", stage="clean").status_code == 303  # asked for already
    assert "Backfill up to clean: requested by" in client.get("/files").text
    (wish,) = client.get("/files.json").json()["backfills"]
    assert wish["to"] == "clean"
    assert len(client.get("/audit.json?action=backfill").json()["entries"]) == 1


def test_an_export_is_downloaded_as_it_lies_in_the_target(client, corpus):
    export = client.get("/exports.json").json()["exports"][0]
    answer = client.get(f"/exports/{export['id']}/download")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="hostile.jsonl"'
    with corpus.target.open("hostile") as file:
        assert answer.content == file.read()
    assert len(answer.content) == export["bytes"]


def test_a_selection_streams_what_matches(client):
    answer = client.get("/files/hostile/selection.jsonl?search=柠檬酸")
    assert answer.headers["content-type"] == "application/x-ndjson"
    (record,) = map(json.loads, answer.text.splitlines())
    assert record["question"] == "水壶怎么除垢？"
    rows = client.get("/files/hostile/selection.jsonl?state=dropped&form=rows").text.splitlines()
    assert [json.loads(row)["number"] for row in rows] == found(client, "state=dropped")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/files/nothing", 404),
        ("/files/..%2f..%2fetc", 404),
        ("/files/hostile/rows/99999", 404),
        ("/files/hostile/rows/0", 404),
        ("/files/hostile/rows/99999999999999999999", 404),
        ("/files/hostile/rows?after=-1", 400),
        ("/files/hostile/rows?after=99999999999", 400),
        ("/files/hostile/rows?limit=100000", 400),
        ("/files/hostile/rows?stage=drop%20table", 400),
        ("/files/hostile/rows?state='%20or%201=1--", 400),
        ("/cost?by=1;select", 400),
        ("/exports/999", 404),
        *((f"/{path}/{'9' * 19}", 404) for path in ("exports", "exports/1/lines", "failed", "purges")),
        (f"/exports/{'9' * 5000}/lines", 404),
        ("/exports/1/lines/999999", 400),
        ("/failed/424242", 404),
        ("/failed?state=x", 400),
        ("/audit?before=x", 400),
        ("/nothing", 404),
        ("/static/..%2fapp.py", 404),
    ],
)
def test_what_cannot_be_asked_is_an_error_in_words(client, path, status):
    page, other = client.get(path), client.get(twin(path))
    assert (page.status_code, other.status_code) == (status, status)
    assert "Traceback" not in page.text


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", '"; DROP TABLE turns; --', "%' ESCAPE '", "\\", "_%_", "!", "🦆", "\u202e"]
)
def test_hostile_words_in_every_filter_are_only_words(client, text):
    for key in ("search", "reason", "strategy"):
        for stage in ("ingest", "clean", "augment"):
            answer = client.get("/files/hostile/rows", params={"stage": stage, key: text})
            has_meaning = key == "search" or (key == "strategy") == (stage == "augment")
            assert answer.status_code == (200 if has_meaning else 400)
    for path, keys in (("/failed", ("file", "strategy", "reason")), ("/audit", ("who", "action"))):
        assert client.get(path, params=dict.fromkeys(keys, text)).status_code == 200
    assert client.get("/files/hostile/rows.json").json()["rows"]


def test_the_audit_log_shows_what_was_chosen_in_words_and_says_when_nothing_matches(client):
    client.get("/files/hostile/selection.jsonl?stage=clean&changed=true")
    page = client.get("/audit?action=download").text
    assert "stage clean, changed true" in page and "{" not in page.partition("<tbody>")[2]
    assert "No entry matches." in client.get("/audit?who=who-never-was").text


def test_the_report_shows_new_rows_for_a_person_to_read(client):
    (report,) = [
        one for one in client.get("/files/hostile/reports.json").json()["reports"] if one["stage"] == "augment"
    ]
    page = client.get("/files/hostile/reports").text
    assert len(report["review"]) == 10
    for one in report["review"]:
        assert f'<a href="/files/hostile/rows/{one["row"].removeprefix("hostile:")}">' in page
