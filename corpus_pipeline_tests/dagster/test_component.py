"""A corpus as a component of somebody else's project: two of them in one deployment, each with its own home and names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

import corpus_pipeline
from corpus_pipeline.defs.names import Names
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.dagster.conftest import write_file

PYPROJECT = """\
[project]
name = "acme"
version = "0.1"
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "acme_project"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A foreign project with two corpora; no variable of ours is set."""
    for name in ("CORPUS_HOME", "DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "ACME_KEY"):
        monkeypatch.delenv(name, raising=False)
    package = tmp_path / "src" / "acme_project"
    (tmp_path / "pyproject.toml").parent.mkdir(exist_ok=True)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    for corpus in ("chats", "papers"):
        folder = package / "defs" / corpus
        folder.mkdir(parents=True)
        attributes = {
            "name": corpus,
            "group": f"{corpus}_group",
            "owners": [f"team:{corpus}"],
            "home": str(tmp_path / corpus),
            "openai_api_key": "env:ACME_KEY",
            "pools": {"augment": f"{corpus}_calls"},
        }
        text = yaml.safe_dump({"type": "corpus_pipeline.CorpusComponent", "attributes": attributes})
        (folder / "defs.yaml").write_text(text)
    for path in (package, package / "defs"):
        (path / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    yield package
    for name in [name for name in sys.modules if name.startswith("acme_project")]:
        del sys.modules[name]


def test_two_corpora_live_in_one_deployment(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = dg.load_from_defs_folder(path_within_project=project)
    monkeypatch.setenv("ACME_KEY", "canary")  # asked for when a run begins, not when the definitions are loaded
    repository = definitions.get_repository_def()
    keys = {key.to_user_string() for key in repository.asset_graph.materializable_asset_keys}
    stages = ("dataset_rows", "cleaned_rows", "augmented_rows", "jsonl_export")
    assert keys == {f"{corpus}/{stage}" for corpus in ("chats", "papers") for stage in stages}
    node = repository.asset_graph.get(dg.AssetKey(["chats", "augmented_rows"]))
    assert (node.group_name, list(node.owners), node.pools) == ("chats_group", ["team:chats"], {"chats_calls"})
    assert {job.name for job in repository.get_all_jobs()} >= {"chats_corpus_path", "papers_corpus_path"}
    assert len({sensor.name for sensor in repository.sensor_defs}) == len(repository.sensor_defs) == 12

    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path / "chats")})) as corpus:
        corpus.add(write_file(tmp_path / "data", "talk", 5))
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions("chats_dataset_files", ["talk"])
        job = repository.get_job("chats_corpus_path")
        done = job.execute_in_process(
            partition_key="talk",
            instance=instance,
            asset_selection=[dg.AssetKey(["chats", stage]) for stage in stages[:2]],
        )
        assert done.success
        assert instance.get_materialized_partitions(dg.AssetKey(["chats", "cleaned_rows"])) == {"talk"}
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path / "chats")})) as corpus:
        assert corpus.status(["talk"])[0]["stages"]["clean"]["status"] == "done"
    assert not (tmp_path / "papers").exists(), "a run of one corpus opened the other"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"name": "a b"}, "name must be"), ({"pools": {"wash": "x"}}, "no stage"), ({"home": None}, "where the corpus")],
)
def test_what_cannot_be_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object], words: str
) -> None:
    monkeypatch.delenv("CORPUS_HOME", raising=False)
    component = corpus_pipeline.CorpusComponent(**({"name": "chats", "home": str(tmp_path)} | wrong))
    with pytest.raises(Exception, match=words):
        component.build_defs(None)


def test_a_run_belongs_to_the_corpus_whose_assets_it_works() -> None:
    one, other = Names("one", ("one",)), Names("other", ("other",))
    run = dg.DagsterRun(job_name="any", asset_selection=frozenset({one.key(Stage.CLEAN)}))
    assert (one.owns(run), other.owns(run)) == (True, False)


def test_the_package_itself_brings_no_dagster() -> None:
    assert "CorpusComponent" in dir(corpus_pipeline)
    with pytest.raises(AttributeError):
        getattr(corpus_pipeline, "Nothing")  # noqa: B009
