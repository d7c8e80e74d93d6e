"""What the service answers about a corpus, question by question: progress, what is due, money, fit, previews, frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from corpus_pipeline import process_identity
from corpus_pipeline.cli.run import _sums
from corpus_pipeline.errors import CorpusError, LeaseHeld, UnknownName, UsageError
from corpus_pipeline.model import conversation_id
from corpus_pipeline.recipe import parse
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.queries import cost, dataframes, exportability, training_data
from corpus_pipeline.service.queries.rows import Listing
from corpus_pipeline.states import FailedState, Stage, Status
from corpus_pipeline.store import audit_log, cursors, leases, tasks
from corpus_pipeline.store.failed_samples import Where
from corpus_pipeline_tests import small_corpus

RECIPE = """
clean: {rules: [whitespace, {length_bounds: {min_response_characters: 4}}]}
augment: {model: corpus-stub, strategies: [paraphrase]}
export: {gate: {max_rejected: 1}}
"""
ROWS, REPEATED, SHORT, BROKEN = 14, 15, 16, 17  # the row numbers of the last three lines


def records() -> list[object]:
    pairs: list[object] = [small_corpus.pair(number) for number in range(1, ROWS + 1)]
    spaced = dict(small_corpus.pair(1))
    spaced["question"] += "  "
    pairs[0] = spaced
    return [*pairs, small_corpus.pair(2), {"question": "How short may an answer be?", "answer": "No"}, b'{"question":']


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """`mill` is worked to its export, `barn` (of another consumer) is registered only. Not to be changed by a test."""
    folder = tmp_path_factory.mktemp("looking")
    with small_corpus.opened(folder / "home") as corpus:
        fill(corpus, folder)
        small_corpus.run_path(corpus, "mill")
        yield corpus


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Corpus]:
    """The same files; nothing is worked, and a test may do as it likes."""
    with small_corpus.opened(tmp_path / "home") as corpus:
        fill(corpus, tmp_path)
        yield corpus


def fill(corpus: Corpus, folder: Path) -> None:
    (folder / "mill.yaml").write_text(RECIPE)
    small_corpus.write_jsonl(folder / "mill.jsonl", records())
    small_corpus.write_jsonl(folder / "barn.jsonl", [small_corpus.pair(number) for number in range(40, 45)])
    for name, consumer in (("mill", "millers"), ("barn", "farmers")):
        corpus.add(
            folder / f"{name}.jsonl", recipe=str(folder / "mill.yaml"), format="question_answer", consumer=consumer
        )


def task_of(corpus: Corpus, name: str) -> tasks.Task:
    ((_, task),) = corpus.store.fetch(tasks.current_tasks, [name])
    assert task is not None
    return task


def stage(corpus: Corpus, name: str, stage: Stage) -> tuple[str, str | None]:
    (state,) = corpus.status([name])
    own = state["stages"][stage.value]
    return own["status"], own["reason"]


# --- progress ---


def test_the_lines_of_a_file_are_its_conversations_rejects_and_blanks(worked: Corpus) -> None:
    (state,) = worked.status(["mill"])
    assert (state["lines"], state["conversations"], state["rejects"], state["blanks"]) == (17, 16, 1, 0)
    clean = state["stages"]["clean"]
    assert (clean["processed"], clean["dropped"], clean["total"]) == (16, 2, 16)
    assert [state["stages"][one.value]["status"] for one in Stage] == ["done"] * 4


def test_of_what_was_not_begun_nothing_is_known(worked: Corpus) -> None:
    (state,) = worked.status(["barn"])
    assert state["lines"] is None and state["open_failed_samples"] == 0
    assert {(one["status"], one["processed"], one["total"]) for one in state["stages"].values()} == {
        ("pending", 0, None)
    }
    assert worked.report("barn") == []
    with pytest.raises(UnknownName, match="bran"):
        worked.status(["bran"])


def test_a_lease_a_flag_and_a_lost_worker_correct_the_word_of_the_cursor(fresh: Corpus) -> None:
    small_corpus.run_path(fresh, "mill", Stage.INGEST)
    work = fresh.work("mill", Stage.CLEAN)
    task, me = work.task, process_identity.own()

    def begin(connection: Connection) -> leases.Lease:
        lease = leases.acquire(connection, task.id, Stage.CLEAN, me, 60_000)
        cursors.open_cursors(connection, task.id, Stage.CLEAN, ["rules"], work.file.id)
        cursors.set_status(connection, task.id, Stage.CLEAN, Status.RUNNING, who="ina")
        return lease

    lease = fresh.store.write(begin)
    (state,) = fresh.status(["mill"])
    assert (state["stages"]["clean"]["status"], state["stages"]["clean"]["worker"]) == ("running", me)
    assert f"process {process_identity.parsed(me).pid} on" in str(state["stages"]["clean"]["held"])  # type: ignore[union-attr]
    fresh.pause(["mill"], None, False, "the river is high")
    word, reason = stage(fresh, "mill", Stage.CLEAN)
    assert word == "pausing" and "the river is high" in str(reason)
    fresh.store.write(lambda c: leases.release(c, task.id, Stage.CLEAN, me, lease.epoch))
    assert stage(fresh, "mill", Stage.CLEAN) == ("interrupted", "the worker is gone; the next run continues")


def test_an_export_that_is_not_there_is_not_done(fresh: Corpus) -> None:
    small_corpus.run_path(fresh, "mill")
    (place,) = fresh.export_places("mill")
    Path(place).unlink()
    word, reason = stage(fresh, "mill", Stage.EXPORT)
    assert word == "pending" and place in str(reason)
    small_corpus.run_path(fresh, "mill")
    assert stage(fresh, "mill", Stage.EXPORT) == ("done", None) and Path(place).is_file()


# --- what is due ---


def due(corpus: Corpus, to: Stage = Stage.EXPORT, *consumers: str) -> list[tuple[str, str]]:
    return [(one.file.name, one.stage.value) for one in corpus.due(to, consumers)]


def test_the_consumer_that_was_served_longest_ago_comes_first(fresh: Corpus) -> None:
    assert due(fresh) == [("mill", "ingest"), ("barn", "ingest")], "nobody was served: in the order of registration"
    small_corpus.run_path(fresh, "mill", Stage.INGEST)
    assert due(fresh) == [("barn", "ingest"), ("mill", "clean")]
    assert due(fresh, Stage.INGEST) == [("barn", "ingest")], "what is through up to the stage is not due"
    assert due(fresh, Stage.EXPORT, "millers") == [("mill", "clean")]


def test_what_waits_for_a_flag_or_a_person_is_not_due(fresh: Corpus) -> None:
    fresh.pause(["barn"], None, False, "later")
    assert due(fresh) == [("mill", "ingest")]
    fresh.resume(["barn"], None, False)
    work = fresh.work("mill", Stage.INGEST)

    def fail(connection: Connection) -> None:
        cursors.open_cursors(connection, work.task.id, Stage.INGEST, ["rows"], work.file.id)
        for word in (Status.RUNNING, Status.FAILED):
            assert cursors.set_status(connection, work.task.id, Stage.INGEST, word, reason="bad", who="ina")

    fresh.store.write(fail)
    assert due(fresh) == [("barn", "ingest")]
    fresh.start(["mill"], Stage.CLEAN)
    (first, *_) = fresh.due(Stage.EXPORT)
    assert (first.file.name, first.status, first.to, first.request is not None) == (
        "mill",
        Status.FAILED,
        Stage.CLEAN,
        True,
    ), "a person's request comes first, and goes no further than it says"


def test_a_file_whose_stage_is_held_is_not_due(fresh: Corpus) -> None:
    work = fresh.work("mill", Stage.INGEST)
    fresh.store.write(lambda c: leases.acquire(c, work.task.id, Stage.INGEST, process_identity.own(), 60_000))
    assert due(fresh) == [("barn", "ingest")]


# --- leases taken by a person ---


def test_a_lease_is_taken_with_a_reason_and_from_a_living_process_by_force_only(fresh: Corpus) -> None:
    work = fresh.work("mill", Stage.INGEST)
    assert fresh.unlock("mill", None, "nobody holds it") == []
    me = process_identity.own()
    lease = fresh.store.write(lambda c: leases.acquire(c, work.task.id, Stage.INGEST, me, 60_000))
    with pytest.raises(UsageError, match="say why"):
        fresh.unlock("mill", None, "  ")
    with pytest.raises(LeaseHeld, match="corpus pause mill"):
        fresh.unlock("mill", None, "it hangs")
    assert fresh.unlock("mill", Stage.EXPORT, "another stage", force=True) == []
    (taken,) = fresh.acting_as("ina").unlock("mill", None, "it hangs", force=True)
    assert (taken.owner, taken.epoch) == (me, lease.epoch)
    assert not fresh.store.write(lambda c: leases.extend(c, work.task.id, Stage.INGEST, me, lease.epoch, 60_000))
    (last,) = fresh.store.fetch(lambda c: audit_log.audit(c, limit=1))
    assert (last.who, last.action, last.subject) == ("ina", "unlock", "mill")
    with pytest.raises(UnknownName):
        fresh.unlock("mil", None, "a typing error")


# --- money ---

KEYS = ("consumer", "file", "strategy", "model", "day", "item", "batch")


@pytest.mark.parametrize("by", KEYS)
def test_the_groups_of_every_key_sum_to_the_same(worked: Corpus, by: str) -> None:
    groups = worked.cost(by)
    whole = worked.cost("file")
    for key in ("calls", "answered", "errors", "unknown", "input_tokens", "output_tokens"):
        assert sum(group[key] for group in groups) == sum(group[key] for group in whole), key  # type: ignore[literal-required]
    spent = [sum(group["cost_usd"] for group in one) for one in (groups, whole)]
    assert spent[0] == pytest.approx(spent[1], abs=1e-9) and spent[0] > 0


def test_items_are_named_and_the_dearest_come_first(worked: Corpus) -> None:
    items = [group for group in worked.cost("item") if "item" in group]
    costs = [group["cost_usd"] for group in items]
    assert costs == sorted(costs, reverse=True) and len(items) == ROWS
    assert {str(group["item"]).partition(":")[0] for group in items} == {"mill"}  # type: ignore[typeddict-item]
    batches = [str(group["batch"]) for group in worked.cost("batch")]  # type: ignore[typeddict-item]
    assert sorted(batches) == ["mill:1-10", "mill:11-14"]
    count, share = worked.dearest_share()
    assert count == ROWS and 2 / ROWS <= share < 1, "the dearest tenth of 14 are 2"


def test_many_items_are_the_dearest_and_two_sums(worked: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "DEAREST", 1)
    names = [str(group["item"]) for group in worked.cost("item")]  # type: ignore[typeddict-item]
    assert names[1:] == ["1 more of the dearest tenth", "12 others"]


def test_an_unknown_key_names_those_there_are(worked: Corpus) -> None:
    with pytest.raises(UnknownName, match="consumer") as error:
        worked.cost("colour")
    assert "batch" in str(error.value) and "item" in str(error.value)


def test_an_estimate_of_what_is_done_asks_nothing(worked: Corpus) -> None:
    assert worked.estimate("mill")["total"]["calls"] == 0
    assert worked.estimate("mill")["strategies"][0]["finished"] == ROWS


# --- what fits an export format ---


def test_how_rows_fit_a_format_is_the_same_before_and_after_ingest(fresh: Corpus) -> None:
    recipe = parse(RECIPE.replace("export: {", "export: {format: trl_preference, include: [cleaned], "))
    before = fresh.fit("mill", recipe)
    small_corpus.run_path(fresh, "mill", Stage.INGEST)
    after = fresh.fit("mill", recipe)
    assert (before.format, before.rows, before.withheld, before.of) == ("trl_preference", 16, 16, None)
    assert (after.rows, after.withheld, after.reasons, after.first) == (16, 16, before.reasons, before.first)
    assert after.first == 1 and after.of == 16


def test_of_a_large_file_pages_spread_over_it_are_looked_at(worked: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exportability, "_MOST_ROWS", 6)
    monkeypatch.setattr(exportability, "_PAGE", 2)
    (file,) = worked.files(["mill"])
    found = worked.fit("mill", worked.recipe_of(file))
    assert (found.of, found.rows, found.withheld) == (16, 6, 0)


def test_where_new_rows_alone_go_out_the_old_ones_need_not_fit(worked: Corpus) -> None:
    recipe = parse(RECIPE.replace("export: {", "export: {include: [augmented], "))
    assert worked.fit("mill", recipe).rows == 0


# --- what the rules would do ---


def test_a_preview_says_beforehand_what_cleaning_does_and_writes_nothing(fresh: Corpus) -> None:
    before = fresh.preview_rules("mill")
    assert before["file_rows"] is None and fresh.status(["mill"])[0]["lines"] is None
    small_corpus.run_path(fresh, "mill", Stage.CLEAN)
    after = fresh.preview_rules("mill")
    assert after["file_rows"] == 16 and {**after, "file_rows": None} == before
    assert (before["rows"], before["dropped"], before["changed"]) == (16, 1, 1)
    by_rule = {rule["rule"]: rule for rule in before["rules"]}
    assert by_rule["whitespace"]["fields"] == {"prompt": 1}
    (example,) = by_rule["length_bounds"]["examples"]
    assert (example["row"], example["effect"]) == (f"mill:{SHORT}", "dropped")
    dropped = fresh.rows("mill", Stage.CLEAN, where={"state": "dropped"}, limit=10).rows
    assert [row["number"] for row in dropped] == [REPEATED, SHORT], "a duplicate is no affair of a rule"


def test_a_preview_can_be_of_some_rules_and_rows(worked: Corpus) -> None:
    found = worked.preview_rules("mill", only=["whitespace"], limit=3, examples=0)
    assert [rule["rule"] for rule in found["rules"]] == ["whitespace"] and found["rows"] == 3
    assert found["rules"][0]["examples"] == [] and found["rules"][0]["changed"] == 1
    with pytest.raises(UnknownName, match="white") as error:
        worked.preview_rules("mill", only=["white"])
    assert "length_bounds" in str(error.value)


def test_a_preview_of_a_file_that_is_gone_says_so(fresh: Corpus) -> None:
    Path(fresh.files(["barn"])[0].path).unlink()
    with pytest.raises(CorpusError, match="barn"):
        fresh.preview_rules("barn")


# --- frames ---


def listing(numbers: list[int], after: int | None) -> Listing:
    rows = [{"row": f"mill:{n}", "number": n, "turns": [{"prompt": "ab", "response": "c", "at": 1}]} for n in numbers]
    return Listing(rows, after)


def test_a_frame_is_read_page_by_page_and_no_further_than_asked() -> None:
    asked = list[tuple[int, int]]()

    def page(after: int, most: int) -> Listing:
        asked.append((after, most))
        numbers = list(range(after + 1, after + 1 + most))
        return listing(numbers, numbers[-1])

    found = dataframes.frame(page, 1500)
    assert asked == [(0, 1000), (1000, 500)] and len(found) == 1500
    assert found.index[-1] == "mill:1500" and set(found["characters"]) == {3}


def test_a_frame_ends_where_the_rows_end() -> None:
    assert dataframes.frame(lambda after, most: listing([], None), 10).empty
    assert len(dataframes.frame(lambda after, most: listing([1, 2], None), 10)) == 2


# --- what there is to train on ---


def test_what_a_consumer_can_train_on_and_what_is_missing(worked: Corpus) -> None:
    found = worked.store.fetch(training_data.training_data)
    assert found["farmers"].missing == ("barn",) and found["farmers"].rows == 0
    mill = found["millers"]
    (path,) = worked.export_places("mill")
    assert (mill.missing, mill.rows) == ((), len(Path(path).read_text().splitlines())) and mill.cost_usd > 0
    assert mill.version != found["farmers"].version and len(mill.version) == 32
    assert training_data.known_consumers(worked.settings) == ["farmers", "millers"]


def test_consumers_of_a_home_without_a_database_are_none(tmp_path: Path) -> None:
    assert training_data.known_consumers(small_corpus.settings(tmp_path / "none")) == []
    away = small_corpus.settings(tmp_path, CORPUS_DATABASE_URL="mysql+pymysql://a:b@127.0.0.1:1/none")
    assert training_data.known_consumers(away) == []


# --- one row ---


def test_a_row_is_shown_with_its_way(worked: Corpus) -> None:
    kept, dropped = worked.show("mill:1"), worked.show(f"mill:{REPEATED}")
    assert json.dumps(kept).count("paraphrase") >= 1
    assert "exact_duplicate" in json.dumps(dropped)
    rejected = worked.show(f"mill:{BROKEN}")
    assert rejected["rejected"]["line"] == BROKEN
    with pytest.raises(UnknownName):
        worked.show("mill:99")


def test_failed_samples_move_with_a_reason(fresh: Corpus) -> None:
    assert fresh.replay(Where(file_name="mill")) == [] and fresh.dismiss(Where(file_name="mill"), "none") == []
    assert fresh.failed_samples(Where(state=FailedState.OPEN.value)) == []
    with pytest.raises(UnknownName):
        fresh.failed_sample(int(conversation_id(1, 1)))


def test_several_files_have_no_sum_of_rows_while_one_is_not_counted_yet(worked: Corpus) -> None:
    """Else more rows than there are would be done: 17 of the 17 of one file and of none of the other."""
    states = worked.status()
    assert _sums(states, [Stage.INGEST])[Stage.INGEST][:2] == (17, 0)
    assert _sums(states[1:], [Stage.INGEST])[Stage.INGEST][:2] == (17, 17)
