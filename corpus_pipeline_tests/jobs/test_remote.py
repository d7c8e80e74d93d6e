"""Dataset files that lie elsewhere: copied whole or not at all, from where it is allowed, and without a word of a secret."""

from __future__ import annotations

import dataclasses
import json
import shutil
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import Interrupted, SourceChanged, StopJob, UsageError
from corpus_pipeline.jobs import remote
from corpus_pipeline.jobs.remote import http
from corpus_pipeline.jobs.remote.copies import safe_name
from corpus_pipeline.states import Stage, Status
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.servers import files, s3
from corpus_pipeline_tests.servers.files import FileServer

TOKEN = "hf_" + "Zq9" * 12


def lines(first: int, last: int) -> bytes:
    return b"".join(json.dumps(small_corpus.pair(n)).encode() + b"\n" for n in range(first, last))


ROWS = lines(1, 400)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with files.running() as running:
        running.files["/data/rows.jsonl"] = ROWS
        yield running


@pytest.fixture
def settings(tmp_path, server):
    return small_corpus.settings(tmp_path / "home", HF_ENDPOINT=server.url)


def fetch(settings, address: str) -> remote.Fetched:
    (one,) = remote.listed(address, settings)
    return remote.fetch(one, settings)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(http, "_FIRST_WAIT", 0.0)
    monkeypatch.setattr(http, "_LONGEST_WAIT", 0.0)


def test_a_file_is_copied_and_not_a_second_time(settings, server):
    first = fetch(settings, f"{server.url}/data/rows.jsonl")
    assert first.path.read_bytes() == ROWS and first.path.name == "rows.jsonl" and first.fresh
    again = fetch(settings, f"{server.url}/data/rows.jsonl")
    assert again == first._replace(fresh=False) and "if-none-match" in server.asked[-1].headers
    server.files["/data/rows.jsonl"] = ROWS + lines(400, 401)
    changed = fetch(settings, f"{server.url}/data/rows.jsonl")
    assert changed.fresh and changed.path.read_bytes() == ROWS + lines(400, 401)
    assert first.path.read_bytes() == ROWS  # what was registered before can still be read


@pytest.mark.parametrize("chunked", [False, True])
def test_a_cut_copy_is_gone_on_with(settings, server, chunked):
    server.cuts, server.chunked = [1000, 30_000, 7], chunked
    assert fetch(settings, f"{server.url}/data/rows.jsonl").path.read_bytes() == ROWS
    begins = [one.headers.get("range") for one in server.asked]
    assert begins == [None, "bytes=1000-", "bytes=31000-", "bytes=31007-"]


def test_another_process_goes_on_where_one_died(settings, server):
    def die(done: int, whole: int | None) -> None:
        raise Interrupted("stopped")

    (one,) = remote.listed(f"{server.url}/data/rows.jsonl", settings)
    server.cuts = [5000]
    with pytest.raises(Interrupted):
        remote.fetch(one, settings, die)
    assert remote.fetch(one, settings).path.read_bytes() == ROWS
    assert server.asked[-1].headers["range"] == "bytes=5000-"


@pytest.mark.parametrize("tags", ["weak", "none"])
def test_without_a_strong_tag_a_cut_copy_begins_anew(settings, server, tags):
    server.cuts, server.tags = [1000], tags
    assert fetch(settings, f"{server.url}/data/rows.jsonl").path.read_bytes() == ROWS
    assert all("range" not in one.headers for one in server.asked)


def test_two_versions_are_never_joined(settings, server):
    other = bytes(byte ^ 1 for byte in ROWS)
    server.cuts = [20_000]

    def change(done: int, whole: int | None) -> None:
        server.files["/data/rows.jsonl"] = other

    (one,) = remote.listed(f"{server.url}/data/rows.jsonl", settings)
    assert remote.fetch(one, settings, change).path.read_bytes() == other


@pytest.mark.parametrize("fault", ["no ranges", "another range", "shorter now"])
def test_servers_that_do_not_keep_to_ranges(settings, server, fault):
    server.cuts = [50_000]
    wanted = ROWS
    if fault == "no ranges":
        server.ranges = False
    elif fault == "another range":
        server.lie_about_range = True
    else:
        wanted = ROWS[:900]

        def change(done: int, whole: int | None) -> None:
            server.files["/data/rows.jsonl"] = wanted

        (one,) = remote.listed(f"{server.url}/data/rows.jsonl", settings)
        assert remote.fetch(one, settings, change).path.read_bytes() == wanted
        return
    assert fetch(settings, f"{server.url}/data/rows.jsonl").path.read_bytes() == wanted


