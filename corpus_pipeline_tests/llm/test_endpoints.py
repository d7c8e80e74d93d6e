"""CORPUS_ENDPOINTS: named endpoints, their keys, and the models that name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus_pipeline.errors import SettingMissing, UsageError
from corpus_pipeline.jobs.augment.plan import prepare
from corpus_pipeline.llm.endpoints import Endpoints, from_settings
from corpus_pipeline.recipe import parse
from corpus_pipeline.settings import Settings

TWO = """
endpoints:
  near:
    base_url: http://10.1.2.3:8000/v1
    private: true
    prices: {"small": {input: 0.1, output: 0.2}}
    options: {output_limit: max_tokens, extra_body: {top_k: 5}}
  cloud:
    base_url: https://models.example/v1
    key: CLOUD_KEY
    headers: {X-Team: $TEAM}
"""


def settings(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_env({"CORPUS_HOME": str(tmp_path), **env})


def endpoints(tmp_path: Path, text: str = TWO, **env: str) -> Endpoints:
    env = {"CLOUD_KEY": "secret-of-the-cloud", "TEAM": "blue"} | env
    found = from_settings(settings(tmp_path, CORPUS_ENDPOINTS=text, **env))
    assert found is not None
    return found


def test_a_model_names_its_endpoint_and_its_key_goes_nowhere_else(tmp_path: Path) -> None:
    found = endpoints(tmp_path, OPENAI_API_KEY="of-the-default")
    place, model = found.split("cloud/vendor/large")
    assert (place.endpoint.host, place.endpoint.api_key, model) == (
        "models.example",
        "secret-of-the-cloud",
        "vendor/large",
    )
    assert place.endpoint.headers == (("X-Team", "blue"),)
    assert found.split("near/small")[0].endpoint.api_key is None
    default, model = found.split("vendor/small")
    assert (default.endpoint.api_key, model) == ("of-the-default", "vendor/small")
    assert "secret" not in f"{place} {found.all}"
    assert len({place.key for place in found.all}) == 3


def test_without_a_default_a_model_must_name_its_endpoint(tmp_path: Path) -> None:
    with pytest.raises(SettingMissing, match="names no endpoint: write ENDPOINT/small"):
        endpoints(tmp_path).split("small")


def test_the_only_endpoint_is_the_default(tmp_path: Path) -> None:
    place, model = endpoints(tmp_path, "{only: {base_url: 'https://models.example/v1'}}").split("small")
    assert (place.endpoint.name, model) == ("only", "small")


def test_a_file_in_the_home_is_read(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yaml").write_text("only: {base_url: 'https://models.example/v1'}\n", encoding="utf-8")
    found = from_settings(settings(tmp_path))
    assert found is not None and list(found.named) == ["only"]
    assert from_settings(settings(tmp_path / "elsewhere")) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{a: {base_url: 'https://h.example/v1', colour: red}}", "a.colour"),
        ("{A b: {base_url: 'https://h.example/v1'}}", "is no name"),
        ("{a: {base_url: 'http://h.example/v1'}}", "CORPUS_ENDPOINTS, a: .*in the clear"),
        ("{a: {style: azure}}", "a: an endpoint of Azure needs its base_url"),
        ("{a: {base_url: 'https://h.example/v1', key: NOT_SET}}", "NOT_SET"),
        ("{a: {base_url: 'https://h.example/v1', key: sk-not-a-name}}", "a.key"),
        ("{a: {base_url: 'https://h.example/v1', options: {headers: {Authorization: x}}}}", "a.options.headers"),
        ("{a: [}", "is no YAML"),
        ("{a: {base_url: 'https://h.example/v1', limits: {requests_per_minute: 0}}}", "a.limits.requests_per_minute"),
    ],
)
def test_an_entry_at_fault_is_named(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises((UsageError, SettingMissing), match=wanted):
        endpoints(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml cannot be read"):
        settings(tmp_path, CORPUS_ENDPOINTS=str(tmp_path / "nowhere.yaml"))


def recipe(strategy: str, more: str = "") -> str:
    return f"name: r\naugment:\n  strategies: [{{paraphrase: {strategy}}}]\n{more}"


def test_prices_are_the_recipes_then_the_endpoints_then_the_lists(tmp_path: Path) -> None:
    found = endpoints(tmp_path)
    plan = prepare(parse(recipe("{model: near/small}")).augment, None, None, found)
    assert plan["paraphrase"].price.standard.input == 100_000
    own = recipe("{model: near/small}", "  prices: {small: {input: 3, output: 4}}\n")
    assert prepare(parse(own).augment, None, None, found)["paraphrase"].price.standard.input == 3_000_000
    own = recipe("{model: near/small}", "  prices: {near/small: {input: 5, output: 6}}\n")
    assert prepare(parse(own).augment, None, None, found)["paraphrase"].price.standard.input == 5_000_000
    listed = prepare(parse(recipe("{model: cloud/gpt-4o-mini}")).augment, None, None, found)["paraphrase"]
    assert listed.price == listed.book.of("gpt-4o-mini")
    with pytest.raises(UsageError, match="price of model 'no-such-model' is not known"):
        prepare(parse(recipe("{model: cloud/no-such-model}")).augment, None, None, found)


def test_what_an_endpoint_adds_to_requests_is_in_the_prompt_version(tmp_path: Path) -> None:
    section = parse(recipe("{model: near/small}")).augment
    one, other = (
        prepare(section, None, None, endpoints(tmp_path, text))["paraphrase"].prompt_version
        for text in (TWO, TWO.replace("top_k: 5", "top_k: 6"))
    )
    assert one != other
