"""The proof of an export: one leaf for each line, a Merkle tree over them, and a signed in-toto statement about the files.

Anyone who has the folder and the public key checks all of it without our database. Leaves and nodes are hashed with different
first bytes (as RFC 6962 does), so that no node passes for a leaf. The envelope is DSSE; its bytes must be exactly those that
this program writes, so that not even an unsigned bit of it can change unseen.
"""

from __future__ import annotations

import base64
import errno
import gzip
import hashlib
import hmac
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.regular_files import NotRegular, open_regular
from corpus_pipeline.stages.export.manifest import parse, stored_files
from corpus_pipeline.stages.export.writer import FileFacts

LEAVES, ENVELOPE, MANIFEST = "proof.jsonl", "proof.dsse.json", "manifest.json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:corpus-pipeline:export-proof:1"
_PAYLOAD = "application/vnd.in-toto+json"
MAX_BYTES = 64 << 20  # of a manifest and of the envelope of a proof
_CHUNK = 1 << 20
_MOST_NAMED = 20  # files that nobody signed


class ProofFailed(CorpusError):
    """An export that is not what was signed; the message names the first thing that differs."""


class Checked(NamedTuple):
    """What a signed export was found to be. unsigned: files of the folder beside the signed ones, as `Unsigned`."""

    name: str
    lines: int
    files: int
    root: str
    key: str
    source_bytes_known: int
    purged: int
    unsigned: Unsigned


class Unsigned(NamedTuple):
    """What lies in the folder of an export and nobody signed. shown: where tools that read a whole folder find it; hidden:
    under names that begin with a dot (older versions are). names: the first of those that are shown."""

    shown: int
    hidden: int
    names: tuple[str, ...]


# --- the tree ---


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


class Tree:
    """The root over hashes that come one by one: of equal heights two are joined at once, so it holds log2(n) of them."""

    def __init__(self) -> None:
        self._open: list[tuple[int, bytes]] = []

    def add(self, digest: bytes) -> None:
        height = 0
        while self._open and self._open[-1][0] == height:
            digest, height = _node(self._open.pop()[1], digest), height + 1
        self._open.append((height, digest))

    def root(self) -> str:
        """The root in hex; of no leaves the hash of nothing."""
        if not self._open:
            return hashlib.sha256(b"").hexdigest()
        digest = self._open[-1][1]
        for _, left in reversed(self._open[:-1]):
            digest = _node(left, digest)
        return digest.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


# --- keys and envelope ---


def new_key(path: Path) -> Path:
    """Write a new private key to `path` (mode 0600) and its public one beside it; returns the latter. Raises UsageError."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = path.with_name(path.name + ".pub")
    try:
        for place, content, mode in ((path, private, 0o600), (public, _pem(key.public_key()), 0o644)):
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}; name a file that does not exist yet") from error
    return public


def private_key(path: Path) -> Ed25519PrivateKey:
    """The signing key of a PEM file. Raises UsageError."""
    try:
        if path.stat().st_mode & 0o077:
            raise UsageError(f"{path} can be read by others: chmod 600 {path}")
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path} is no private key in PEM format without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is no ed25519 key; `corpus attest --new-key PATH` makes one")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The key of a PEM file by which signatures are checked. Raises UsageError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no public key in PEM format: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is no ed25519 key")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a key: the sha256 of its raw bytes."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD), _PAYLOAD.encode(), len(payload), payload)


def _envelope(payload: bytes, signature: bytes, key: Ed25519PublicKey) -> bytes:
    signed = {"keyid": key_id(key), "sig": base64.b64encode(signature).decode()}
    body = {"payload": base64.b64encode(payload).decode(), "payloadType": _PAYLOAD, "signatures": [signed]}
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


# --- making ---


class Leaves(NamedTuple):
    """The leaves of an export, in a file of their own."""

    file: FileFacts
    root: str


def write_leaves(path: Path, leaves: Iterable[Mapping[str, Any]]) -> Leaves:
    """Write the leaves of an export to a new file, one a line."""
    tree, count, size, digest = Tree(), 0, 0, hashlib.sha256()
    with path.open("xb") as file:
        for leaf in leaves:
            line = orjson.dumps(leaf, option=orjson.OPT_SORT_KEYS)
            tree.add(leaf_hash(line))
            digest.update(line + b"\n")
            file.write(line + b"\n")
            count, size = count + 1, size + len(line) + 1
    return Leaves(FileFacts(path, count, size, digest.hexdigest(), "none"), tree.root())


def signed(subject: Mapping[str, str], facts: Mapping[str, Any], leaves: Leaves, key: Ed25519PrivateKey) -> bytes:
    """The signed statement about an export. subject: the sha256 (hex) of every file beside the leaves, by its name."""
    named = sorted({**subject, LEAVES: leaves.file.sha256}.items())
    predicate = {**facts, "lines": leaves.file.lines, "merkle_root": leaves.root}
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in named],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    payload = orjson.dumps(statement, option=orjson.OPT_SORT_KEYS)
    return _envelope(payload, key.sign(_signed_bytes(payload)), key.public_key())


# --- checking ---


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a data file, compressed or not, without their ends."""
    with _opened(path) as file:
        yield from lines_in(file, compressed=path.suffix == ".gz")


def lines_in(stream: BinaryIO, *, compressed: bool) -> Iterator[bytes]:
    """The lines of a stored data file that is read from a stream, without their ends."""
    plain = gzip.GzipFile(fileobj=stream) if compressed else stream
    rest = b""
    while block := plain.read(_CHUNK):  # a stream of an object store has no lines of its own
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest


