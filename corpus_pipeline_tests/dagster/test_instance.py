"""Dagster's home: rendered from ours and the environment, and never over a file of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from corpus_pipeline.defs import instance
from corpus_pipeline.defs.dagster_internals import InstanceRef
from corpus_pipeline.defs.dagster_secrets import sealed
from corpus_pipeline.errors import UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline_tests.dagster.conftest import OWN_CONFIG, SEALED, UNSEALED


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`prepare` sets these for the process."""
    for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "CORPUS_HOME"):
        monkeypatch.setenv(name, "unset")


def settings(folder: Path, **more: str) -> Settings:
    return Settings.from_env({"CORPUS_HOME": str(folder / "home")} | more)


def config(found: Settings) -> dict[str, object]:
    return yaml.safe_load((instance.prepare(found) / "dagster.yaml").read_text(encoding="utf-8"))


def test_ours_is_written_and_follows_the_settings(tmp_path: Path) -> None:
    assert set(config(settings(tmp_path))["storage"]) == {"custom"}  # type: ignore[call-overload]
    own = tmp_path / "own.yaml"
    own.write_text("run_launcher: {module: dagster, class: DefaultRunLauncher}\nrun_retries: {enabled: false}\n")
    merged = config(settings(tmp_path, CORPUS_DAGSTER_CONFIG=str(own)))
    assert merged["run_retries"] == {"enabled": False} and "run_launcher" in merged and "run_monitoring" in merged
    url = "postgresql+psycopg2://me:canary-8417@db/dagster"
    found = config(settings(tmp_path, CORPUS_DAGSTER_DATABASE_URL=url))
    assert found["storage"] == {"postgres": {"postgres_url": {"env": "CORPUS_DAGSTER_DATABASE_URL"}}}
    assert "canary-8417" not in (tmp_path / "home" / "dagster" / "dagster.yaml").read_text()
    assert set(config(settings(tmp_path))["storage"]) == {"custom"}  # type: ignore[call-overload]


@pytest.mark.parametrize("how", ["written by the user", "ours, changed by the user"])
def test_one_of_the_users_is_used_and_left_as_it_is(tmp_path: Path, how: str) -> None:
    found = settings(tmp_path)
    target = found.dagster_home / "dagster.yaml"
    if how == "written by the user":
        target.parent.mkdir(parents=True)
        target.write_text("telemetry: {enabled: false}\n")
    else:
        instance.prepare(found)
        target.write_text(target.read_text() + "\ncode_servers: {local_startup_timeout: 99}\n")
    before = target.read_bytes()
    instance.prepare(found)
    assert target.read_bytes() == before
    with pytest.raises(UsageError, match="is not ours"):
        instance.prepare(settings(tmp_path, CORPUS_DAGSTER_DATABASE_URL="mysql+pymysql://u@h/d"))
    assert target.read_bytes() == before


def test_a_storage_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    found = settings(tmp_path)
    found.dagster_home.mkdir(parents=True)
    target = found.dagster_home / "dagster.yaml"
    target.write_text("storage: {custom: {module: not_installed_here, class: Storage, config: {}}}\n")
    with pytest.raises(UsageError, match=r"dagster\.yaml: Dagster cannot open what it names: .*not_installed_here"):
        instance.instance(found)


@pytest.mark.parametrize(
    "storage",
    [
        "storage: {postgres: {postgres_db: {username: u, password: p, hostname: h, db_name: d}}}",
        "storage: {postgres: {postgres_url: {env: OUR_DAGSTER}}}",
        "event_log_storage: {module: dagster_postgres.event_log, class: PostgresEventLogStorage,"
        " config: {postgres_url: 'postgresql+psycopg://u:p@h/d'}}",
    ],
)
def test_a_driver_with_which_dagster_cannot_write_is_refused(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_DAGSTER", "postgresql://u:p@h/d")
    found = settings(tmp_path)
    found.dagster_home.mkdir(parents=True)
    (found.dagster_home / "dagster.yaml").write_text(f"{storage}\n")
    with pytest.raises(UsageError, match=r"dagster\.yaml: with postgresql.*Write postgresql\+psycopg2://"):
        instance.instance(found)


def test_the_same_driver_in_the_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(instance.DATABASE_VARIABLE, "postgresql://u:p@h/d")
    with pytest.raises(UsageError, match="CORPUS_DAGSTER_DATABASE_URL: with postgresql://"):
        instance.instance(settings(tmp_path, CORPUS_DAGSTER_DATABASE_URL="postgresql://u:p@h/d"))


def test_a_secret_in_dagster_yaml_is_handed_on_as_a_variable(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(
        f"{OWN_CONFIG}storage: {{postgres: {{postgres_db: {{username: u, password: '{SEALED}', hostname: h, db_name: d}}}}}}\n"
    )
    plain = InstanceRef.from_dir(str(tmp_path))
    found = sealed(plain)
    assert SEALED in repr(plain) and SEALED not in repr(found) and UNSEALED in repr(found)
    loader = found.secrets_loader_data.rehydrate()
    assert (loader.password, loader.more) == (SEALED, {"token": UNSEALED})
    assert found.compute_logs_data == plain.compute_logs_data and found.settings == plain.settings


def test_a_file_that_cannot_be_read_is_refused_without_its_words(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    for text in (f"storage: [\npassword: {SEALED}: x", f"- {SEALED}\n"):
        own.write_text(text)
        with pytest.raises(UsageError) as refused:
            instance.prepare(settings(tmp_path, CORPUS_DAGSTER_CONFIG=str(own)))
        assert "own.yaml" in str(refused.value) and SEALED not in str(refused.value)


def test_a_home_of_its_own_may_be_named(tmp_path: Path) -> None:
    assert instance.prepare(settings(tmp_path, CORPUS_DAGSTER_HOME=str(tmp_path / "there"))) == tmp_path / "there"


@pytest.mark.parametrize("text", ["- a list\n", "a: [unclosed\n", None])
def test_what_cannot_be_merged_is_said(tmp_path: Path, text: str | None) -> None:
    own = tmp_path / "own.yaml"
    if text is not None:
        own.write_text(text)
    with pytest.raises(UsageError, match="CORPUS_DAGSTER_CONFIG"):
        instance.prepare(settings(tmp_path, CORPUS_DAGSTER_CONFIG=str(own)))
