"""Registration: identity, names, changed files, the inbox."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from corpus_pipeline.errors import CorpusError, SourceChanged, UnknownName, UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.commands.inbox import candidates
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import turns
from corpus_pipeline_tests.small_corpus import pair, settings, write_jsonl


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    with Corpus.open(settings(tmp_path / "home")) as opened:
        yield opened


def test_a_file_is_known_by_name_sha256_size_and_format(corpus: Corpus, tmp_path: Path) -> None:
    added = corpus.add(write_jsonl(tmp_path / "My Sums.jsonl", [pair(1), pair(2)]))
    assert (added.file.name, added.file.format, added.new) == ("my_sums", "question_answer", True)
    assert len(added.file.sha256) == 64 and added.file.bytes == (tmp_path / "My Sums.jsonl").stat().st_size


def test_registering_the_same_bytes_again_changes_nothing(corpus: Corpus, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [pair(1)])
    first, second = corpus.add(path), corpus.add(path)
    assert second.file == first.file and not second.new


def test_a_changed_file_under_a_known_name_is_refused_with_the_choice(corpus: Corpus, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [pair(1)])
    corpus.add(path)
    write_jsonl(path, [pair(2)])
    with pytest.raises(SourceChanged, match=r"--name sums-2.*--replace"):
        corpus.add(path)
    replaced = corpus.add(path, replace=True)
    assert replaced.file.version == 2
    assert [file.version for file in corpus.files()] == [2]


def test_the_rows_of_a_replaced_file_stay(corpus: Corpus, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [pair(1)])
    old = corpus.add(path).file
    corpus.run_stage("sums", Stage.INGEST)
    write_jsonl(path, [pair(2), pair(3)])
    corpus.add(path, replace=True)
    corpus.run_stage("sums", Stage.INGEST)
    from corpus_pipeline.store import integrity_counts

    new = corpus.files(["sums"])[0]
    counts = [corpus.store.fetch(integrity_counts.stored_rows, file.id).conversations for file in (old, new)]
    assert counts == [1, 2]


def test_the_same_bytes_under_two_names_are_said_to_be_twins(corpus: Corpus, tmp_path: Path) -> None:
    corpus.add(write_jsonl(tmp_path / "one.jsonl", [pair(1)]))
    assert corpus.add(write_jsonl(tmp_path / "two.jsonl", [pair(1)])).twins == ("one",)


def test_unknown_names_list_the_known_ones(corpus: Corpus, tmp_path: Path) -> None:
    corpus.add(write_jsonl(tmp_path / "sums.jsonl", [pair(1)]))
    with pytest.raises(UnknownName, match="did you mean 'sums'"):
        corpus.files(["summs"])
    with pytest.raises(UnknownName, match=r"Known: .*default, demo"):
        corpus.add(tmp_path / "sums.jsonl", recipe="nosuch")


def test_a_wrong_recipe_is_refused_before_anything_is_registered(corpus: Corpus, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("augment: {strategies: [{translation: {target_language: xx}}]}")
    with pytest.raises(UsageError, match="target_language"):
        corpus.add(write_jsonl(tmp_path / "sums.jsonl", [pair(1)]), recipe=str(recipe))
    assert corpus.files() == []


def test_the_inbox_registers_settled_files_once_and_reports_what_it_cannot(corpus: Corpus) -> None:
    inbox = corpus.settings.inbox
    inbox.mkdir(parents=True)
    settled = write_jsonl(inbox / "settled.jsonl", [pair(1)])
    growing = write_jsonl(inbox / "growing.jsonl", [pair(2)])
    odd = inbox / "odd.jsonl"
    ahead = write_jsonl(inbox / "ahead.jsonl", [pair(3)])  # by another clock, or before this one was set back
    os.utime(ahead, (time.time() + 7200,) * 2)
    odd.write_text('{"left": 1}\n')
    long_ago = time.time() - 60
    for path in (settled, odd):
        os.utime(path, (long_ago, long_ago))
    assert growing.exists()
    added, problems = corpus.scan_inbox()
    assert sorted(added) == ["ahead", "settled"] and len(problems) == 1 and "odd.jsonl" in problems[0]
    assert corpus.scan_inbox()[0] == []


def test_a_file_takes_its_own_place_to_be_read_otherwise(corpus: Corpus, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [pair(1)])
    corpus.add(path)
    recipe = tmp_path / "turned.yaml"
    recipe.write_text("name: turned\ningest: {columns: {prompt: answer, response: question}}")
    for asked in ({"recipe": str(recipe)}, {"format": "prompt_response"}):
        with pytest.raises(UsageError, match=r"--name sums --replace"):
            corpus.add(path, **asked)
    with pytest.raises(UsageError, match=r"--name sums --replace"):
        corpus.bind_recipe("sums", str(recipe))
    read = corpus.add(path, recipe=str(recipe), replace=True)
    assert (read.new, read.file.version, read.file.format, read.twins) == (True, 2, "mapped", ())
    assert not corpus.add(path, replace=True).new and not corpus.add(path, recipe="default").new


def test_names_that_nobody_can_say_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [pair(1)])
    path.rename(os.fsdecode(os.fsencode(tmp_path) + b"/su\xffms.jsonl"))
    with pytest.raises(UsageError, match="the name is not UTF-8"):
        corpus.add(Path(os.fsdecode(os.fsencode(tmp_path) + b"/su\xffms.jsonl")))
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    with pytest.raises(UsageError, match="cannot be opened"):
        corpus.add(tmp_path / "loop.jsonl")
    with pytest.raises(UsageError, match="begins with no -"):
        corpus.add(write_jsonl(tmp_path / "sums.jsonl", [pair(1)]), name="-n")


def test_a_folder_means_every_file_that_can_be_read_from_it(tmp_path: Path) -> None:
    names = ["a.jsonl", "b.NDJSON", "c.json.gz", "d.ndjson.gz", "e.parquet"]
    for name in [*names, "f.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "g.jsonl").mkdir()
    assert [path.name for path in candidates(tmp_path)] == names


def as_of_another_user(path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("a link of another user needs root")
    os.lchown(path, 65534, 65534)


@pytest.mark.parametrize("who", ["us", "another"])
def test_the_inbox_follows_links_of_ours_alone(tmp_path: Path, who: str) -> None:
    from corpus_pipeline.service.commands import inbox as inbox_command

    private = write_jsonl(tmp_path / "private.jsonl", [pair(1)])
    os.utime(private, (1, 1))
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "linked.jsonl").symlink_to(private)
    if who == "another":
        as_of_another_user(folder / "linked.jsonl")
    with Corpus.open(settings(tmp_path / "home")) as corpus:
        added, problems = inbox_command.scan(corpus.store, folder, who="inbox")
    assert (added, len(problems)) == (["private"], 0) if who == "us" else (added, len(problems)) == ([], 1)


def test_a_name_that_is_swapped_for_a_link_again_and_again_lets_nothing_in(tmp_path: Path) -> None:
    """Somebody else swaps a plain file and a link to a file of ours, while we scan and ingest."""
    from corpus_pipeline.service.commands import inbox as inbox_command

    words = "words that only we may read"
    private = write_jsonl(
        tmp_path / "private.jsonl", [{"question": f"Who has {words}?", "answer": f"We have {words}."}]
    )
    os.utime(private, (1, 1))
    folder, current, done = tmp_path / "inbox", ["n0.jsonl"], threading.Event()
    folder.mkdir()

    def swap() -> None:
        while not done.is_set():
            link, plain = tmp_path / "link", tmp_path / "plain"
            link.symlink_to(private)
            as_of_another_user(link)
            link.replace(folder / current[0])
            write_jsonl(plain, [pair(int(current[0][1:-6]) + 1)])
            os.utime(plain, (1, 1))
            plain.replace(folder / current[0])

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        with Corpus.open(settings(tmp_path / "home")) as corpus:
            taken = 0
            for number in range(2_000):
                if number >= 40 and taken:
                    break
                current[0] = f"n{number}.jsonl"
                added, _ = inbox_command.scan(corpus.store, folder, who="inbox")
                for name in added:
                    taken += 1
                    with suppress(CorpusError):  # the bytes are others than those that were registered
                        corpus.run_stage(name, Stage.INGEST)
            assert taken  # some of it was plain when we looked
            files = corpus.files()
            texts = corpus.store.fetch(lambda c: list(map(str, c.execute(select(turns.c.data_prompt)).scalars())))
    finally:
        done.set()
        thread.join()
    digest = hashlib.sha256(private.read_bytes()).hexdigest()
    assert digest not in {file.sha256 for file in files} and not any(words in text for text in texts)


def test_a_second_name_of_our_file_in_a_folder_of_all_is_refused(tmp_path: Path) -> None:
    from corpus_pipeline.service.commands import inbox as inbox_command

    private = write_jsonl(tmp_path / "private.jsonl", [pair(1)])
    os.utime(private, (1, 1))
    folder = tmp_path / "inbox"
    folder.mkdir()
    os.link(private, folder / "second.jsonl")
    with Corpus.open(settings(tmp_path / "home")) as corpus:
        folder.chmod(0o777)
        assert inbox_command.scan(corpus.store, folder, who="inbox")[0] == []
        folder.chmod(0o700)
        assert inbox_command.scan(corpus.store, folder, who="inbox")[0] == ["second"]
