"""A signed export: what it proves, and that no changed bit, line or file passes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline import cli
from corpus_pipeline.errors import CorpusError, TargetUnavailable, UsageError
from corpus_pipeline.service.commands.attest import attest
from corpus_pipeline.stages.export import proof
from corpus_pipeline.stages.export.proof import ProofFailed
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.small_corpus import opened, pair, run_path, write_jsonl

ROWS = [pair(number) for number in range(1, 9)]


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """(folder of a signed export, its public key, the dataset file)."""
    folder = tmp_path_factory.mktemp("signed")
    public = proof.new_key(folder / "key.pem")
    data = write_jsonl(folder / "sums.jsonl", ROWS)
    with opened(folder / "home", CORPUS_SIGNING_KEY=str(folder / "key.pem")) as corpus:
        corpus.add(data)
        run_path(corpus, "sums")
        shutil.copytree(attest(corpus, "sums", "ann"), folder / "elsewhere")
        entries = corpus.store.fetch(_audit)
    assert "attest" in entries
    return folder / "elsewhere", proof.public_key(public), data


def _audit(connection):
    from corpus_pipeline.store import audit_log

    return [row.action for row in audit_log.actions(connection, ["attest"], since=0)]


@pytest.fixture
def copy(signed, tmp_path):
    return Path(shutil.copytree(signed[0], tmp_path / "copy"))


def test_every_line_is_proved_down_to_its_source_bytes(signed):
    folder, key, data = signed
    found = proof.check(folder, key)
    assert (found.name, found.lines, found.purged) == ("sums", 16, 0)
    assert found.source_bytes_known == found.lines
    source = data.read_bytes().splitlines()
    for number, line in enumerate(proof.lines_of(proof.data_file(folder)), start=1):
        leaf = proof.leaf_of(folder, number)
        assert leaf["sha256"] == hashlib.sha256(line).hexdigest()
        assert leaf["source"]["bytes_sha256"] == hashlib.sha256(source[leaf["source"]["row"] - 1]).hexdigest()
        assert [person["action"] for person in leaf["people"]] == ["add"]
        assert (leaf["strategy"] is None) == (leaf["model"] is None) == (not leaf["calls"]) == (leaf["cost_usd"] == 0)
    with pytest.raises(UsageError):
        proof.leaf_of(folder, 17)
    names = {each["name"] for each in proof.statement_of(folder, key)["subject"]}
    assert {"manifest.json", "README.md", "sums.jsonl", "proof.jsonl"} <= names


def test_an_export_signs_itself_and_says_of_each_line_what_the_lineage_says(signed, tmp_path):
    home = signed[2].parent / "home"
    folder = home / "exports" / "sums"
    with opened(home, CORPUS_SIGNING_KEY=str(signed[2].parent / "key.pem")) as corpus:
        (folder / proof.ENVELOPE).unlink()
        (folder / proof.LEAVES).unlink()
        corpus.redo("sums", Stage.EXPORT)
        corpus.run_stage("sums", Stage.EXPORT)
        assert proof.check(folder, signed[1]).lines == 16
        for number in range(1, 17):
            leaf, told = proof.leaf_of(folder, number), corpus.trace("sums", number)
            clean = next(step for step in told["steps"] if step["stage"] == "clean")
            made = next((step for step in told["steps"] if step["stage"] == "augment"), None)
            assert leaf["row"] == told["row"] and leaf["recipe_version"] == clean["recipe_version"]
            assert leaf["rules"] == sorted({change["rule"] for change in clean["changes"]})
            assert {**leaf["source"], "bytes_sha256": None}.items() <= {**told["source"], "bytes_sha256": None}.items()
            assert (leaf["strategy"], leaf["model"]) == ((made["strategy"], made["model"]) if made else (None, None))
            assert [call["request_key"] for call in leaf["calls"]] == [
                call["request_key"] for call in (made["calls"] if made else ())
            ]
            assert [person["at"] for person in leaf["people"]] == [person["at"] for person in told["people"]]


def test_what_dies_before_it_is_signed_is_not_done(tmp_path, monkeypatch):
    public = proof.new_key(tmp_path / "key.pem")
    with opened(tmp_path / "home", CORPUS_SIGNING_KEY=str(tmp_path / "key.pem")) as corpus:
        corpus.add(write_jsonl(tmp_path / "sums.jsonl", ROWS))
        run_path(corpus, "sums", Stage.AUGMENT)
        with monkeypatch.context() as patch:
            patch.setattr(type(corpus.target), "put_proof", lambda *_: (_ for _ in ()).throw(TargetUnavailable("gone")))
            with pytest.raises(CorpusError):
                corpus.run_stage("sums", Stage.EXPORT)
        assert corpus.incomplete_stages("sums") == [Stage.EXPORT]
        corpus.run_stage("sums", Stage.EXPORT)
        assert proof.check(tmp_path / "home" / "exports" / "sums", proof.public_key(public)).lines == 16


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_an_export_in_a_bucket_is_signed_there(s3_server, s3_bucket, tmp_path, compression):
    public = proof.new_key(tmp_path / "key.pem")
    recipe = tmp_path / "r.yaml"
    recipe.write_text(f"name: r\naugment: {{strategies: []}}\nexport: {{compression: {compression}}}\n")
    places = {"CORPUS_EXPORT_URL": f"s3://{s3_bucket}/out", "CORPUS_S3_ENDPOINT_URL": s3_server.endpoint}
    with opened(tmp_path / "home", CORPUS_SIGNING_KEY=str(tmp_path / "key.pem"), **places) as corpus:
        corpus.add(write_jsonl(tmp_path / "sums.jsonl", ROWS), recipe=str(recipe))
        run_path(corpus, "sums")
    copy = tmp_path / "copy"
    copy.mkdir()
    client = s3_server.client()
    for entry in client.list_objects_v2(Bucket=s3_bucket, Prefix="out/sums/")["Contents"]:
        content = client.get_object(Bucket=s3_bucket, Key=entry["Key"])["Body"].read()
        (copy / entry["Key"].rpartition("/")[2]).write_bytes(content)
    assert proof.check(copy, proof.public_key(public)).lines == len(ROWS)


def test_any_changed_bit_is_found(signed, copy):
    key, chance = signed[1], random.Random(17)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    assert len(files) >= 6
    for number in range(1000):
        path = files[number % len(files)]
        content = path.read_bytes()
        bit = chance.randrange(len(content) * 8)
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(CorpusError):
            proof.check(copy, key)
        path.write_bytes(content)
    proof.check(copy, key)


@pytest.mark.parametrize("name", [proof.LEAVES, proof.ENVELOPE, "manifest.json", "README.md", "sums.jsonl"])
def test_a_missing_file_is_found(signed, copy, name):
    (copy / name).unlink()
    with pytest.raises(ProofFailed):
        proof.check(copy, signed[1])


def test_files_that_nobody_signed_are_told(signed, copy, tmp_path, capsys):
    own = ["--key", str(signed[0].parent / "key.pem.pub")]
    assert proof.check(copy, signed[1]).unsigned == (0, 0, ())
    (copy / ".versions" / ("0" * 64 + ".jsonl")).write_text("an older version\n")
    assert cli._run(["verify", str(copy), *own]) == 0
    assert "1 hidden file" in capsys.readouterr().out
    (copy / "more").mkdir()
    (copy / "more" / "planted.jsonl").write_text('{"messages": []}\n')
    (copy / "out").symlink_to(tmp_path)
    os.mkfifo(copy / "pipe")
    (copy / "\x1b[31m.py").touch()
    assert cli._run(["verify", str(copy), *own]) == 1
    told = capsys.readouterr()
    assert "4 files" in told.err and "more/planted.jsonl" in told.err and "\x1b" not in told.err
    assert cli._run(["verify", str(copy), *own, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["unsigned"]["shown"] == 4
    assert (
        cli._run(["verify", str(copy / "sums.jsonl"), *own]) == 0
    )  # the file is what was signed, whatever is beside it
    assert "4 files" in capsys.readouterr().err


def test_another_key_a_link_and_a_path_out_of_the_folder_are_refused(signed, copy, tmp_path):
    other = proof.public_key(proof.new_key(tmp_path / "other.pem"))
    with pytest.raises(ProofFailed, match="another key"):
        proof.check(copy, other)
    for name in ("../secret", "/etc/hostname", "a/../../b"):
        with pytest.raises(ProofFailed):
            proof._digest(copy, name)


@pytest.mark.parametrize("name", [proof.ENVELOPE, proof.LEAVES, "manifest.json", "sums.jsonl"])
@pytest.mark.parametrize("kind", ["a pipe", "a link to the right bytes"])
def test_nothing_but_files_of_the_folder_is_read(signed, copy, tmp_path, name, kind):
    if kind == "a pipe":  # which nobody writes to
        (copy / name).unlink()
        os.mkfifo(copy / name)
    else:
        (copy / name).rename(tmp_path / "elsewhere")
        (copy / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProofFailed, match=r"is no file|is a link"):
        proof.check(copy, signed[1])


def test_a_purged_row_is_absent_and_not_shown(tmp_path):
    public = proof.new_key(tmp_path / "key.pem")
    with opened(tmp_path / "home", CORPUS_SIGNING_KEY=str(tmp_path / "key.pem")) as corpus:
        corpus.add(write_jsonl(tmp_path / "sums.jsonl", ROWS))
        run_path(corpus, "sums")
        folder = Path(attest(corpus, "sums", "ann"))
        corpus.purge("sums", [3], reason="asked for")
        before = (folder / proof.ENVELOPE).read_bytes()
        run_path(corpus, "sums")
        after = (folder / proof.ENVELOPE).read_bytes()
        (folder / proof.ENVELOPE).write_bytes(before)
        with pytest.raises(ProofFailed):  # what was signed is there no longer
            proof.check(folder, proof.public_key(public))
        (folder / proof.ENVELOPE).write_bytes(after)
    assert proof.check(folder, proof.public_key(public)).purged == 1
    kept = (folder / proof.LEAVES, folder / proof.ENVELOPE, proof.data_file(folder))
    assert not any(ROWS[2]["question"] in path.read_text() for path in kept)
    rows = {json.loads(line)["source"]["row"] for line in proof.lines_of(folder / proof.LEAVES)}
    assert rows == {1, 2, 4, 5, 6, 7, 8}


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_root_is_that_of_rfc_6962(digests):
    def root(part):
        if len(part) <= 1:
            return part[0] if part else hashlib.sha256(b"").digest()
        half = 1 << (len(part) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + root(part[:half]) + root(part[half:])).digest()

    tree = proof.Tree()
    for digest in digests:
        tree.add(digest)
    assert tree.root() == root(digests).hex()


def test_the_commands_say_what_to_do(signed, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CORPUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CORPUS_SIGNING_KEY", raising=False)
    key = tmp_path / "k.pem"
    assert cli._run(["attest", "--new-key", str(key)]) == 0 and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert cli._run(["attest", "--new-key", str(key)]) == 2 and "exist" in capsys.readouterr().err
    own = str(signed[0].parent / "key.pem.pub")
    assert cli._run(["verify", str(signed[0]), "--key", own, "--line", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["lines"], said["line"]["line"]) == (16, 2) and not (tmp_path / "home").exists()
    assert cli._run(["verify", str(signed[0] / "sums.jsonl"), "--key", f"{key}.pub"]) == 1
    key.chmod(0o644)
    with pytest.raises(UsageError, match="chmod"):
        proof.private_key(key)
