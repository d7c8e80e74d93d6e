from __future__ import annotations

import json

import yaml

from corpus_pipeline.stages.export.croissant import croissant
from corpus_pipeline.stages.export.dataset_cards import card, dataset_info, overview
from corpus_pipeline.stages.export.manifest import StoredFile, build, parse, same_export
from corpus_pipeline_tests.export.making import facts

TEXT = [{"name": "text", "dtype": "string"}]


def manifest(name="notes", compression="none", lines=7, **changes):
    changes.setdefault("features", TEXT)
    data = StoredFile("data", f"{name}-1.jsonl", None, lines, 99, "ef" * 32, compression)
    return parse(build(facts(name, **changes), [data]), "here")


def front(text: bytes):
    return yaml.safe_load(text.decode().split("---\n")[1])


def test_the_same_facts_give_the_same_bytes_in_any_order_of_their_keys():
    data = [StoredFile("data", "a", None, 1, 2, "ef" * 32, "none")]
    one = build(facts(losses={"a": 1, "b": 2}), data)
    two = build(facts(losses={"b": 2, "a": 1}), data)
    assert one == two and one.endswith(b"}\n")


def test_only_the_time_may_differ_between_equal_exports():
    data = [StoredFile("data", "a", None, 1, 2, "ef" * 32, "none")]
    old = parse(build(facts(created="2026-01-01T00:00:00Z"), data), "here")
    assert same_export(old, build(facts(created=None), data))
    assert not same_export(old, build(facts(drop_reasons={"empty": 2}), data))
    assert not same_export(None, build(facts(), data))


def test_llama_factory_gets_plain_files_in_formats_that_it_reads():
    exports = [
        ("b", manifest("b")),
        ("a", manifest("a", llama_factory=None)),
        ("c", manifest("c", compression="gzip")),
        ("d", manifest("d", lines=0)),
    ]
    assert list(json.loads(dataset_info(exports))) == ["b"]
    assert json.loads(dataset_info(exports))["b"]["file_name"] == "b/b-1.jsonl"


def test_the_card_has_a_config_with_typed_columns_per_export():
    head = front(card([("a", manifest("a")), ("b%2Fc", manifest("b/c"))]))
    assert head["configs"] == [
        {"config_name": "a", "data_files": [{"split": "train", "path": "a/a-1.jsonl"}]},
        {"config_name": "b_c", "data_files": [{"split": "train", "path": "b%2Fc/b/c-1.jsonl"}]},
    ]
    assert head["dataset_info"] == [{"config_name": name, "features": TEXT} for name in ("a", "b_c")]


def test_the_order_of_the_manifests_does_not_matter():
    exports = [(name, manifest(name)) for name in ("b", "a", "c")]
    assert overview(exports) == overview(exports[::-1])


def test_a_hostile_name_stays_text_in_the_card():
    name = "x`![y](http://127.0.0.1/)<img>\n---\nconfigs: []"
    text = card([("x", manifest(name))])
    (row,) = [line for line in text.decode().splitlines() if "img" in line and line.startswith("|")]
    assert row.count("`") % 2 == 0 and row.startswith("| `x'![y]")
    assert len(front(text)["configs"]) == 1


def test_a_hostile_key_of_a_row_cannot_end_the_front_matter():
    for key in ("a\n---\nconfigs: []", "---", "a: b", "\u2028---", "\x85---\n", "'\"\t"):
        text = card([("notes", manifest(features=[{"name": key, "dtype": "string"}]))])
        assert front(text)["dataset_info"][0]["features"] == [{"name": key, "dtype": "string"}]
        assert len(front(text)["configs"]) == 1


def test_croissant_describes_the_file_and_its_plain_columns():
    features = [
        *TEXT,
        {"name": "a b/c", "dtype": "int64"},
        {"name": "messages", "list": "json"},
        {"name": "x", "dtype": "json"},
    ]
    told = json.loads(croissant(manifest(features=features)))
    (file,) = told["distribution"]
    assert (file["contentUrl"], file["sha256"], file["contentSize"]) == ("notes-1.jsonl", "ef" * 32, "99 B")
    (rows,) = told["recordSet"]
    assert [(f["name"], f["dataType"]) for f in rows["field"]] == [("text", "sc:Text"), ("a b/c", "sc:Integer")]
    assert {f["source"]["fileObject"]["@id"] for f in rows["field"]} == {file["@id"]}
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.0" and told["@type"] == "sc:Dataset"
    packed = json.loads(croissant(manifest(compression="gzip")))
    assert "recordSet" not in packed and packed["distribution"][0]["encodingFormat"] == "application/gzip"
