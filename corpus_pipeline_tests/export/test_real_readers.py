"""Exports as the tools' own code reads them, and our rules for these tools (`readers.py`) beside it.

The tools are no part of the locked environment. The modules of TRL and LLaMA-Factory that read data need no torch, and are all
that is loaded: `pip install --no-deps trl llamafactory transformers tokenizers safetensors regex`. Axolotl and ms-swift are
loaded as they are, with torch for a CPU: `pip install torch peft accelerate transformers datasets modelscope addict dacite`,
then `pip install --no-deps axolotl ms-swift unsloth_zoo`. Without them these tests are skipped, and the last lines of the run
say so.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.formats import NotExportable, by_name, export_line
from corpus_pipeline.stages.export.llama_factory import Reader
from corpus_pipeline_tests.export import readers
from corpus_pipeline_tests.export.test_tools import LLAMA_FACTORY, TRL, drawn, quick
from corpus_pipeline_tests.formats.examples import TYPICAL

Record = dict[str, Any]

needs_llama_factory = pytest.mark.skipif(
    importlib.util.find_spec("llamafactory") is None, reason="NOT READ BY LLaMA-Factory's own converters: not installed"
)
needs_trl = pytest.mark.skipif(
    importlib.util.find_spec("trl") is None or importlib.util.find_spec("transformers") is None,
    reason="NOT READ BY TRL's own utilities: trl and transformers are not installed",
)

needs_axolotl = pytest.mark.skipif(
    importlib.util.find_spec("axolotl") is None,
    reason="NOT READ BY Axolotl's own chat_template strategy: not installed",
)
needs_swift = pytest.mark.skipif(
    importlib.util.find_spec("swift") is None, reason="NOT READ BY ms-swift's own preprocessors: not installed"
)
needs_unsloth = pytest.mark.skipif(
    importlib.util.find_spec("unsloth_zoo") is None, reason="NOT READ BY Unsloth's own standardizer: not installed"
)


def rows_of(name: str) -> Iterator[Record]:
    """The typical rows of all formats, as this one writes them."""
    for source, record in TYPICAL.items():
        try:
            line, _ = export_line(by_name(source).read(record), by_name(source), by_name(name), checked=True)
        except NotExportable:
            continue
        yield json.loads(line)


def module_of(monkeypatch: pytest.MonkeyPatch, package: str, module: str, **stand_ins: types.ModuleType) -> Any:
    """A module of a package without what the package itself imports. stand_ins: modules of it that must not be loaded."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    parts = module.split(".")
    for depth in range(len(parts)):
        name = ".".join([package, *parts[:depth]])
        empty = types.ModuleType(name)
        empty.__path__ = ["/".join([spec.submodule_search_locations[0], *parts[:depth]])]
        empty.__spec__ = spec
        monkeypatch.setitem(sys.modules, name, empty)
    for name, stand_in in stand_ins.items():
        monkeypatch.setitem(sys.modules, f"{package}.{name.replace('__', '.')}", stand_in)
    monkeypatch.delitem(sys.modules, f"{package}.{module}", raising=False)
    return importlib.import_module(f"{package}.{module}")


class _Complaints(types.ModuleType):
    """Stands for the tool's logger: what it warns of is a failure here."""

    def __init__(self) -> None:
        super().__init__("logging")
        self.said: list[str] = []

    def get_logger(self, name: str) -> _Complaints:
        return self

    def warning_rank0(self, text: str) -> None:
        self.said.append(text)

    warning_rank0_once = warning_rank0


