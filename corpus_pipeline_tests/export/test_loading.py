"""The exported files, loaded with Hugging Face `datasets` itself."""

from __future__ import annotations

import os

import pytest

from corpus_pipeline.errors import StopJob
from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.export import hf_features
from corpus_pipeline.stages.export.parquet import write_parquet
from corpus_pipeline.stages.export.targets.folder import FolderTarget
from corpus_pipeline_tests.export.making import chat, described, rows, spooled

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
TOOLS = {
    "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "r", "tool_call_id": "1"},
        {"role": "assistant", "content": "a"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
}
LATE = [
    TOOLS,
    chat("q", "a", note="x"),
    chat("q", "a", id="a"),
    chat("q", "a", id=1 << 40, score=1.5),
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "parts"}]}]},
    chat("q", "a", meta={"deep": {"er": [1, None]}}),
]
ABOVE_THE_WINDOW = 11 << 20


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """The library, with its caches in a folder of this run."""
    os.environ["HF_HOME"] = str(tmp_path_factory.mktemp("hf"))
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    return datasets


@pytest.fixture
def target(tmp_path):
    return FolderTarget(tmp_path / "exports")


def publish(target, records, name="notes", compression="none", with_columns=True):
    """Publishes the records; returns the facts. With a Parquet file where the loader needs it, as an export does."""
    data = spooled(target.root.parent / "work", rows(records), name, compression)
    found = described(data, name)
    columns = None
    if found.unloadable and with_columns:
        columns, _ = write_parquet(data, target.root.parent / "work", name, found.features, exact=True)
    target.publish(found, data, None, columns)
    return found


def load(datasets, target, config, **more):
    return datasets.load_dataset(
        str(target.root), config, split="train", cache_dir=str(target.root.parent / "c"), **more
    )


def load_plainly(datasets, path):
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(path.parent.parent / "c"))


def without_absent(row, record):
    """The row without the columns that its record does not have; these must be None."""
    assert all(value is None for key, value in row.items() if key not in record)
    return {key: row[key] for key in record}


def same(dataset, records):
    assert len(dataset) == len(records)
    return all(without_absent(row, record) == record for row, record in zip(dataset, records, strict=True))


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_every_row_of_a_mixed_file_comes_back_through_the_card(datasets, target, compression):
    records = [*[chat("q", "a", "q", "a")] * 5, *LATE]
    publish(target, records, compression=compression)
    publish(target, [chat("other", "file")], "other")
    assert same(load(datasets, target, "notes"), records)
    assert same(load(datasets, target, "other"), [chat("other", "file")])


def test_a_small_mixed_file_also_loads_without_the_card(datasets, target):
    records = [*[chat("q", "a")] * 5, *LATE]
    assert publish(target, records).guessable
    assert same(load_plainly(datasets, target.root / "notes" / "notes.jsonl"), records)


def test_the_export_folder_holds_each_row_once_for_a_loader_that_takes_all_files(datasets, target):
    publish(target, [chat("q", "a")] * 3)
    found = datasets.load_dataset(str(target.root / "notes"), split="train", cache_dir=str(target.root.parent / "c"))
    assert len(found) == 3


