"""Which locked packages have known faults, what is in a release, and a wheel that anybody can build again.

    python scripts/supply_chain.py audit            # asks api.osv.dev; without it: a word, exit status 0
    python scripts/supply_chain.py audit --data DIR # OSV entries as JSON files below DIR, for machines without the network
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

from setup import ROOT, RUNTIME_LOCK, say
from try_wheel import build

OSV = "https://api.osv.dev/v1/querybatch"
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_TIMEOUT = 20.0


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


def found_in(folder: Path, packages: list[Package]) -> dict[str, list[str]]:
    """{purl: ids of known faults} by OSV entries below a folder; an entry names the versions that it is about."""
    versions = {package.name: package for package in packages}
    faults: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.json")):
        entry: dict[str, Any] = json.loads(path.read_bytes())
        for affected in entry.get("affected", ()):
            about = affected.get("package", {})
            package = versions.get(re.sub(r"[-_.]+", "-", about.get("name", "")).lower())
            if package and about.get("ecosystem") == "PyPI" and package.version in affected.get("versions", ()):
                faults.setdefault(package.purl, []).append(entry["id"])
    return faults


def audit(data: Path | None) -> int:
    packages = locked(RUNTIME_LOCK)
    faults = found_in(data, packages) if data else asked_of_osv(packages)
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
