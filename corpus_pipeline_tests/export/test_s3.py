from __future__ import annotations

import functools
import itertools
import json
import threading

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.service.doctor import least_policy
from corpus_pipeline.stages.export.targets import open_target
from corpus_pipeline.stages.export.targets.s3 import S3Target
from corpus_pipeline.stages.export.targets.s3_client import connect
from corpus_pipeline_tests.export.flipping_proxy import FlippingProxy
from corpus_pipeline_tests.export.making import (
    Stop,
    chat,
    described,
    facts,
    publish_and_die,
    rows,
    spooled,
    stopping_at,
)
from corpus_pipeline_tests.servers import s3

OLD = rows([chat("old", "text")] * 3)
NEW = rows([chat("new", "text")] * 5)
MIB = 1 << 20
_numbers = itertools.count(1)
PART = 5 * MIB  # the smallest that S3 allows
BIG = [json.dumps(chat("big", str(number) * MIB)).encode() for number in range(6)]


@functools.cache
def client_of(endpoint):
    """One client for all tests of a server: making one takes longer than most of the tests."""
    return connect(endpoint)


def target_of(s3_server, bucket, prefix=""):
    return S3Target(client_of(s3_server.endpoint), bucket, prefix, part_bytes=PART)


@pytest.fixture
def s3_bucket(s3_server, monkeypatch):
    """As the fixture of all tests, with the cached client."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    name = f"exports-{next(_numbers)}"
    client_of(s3_server.endpoint).create_bucket(Bucket=name)
    return name


@pytest.fixture
def target(s3_server, s3_bucket):
    return target_of(s3_server, s3_bucket, "corpus/v1")


def keys(target):
    found = target._client.list_objects_v2(Bucket=target._bucket)
    return sorted(entry["Key"] for entry in found.get("Contents", ()))


def uploads(target):
    return target._listed(target._open_uploads(""))


def modified(target, key):
    return target._client.head_object(Bucket=target._bucket, Key=key)["LastModified"]


def read(target, name="notes"):
    """What a reader gets who starts at the manifest."""
    assert target.verify(name) == []
    with target.open(name) as stream:
        return stream.read()


def joined(lines):
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("lines", [NEW, BIG], ids=["small", "multipart"])
def test_an_export_is_one_object_under_its_hash_with_a_manifest(target, s3_bucket, tmp_path, lines):
    data = spooled(tmp_path, lines)
    published = target.publish(described(data), data)
    key = f"corpus/v1/notes/notes-{data.sha256}.jsonl"
    assert published.uri == f"s3://{s3_bucket}/{key}" and published.changed and published.notes == ()
    overview = ["corpus/v1/README.md", "corpus/v1/dataset_info.json"]
    notes = [f"corpus/v1/notes/{file}" for file in ("README.md", "croissant.json", "manifest.json")] + [key]
    assert keys(target) == [*overview, *notes]
    assert read(target) == joined(lines)
    assert uploads(target) == []
    info = json.loads(target._client.get_object(Bucket=s3_bucket, Key=overview[1])["Body"].read())
    assert info["notes"]["file_name"] == f"notes/notes-{data.sha256}.jsonl"


def test_the_same_rows_again_upload_nothing(target, tmp_path):
    data = spooled(tmp_path, NEW)
    target.publish(described(data), data)
    whole = (f"corpus/v1/notes/notes-{data.sha256}.jsonl", "corpus/v1/notes/manifest.json")
    before = [modified(target, key) for key in whole]
    steps: list[str] = []
    again = target.publish(described(data, created="2027-01-01T00:00:00Z"), data, on_step=steps.append)
    assert not again.changed and steps == ["overview.before", "overview.after"]
    assert [modified(target, key) for key in whole] == before


@pytest.mark.parametrize(
    ("lines", "step", "shown"),
    [
        (NEW, "data.put.before", OLD),
        (NEW, "data.put.after", OLD),
        (NEW, "data.verify.before", OLD),
        (NEW, "manifest.before", OLD),
        (NEW, "manifest.after", NEW),
        (NEW, "overview.before", NEW),
        (BIG, "data.part.after", OLD),
        (BIG, "data.complete.before", OLD),
    ],
)
def test_stopped_at_any_step_a_reader_sees_one_whole_export(target, tmp_path, lines, step, shown):
    data = spooled(tmp_path, OLD)
    target.publish(described(data), data)
    new = spooled(tmp_path, lines)
    with pytest.raises(Stop):
        target.publish(described(new), new, on_step=stopping_at(step))
    assert read(target) == joined(shown)
    assert uploads(target) == []
    target.publish(described(new), new)
    assert read(target) == joined(lines)


def test_killed_in_an_upload_nothing_is_visible_and_the_next_start_aborts_it(s3_server, s3_bucket, tmp_path):
    url, lines = f"s3://{s3_bucket}/corpus", BIG * 4
    options = {"endpoint_url": s3_server.endpoint}
    publish_and_die(url, tmp_path, lines, "data.part.after", 2, **options)
    target, data = open_target(url, **options), spooled(tmp_path, NEW)
    assert keys(target) == []
    assert len(uploads(target)) == 1
    target.publish(described(data), data)
    assert uploads(target) == []
    assert read(target) == joined(NEW)


def test_two_exporters_of_one_partition_at_once_leave_one_whole_export(s3_server, s3_bucket, tmp_path):
    failures = []

    def export(lines):
        try:
            target = target_of(s3_server, s3_bucket)
            for _ in range(2):
                data = spooled(tmp_path, lines)
                target.publish(described(data), data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=export, args=(lines,)) for lines in (BIG, BIG, NEW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read(target_of(s3_server, s3_bucket)) in (joined(BIG), joined(NEW))


def test_an_upload_that_another_exporter_swept_is_started_again(target, tmp_path):
    data = spooled(tmp_path, BIG)
    swept = []

    def sweep_once(step):
        if step == "data.complete.before" and not swept:
            swept.append(step)
            target._prepare("notes")

    target.publish(described(data), data, on_step=sweep_once)
    assert swept and read(target) == joined(BIG)


def test_exporters_of_many_partitions_at_once_lose_no_entry(s3_server, s3_bucket, tmp_path):
    names, failures = [f"file-{number}" for number in range(6)], []

    def export(name):
        try:
            data = spooled(tmp_path, NEW, name)
            target_of(s3_server, s3_bucket).publish(described(data, name), data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=export, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    info = client_of(s3_server.endpoint).get_object(Bucket=s3_bucket, Key="dataset_info.json")["Body"].read()
    assert sorted(json.loads(info)) == names


@pytest.mark.parametrize("lines", [NEW, BIG], ids=["small", "multipart"])
def test_a_byte_that_flips_once_on_the_way_is_noticed_and_sent_again(s3_server, s3_bucket, tmp_path, lines):
    data = spooled(tmp_path, lines)
    with FlippingProxy(s3_server.port, b'"user"', b'"luser', upstream=True, times=1) as proxy:
        target = S3Target(connect(proxy.endpoint), s3_bucket, part_bytes=PART)
        target.publish(facts(), data)
        assert proxy.left == 0
    assert read(target_of(s3_server, s3_bucket)) == joined(lines)


@pytest.mark.parametrize("upstream", [True, False], ids=["on the way there", "on the way back"])
def test_a_way_that_always_flips_bytes_never_gets_a_manifest(s3_server, s3_bucket, tmp_path, upstream):
    data = spooled(tmp_path, NEW)
    with (
        FlippingProxy(s3_server.port, b'"user"', b'"luser', upstream=upstream, times=1000) as proxy,
        pytest.raises(TargetUnavailable, match=r"uploaded 3 times, and still .*Check the store"),
    ):
        S3Target(connect(proxy.endpoint), s3_bucket).publish(facts(), data)
    assert not target_of(s3_server, s3_bucket).exists("notes")


def test_an_object_that_was_damaged_is_found_and_replaced(target, tmp_path):
    data = spooled(tmp_path, NEW)
    target.publish(described(data), data)
    key = f"corpus/v1/notes/notes-{data.sha256}.jsonl"
    target._client.put_object(Bucket=target._bucket, Key=key, Body=joined(NEW).replace(b"new", b"nev", 1))
    (damage,) = target.verify("notes")
    assert "sha256" in damage.sentence
    target.publish(described(data), data)
    assert read(target) == joined(NEW)


def test_the_check_tells_whether_the_store_knows_conditional_writes(target, s3_server):
    check = target.check()
    assert check.ok and check.conditional_writes is (s3_server.name == "moto")
    assert target.check() == check


def test_the_check_and_the_export_name_what_is_wrong_with_the_bucket(s3_server, s3_bucket, tmp_path):
    target = target_of(s3_server, f"no-such-{s3_bucket}")
    check = target.check()
    assert not check.ok and "create the bucket" in check.sentence
    data = spooled(tmp_path, NEW)
    with pytest.raises(TargetUnavailable, match="create the bucket"):
        target.publish(described(data), data)


def test_a_store_that_is_down_is_named_with_its_setting(s3_bucket, tmp_path):
    target = S3Target(connect("http://127.0.0.1:9"), s3_bucket)
    target._client.meta.config.retries["total_max_attempts"] = 1
    check = target.check()
    assert not check.ok and "CORPUS_S3_ENDPOINT_URL" in check.sentence


# --- a key that may do no more than it must ---

WRITE = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
LIST = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]


def identities(server):
    """The administrator's client for users and policies of a moto server."""
    return boto3.client(
        "iam",
        endpoint_url=server.endpoint,
        region_name=s3.REGION,
        aws_access_key_id=s3.ACCESS_KEY,
        aws_secret_access_key=s3.SECRET_KEY,
    )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A moto server with two access keys on one bucket: one may write below `corpus/`, the other may also list."""
    with s3.moto(tmp_path_factory.mktemp("guarded")) as server:
        bucket = server.fresh_bucket()
        iam = identities(server)
        credentials = {}
        for name, actions in (("writer", WRITE), ("lister", WRITE + LIST)):
            iam.create_user(UserName=name)
            resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/corpus/*"]
            statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="export", PolicyDocument=document)
            credentials[name] = iam.create_access_key(UserName=name)["AccessKey"]
        httpx.post(f"{server.endpoint}/moto-api/reset-auth", content=b"0", trust_env=False).raise_for_status()
        yield server, bucket, credentials


@pytest.fixture(scope="module")
def tenants(tmp_path_factory):
    """A moto server that judges: two tenants of one bucket, each with the very policy that `corpus doctor --s3-policy` prints
    for its prefix, and a third whose prefix begins like the first one's."""
    with s3.moto(tmp_path_factory.mktemp("tenants")) as server:
        bucket = server.fresh_bucket()
        iam = identities(server)
        keys = {}
        for name in ("team-a", "team-b", "team-a-2"):
            iam.create_user(UserName=name)
            document = json.dumps(least_policy(f"s3://{bucket}/{name}"))
            iam.put_user_policy(UserName=name, PolicyName="export", PolicyDocument=document)
            keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
        httpx.post(f"{server.endpoint}/moto-api/reset-auth", content=b"0", trust_env=False).raise_for_status()
        yield server, bucket, keys


