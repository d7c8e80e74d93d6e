"""What a file is, told from its first records, and clear words when it cannot be told."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline import recipe
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.formats import FORMATS
from corpus_pipeline.recipe import IngestSection
from corpus_pipeline.stages.ingest.identity import dataset_name, identify
from corpus_pipeline.stages.ingest.sniff import sniff
from corpus_pipeline.stages.ingest.source import Compression, Container
from corpus_pipeline_tests.formats.examples import TYPICAL
from corpus_pipeline_tests.ingest.files import GOOD


def write(tmp_path: Path, content: bytes | str, name: str = "data.jsonl") -> Path:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize("name", [format.name for format in FORMATS])
def test_each_format_is_detected_from_typical_records(tmp_path: Path, name: str) -> None:
    line = json.dumps(TYPICAL[name])
    found = sniff(write(tmp_path, f"{line}\n{line}\n"))
    assert (found.format.name, found.records) == (name, 2)


@pytest.mark.parametrize(
    ("name", "content", "container"),
    [
        ("a.jsonl", GOOD + b"\n" + GOOD, Container.LINES),
        ("a.json", b"[" + GOOD + b",\n" + GOOD + b"]", Container.ARRAY),
        ("lines.json", GOOD + b"\n" + GOOD, Container.LINES),
        ("array.jsonl", b"[\n  " + GOOD + b",\n  " + GOOD + b"\n]\n", Container.ARRAY),
        ("bom.json", b"\xef\xbb\xbf[" + GOOD + b"]", Container.ARRAY),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_container_and_compression_are_told_from_the_content(
    tmp_path: Path, name: str, content: bytes, container: Container, packed: bool
) -> None:
    file = write(tmp_path, gzip.compress(content) if packed else content, name + (".gz" if packed else ""))
    found = sniff(file)
    assert found.source.container is container
    assert found.source.compression is (Compression.GZIP if packed else Compression.NONE)
    assert found.format.name == "question_answer"
    assert found.bom is name.startswith("bom")


@pytest.mark.parametrize("content", [b"", b"\n\n", b" \r\n", b"[]", b"\xef\xbb\xbf"], ids=repr)
def test_file_without_records_is_empty_not_wrong(tmp_path: Path, content: bytes) -> None:
    assert sniff(write(tmp_path, content)).format.name == "empty"


def test_bad_lines_do_not_hide_the_format(tmp_path: Path) -> None:
    found = sniff(write(tmp_path, b"{broken\n" + GOOD + b'\n{"question": 3}\n' + GOOD + b"\n" + GOOD))
    assert (found.format.name, found.records) == ("question_answer", 4)


def test_unknown_format_shows_keys_and_the_recipe_to_write(tmp_path: Path) -> None:
    file = write(tmp_path, '{"motto": "a", "echo": "b", "n": 1}\n' * 3)
    with pytest.raises(UsageError) as caught:
        sniff(file)
    message = str(caught.value)
    assert "motto (text, 3x), echo (text, 3x), n (number, 3x)" in message
    lines = message[message.index("  ingest:") :].split("\n")[:4]
    section = recipe.parse("\n".join(line.removeprefix("  ") for line in lines)).ingest
    found = sniff(file, section)
    assert found.format.name == "mapped"
    assert found.format.read({"motto": "a", "echo": "b"}).turns[0].response == "b"


def test_half_of_a_sample_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    """A context beside question and answer belongs to the prompt; how choices do, the recipe must say."""
    found = sniff(write(tmp_path, '{"question": "q", "context": "c", "answer": "a"}\n'))
    assert found.format.name == "instruction"
    assert found.format.read({"question": "q", "context": "c", "answer": "a"}).turns[0].prompt == "q\nc"
    with pytest.raises(UsageError, match="no known format fits"):
        sniff(write(tmp_path, '{"question": "q", "choices": ["a", "b"], "answer": "a"}\n', "other.jsonl"))


def test_format_named_by_the_recipe_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path, '{"question": "q", "context": "c", "answer": "a"}\n')
    assert sniff(file, IngestSection(format="question_answer")).format.name == "question_answer"
    with pytest.raises(UnknownName, match="question_answer"):
        sniff(file, IngestSection(format="question_answr"))
    with pytest.raises(UnknownName, match="column field"):
        sniff(file, IngestSection(columns={"promt": "question"}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}".encode("utf-16"), "is UTF-16, only UTF-8 is read"),
        ("{}".encode("utf-16-le"), "is UTF-16"),
        ("{}".encode("utf-16-be"), "is UTF-16"),
        ("{}".encode("utf-32"), "is UTF-32"),
        (b"{broken\n{broken\n", "none of the first 2 records can be read"),
        (b'{\n  "a": 1\n}\n', "one JSON object over several lines"),
        (b"[" + GOOD[:-3], "the file ends inside this element"),
        (gzip.compress(GOOD * 9, mtime=0)[:30], r"data\.jsonl: the gzip data ends in the middle"),
        (b"\x28\xb5\x2f\xfd" + GOOD, "damaged zstd data"),
        (bz2.compress(GOOD)[:-9], "the bzip2 data ends in the middle"),
        (lzma.compress(GOOD)[:-9], "the xz data ends in the middle"),
        (b"PK\x03\x04\n" + GOOD, "no whole zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "pointer of git LFS.*git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is an HTML page"),
        (b"\x1e" + GOOD + b"\n\x1e" + GOOD + b"\n", "JSON text sequence"),
        (GOOD + b"\r" + GOOD + b"\r", "end in CR alone"),
        (b"a.jsonl".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
        (b"\x80\x04\x95", "Python pickle"),
        (b"FEA1" + b"\0" * 9, "Feather of version 1"),
        (gzip.compress(b"PAR1" + b"\0" * 99, mtime=0), "Unpack it, then add the result"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_unreadable_file_is_refused_with_the_reason(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        sniff(write(tmp_path, content))


def test_name_that_lies_about_gzip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not gzip"):
        sniff(write(tmp_path, GOOD, "a.jsonl.gz"))
    assert sniff(write(tmp_path, gzip.compress(GOOD), "a.jsonl")).source.compression is Compression.GZIP


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(write(tmp_path, GOOD))
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for path, words in [
        (tmp_path, "is a directory"),
        (tmp_path / "fifo", "is a FIFO"),
        (Path("/dev/zero"), "is a device"),
        (tmp_path / "missing", "no such file"),
        (tmp_path / "dangling", "no such file"),
    ]:
        with pytest.raises(UsageError, match=words):
            identify(path)
    assert identify(tmp_path / "link") == identify(tmp_path / "data.jsonl")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/Chat.jsonl", "chat"),
        ("a-b_c.JSON.GZ", "a-b_c"),
        ("my chats (2).jsonl.gz", "my_chats_2"),
        ("v1.2.json", "v1_2"),
        ("données.jsonl", "donnees"),
        ("--limit.jsonl", "limit"),
    ],
)
def test_dataset_name_is_a_slug_of_the_file_name(path: str, name: str) -> None:
    assert dataset_name(Path(path)) == name


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("会话 记录.csv.zst", "huihua"),
        ("Учебные данные.jsonl", "uchebnye_dannye"),
        ("학습.parquet", "hagseub"),
        ("ñandú.tsv", "nandu"),
    ],
)
def test_names_in_other_scripts_stay_legible(path: str, part: str) -> None:
    assert dataset_name(Path(path)).startswith(part)


def test_long_and_foreign_names_stay_apart() -> None:
    names = {
        dataset_name(Path(name)) for name in ("数据.jsonl", "文件.jsonl", "x" * 70 + "1.json", "x" * 70 + "2.json")
    }
    assert len(names) == 4
    assert all(1 <= len(name) <= 64 for name in names)


def test_sample_is_bounded_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus_pipeline.stages.ingest.sniff._SAMPLE_BYTES", 3 * len(GOOD) - 1)
    assert sniff(write(tmp_path, (GOOD + b"\n") * 50)).records == 3


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"prompt": "mottto", "response": "echo"}, "fit 0 of the first 3 records; 'mottto'"),
        ({"prompt": "data.x", "response": "echo"}, "'data.x'"),
        ({"prompt": "{{ mottto }}", "response": "echo"}, "'mottto' is undefined"),
    ],
)
def test_mapping_that_fits_no_record_is_refused_with_the_keys(
    tmp_path: Path, columns: dict[str, str], words: str
) -> None:
    file = write(tmp_path, '{"motto": "a", "echo": "b", "data": {"q": 1}}\n' * 3)
    with pytest.raises(UsageError) as caught:
        sniff(file, IngestSection(columns=columns))
    assert words in str(caught.value)
    assert "motto (text, 3x), echo (text, 3x), data.q (number, 3x)" in str(caught.value)


def test_named_format_that_reads_no_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the format alpaca fits 0 of the first 2 records; 'instruction' is missing"):
        sniff(write(tmp_path, GOOD + b"\n" + GOOD), IngestSection(format="alpaca"))


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        ({"sheet": {"q": "Why is it so?", "a": "Because."}, "url": "x"}, {"prompt": "sheet.q", "response": "sheet.a"}),
        ({"question": "Which?", "choices": ["a", "b"], "answer": "a"}, None),
        ({"row": {"chosen": "Yes, sir.", "rejected": "No, sir."}, "ask": {"problem": "Why?"}}, None),
    ],
)
def test_hint_is_a_mapping_that_reads_the_file(
    tmp_path: Path, record: dict[str, object], columns: dict[str, str]
) -> None:
    file = write(tmp_path, "".join(json.dumps(record | {"n": n}) + "\n" for n in range(5)))
    with pytest.raises(UsageError) as caught:
        sniff(file)
    message = str(caught.value)
    hint = message[message.index("  ingest:") : message.index("or name a format")]
    section = recipe.parse("\n".join(line.removeprefix("  ") for line in hint.split("\n"))).ingest
    assert columns is None or section.columns == columns
    assert sniff(file, section).format.name == "mapped"


HINTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"id": "x1", "cat": "talk", "instruction": "Why {n}?"}, {"prompt": "instruction"}),
    ({"question_id": 81, "category": "talk", "turns": ["Why {n}?", "How?"]}, {"prompt": "{{ turns | join('\\n') }}"}),
    ({"document": "A text {n}.", "summary": "Of {n}."}, {"prompt": "document", "response": "summary"}),
    ({"source": "Ein Satz {n}.", "target": "A sentence {n}."}, {"prompt": "source", "response": "target"}),
    ({"text": "A text {n}.", "label": 1}, {"prompt": "text", "response": "{{ label }}"}),
    (
        {"premise": "It is {n}.", "guess": "So {n}.", "label": "1"},
        {"prompt": "{{ premise }}\\n{{ guess }}", "response": "label"},
    ),
    (
        {"question": "Why {n}?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"},
        {"prompt": "{{ question }}\\n{{ choices.text | join('\\n') }}", "response": "answerKey"},
    ),
    (
        {"question": "Why {n}?", "A": "one", "B": "two", "answer": "A"},
        {"prompt": "{{ question }}\\n{{ A }}\\n{{ B }}", "response": "answer"},
    ),
    (
        {"chat_history": [{"role": "user", "content": "Why {n}?"}], "says": "So it is {n}."},
        {"history": "chat_history", "response": "says"},
    ),
    (
        {"prompt": "Why {n}?", "response_a": "So {n}.", "response_b": "x"},
        {"prompt": "prompt", "response": "response_a"},
    ),
    (
        {"q": {"text": "Why {n}?"}, "answer1": "So {n}.", "answer2": "No {n}.", "winner": "model_2"},
        {
            "prompt": "q.text",
            "chosen": "{{ answer1 if winner == 'model_1' else answer2 if winner == 'model_2' else '' }}",
            "rejected": "{{ answer2 if winner == 'model_1' else answer1 if winner == 'model_2' else '' }}",
        },
    ),
    (
        {"context": [{"role": "user", "content": "Why?"}], "reply1": "So {n}.", "reply2": "No {n}.", "preference": -2},
        {
            "messages": "context",
            "chosen": "{{ reply1 if preference < 0 else reply2 if preference > 0 else '' }}",
            "rejected": "{{ reply2 if preference < 0 else reply1 if preference > 0 else '' }}",
        },
    ),
    ({"prompt": "Why {n}?", "all_completions": ["a", "b"]}, {"prompt": "prompt", "response": "all_completions[0]"}),
]


def test_hints_name_what_each_key_holds(tmp_path: Path) -> None:
    for shape, columns in HINTS:
        records = [json.loads(json.dumps(shape).replace("{n}", str(n))) for n in range(5)]
        file = write(tmp_path, "".join(json.dumps(record) + "\n" for record in records))
        with pytest.raises(UsageError) as caught:
            sniff(file)
        message = str(caught.value)
        lines = message[message.index("  ingest:") :].split("\n")[: 2 + len(columns)]
        section = recipe.parse("\n".join(line.removeprefix("  ") for line in lines)).ingest
        assert section.columns == {field: place.replace("\\n", "\n") for field, place in columns.items()}, shape
        assert sniff(file, section).records == 5
        assert ("questions alone" in message) is {"response", "chosen"}.isdisjoint(columns), shape


def test_what_stands_further_on_in_a_long_file_counts(tmp_path: Path) -> None:
    plain = [json.dumps({"question": f"q{n}", "answer": "a"}) for n in range(400)]
    richer = [json.dumps({"question": f"q{n}", "answer": "a", "context": "c"}) for n in range(400)]
    found = sniff(write(tmp_path, "\n".join([*plain, *richer]) + "\n"))
    assert found.format.name == "instruction"
    assert "prompt from context" in found.evidence
    assert sniff(write(tmp_path, "\n".join(plain) + "\n", "plain.jsonl")).format.name == "question_answer"


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": "word " * 40_000}, {"role": "assistant", "content": "Yes."}]},
        {"messages": [{"content": "word " * 40_000, "role": "user"}, {"content": "Yes.", "role": "assistant"}]},
        {"passages": [{"text": "word " * 40_000}], "question": "Which?", "answer": "This one."},
    ],
)
def test_a_long_first_line_is_a_record_and_no_list_of_records(tmp_path: Path, record: dict[str, Any]) -> None:
    line = json.dumps(record)
    assert sniff(write(tmp_path, f"{line}\n{line}\n")).source.container is Container.LINES


def test_a_list_of_records_in_one_long_line_is_an_array(tmp_path: Path) -> None:
    rows = [{"question": "Which one is it?", "answer": "word " * 30_000} for _ in range(3)]
    assert sniff(write(tmp_path, json.dumps({"data": rows}))).source.container is Container.ARRAY


@pytest.mark.parametrize("head", [{}, {"version": "1"}])
@pytest.mark.parametrize(
    "row",
    [
        {"question": "Why is it so?", "answer": "Because it is."},
        {"instruction": "Say it.", "input": "", "output": "It."},
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]},
    ],
)
def test_records_under_data_are_no_exchanges_of_one_conversation(
    tmp_path: Path, head: dict[str, Any], row: dict[str, Any]
) -> None:
    found = sniff(write(tmp_path, json.dumps({**head, "data": [row] * 3})))
    assert (found.source.container, found.records) == (Container.ARRAY, 3)


_ROW = {"question": "Why?", "answer": "So.", "level": 3}


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ({"features": [{"name": "question"}], "rows": [{"row_idx": n, "row": _ROW} for n in range(3)]}, 3),
        ({"took": 1, "hits": {"total": {"value": 3}, "hits": [{"_id": n, "_source": _ROW} for n in range(3)]}}, 3),
        ({"records": [{"id": n, "fields": _ROW} for n in range(3)], "offset": "x"}, 3),
        ({"data": [{"type": "q", "attributes": _ROW}] * 3, "links": [{"next": None}]}, 3),
        ({"dataset": {"train": [_ROW] * 3, "test": [_ROW] * 2}}, 5),
        ({"train": {"rows": [_ROW] * 3}, "dev": {"rows": [_ROW]}, "count": 4}, 4),
    ],
)
def test_answers_of_services_are_the_records_inside_them(tmp_path: Path, content: dict[str, Any], records: int) -> None:
    found = sniff(write(tmp_path, json.dumps(content), "answer.json"))
    assert (found.source.container, found.records) == (Container.ARRAY, records)
    assert found.format.name in ("question_answer", "instruction")


@pytest.mark.parametrize("padding", [0, 2 << 20])
def test_lists_that_say_something_of_the_records_are_named_when_they_are_passed_over(
    tmp_path: Path, padding: int
) -> None:
    rows = [_ROW] * (3 + padding // 40)
    found = sniff(write(tmp_path, json.dumps({"features": [{"name": "level"}], "rows": rows, "version": 1}), "a.json"))
    assert found.evidence.endswith("passed over as what says something of the records: 'features'")
    assert "passed over" not in sniff(write(tmp_path, json.dumps({"version": [1], "rows": rows}), "b.json")).evidence


def test_a_list_of_records_is_read_whatever_its_name(tmp_path: Path) -> None:
    found = sniff(write(tmp_path, json.dumps({"data": [_ROW] * 3, "links": [_ROW] * 2, "errors": [{"code": 1}]})))
    assert found.records == 5 and found.evidence.endswith("of the records: 'errors'")


def test_records_under_keys_of_their_own_are_called_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"3 records under keys of their own.*to_entries"):
        sniff(write(tmp_path, json.dumps({f"id{n}": _ROW for n in range(3)}), "by_id.json"))


def test_no_record_is_counted_twice_in_the_evidence(tmp_path: Path) -> None:
    lines = [json.dumps({"question": f"q{n}", "answer": "a"}) for n in range(300)]
    assert sniff(write(tmp_path, "\n".join(lines) + "\n")).records <= 300


def test_messages_under_data_are_one_conversation(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    assert sniff(write(tmp_path, json.dumps({"data": turns}))).source.container is Container.LINES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"question": "a", "answer": "b"}{"question": "c", "answer": "d"}', "jq -c . IN"),
        (b'[{"question": "a"}]\n[{"question": "b"}]\n', r"jq -c '\.\[\]'"),
        (b'"{\\"question\\": \\"a\\"}"\n"{\\"question\\": \\"b\\"}"\n', "fromjson"),
        (b'{"question": "a", "answer": "b"},\n{"question": "c", "answer": "d"},\n', "lines end in commas"),
        (b"{'question': 'a', 'answer': None}\n{'question': 'b', 'answer': None}\n", "Python's notation"),
        (b'{question: "a", answer: "b"}\n{question: "c", answer: "d"}\n', "JavaScript's notation"),
        (b'1\t{"question": "a", "answer": "b"}\n2\t{"question": "c", "answer": "d"}\n', "before the object"),
        (b'[[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]]', r"\| \{messages: \.\}' IN"),
        (b'[{"from": "human", "value": "a"}]\n[{"from": "human", "value": "b"}]\n', r"\| \{messages: \.\}' IN"),
        (b'{"messages": "[{\\"role\\": \\"user\\"}]", "n": "x"}\n' * 2, r"jq -c '\.messages \|= fromjson' IN"),
        (b'{"question": "caf\xe9", "answer": "b"}\n', "iconv -f WINDOWS-1252"),
        (b'{"questions": ["a", "b"], "answers": ["c", "d"]}\n' * 2, r"\[\[\.questions, \.answers\] \| transpose"),
        (
            b'{"messages": [{"name": "Bo", "text": "a"}, {"name": "Al", "text": "b"}]}\n' * 2,
            r'map\(\{role: \{"Bo": "user", "Al": "assistant"\}\[\.name\]',
        ),
        (b'{"paragraphs": [{"context": "a", "qas": [{"question": "b"}]}]}\n' * 2, r"\.qas\[\] \| \{context"),
        (b'{"question": ["a", "b", "c"], "answer": ["d", "e", "f"]}\n', "2 columns of 3 values, not rows"),
        (
            b'{"question": {"0": "a", "1": "b"}, "answer": {"0": "d", "1": "e"}}',
            "2 columns of 2 values by their number",
        ),
    ],
)
def test_what_is_almost_json_lines_is_told_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "almost.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        sniff(path)


@pytest.mark.parametrize(
    ("begin", "container"),
    [
        (b"[1, 2]\n", Container.LINES),
        (b'["a"]\n\n', Container.LINES),
        (b"[]\n", Container.LINES),
        (b"[\n", Container.ARRAY),
    ],
)
def test_a_list_in_the_first_line_is_a_bad_line_among_others(
    tmp_path: Path, begin: bytes, container: Container
) -> None:
    lines = [json.dumps({"question": f"q{n}", "answer": "[1, 2"}).encode() for n in range(4)]
    found = sniff(write(tmp_path, begin + (b"\n" if container is Container.LINES else b",\n").join(lines) + b"\n"))
    assert (found.source.container, found.records) == (container, 4)
