"""The files that cover a whole target: `dataset_info.json` for LLaMA-Factory and the Hugging Face dataset card.

Both are functions of the manifests that lie in the target, never of what one exporter happens to know, so that anyone who
writes them last writes them whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.export.hf_features import NUL_KEYS
from corpus_pipeline.stages.export.manifest import StoredFile, stored_files, to_json

DATASET_INFO = "dataset_info.json"
CARD = "README.md"
_UNFIT = lazily(r"[<>:/\\|?*\x00-\x1f]")  # what `datasets` refuses in the name of a config

Located = tuple[str, Mapping[str, Any]]  # the folder of an export relative to the card ("": the same), its manifest


def overview(exports: Iterable[Located]) -> dict[str, bytes]:
    """File name -> content of the two files, from every (folder, manifest) of the target, in any order."""
    ordered = sorted(exports, key=lambda located: located[0])
    return {DATASET_INFO: dataset_info(ordered), CARD: card(ordered)}


def dataset_info(exports: Iterable[Located]) -> bytes:
    """LLaMA-Factory's list of datasets: what it can read whole. The card says why an export is not in it."""
    entries = {}
    for folder, manifest in exports:
        if llama_factory_word(manifest) is None:
            entries[manifest["name"]] = {**manifest["llama_factory"], "file_name": _path(folder, _readable(manifest))}
    return to_json(entries)


def llama_factory_word(manifest: Mapping[str, Any]) -> str | None:
    """Why LLaMA-Factory has no entry for an export; None when it has one."""
    data = _readable(manifest)
    if not data.lines:
        return "no rows"
    if data.compression != "none":
        return "its loader reads no gzip"
    if not manifest["guessable"] and data.role == "data":
        return "its loader guesses the types of columns, and guesses some of these wrong; export with parquet: true"
    if manifest["llama_factory"] is None:
        return manifest.get("llama_factory_why") or f"it has no reader for {manifest['format']}"
    return None


def _readable(manifest: Mapping[str, Any]) -> StoredFile:
    """The file that a loader reads without being told the types of its columns: Parquet says them itself."""
    typed = _typed(manifest)
    return typed if typed is not None and not manifest["guessable"] else _data(manifest)


def _typed(manifest: Mapping[str, Any]) -> StoredFile | None:
    return next((file for file in stored_files(manifest) if file.role == "parquet"), None)


def card(exports: Iterable[Located]) -> bytes:
    """A dataset card: one config per export with its file and the type of every column, and a table for people.

    An export without rows is in the table only, as one whose lines the loader does not read as they are and that has no Parquet
    file: a config that cannot be loaded is an error to Hugging Face's tools.
    """
    located = list(exports)
    configs, infos, table = [], [], []
    for folder, manifest in located:
        data, name = _data(manifest), _config_name(manifest["name"])
        loaded = _typed(manifest) if manifest.get("unloadable") else data
        if data.lines and loaded is not None:
            files = [{"split": "train", "path": _path(folder, loaded)}]
            configs.append({"config_name": name, "data_files": files})
            if loaded is data:
                infos.append({"config_name": name, "features": manifest["features"]})
        table.append(_row(name, manifest, data))
    head = {"configs": configs, **({"dataset_info": infos} if infos else {})} if configs else {}
    front = yaml.dump(head, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 30)
    return "\n".join([f"---\n{front}---\n", _TEXT, *table, ""]).encode()


_TEXT = """# Exported datasets

Each row below is a config: load it with `load_dataset(<this folder>, <config>)`. The types of all columns are declared
above, from the whole file. A tool that reads a file without this card guesses them from the first rows; where the table
says "declare", that guess is wrong for some row, so load through this card, or pass `features=`. Where it says "Parquet", the
loader would change values of the JSON lines, and the card names the Parquet file beside them. The type `json` needs
`datasets` 4.7 or newer. Beside each file, `manifest.json` tells where its rows came from.

| config | rows | format | types | LLaMA-Factory | recipe | sha256 of the file |
|---|---|---|---|---|---|---|"""


# libyaml's where it was built with it, ten times as fast: with many exports the card is what an export takes longest for
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):
    """Keeps every text on one line, so that no key of a row can end the front matter."""


def _one_line(dumper: Any, text: str) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'
    )
    return node


_Dumper.add_representer(str, _one_line)


def _row(name: str, manifest: Mapping[str, Any], data: StoredFile) -> str:
    types = "no rows" if not data.lines else _types(manifest)
    recipe = f"{manifest['recipe']['name']} {manifest['recipe']['version'][:12]}"
    word = llama_factory_word(manifest)
    listed = "in dataset_info.json" if word is None else _cell(word)
    cells = (_cell(name), str(data.lines), _cell(manifest["format"]), types, listed, recipe, f"`{data.sha256}`")
    return f"| {' | '.join(cells)} |"


def _types(manifest: Mapping[str, Any]) -> str:
    if why := manifest.get("unloadable"):
        if _typed(manifest):
            return f"Parquet ({_cell(why)})"
        return f"no config: {_cell(why)}" + ("" if why == NUL_KEYS else "; export with parquet: true")
    return "guessed well" if manifest["guessable"] else "declare"


def _cell(text: str) -> str:
    """A name as inert text in a table: in a code span, which no character of it can end."""
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"


def _path(folder: str, data: StoredFile) -> str:
    return f"{folder}/{data.alias or data.path}" if folder else data.alias or data.path


def _config_name(name: str) -> str:
    return _UNFIT.sub("_", name)


def _data(manifest: Mapping[str, Any]) -> StoredFile:
    return next(file for file in stored_files(manifest) if file.role == "data")