@pytest.fixture
def llama_factory(monkeypatch):
    """(the converters, the class of a dataset's attributes, what was complained of)."""
    complaints, constants, misc = _Complaints(), types.ModuleType("constants"), types.ModuleType("misc")
    constants.DATA_CONFIG = "dataset_info.json"  # type: ignore[attr-defined]
    misc.use_modelscope = misc.use_openmind = lambda: False  # type: ignore[attr-defined]
    stand_ins = {"extras__logging": complaints, "extras__constants": constants, "extras__misc": misc}
    extras = types.ModuleType("llamafactory.extras")
    extras.logging = complaints  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llamafactory.extras", extras)
    converter = module_of(monkeypatch, "llamafactory", "data.converter", **stand_ins)
    monkeypatch.setitem(sys.modules, "llamafactory.extras", extras)
    parser = module_of(monkeypatch, "llamafactory", "data.parser", **stand_ins)
    return converter, parser.DatasetAttr, complaints


@needs_llama_factory
@pytest.mark.parametrize("name", LLAMA_FACTORY)
def test_llama_factory_converts_every_row(name: str, llama_factory: Any) -> None:
    converter, attributes, complaints = llama_factory
    read = 0
    for record in rows_of(name):
        reader = Reader(by_name(name))
        reader.take(record)
        entry, _ = reader.entry(list(record))
        if entry is None:
            continue
        own = attributes("file", dataset_name=name)
        own.join(entry)
        data = types.SimpleNamespace(media_dir="/nowhere")
        row = dict(dict.fromkeys(entry["columns"].values()), **record)  # as `datasets` fills what some rows lack
        found = converter.get_dataset_converter(own.formatting, own, data)(row)
        assert [text for text in complaints.said if "Media" not in text] == []
        prompt, response = readers.llama_factory(entry, record)
        assert found["_prompt"] == prompt and [m for m in found["_response"] if m["content"] != ""] == [
            m for m in response if m["content"] != ""
        ]
        read += 1
    assert read


@pytest.fixture
def trl(monkeypatch):
    return module_of(monkeypatch, "trl", "data_utils")