def of_tenant(tenants, monkeypatch, name, prefix=None):
    server, bucket, keys = tenants
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys[name]["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys[name]["SecretAccessKey"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", s3.REGION)
    return open_target(f"s3://{bucket}/{prefix or name}", endpoint_url=server.endpoint)


def test_the_printed_policy_is_enough_for_an_export(tenants, monkeypatch, tmp_path):
    for name in tenants[2]:
        target = of_tenant(tenants, monkeypatch, name)
        assert target.check().ok
        for lines in (OLD, BIG):
            data = spooled(tmp_path, lines)
            assert target.publish(described(data), data).notes == ()
            assert read(target) == joined(lines)


@pytest.mark.parametrize("name", ["team-b", "team-a-2"])
def test_with_the_printed_policy_a_tenant_reads_writes_and_removes_nothing_of_another(
    tenants, monkeypatch, tmp_path, name
):
    data = spooled(tmp_path, OLD)
    victim = of_tenant(tenants, monkeypatch, "team-a")
    victim.publish(described(data), data)
    attacker = of_tenant(tenants, monkeypatch, name, "team-a")
    with pytest.raises(TargetUnavailable, match=r"AccessDenied|Forbidden|403"):
        attacker.publish(described(data), data)
    client, bucket = attacker._client, tenants[1]
    at = {"Bucket": bucket, "Key": "team-a/notes/manifest.json"}
    elsewhere = {"Bucket": bucket, "Key": f"{name}/notes/../../team-a/notes/manifest.json"}
    for forbidden in (
        lambda: client.get_object(**at),
        lambda: client.head_object(**at),
        lambda: client.put_object(**at, Body=b"{}"),
        lambda: client.delete_object(**at),
        lambda: client.create_multipart_upload(**at),
        lambda: client.get_object_acl(**at),
        lambda: client.put_object_tagging(**at, Tagging={"TagSet": []}),
        lambda: client.delete_object(Bucket=bucket, Key=f"{name}/notes/manifest.json"),  # of its own, too
        lambda: client.put_bucket_policy(Bucket=bucket, Policy="{}"),
        lambda: client.get_bucket_policy(Bucket=bucket),
        lambda: client.delete_bucket(Bucket=bucket),
    ):
        with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|403"):
            forbidden()
    with pytest.raises(ClientError):  # a copy is not tried: moto does not judge the reading of its source
        client.get_object(**elsewhere)
    assert read(of_tenant(tenants, monkeypatch, "team-a")) == joined(OLD)