def test_a_key_that_comes_late_fails_without_the_card_is_said_to_and_loads_with_it(datasets, target):
    size = len(rows([chat("q", "x" * 1000)])[0])
    records = [chat("q", "x" * 1000)] * (ABOVE_THE_WINDOW // size) + LATE
    facts = publish(target, records)
    assert not facts.guessable
    with pytest.raises(datasets.exceptions.DatasetGenerationError):
        load_plainly(datasets, target.root / "notes" / "notes.jsonl")
    assert same(load(datasets, target, "notes").select(range(len(records) - 20, len(records))), records[-20:])
    declared = datasets.Features._from_yaml_list(list(facts.features))
    plain = datasets.load_dataset(
        "json",
        data_files=str(target.root / "notes" / "notes.jsonl"),
        features=declared,
        split="train",
        cache_dir=str(target.root.parent / "c"),
    )
    assert plain.features == declared and len(plain) == len(records)


def test_the_window_is_that_of_the_loader(datasets):
    from datasets.packaged_modules.json.json import JsonConfig

    assert JsonConfig().chunksize == hf_features.WINDOW


def test_texts_that_look_like_dates_stay_texts_only_through_the_card(datasets, target):
    records = [{"prompt": "When?", "answer": "2024-01-01"}, {"prompt": "And then?", "answer": "2024-01-02T10:00:00Z"}]
    assert not publish(target, records).guessable
    assert not same(load_plainly(datasets, target.root / "notes" / "notes.jsonl"), records)
    assert same(load(datasets, target, "notes"), records)


def test_names_in_other_scripts_and_with_odd_characters_load(datasets, target):
    for name in ("数据 集.jsonl", "a/b[1]"):
        publish(target, [chat(name, "a")], name)
    assert same(load(datasets, target, "数据 集.jsonl"), [chat("数据 集.jsonl", "a")])
    assert same(load(datasets, target, "a_b[1]"), [chat("a/b[1]", "a")])


def test_an_export_without_rows_does_not_stand_in_the_way_of_the_others(datasets, target):
    publish(target, [], "empty")
    publish(target, [chat("q", "a")], "full")
    assert datasets.get_dataset_config_names(str(target.root)) == ["full"]
    assert same(load(datasets, target, "full"), [chat("q", "a")])
    assert "| `empty` | 0 | `openai` | no rows |" in (target.root / "README.md").read_text()


HOSTILE = [
    "",
    "a.b",
    "\n",
    "null",
    "~",
    "1",
    "list",
    "struct",
    "dtype",
    "_type",
    "---",
    "a: b",
    "\u2028",
    "<<",
    "- x",
    "#",
]


@pytest.mark.parametrize("deep", [False, True], ids=["at the top", "inside"])
def test_hostile_keys_load_through_the_card_of_the_folder(datasets, target, deep):
    keys = [*HOSTILE, "\0"] if deep else HOSTILE
    hostile = {key: f"v{number}" for number, key in enumerate(keys)}
    records = [chat("q", "a", **({"meta": hostile} if deep else hostile))] * 2
    publish(target, records)
    assert same(load(datasets, target, "notes"), records)
    found = datasets.load_dataset(str(target.root / "notes"), split="train", cache_dir=str(target.root.parent / "c"))
    assert same(found, records)


def test_texts_that_are_json_come_back_as_texts(datasets, target):
    parts = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}
    records = [chat("q", "5"), chat("true", "[1, 2]"), parts, {"meta": {"n": "5"}}, {"meta": {"n": 5}}]
    assert not publish(target, records).unloadable
    assert same(load(datasets, target, "notes"), records)


UNLOADABLE = [
    [{"answer": "0"}, {"answer": 0}, {"answer": "true"}, {"answer": ["0"]}, {"answer": None}],
    [{"answer": "a", "score": 0.1234567890123}, {"answer": 1, "score": -1e-15}],
    [{"question": "a", "n": [1, "5"], "score": 123456.12345678912}, {"question": "5", "n": [], "score": None}],
]


@pytest.mark.parametrize("records", UNLOADABLE, ids=["texts that are JSON", "fractions", "both"])
def test_what_the_loader_would_change_comes_from_the_parquet_file_of_the_card(datasets, target, records):
    assert publish(target, records).unloadable
    assert not same(load_plainly(datasets, target.root / "notes" / "notes.jsonl"), records)
    assert same(load(datasets, target, "notes"), records)


def test_numbers_beyond_64_bits_load_as_their_texts(datasets, target):
    long = "9" * 5000
    records = [
        {"n": 1 << 70, "mixed": "a", "deep": {"n": [1 << 64, 1]}, "big": jsontext.NumberText("1e400")},
        {"n": 2, "mixed": 5, "deep": {"n": []}, "big": jsontext.NumberText(long)},
    ]
    assert publish(target, records).unloadable == "numbers beyond 64 bits"
    assert list(load(datasets, target, "notes")) == [
        {"n": str(1 << 70), "mixed": "a", "deep": {"n": [str(1 << 64), "1"]}, "big": "1e400"},
        {"n": "2", "mixed": 5, "deep": {"n": []}, "big": long},
    ]


def test_without_parquet_the_card_says_why_it_does_not_list_an_export(datasets, target):
    publish(target, [{"answer": "0"}, {"answer": 0}], with_columns=False)
    publish(target, [chat("q", "a")], "full")
    assert datasets.get_dataset_config_names(str(target.root)) == ["full"]
    assert (
        "no config: `texts that are themselves JSON, under 'answer'`; export with parquet: true"
        in (target.root / "README.md").read_text()
    )


def test_a_key_that_no_loader_holds_is_said_in_the_card(datasets, target):
    record = chat("q", "a", **{"a\0b": 1})
    with pytest.raises(StopJob, match="U\\+0000"):
        publish(target, [record])
    publish(target, [record], with_columns=False)
    card = (target.root / "README.md").read_text()
    assert "| no config: `keys with U+0000` |" in card and "config_name: notes" not in card
    inside = chat("q", "a", info={"a\0b": 1})
    publish(target, [inside], "inside")
    assert list(load(datasets, target, "inside")) == [inside]