def test_a_server_that_is_away_for_a_while_and_one_that_stays_away(settings, server):
    server.refuse = [503, 429, 500]
    assert fetch(settings, f"{server.url}/data/rows.jsonl").fresh
    server.files["/data/other.jsonl"] = ROWS
    server.refuse = [503] * 20
    with pytest.raises(StopJob, match=r"503.*the same command goes on"):
        fetch(settings, f"{server.url}/data/other.jsonl")


@pytest.mark.parametrize(
    ("status", "word"), [(401, "HF_TOKEN"), (403, "may not read"), (404, "no such file"), (410, "410")]
)
def test_what_the_server_refuses_is_said(settings, server, status, word):
    server.refuse = [status]
    with pytest.raises(UsageError, match=word):
        fetch(settings, f"{server.url}/data/rows.jsonl")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/rows.jsonl",
        "http://public.example/rows.jsonl",
        "file:///etc/passwd",
        "https://user:word@public.example/rows.jsonl",
        "https://2130706433/rows.jsonl",
    ],
)
def test_a_redirection_leads_to_allowed_addresses_only(settings, server, target):
    server.redirects["/moved.jsonl"] = target
    with pytest.raises(UsageError, match="nothing is read from"):
        fetch(settings, f"{server.url}/moved.jsonl")


@pytest.mark.parametrize(
    "address",
    [
        "http://public.example/a.jsonl",
        "https://192.168.1.4/a.jsonl",
        "http://[fe80::1]/a.jsonl",
        "https://127.1/a.jsonl",
    ],
)
def test_an_address_that_is_not_allowed_is_refused_before_anything_is_sent(settings, address):
    with pytest.raises(UsageError, match="CORPUS_PRIVATE_HOSTS"):
        fetch(settings, address)


def test_a_public_host_sends_nobody_to_a_host_of_our_own_network(tmp_path):
    own = small_corpus.settings(tmp_path / "home", CORPUS_PRIVATE_HOSTS="10.0.0.7,models.example")
    copy = SimpleNamespace(remote=http.remote("https://public.example/rows.jsonl"))
    public, private = (http._hop(f"https://{host}/a", copy, own, None).where for host in ("public.example", "10.0.0.7"))
    for target in ("https://10.0.0.7/a", "https://models.example:8443/a"):
        with pytest.raises(UsageError, match="nothing is read from"):
            http._hop(target, copy, own, public)
        assert http._hop(target, copy, own, private).where.private_allowed  # their own hosts may say where a file lies
    assert http._hop("https://else.example/a", copy, own, private).where.host == "else.example"


def test_redirections_are_followed_but_not_for_ever(settings, server):
    server.redirects["/a.jsonl"] = "/b.jsonl"
    server.redirects["/b.jsonl"] = "data/rows.jsonl"
    assert fetch(settings, f"{server.url}/a.jsonl").path.read_bytes() == ROWS
    server.redirects["/b.jsonl"] = "/a.jsonl"
    with pytest.raises(UsageError, match="redirections"):
        fetch(settings, f"{server.url}/a.jsonl")


def test_a_token_goes_to_the_host_that_it_is_for(tmp_path, hub):
    server = hub
    with files.running() as elsewhere:
        elsewhere.files["/blob"] = ROWS
        commit = server.add_dataset("acme/talk", {"train.jsonl": ROWS})
        server.redirects[f"/datasets/acme/talk/resolve/{commit}/train.jsonl"] = f"{elsewhere.url}/blob"
        own = small_corpus.settings(tmp_path / "home", HF_ENDPOINT=server.url, HF_TOKEN=TOKEN)
        assert fetch(own, "hf://datasets/acme/talk").path.read_bytes() == ROWS
        assert all(one.headers.get("authorization") == f"Bearer {TOKEN}" for one in server.asked)
        assert elsewhere.asked and all("authorization" not in one.headers for one in elsewhere.asked)


def test_no_secret_is_kept_or_said(settings, server):
    address = f"{server.url}/data/rows.jsonl?X-Amz-Signature=s3cr3t&part=1"
    found = fetch(settings, address)
    assert found.address == f"{server.url}/data/rows.jsonl" and server.asked[-1].path.endswith(
        "?X-Amz-Signature=s3cr3t&part=1"
    )
    kept = [path for path in settings.home.rglob("*") if path.is_file()]
    assert kept and not any(b"s3cr3t" in path.read_bytes() for path in kept)
    server.refuse = [404]
    with pytest.raises(UsageError) as caught:
        fetch(settings, address.replace("rows", "none"))
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(UsageError) as caught:
        remote.listed("https://me:s3cr3t@files.example/rows.jsonl", settings)
    assert "s3cr3t" not in str(caught.value)
    assert fetch(settings, f"{server.url}/data/rows.jsonl?part=1").address.endswith("?part=1")


