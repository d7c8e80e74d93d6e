"""What the reading commands promise to scripts: JSON keys, exit codes, words on stderr and data on stdout."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from sqlalchemy import update

from corpus_pipeline.errors import GateRefused
from corpus_pipeline.service.queries import rows
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import augmented_turns
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.cli.conftest import Command, lines, run, run_process
from corpus_pipeline_tests.small_corpus import pair


@pytest.mark.parametrize(
    ("asked", "found"),
    [(("report", "sums"), "clean: 12 of 12"), (("trace", "sums", "4"), "source:"), (("estimate", "sums"), "12 rows")],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_was_asked_for_in_words_can_be_kept_in_a_file(corpus: Command, asked: tuple[str, ...], found: str) -> None:
    done = corpus(*asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert found in done.stdout


def test_status_has_the_promised_keys(corpus: Command) -> None:
    (found,) = lines(corpus("status", "sums", "--json"))
    (file,) = found["files"]
    assert {"name", "consumer", "recipe", "stages"} <= set(file)
    assert list(file["stages"]) == ["ingest", "clean", "augment", "export"]
    for stage in file["stages"].values():
        assert {"status", "total", "processed", "dropped", "failed"} <= set(stage)
        assert stage["status"] == "done" and stage["processed"] == stage["total"] == 12


def test_report_counts_add_up(corpus: Command) -> None:
    reports = {report["stage"]: report for report in lines(corpus("report", "dirty", "--json"))}
    ingest, clean, augment = reports["ingest"], reports["clean"], reports["augment"]
    assert (ingest["total"], ingest["succeeded"], ingest["drop_reasons"]) == (16, 15, {"broken_json": 1})
    assert clean["total"] == ingest["succeeded"] == clean["succeeded"] + clean["dropped"]
    assert clean["drop_reasons"]["exact_duplicate"] == 1
    assert augment["succeeded"] + augment["failed"] == augment["total"] == clean["succeeded"]
    assert augment["failed"] > 0 and augment["fail_reasons"] == {"empty": augment["failed"]}
    keys = {
        "name", "stage", "total", "succeeded", "dropped", "drop_reasons", "failed", "retried", "wall_seconds", "cost_usd",
        "cost_per_item", "calls", "input_tokens", "output_tokens", "export_uri", "failed_samples",
    }  # fmt: skip
    assert all(keys <= set(report) for report in reports.values())


def test_cost_adds_up_to_the_same_whatever_it_is_grouped_by(corpus: Command) -> None:
    sums = {
        by: (round(sum(row["cost_usd"] * 1_000_000_000 for row in rows)), sum(row["calls"] for row in rows))
        for by in ("consumer", "file", "strategy", "model", "day")
        for rows in [lines(corpus("cost", "--by", by, "--json"))]
    }
    assert len(set(sums.values())) == 1
    assert {row["consumer"] for row in lines(corpus("cost", "--json"))} == {"school", "hospital"}


def test_rows_come_in_pages_by_key(corpus: Command) -> None:
    first = lines(corpus("rows", "sums", "--limit", "5", "--json"))
    assert [row["row"] for row in first] == [f"sums:{n}" for n in range(1, 6)]
    second = lines(corpus("rows", "sums", "--after", "5", "--limit", "100", "--json"))
    assert [row["row"] for row in second] == [f"sums:{n}" for n in range(6, 13)]


def test_a_row_of_which_nothing_was_made_ends_no_search(corpus: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = lines(corpus("rows", "dirty", "--stage", "augment", "--limit", "100", "--json"))
    monkeypatch.setattr(rows, "_RANGE", 1)
    assert (
        lines(corpus("rows", "dirty", "--stage", "augment", "--where", "strategy=paraphrase", "--json")) == everything
    )


ASKED = (
    ("dirty",),
    ("dirty", "--stage", "export"),
    ("dirty", "--stage", "augment", "--where", "empty=false"),
    ("dirty", "--search", "how many", "--where", "state=kept"),
)


@pytest.mark.parametrize("seconds", [0.0, 10.0])
@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_the_command_that_rows_names_goes_on_to_the_end(
    corpus: Command, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], seconds: float
) -> None:
    everything = lines(corpus("rows", *asked, "--limit", "100", "--json"))
    monkeypatch.setattr(rows, "_SEARCH_SECONDS", seconds)
    monkeypatch.setattr(rows, "_RANGE", 3)
    found, command = [], ["corpus", "rows", *asked, "--limit", "2", "--json"]
    while command:
        page = corpus(*command[1:])
        found += lines(page)
        said = page.stderr.strip()
        command = shlex.split(said.partition(": ")[2])
        assert not command or said.startswith(("more: corpus rows", "looked up to row"))
    assert found == everything and len(found) > 5


def test_what_the_gate_calls_empty_is_found_by_the_command_that_it_names(tmp_path: Path) -> None:
    with small_corpus.opened(tmp_path / "home") as corpus:
        corpus.add(small_corpus.write_jsonl(tmp_path / "notes.jsonl", [pair(n) for n in range(4)]))
        small_corpus.run_path(corpus, "notes", Stage.AUGMENT)
        blank = update(augmented_turns).where(augmented_turns.c.conversation_id % 2 == 0).values(data_response=" ")
        corpus.store.write(lambda c: c.execute(blank) and None)
        with pytest.raises(GateRefused) as refused:
            corpus.run_stage("notes", Stage.EXPORT)
        command = shlex.split(str(refused.value).split("`")[1])
        environment = os.environ | {"CORPUS_HOME": str(tmp_path / "home")}
        named = [row["row"] for row in lines(run(environment, *command[1:], "--json"))]
        assert named == ["notes:2/paraphrase/0", "notes:4/paraphrase/0"]
        assert lines(run(environment, "rows", "notes", "--stage", "augment", "--where", "empty=false", "--json"))[0][
            "row"
        ].startswith("notes:1/")


def test_rows_are_found_by_text_and_by_what_became_of_them(corpus: Command) -> None:
    (hit,) = lines(corpus("rows", "dirty", "--search", "SEVEN CLAY", "--json"))
    assert hit["row"] == "dirty:16" and hit["changes"][0]["rule"] == "personal_data"
    dropped = lines(corpus("rows", "dirty", "--where", "state=dropped", "--json"))
    assert "did you mean 'dropped'" in corpus("rows", "dirty", "--where", "state=droped").stderr
    assert {row["reason"] for row in dropped} == {"exact_duplicate", "empty_prompt"}


def test_show_tells_the_history_of_a_row(corpus: Command) -> None:
    (row,) = lines(corpus("show", "sums:2"))
    assert row["cleaned"]["state"] == "kept"
    assert row["augmented"][0]["strategy"] == "paraphrase"
    assert row["calls"][0]["state"] == "answered" and row["calls"][0]["cost_usd"] > 0
    assert [where["line"] for where in row["exported"]] == [3, 4]


def test_trace_leads_from_a_line_to_its_source(corpus: Command) -> None:
    (trace,) = lines(corpus("trace", "sums", "4", "--json"))
    assert {"export", "line", "source", "steps"} <= set(trace)
    assert (trace["source"]["line"], trace["row"]) == (2, "sums:2/paraphrase/0")
    stages = [step["stage"] for step in trace["steps"]]
    assert stages == ["ingest", "clean", "augment", "export"]
    assert all(step["runs"] for step in trace["steps"]), "each step names the Dagster run that did it"
    with Path(trace["source"]["file"]).open("rb") as source:
        source.seek(trace["source"]["byte_offset"])
        assert json.loads(source.read(trace["source"]["bytes"]))["question"].startswith("In workshop 2 ")


def test_failed_samples_have_their_whole_context(corpus: Command) -> None:
    found = lines(corpus("failed", "list", "--where", "file=dirty", "--json"))
    row = found[0]["row"].split("/")[0]
    for where in (f"row={row}", f"row={row.partition(':')[2]}"):
        own = lines(corpus("failed", "list", "--where", where, "--where", "file=dirty", "--json"))
        assert {f["row"].split("/")[0] for f in own} == {row}
    assert found and {sample["reason"] for sample in found} == {"empty"}
    (sample,) = lines(corpus("failed", "show", str(found[0]["id"])))
    assert sample["prompt"][0]["role"] == "system" and sample["attempts"] == 2 and sample["state"] == "open"


def test_an_unknown_file_is_wrong_use_and_lists_the_known_ones(worked: dict[str, str]) -> None:
    done = run_process(worked, "report", "summs")
    assert done.returncode == 2 and done.stdout == ""
    assert "did you mean 'sums'" in done.stderr and "Traceback" not in done.stderr


def test_what_is_complete_is_left_alone(corpus: Command) -> None:
    before = lines(corpus("cost", "--json"))
    done = corpus("run", "sums")
    assert done.returncode == 0 and lines(corpus("cost", "--json")) == before


def test_tables_do_not_pass_control_characters_on(corpus: Command) -> None:
    from corpus_pipeline.cli.output import printable

    assert printable("a\x1b[31mb\u202ec") == "a\\x1b[31mb\\u202ec"
    assert "\x1b" not in corpus("rows", "dirty").stdout


def test_a_shell_completes_commands_and_names_of_dataset_files(worked: dict[str, str], tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_CORPUS_COMPLETE" in run(worked, "completion", shell).stdout
    asked = {"_CORPUS_COMPLETE": "bash_complete", "COMP_WORDS": "corpus trace su", "COMP_CWORD": "2"}
    assert run_process(worked | asked).stdout.split() == ["plain,sums"]
    elsewhere = worked | asked | {"CORPUS_HOME": str(tmp_path / "none")}
    assert run_process(elsewhere).stdout.split() == [] and not (tmp_path / "none").exists()


def test_a_preview_says_what_the_rules_did(corpus: Command) -> None:
    (found,) = lines(corpus("preview", "dirty", "--json"))
    (report,) = [one for one in lines(corpus("report", "dirty", "--json")) if one["stage"] == "clean"]
    by_rules = {word: rows for rule in found["rules"] for word, rows in rule["reasons"].items()}
    assert by_rules | {"exact_duplicate": 1} == report["drop_reasons"]
    assert found["rows"] == found["file_rows"] == 15 and found["dropped"] == 1
    (masked,) = [rule for rule in found["rules"] if rule["rule"] == "personal_data"]
    assert masked["changed"] == 1
    (dropped,) = [example for rule in found["rules"] for example in rule["examples"] if example["effect"] == "dropped"]
    assert (dropped["row"], dropped["words"]) == ("dirty:14", ["empty_prompt"])


def test_a_file_that_was_only_registered_is_previewed_by_any_recipe(fresh: dict[str, str], tmp_path: Path) -> None:
    small_corpus.write_jsonl(tmp_path / "notes.jsonl", [pair(1), b"{", pair(2) | {"answer": "Two.  \n\n"}, pair(3)])
    (tmp_path / "short.yaml").write_text("clean: {rules: [whitespace, {length_bounds: {min_response_characters: 9}}]}")
    assert run(fresh, "add", str(tmp_path / "notes.jsonl")).returncode == 0
    done = run(fresh, "preview", "notes", "--recipe", str(tmp_path / "short.yaml"))
    assert "notes:3 dropped by length_bounds: too_short" in done.stdout and "3 rows of notes" in done.stderr
    assert "notes:3 changed by whitespace: response" in done.stdout and "Nothing was written" in done.stderr
    (limited,) = lines(run(fresh, "preview", "notes", "--limit", "1", "--rule", "whitespace", "--json"))
    assert limited["rows"] == 1 and [rule["rule"] for rule in limited["rules"]] == ["whitespace"]
    assert run(fresh, "preview", "notes", "--rule", "whitspace").returncode == 2
    (status,) = lines(run(fresh, "status", "--json"))
    assert status["files"][0]["stages"]["ingest"]["status"] == "pending"