def data_file(folder: Path) -> Path:
    """The file of the rows. Raises ProofFailed when it is not there."""
    listed = stored_files(parse(_bytes(folder, MANIFEST), str(folder / MANIFEST)))
    data = next(file for file in listed if file.role == "data")
    for name in (data.path, data.alias):
        if name and (folder / name).is_file():
            return folder / name
    raise ProofFailed(f"{folder / data.path} is not there: copy the whole folder of the export")


def statement_of(folder: Path, key: Ed25519PublicKey) -> dict[str, Any]:
    """The statement, when this key signed it. Raises ProofFailed."""
    content = _bytes(folder, ENVELOPE)
    try:
        body = orjson.loads(content)
        payload = base64.b64decode(body["payload"], validate=True)
        signature = base64.b64decode(body["signatures"][0]["sig"], validate=True)
        key.verify(signature, _signed_bytes(payload))
    except InvalidSignature:
        raise ProofFailed(
            f"{folder / ENVELOPE} was changed, or signed by another key than {key_id(key)[:16]}"
        ) from None
    except (ValueError, KeyError, TypeError, IndexError):
        raise ProofFailed(f"{folder / ENVELOPE} is no signed statement of this program: it was changed") from None
    if not hmac.compare_digest(content, _envelope(payload, signature, key)):
        raise ProofFailed(f"{folder / ENVELOPE} was changed outside of what is signed")
    statement: dict[str, Any] = orjson.loads(payload)
    if statement.get("_type") != STATEMENT or statement.get("predicateType") != PREDICATE:
        raise ProofFailed(f"{folder / ENVELOPE} states something else than the proof of an export")
    return statement


def check(folder: Path, key: Ed25519PublicKey) -> Checked:
    """Hold a folder to its signed statement: files, lines, root, and that no purged row is in it. Raises ProofFailed."""
    statement = statement_of(folder, key)
    predicate, subject = statement["predicate"], statement["subject"]
    for each in subject:
        if _digest(folder, each["name"]) != each["digest"]["sha256"]:
            raise ProofFailed(f"{folder / each['name']} is not the file that was signed")
    tree, known, purged = Tree(), 0, frozenset(predicate["purged_rows"])
    count = 0
    leaves = lines_of(folder / LEAVES)
    for count, line in enumerate(lines_of(data_file(folder)), start=1):
        raw = next(leaves, None)
        if raw is None:
            raise ProofFailed(f"line {count} has no proof")
        leaf = orjson.loads(raw)
        if leaf["line"] != count or leaf["sha256"] != hashlib.sha256(line).hexdigest():
            raise ProofFailed(f"line {count} is not the line that was signed")
        if leaf["source"]["row"] in purged:
            raise ProofFailed(f"line {count} comes from row {leaf['source']['row']}, which was purged")
        known += leaf["source"]["bytes_sha256"] is not None
        tree.add(leaf_hash(raw))
    if count != predicate["lines"] or next(leaves, None) is not None:
        raise ProofFailed(f"{predicate['lines']} lines were signed, the file has {count}")
    if tree.root() != predicate["merkle_root"]:
        raise ProofFailed("the root over the lines is another one than was signed")
    beside = unsigned(folder, {each["name"] for each in subject})
    return Checked(predicate["name"], count, len(subject), tree.root(), key_id(key), known, len(purged), beside)


def unsigned(folder: Path, subject: Set[str]) -> Unsigned:
    """What is in a folder and its folders beside the files with these names (relative to it) and the envelope: files, links,
    whatever is no folder. No link is followed."""
    shown, hidden, names = 0, 0, list[str]()
    for place, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted(files + links):
            path = (Path(place) / name).relative_to(folder)
            if str(path) in subject or str(path) == ENVELOPE:
                continue
            if any(part.startswith(".") for part in path.parts):
                hidden += 1
                continue
            shown += 1
            if len(names) < _MOST_NAMED:
                names.append(os.fsencode(path).decode(errors="replace"))
    return Unsigned(shown, hidden, tuple(names))


def leaf_of(folder: Path, line: int) -> dict[str, Any]:
    """What was signed of a line of an export that was checked. Raises UsageError."""
    for raw in lines_of(folder / LEAVES):
        leaf: dict[str, Any] = orjson.loads(raw)
        if leaf["line"] == line:
            return leaf
    raise UsageError(f"the export has no line {line}")


def _bytes(folder: Path, name: str) -> bytes:
    try:
        with _opened(folder / name) as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ProofFailed(
            f"{folder / name}: {error.strerror}. `corpus attest NAME` makes the proof of an export"
        ) from None
    if len(content) > MAX_BYTES:
        raise ProofFailed(f"{folder / name} has more than {MAX_BYTES:,} bytes, which no proof or manifest has")
    return content


def _opened(path: Path) -> BinaryIO:
    """A regular file for reading, no link to one and nothing that one may wait for. Raises ProofFailed, OSError."""
    try:
        return io.BufferedReader(open_regular(path, follow=False))
    except NotRegular:
        raise ProofFailed(f"{path} is no file") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ProofFailed(f"{path} is a link: copy the file that it stands for") from None
        raise


def _digest(folder: Path, name: str) -> str:
    """The sha256 of a regular file of the folder, which is not followed out of it. Raises ProofFailed."""
    digest = hashlib.sha256()
    if name.startswith("/") or ".." in Path(name).parts:
        raise ProofFailed(f"{name} is not below the folder of the export")
    try:
        with _opened(folder / name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise ProofFailed(f"{folder / name}: {error.strerror}; it was there when the export was signed") from None
    return digest.hexdigest()