def test_a_file_that_is_too_large_is_refused(tmp_path, server):
    own = dataclasses.replace(small_corpus.settings(tmp_path / "home"), download_limit=len(ROWS) - 1)
    for chunked in (False, True):
        server.chunked = chunked
        with pytest.raises(UsageError, match="CORPUS_DOWNLOAD_GIB"):
            fetch(own, f"{server.url}/data/rows.jsonl")
    assert sum(path.stat().st_size for path in own.home.rglob("*") if path.is_file()) < len(ROWS)


def test_names_that_lead_out_of_the_folder_do_not(settings, server):
    long = quote("数" * 200 + ".jsonl")  # 606 bytes: more than a file system takes
    for name in ("/..%2f..%2fescape.jsonl", "/%2e%2e/escape.jsonl", "/a%00b.jsonl", "/..%5c..%5cb.jsonl", f"/{long}"):
        server.files[name] = ROWS
        path = fetch(settings, f"{server.url}{name}").path
        assert settings.downloads_folder in path.resolve().parents and path.suffix == ".jsonl"


@given(st.text(st.characters()) | st.text("./\\ \0\x9b\u202e数", max_size=400))
def test_a_name_from_elsewhere_is_one_name_of_a_folder(text):
    name = safe_name(text)
    assert name not in ("", ".", "..") and len(name.encode()) <= 150 and not set(name) & set("/\\\0\x1b\x9b\n")
    assert (Path("/a/b") / name).name == name


# --- the hub ---


CONFIGS = [
    {"config_name": "plain", "default": True, "data_files": [{"split": "train", "path": "plain/train-*.jsonl"}]},
    {
        "config_name": "hard",
        "data_files": [{"split": "train", "path": ["hard/a.jsonl"]}, {"split": "test", "path": "hard/t.jsonl"}],
    },
]
SHARDS = {
    "plain/train-0.jsonl": lines(1, 3),
    "plain/train-1.jsonl": lines(3, 5),
    "hard/a.jsonl": lines(5, 7),
    "hard/t.jsonl": lines(7, 9),
    "script.py": b"print()",
}


@pytest.fixture
def hub(monkeypatch, server):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    return server


def addresses(settings, text: str) -> list[str]:
    return [one.address.partition("@")[2].partition("/")[2] for one in remote.listed(f"hf://datasets/{text}", settings)]


def test_configs_and_splits_of_a_card(settings, hub):
    commit = hub.add_dataset("acme/talk", SHARDS, configs=CONFIGS)
    assert addresses(settings, "acme/talk") == ["plain/train-0.jsonl", "plain/train-1.jsonl"]
    assert addresses(settings, "acme/talk/hard") == ["hard/a.jsonl", "hard/t.jsonl"]
    assert addresses(settings, "acme/talk/hard/test") == ["hard/t.jsonl"]
    assert addresses(settings, "acme/talk/train") == ["plain/train-0.jsonl", "plain/train-1.jsonl"]
    assert addresses(settings, "acme/talk@main/hard/a.jsonl") == ["hard/a.jsonl"]
    (one,) = remote.listed("hf://datasets/acme/talk/hard/test", settings)
    assert one.address == f"hf://datasets/acme/talk@{commit}/hard/t.jsonl"
    with pytest.raises(UsageError, match="hard/train, hard/test"):
        addresses(settings, "acme/talk/hard/validation")
    with pytest.raises(UsageError, match="no revision"):
        addresses(settings, "acme/talk@0123abc")