@pytest.fixture
def tokenizer():
    """A real tokenizer of the library with a plain chat template, so that everything a row says is seen in the text."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    found = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"?": 0}, unk_token="?")))
    found.chat_template = (
        "{% for tool in tools or [] %}[tool {{ tool | tojson }}]{% endfor %}"
        "{% for m in messages %}[{{ m.role }}]{{ m.content or '' }}"
        "{% for c in m.tool_calls or [] %}<call {{ c.function.name }} {{ c.function.arguments | tojson }}>{% endfor %}"
        "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    return found


@needs_trl
@pytest.mark.parametrize("name", TRL)
def test_trl_finds_the_type_and_applies_a_chat_template(name: str, trl: Any, tokenizer: Any) -> None:
    from datasets import Dataset

    read = 0
    for record in rows_of(name):
        own = {key: record[key] for key in (*by_name(name).keys, "tools") if record.get(key) is not None}
        kind, conversational = readers.trl(own)
        assert trl.is_conversational(own) is conversational
        tools = own.pop("tools", None)
        if {"chosen", "rejected"} <= own.keys():
            assert trl.maybe_extract_prompt(dict(own))["prompt"]
        told = trl.maybe_apply_chat_template(dict(own), tokenizer, tools=tools)
        said = json.dumps(told, ensure_ascii=False)
        for text in _texts(
            {key: value for key, value in own.items() if key != "solution"}
        ):  # stays beside the template
            assert json.dumps(text, ensure_ascii=False)[1:-1] in said
        if kind == "preference":
            unpaired = trl.maybe_unpair_preference_dataset(Dataset.from_list([own]))
            assert unpaired["label"] == [True, False]
        read += 1
    assert read


def _texts(record: Record) -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list) and key != "tools":
            yield from (message["content"] for message in value if message.get("content"))


_CHATML = (
    "{% for tool in tools or [] %}[tool {{ tool | tojson }}]{% endfor %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}{{ message.content or '' }}"
    "{% for call in message.tool_calls or [] %}<call {{ call.function.name }} {{ call.function.arguments | tojson }}>"
    "{% endfor %}<|im_end|>\n{% endfor %}"
)


@pytest.fixture(scope="module")
def axolotl() -> Any:
    """The strategy of `type: chat_template` with `message_field_training: train`, and a tokenizer of single bytes."""
    from axolotl.prompt_strategies.chat_template import StrategyLoader
    from axolotl.utils.dict import DictDefault
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|im_start|>", "<|im_end|>"]
    plain = Tokenizer(models.BPE(vocab={word: at for at, word in enumerate(words)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    tokens = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token="<|im_end|>", additional_special_tokens=["<|im_start|>"]
    )
    tokens.chat_template = _CHATML
    section = {"type": "chat_template", "message_field_training": "train", "chat_template": "tokenizer_default"}
    return StrategyLoader()(tokens, DictDefault({"sequence_len": 1 << 20, "train_on_inputs": False}), section), tokens


def drawn_rows(data: st.DataObject, name: str) -> Iterator[Record]:
    record = drawn(data, by_name(name))
    if record is not None:
        yield record


@needs_axolotl
@quick
@given(data=st.data())
def test_axolotl_trains_on_the_answers_and_on_no_other(axolotl: Any, data: st.DataObject) -> None:
    strategy, tokens = axolotl
    for record in drawn_rows(data, "axolotl"):
        found = strategy.tokenize_prompt(json.loads(json.dumps(record)))
        told = tokens.decode(found["input_ids"])
        trained = tokens.decode([token for token in found["labels"] if token != -100])
        for message in record["messages"]:
            answers = message["role"] == "assistant"
            for text in filter(None, (message.get("content"), message.get("reasoning_content"))):
                assert text in told
                assert text in trained or not answers or not message.get("train", True)
            for call in message.get("tool_calls") or ():
                assert f"<call {call['function']['name']} " in told
        assert not trained or any(m["role"] == "assistant" and m.get("train", True) for m in record["messages"])


@needs_swift
@pytest.mark.parametrize("name", ["openai_sft", "query_response", "swift_grpo", "trl_grpo", "sharegpt", "alpaca"])
@settings(quick, max_examples=10)
@given(data=st.data())
def test_ms_swift_makes_the_messages_that_our_rules_for_it_make(name: str, data: st.DataObject) -> None:
    from datasets import Dataset
    from swift.dataset.preprocessor.core import AutoPreprocessor

    for record in drawn_rows(data, name):
        if any("developer" in str(message) for message in record.get("messages", ())):
            continue  # refused by the tool, and by our rules for it
        record = {key: value for key, value in record.items() if key in (*by_name(name).keys, "tools")}
        own = Dataset.from_dict({key: [value] for key, value in record.items()}, on_mixed_types="use_json")
        (found,) = AutoPreprocessor()(own, load_from_cache_file=False, strict=True, enable_auto_mapping=True)
        wanted = readers.ms_swift(json.loads(json.dumps(record)))
        assert [_said(message) for message in found["messages"]] == [_said(message) for message in wanted]


def _said(message: Record) -> tuple[str, str]:
    content = message["content"]
    if message["role"] == "tool_call":
        call = json.loads(content) if isinstance(content, str) else content
        content = json.dumps([call["name"], call["arguments"]], sort_keys=True)
    return message["role"], content


@needs_unsloth
@pytest.mark.parametrize("name", ["sharegpt", "trl_messages"])
def test_unsloth_standardizes_what_our_rules_for_it_say(name: str, monkeypatch: Any) -> None:
    from datasets import Dataset

    workers = types.ModuleType("dataset_num_proc")
    workers.get_dataset_num_proc = lambda asked: None  # type: ignore[attr-defined]
    unsloth = module_of(monkeypatch, "unsloth_zoo", "dataset_utils", dataset_num_proc=workers)
    read = 0
    for record in rows_of(name):
        key = by_name(name).keys[0]
        if any(set(message) - {"from", "value", "role", "content"} for message in record[key]):
            continue
        try:
            wanted = readers.unsloth(record)
        except (AssertionError, KeyError):
            continue
        (found,) = unsloth.standardize_data_formats(Dataset.from_list([{key: record[key]}]))
        assert found[key] == wanted
        read += 1
    assert read
