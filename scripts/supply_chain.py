"""Which locked packages have known faults, what is in a release, and a wheel that anybody can build again.

    python scripts/supply_chain.py audit            # asks api.osv.dev; without it: a word, exit status 0
    python scripts/supply_chain.py audit --data DIR # OSV entries (JSON, YAML) below DIR, for machines without the network:
                                                    # a copy of https://github.com/pypa/advisory-database, for one
    python scripts/supply_chain.py sbom             # build/sbom.cdx.json: CycloneDX 1.5, with the hashes of locks/runtime.txt
    python scripts/supply_chain.py wheel            # builds it twice; the bytes must be equal; writes build/SHA256SUMS

Exit status 1: a fault is known, or the two wheels differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import urllib.request
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from packaging.version import Version
from setup import ROOT, RUNTIME_LOCK, say
from try_wheel import build

OSV = "https://api.osv.dev/v1/querybatch"
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_TIMEOUT = 20.0
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Package(NamedTuple):
    """A locked package: its normalized name, its version, and the sha256 of each file that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def locked(path: Path) -> list[Package]:
    """The packages of a lock file. Raises ValueError for one that is not pinned by hash."""
    found: list[Package] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if pinned := _PINNED.match(line):
            found.append(Package(re.sub(r"[-_.]+", "-", pinned[1]).lower(), pinned[2], ()))
        elif given := _HASH.search(line):
            found[-1] = found[-1]._replace(hashes=(*found[-1].hashes, given[1]))
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ValueError(f"{path}: {line.strip()!r} is no pinned package")
    if bare := [package.name for package in found if not package.hashes]:
        raise ValueError(f"{path}: without a hash: {', '.join(bare)}")
    return found


def asked_of_osv(packages: list[Package]) -> dict[str, list[str]] | None:
    """{purl: ids of known faults} by OSV's service, None when it cannot be had."""
    body = {"queries": [{"package": {"purl": package.purl}} for package in packages]}
    request = urllib.request.Request(OSV, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError) as error:
        say(
            f"AUDIT SKIPPED, nothing was looked up: the advisory data cannot be had ({error}); --data DIR reads a copy of it"
        )
        return None
    known = zip(packages, results, strict=True)
    return {package.purl: [fault["id"] for fault in found["vulns"]] for package, found in known if found.get("vulns")}


def found_in(folder: Path, packages: list[Package]) -> tuple[int, str, dict[str, list[str]]]:
    """(entries that were read, the newest change of one, {purl: ids of known faults}) by OSV entries below a folder."""
    versions = {package.name: package for package in packages}
    faults: dict[str, list[str]] = {}
    read, newest = 0, ""
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".yaml", ".yml")):
        entry = _entry(path)
        if "id" not in entry:
            continue
        read, newest = read + 1, max(newest, str(entry.get("modified", "")))
        for affected in () if entry.get("withdrawn") else entry.get("affected", ()):
            about = affected.get("package", {})
            package = versions.get(re.sub(r"[-_.]+", "-", about.get("name", "")).lower())
            if package and about.get("ecosystem") == "PyPI" and _is_affected(package.version, affected):
                faults.setdefault(package.purl, []).append(entry["id"])
    return read, newest, faults


def _entry(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_bytes()) if path.suffix == ".json" else yaml.load(path.read_bytes(), _Loader)
    return found if isinstance(found, dict) else {}


def _is_affected(version: str, affected: dict[str, Any]) -> bool:
    """Whether a version is listed, or in a range: one without an end reaches to versions that were not there yet."""
    if version in affected.get("versions", ()):
        return True
    own = Version(version)
    for known in affected.get("ranges", ()):
        if known.get("type") != "ECOSYSTEM":
            continue
        inside = False
        for event in sorted(known.get("events", ()), key=_moment):
            bound = _moment(event)
            if "introduced" in event and own >= bound:
                inside = True
            elif ("fixed" in event and own >= bound) or ("last_affected" in event and own > bound):
                inside = False
        if inside:
            return True
    return False


def _moment(event: dict[str, Any]) -> Version:
    """The version of an event of a range."""
    (version,) = event.values()
    return Version(str(version))


def audit(data: Path | None) -> int:
    packages = locked(RUNTIME_LOCK)
    faults: dict[str, list[str]] | None
    if data:
        read, newest, faults = found_in(data, packages)
        say(
            f"{read} entries were read, the newest is of {newest[:10] or 'no date'}: what became known later is not in them"
        )
        if not read:
            say("AUDIT SKIPPED, nothing was looked up: there is no OSV entry")
            return 1
    else:
        faults = asked_of_osv(packages)
    for purl, ids in sorted((faults or {}).items()):
        say(f"{purl}: {', '.join(sorted(set(ids)))}")
    if faults is not None:
        say(f"{len(packages)} locked packages, {len(faults)} with known faults")
    return 1 if faults else 0


def sbom(packages: list[Package], version: str) -> dict[str, Any]:
    """A CycloneDX document; the same lock gives the same bytes."""
    components = [
        {
            "type": "library",
            "bom-ref": package.purl,
            "name": package.name,
            "version": package.version,
            "purl": package.purl,
            "externalReferences": [
                {
                    "type": "distribution",
                    "url": f"https://pypi.org/project/{package.name}/{package.version}/",
                    "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(package.hashes)],
                }
            ],
        }
        for package in sorted(packages)
    ]
    own = {"type": "application", "bom-ref": "corpus-pipeline", "name": "corpus-pipeline", "version": version}
    digest = hashlib.sha256(json.dumps([components, own], sort_keys=True).encode()).digest()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": [{"ref": "corpus-pipeline", "dependsOn": [package.purl for package in sorted(packages)]}],
    }


def write_sbom() -> int:
    from corpus_pipeline import __version__

    packages = locked(RUNTIME_LOCK)
    target = ROOT / "build" / "sbom.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(sbom(packages, __version__), indent=2) + "\n", encoding="utf-8")
    say(f"{target.relative_to(ROOT)}: {len(packages)} packages")
    return 0


def wheel() -> int:
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1735689600")  # the time of every file in it
    folder = ROOT / "build" / "release"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="corpus-wheel-") as name:
        first, second = build(folder), build(Path(name))
        digest, again = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second))
    if digest != again:
        say(f"two builds differ: {digest} and {again}")
        return 1
    (folder / "SHA256SUMS").write_text(f"{digest}  {first.name}\n")
    say(f"{digest}  {first.name} (built twice, equal)")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["audit", "sbom", "wheel"])
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    if options.what == "audit":
        return audit(options.data)
    return write_sbom() if options.what == "sbom" else wheel()


if __name__ == "__main__":
    sys.exit(main())