def test_a_hub_that_cannot_be_reached_is_said(settings, hub, tmp_path):
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        away = small_corpus.settings(tmp_path / "away", HF_ENDPOINT=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(StopJob, match="does not answer: ConnectError"):
            remote.listed("hf://datasets/acme/talk", away)


def test_a_card_that_was_made_to_take_for_ever_is_read_in_no_time(settings, hub):
    slow = f"{'*a' * 8}*b.jsonl"
    configs = [{"config_name": "default", "data_files": [slow, "kept.jsonl", "x/**/[!b]?.jsonl"]}]
    names = (f"{'a' * 200}.jsonl", "kept.jsonl", "x/y/z/ab.jsonl", "x/bb.jsonl", f"{'a' * 20}b.jsonl")
    hub.add_dataset("acme/slow", dict.fromkeys(names, ROWS), configs=configs)
    found = remote.listed("hf://datasets/acme/slow", settings)
    assert [one.address.partition("@")[2].partition("/")[2] for one in found] == sorted(
        (f"{'a' * 20}b.jsonl", "kept.jsonl", "x/y/z/ab.jsonl")
    )


@pytest.mark.parametrize("patterns", ["*" * 5000, "a**", "[b-a].jsonl", [f"{n}*.jsonl" for n in range(1000)]])
def test_a_card_with_patterns_that_are_none_is_refused_in_words(settings, hub, patterns):
    hub.add_dataset("acme/odd", {"a.jsonl": ROWS}, configs=[{"config_name": "default", "data_files": patterns}])
    with pytest.raises(UsageError, match=r"card names files by .*Name a folder"):
        remote.listed("hf://datasets/acme/odd", settings)


def test_splits_are_read_from_paths_where_no_card_names_them(settings, hub):
    paths = [
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet",
        "data/test-00000-of-00001.parquet",
    ]
    hub.add_dataset("acme/bare", dict.fromkeys([*paths, "dataset_infos.json", "extra/dev.jsonl"], b"x"))
    assert addresses(settings, "acme/bare/train") == paths[:2]
    assert addresses(settings, "acme/bare/default/test") == paths[2:]
    assert addresses(settings, "acme/bare/extra") == ["extra/dev.jsonl"]
    assert len(addresses(settings, "acme/bare")) == 4
    with pytest.raises(UsageError, match=r"What is there: data/test-00000-of-00001\.parquet"):
        addresses(settings, "acme/bare/validation")


def test_what_the_hub_does_not_have_is_said(tmp_path, settings, hub):
    with pytest.raises(UsageError, match="no dataset acme/none"):
        addresses(settings, "acme/none")
    with pytest.raises(UsageError, match="hf://datasets/OWNER/NAME"):
        remote.listed("hf://acme/none", settings)
    hub.add_dataset("acme/pictures", {"images/1.png": b"x"})
    with pytest.raises(UsageError, match="refs/convert/parquet"):
        addresses(settings, "acme/pictures")
    hub.add_dataset("acme/several", SHARDS, configs=[{**one, "default": False} for one in CONFIGS])
    with pytest.raises(UsageError, match="say which config: plain, hard"):
        addresses(settings, "acme/several")
    hub.private = TOKEN
    with pytest.raises(UsageError, match="set HF_TOKEN"):
        addresses(settings, "acme/several/plain")
    own = small_corpus.settings(tmp_path / "home", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
    assert addresses(own, "acme/several/plain/train")


# --- through the corpus ---


def test_a_file_from_elsewhere_is_read_as_any_other_and_by_a_host_without_a_copy(tmp_path, hub):
    hub.add_dataset("acme/talk", {"train.jsonl": lines(1, 8)})
    with small_corpus.opened(tmp_path / "home", HF_ENDPOINT=hub.url) as corpus:
        found = corpus.add("hf://datasets/acme/talk/train")
        assert found.file.name == "talk_train" and found.file.path.startswith("hf://datasets/acme/talk@")
        assert not corpus.add("hf://datasets/acme/talk/train").new
        shutil.rmtree(corpus.settings.downloads_folder)
        small_corpus.run_path(corpus, "talk_train")
        assert corpus.status(["talk_train"])[0]["stages"]["export"]["processed"] == 7
        report = corpus.remove("talk_train")
        assert not list(corpus.settings.downloads_folder.rglob("*.jsonl"))
        assert report["left"][0].startswith("the source file hf://")


def test_what_keeps_a_copy_from_being_made_is_no_failure_of_the_file(tmp_path, server):
    with small_corpus.opened(tmp_path / "home") as corpus:
        corpus.add(f"{server.url}/data/rows.jsonl")
        shutil.rmtree(corpus.settings.downloads_folder)
        server.refuse = [503] * 20
        with pytest.raises(StopJob, match="503"):
            corpus.run_stage("rows", Stage.INGEST)
        assert corpus.status(["rows"])[0]["stages"]["ingest"]["status"] == Status.PENDING.value
        server.refuse = []
        server.files["/data/rows.jsonl"] = lines(1, 3)
        with pytest.raises(SourceChanged, match="is not what was registered"):
            corpus.run_stage("rows", Stage.INGEST)
        server.files["/data/rows.jsonl"] = ROWS
        corpus.run_stage("rows", Stage.INGEST)
        assert corpus.files(["rows"])[0].conversations == 399


def test_the_same_address_with_other_bytes_is_another_version(tmp_path, server):
    with small_corpus.opened(tmp_path / "home") as corpus:
        corpus.add(f"{server.url}/data/rows.jsonl")
        server.files["/data/rows.jsonl"] = lines(1, 3)
        with pytest.raises(SourceChanged, match=f"corpus add {server.url}/data/rows.jsonl --name rows --replace"):
            corpus.add(f"{server.url}/data/rows.jsonl")
        assert corpus.add(f"{server.url}/data/rows.jsonl", replace=True).file.version == 2


# --- S3 ---


@pytest.fixture(params=["moto", "rclone"])
def store(request, tmp_path_factory, monkeypatch) -> Iterator[s3.S3]:
    with getattr(s3, request.param)(tmp_path_factory.mktemp("s3")) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def test_objects_and_prefixes_of_a_store(tmp_path, store):
    bucket = store.fresh_bucket()
    put = {"in/a b.jsonl": lines(1, 5), "in/deep/c.jsonl": lines(5, 9), "in/notes.txt": b"x", "empty.jsonl": b""}
    for key, content in put.items():
        store.client().put_object(Bucket=bucket, Key=key, Body=content)
    own = small_corpus.settings(tmp_path / "home", CORPUS_S3_ENDPOINT_URL=store.endpoint)
    found = remote.listed(f"s3://{bucket}/in/", own)
    assert [one.address for one in found] == [f"s3://{bucket}/in/a b.jsonl", f"s3://{bucket}/in/deep/c.jsonl"]
    assert remote.listed(f"s3://{bucket}/in", own) == found
    assert remote.fetch(found[0], own).path.read_bytes() == put["in/a b.jsonl"]
    assert not remote.fetch(found[0], own).fresh
    assert fetch(own, f"s3://{bucket}/empty.jsonl").path.read_bytes() == b""
    with pytest.raises(UsageError, match="no such object"):
        remote.listed(f"s3://{bucket}/out", own)
    with pytest.raises(UsageError, match="bucket"):
        fetch(own, "s3://no-such-bucket-here/x.jsonl")


def test_a_cut_object_is_gone_on_with_and_two_versions_are_never_joined(tmp_path, store):
    bucket = store.fresh_bucket()
    big = lines(1, 9000)
    assert len(big) > 2 << 20
    store.client().put_object(Bucket=bucket, Key="big.jsonl", Body=big)
    own = small_corpus.settings(tmp_path / "home", CORPUS_S3_ENDPOINT_URL=store.endpoint)
    (one,) = remote.listed(f"s3://{bucket}/big.jsonl", own)

    def die(done: int, whole: int | None) -> None:
        raise Interrupted("stopped")

    def begun() -> int:
        return sum(path.stat().st_size for path in (own.downloads_folder / "begun").glob("*.part"))

    with pytest.raises(Interrupted):
        remote.fetch(one, own, die)
    assert 0 < begun() < len(big)
    told = list[int]()
    assert remote.fetch(one, own, lambda done, whole: told.append(done)).path.read_bytes() == big
    assert min(told) > 1 << 20  # what was there was not asked for again
    with pytest.raises(Interrupted):
        store.client().put_object(Bucket=bucket, Key="big.jsonl", Body=big + lines(9000, 9001))
        remote.fetch(one, own, die)
    store.client().put_object(Bucket=bucket, Key="big.jsonl", Body=big[::-1])
    assert remote.fetch(one, own).path.read_bytes() == big[::-1]


def test_a_folder_of_a_store_is_added_by_the_command(tmp_path, store):
    from corpus_pipeline_tests.cli.conftest import run

    bucket = store.fresh_bucket()
    for key, content in {"in/a.jsonl": lines(1, 5), "in/数据.jsonl": lines(5, 9)}.items():
        store.client().put_object(Bucket=bucket, Key=key, Body=content)
    environment = {"CORPUS_HOME": str(tmp_path / "home"), **store.environment()}
    done = run(environment, "add", f"s3://{bucket}/in/", "--json")
    assert [entry["name"] for entry in json.loads(done.stdout)["files"]] == ["a", "shuju"], done.stderr
    assert json.loads(done.stdout)["files"][1]["title"] == "数据.jsonl"
    assert run(environment, "run", "--to", "clean").returncode == 0
    assert s3.SECRET_KEY not in done.stderr + done.stdout
    refused = run(environment, "add", "ftp://host/a.jsonl")
    assert refused.returncode == 2 and "s3://, https:// or hf://datasets/" in refused.stderr