@pytest.fixture
def use(guarded, monkeypatch):
    """Puts the access key of a user into the environment and returns the URL to export to."""
    server, bucket, credentials = guarded

    def use(name):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials[name]["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials[name]["SecretAccessKey"])
        monkeypatch.setenv("AWS_DEFAULT_REGION", s3.REGION)
        return open_target(f"s3://{bucket}/corpus", endpoint_url=server.endpoint)

    return use


def test_a_key_that_may_not_delete_is_enough(use, tmp_path):
    target = use("lister")
    check = target.check()
    assert check.ok and "may not list" not in check.sentence
    for lines in (OLD, BIG, NEW):
        data = spooled(tmp_path, lines)
        assert target.publish(described(data), data).notes == ()
        assert read(target) == joined(lines)
    with pytest.raises(ClientError, match="AccessDenied"):
        target._client.delete_object(Bucket=target._bucket, Key="corpus/notes/manifest.json")


def test_a_key_that_may_not_list_exports_and_says_what_was_left_undone(use, tmp_path):
    target = use("writer")
    assert "may not list objects and uploads" in target.check().sentence
    data = spooled(tmp_path, NEW, "unlisted")
    published = target.publish(described(data, "unlisted"), data)
    assert [note.split(":")[0] for note in published.notes[:1]] == ["unfinished uploads could not be listed"]
    assert "README.md were not renewed" in published.notes[1]
    assert read(target, "unlisted") == joined(NEW)


def test_a_key_for_another_prefix_is_refused_with_advice(use, guarded, tmp_path):
    use("lister")
    target, data = open_target(f"s3://{guarded[1]}/elsewhere", endpoint_url=guarded[0].endpoint), spooled(tmp_path, NEW)
    with pytest.raises(TargetUnavailable, match="grant the key PutObject"):
        target.publish(described(data), data)


def test_an_export_is_taken_back_when_somebody_asks_for_it(target, s3_bucket, tmp_path):
    shas = set()
    for lines in (OLD, NEW):
        data = spooled(tmp_path, lines)
        target.publish(described(data), data)
        shas.add(data.sha256)
    other = spooled(tmp_path, NEW, "other")
    target.publish(described(other, "other"), other)
    target._client.put_object(Bucket=s3_bucket, Key="corpus/v1/notes/mine.txt", Body=b"mine")
    before = keys(target)
    assert target.take_back("notes", {"0" * 64})[1][0].endswith("it stays")
    removed, left = target.take_back("notes", shas)
    assert (removed, keys(target)) == ([], before)
    assert "--objects deletes them" in left[0]
    removed, left = target.take_back("notes", shas, objects=True)
    assert left == [f"s3://{s3_bucket}/corpus/v1/notes: objects that are not ours lie there"]
    assert sum(address.endswith(".jsonl") for address in removed) == 2
    assert [key for key in keys(target) if "/notes/" in key] == ["corpus/v1/notes/mine.txt"]
    assert read(target, "other") == joined(NEW)
    assert target.manifest("notes") is None
    assert target.take_back("notes", shas, objects=True) == ([], [])


def test_a_key_that_may_not_delete_says_what_it_left(use, tmp_path):
    target = use("lister")
    data = spooled(tmp_path, NEW, "kept")
    target.publish(described(data, "kept"), data)
    removed, left = target.take_back("kept", {data.sha256}, objects=True)
    assert removed == []
    assert "manifest.json" in left[0] and "grant DeleteObject" in left[0]
    assert read(target, "kept") == joined(NEW)


def test_what_must_go_is_told_and_stays_for_the_key_may_not_delete(target, s3_bucket, tmp_path):
    first = spooled(tmp_path, [b'{"a": 1}'])
    old = target.publish(described(first), first).files
    second = spooled(tmp_path, [b'{"a": 2}'])
    new = target.publish(described(second), second).files
    lost = [old[0]._replace(path="notes-0.jsonl")]
    found = target.withdraw("notes", [*old, *new, *lost])
    place = f"s3://{s3_bucket}/corpus/v1/notes"
    states = [
        (f"{place}/{old[0].path}", "there"),
        (f"{place}/{new[0].path}", "current"),
        (f"{place}/notes-0.jsonl", "absent"),
    ]
    assert found == states
    with target.open_stored("notes", old[0]) as stream:
        assert stream.read() == b'{"a": 1}\n'
