"""What is installed is pinned by hash, known faults are found in a copy of the advisory data, and its absence is told."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))


@pytest.fixture(scope="module")
def supply_chain() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("supply_chain")
    finally:
        sys.path.pop(0)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_package_of_a_lock_is_pinned_by_hash(supply_chain, lock: Path) -> None:
    packages = supply_chain.locked(lock)
    assert packages and all(len(digest) == 64 for package in packages for digest in package.hashes)


@pytest.mark.parametrize(
    "line", ["left-pad==1.0\n", "left-pad>=1.0\n", "git+https://example.org/x.git\n", "./local.whl\n"]
)
def test_a_package_without_a_hash_is_refused(supply_chain, tmp_path: Path, line: str) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("good==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n" + line)
    with pytest.raises(ValueError, match=r"left-pad|pinned"):
        supply_chain.locked(lock)


def test_a_known_fault_is_found_in_a_copy_of_the_advisories(supply_chain, tmp_path: Path, capsys) -> None:
    package = supply_chain.locked(supply_chain.RUNTIME_LOCK)[0]
    about = {"package": {"ecosystem": "PyPI", "name": package.name.upper()}, "versions": [package.version]}
    other = {"package": {"ecosystem": "npm", "name": package.name}, "versions": [package.version]}
    (tmp_path / "one.json").write_text(json.dumps({"id": "TEST-1", "affected": [about]}))
    (tmp_path / "two.json").write_text(json.dumps({"id": "TEST-2", "affected": [other]}))
    assert supply_chain.audit(tmp_path) == 1
    said = "".join(capsys.readouterr())
    assert "TEST-1" in said and "TEST-2" not in said
    (tmp_path / "one.json").unlink()
    assert supply_chain.audit(tmp_path) == 0
    (tmp_path / "two.json").unlink()
    assert supply_chain.audit(tmp_path) == 1 and "SKIPPED" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("events", "known"),
    [
        ("[{introduced: '0'}]", True),
        ("[{introduced: '0'}, {fixed: 999!1}]", True),
        ("[{introduced: '0'}, {fixed: 0.0.1}]", False),
        ("[{introduced: '0'}, {last_affected: 0.0.1}]", False),
        ("[{fixed: 0.0.2}, {introduced: '0'}, {introduced: 0.0.3}]", True),
        ("[{introduced: 999!1}]", False),
    ],
)
def test_a_range_without_an_end_reaches_to_versions_of_today(supply_chain, tmp_path: Path, events, known) -> None:
    """As in PyPA's advisory database: entries list the versions that there were when they were written."""
    name = supply_chain.locked(supply_chain.RUNTIME_LOCK)[0].name
    text = f"""
id: PYSEC-1
modified: 2026-01-02T00:00:00Z
affected:
- package: {{name: {name}, ecosystem: PyPI}}
  ranges:
  - {{type: ECOSYSTEM, events: {events}}}
  - {{type: GIT, events: [{{introduced: abc}}]}}
  versions: [0.0.0]
"""
    (tmp_path / "PYSEC-1.yaml").write_text(text)
    assert supply_chain.audit(tmp_path) == int(known)
    (tmp_path / "PYSEC-1.yaml").write_text(text + "withdrawn: 2026-01-03T00:00:00Z\n")
    assert supply_chain.audit(tmp_path) == 0


def test_an_audit_without_data_says_so_loudly(supply_chain, monkeypatch, capsys) -> None:
    monkeypatch.setattr(supply_chain, "OSV", "http://127.0.0.1:9/v1/querybatch")
    assert supply_chain.audit(None) == 0
    said = "".join(capsys.readouterr())
    assert "AUDIT SKIPPED" in said and "known faults" not in said


def test_the_list_of_parts_is_the_same_each_time_and_has_hashes(supply_chain) -> None:
    packages = supply_chain.locked(supply_chain.RUNTIME_LOCK)
    one, two = (json.dumps(supply_chain.sbom(list(order), "1.0")) for order in (packages, packages[::-1]))
    assert one == two
    document = json.loads(one)
    assert document["bomFormat"] == "CycloneDX" and len(document["components"]) == len(packages)
    assert all(part["externalReferences"][0]["hashes"] for part in document["components"])
