"""Makes `.venv` from a locked list of wheels. Standard library only: Python 3.11, git and make are all that it needs.

    python3 scripts/setup.py            what `make demo` needs
    python3 scripts/setup.py --test     and what `make test` needs, with a MariaDB and a PostgreSQL server

A second call is a look at one stamp file. Settings: `VENV` (the folder, default `.venv`), what pip itself reads
(`PIP_INDEX_URL`, `PIP_CERT`, proxies, ...), `CORPUS_TEST_WITHOUT_MARIADB=1`,
`CORPUS_TEST_WITHOUT_POSTGRES=1` and `CORPUS_TEST_WITHOUT_BROWSER=1` (tests run without them).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV") or ROOT / ".venv").absolute()
RUNTIME_LOCK, TEST_LOCK, BUILD_LOCK = (ROOT / "locks" / name for name in ("runtime.txt", "test.txt", "build.txt"))
STAMP = "setup.stamp"
OLDEST_PYTHON = (3, 11)

# Debian's python3 has venv, but no ensurepip unless python3-venv is installed. Then this wheel is the installer.
PIP_WHEEL = "pip-26.2.1-py3-none-any.whl"
PIP_SHA256 = "71138adf1f4ca900cdb7d289c21b7494329f2332b6d85f0e1c42108c0384ed3e"
PYPI = "https://pypi.org/simple"


class Needed(NamedTuple):
    """Programs of Debian that the tests start: what they are for, their packages, and the variable that leaves them out.

    `all_of`: whether every program must be there, or one of them. `before`, `after`: what root runs around the installation.
    """

    what: str
    programs: tuple[str, ...]
    all_of: bool
    packages: tuple[str, ...]
    without: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


_NO_CLUSTER = "/etc/postgresql-common/createcluster.d/programs-only.conf"
NEEDED = (
    # the -core packages hold the programs and, unlike mariadb-server, start no service
    Needed(
        "a MariaDB server",
        ("mariadbd", "mariadb-install-db"),
        True,
        ("mariadb-server-core", "mariadb-client-core"),
        "CORPUS_TEST_WITHOUT_MARIADB",
    ),
    Needed(
        "a PostgreSQL server",
        ("initdb", "postgres"),
        True,
        ("postgresql",),
        "CORPUS_TEST_WITHOUT_POSTGRES",
        # Debian's package makes a database server and starts it, unless it finds this
        before=(
            "apt-get install -y --no-install-recommends postgresql-common",
            f"mkdir -p {Path(_NO_CLUSTER).parent} && echo create_main_cluster = off > {_NO_CLUSTER}",
        ),
        after=(f"rm -f {_NO_CLUSTER}",),
    ),
    Needed(
        "a Chromium browser",
        ("chromium", "chromium-browser", "google-chrome"),
        False,
        ("chromium",),
        "CORPUS_TEST_WITHOUT_BROWSER",
    ),
)

CAPTURED: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "text": True,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Sets up what is missing; exits with 1 and a message that names the next step when it cannot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--test", action="store_true", help="also install what the tests need")
    wants_test = parser.parse_args(arguments).test
    check_python()
    lock = TEST_LOCK if wants_test else RUNTIME_LOCK
    if wants_test:
        for needed in NEEDED:
            ensure(needed)
    # the test environment holds all that the runtime one does
    if not is_current(VENV, TEST_LOCK) and (wants_test or not is_current(VENV, RUNTIME_LOCK)):
        check_that_another_makes_it(VENV)
        started = time.monotonic()
        make_venv(VENV)
        install(VENV, lock)
        install(VENV, BUILD_LOCK)
        install_project(VENV)
        (VENV / STAMP).write_text(stamp_of(lock))
        say(f"ready in {time.monotonic() - started:.0f} s: {VENV}")


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        have = ".".join(map(str, sys.version_info[:3]))
        fail(f"Python 3.11 or newer is needed, {sys.executable} is {have}.", "make PYTHON=/path/to/python3.11 ...")


def check_that_another_makes_it(venv: Path) -> None:
    """The Python of an environment, also that of an activated one, would remove itself."""
    if Path(sys.prefix).resolve() == venv.resolve():
        fail(
            f"{sys.executable} is the Python of {venv}, which must be made anew.", f"make setup PYTHON={base_python()}"
        )


# --- the stamp: what the environment was made from ---


def identity() -> str:
    """The interpreter and the folder: an environment cannot be moved to another one of either."""
    return f"{sys.version}\n{base_python()}\n{ROOT}\n"


def base_python() -> Path:
    """The interpreter, of an environment the one that it was made with."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def stamp_of(lock: Path) -> str:
    """A digest of all that the environment depends on."""
    digest = hashlib.sha256(identity().encode())
    for path in (lock, BUILD_LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(venv: Path, lock: Path) -> bool:
    stamp = venv / STAMP
    return stamp.is_file() and stamp.read_text() == stamp_of(lock)


# --- the environment and its installer ---


def make_venv(venv: Path) -> None:
    """An environment of this interpreter with pip in it. One of another interpreter or another folder is made anew."""
    made_by = venv / "setup.identity"
    if made_by.is_file() and made_by.read_text() == identity():
        (venv / STAMP).unlink(missing_ok=True)
        return
    if venv.exists():
        if not (venv / "pyvenv.cfg").is_file():
            fail(f"{venv} exists and is no Python environment.", "remove it, or set VENV to another folder")
        shutil.rmtree(venv)
    has_ensurepip = importlib.util.find_spec("ensurepip") is not None
    say(f"making {venv} with Python {sys.version.split()[0]}")
    run([sys.executable, "-m", "venv", *([] if has_ensurepip else ["--without-pip"]), str(venv)])
    if not has_ensurepip:
        wheel = download_pip(venv)
        # a wheel is a zip file, and Python runs pip from inside it
        run([venv_python(venv), f"{wheel}/pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)])
        wheel.unlink()
    made_by.write_text(identity())


def venv_python(venv: Path) -> str:
    return str(venv / "bin" / "python")


def download_pip(folder: Path) -> Path:
    """The pinned pip wheel from the package index, checked against the sha256 above."""
    index = os.environ.get("PIP_INDEX_URL", PYPI).rstrip("/")
    say(f"python3-venv is not installed: fetching {PIP_WHEEL}")
    try:
        page_url, page = fetch(f"{index}/pip/", accept="application/vnd.pypi.simple.v1+json, text/html;q=0.5")
        _, wheel = fetch(wheel_url(page_url, page))
    except (OSError, LookupError) as error:
        fail(
            f"pip could not be fetched from {index}: {error}",
            "apt-get install python3-venv (needs no index for pip), or set PIP_INDEX_URL, HTTPS_PROXY or SSL_CERT_FILE",
        )
    found = hashlib.sha256(wheel).hexdigest()
    if found != PIP_SHA256:
        fail(f"{PIP_WHEEL} from {index} has sha256 {found}, not {PIP_SHA256}.", "do not install it; look at your index")
    target = folder / PIP_WHEEL
    target.write_bytes(wheel)
    return target


def wheel_url(page_url: str, page: bytes) -> str:
    """The address of the wheel on a page of the simple index, in its JSON or its HTML form."""
    try:
        addresses = {entry["filename"]: entry["url"] for entry in json.loads(page)["files"]}
    except ValueError:
        links = re.findall(r'href="([^"]+)"', page.decode())
        addresses = {urllib.parse.urlsplit(link).path.rsplit("/", 1)[-1]: link for link in links}
    if PIP_WHEEL not in addresses:
        raise LookupError(f"the index does not list {PIP_WHEEL}")
    return str(urllib.parse.urljoin(page_url, addresses[PIP_WHEEL]))


def fetch(url: str, accept: str = "*/*") -> tuple[str, bytes]:
    """(final address, body). Proxies and SSL_CERT_FILE are honoured by the standard library, PIP_CERT here."""
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "corpus-pipeline-setup"})
    with urllib.request.urlopen(request, timeout=60, context=context) as response:
        return str(response.geturl()), bytes(response.read())


# --- installing ---


def install(venv: Path, lock: Path) -> None:
    """Installs exactly the wheels of a lock file: each has a sha256, nothing is built, nothing else is resolved."""
    total = len(re.findall(r"^[A-Za-z0-9]", lock.read_text(), flags=re.MULTILINE))
    say(f"installing up to {total} locked packages of locks/{lock.name}")
    command = [
        *(venv_python(venv), "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "--no-input"),
        *("--disable-pip-version-check", "--no-deps", "--progress-bar", "off", "-r", str(lock)),
    ]
    lines: list[str] = []
    done = 0
    with subprocess.Popen(command, **CAPTURED) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line)
            if line.startswith("Collecting "):
                done += 1
                show_progress(done, total, line.split()[1].split("==")[0])
            elif line.startswith("Installing collected packages"):
                show_progress(total, total, "unpacking")
    end_progress()
    if pip.returncode:
        sys.stderr.write("".join(lines[-25:]))
        fail(
            f"pip could not install locks/{lock.name} (its last words are above).",
            "is the package index reachable? pip reads PIP_INDEX_URL, HTTPS_PROXY and PIP_CERT. Without a network,\n"
            f"       fetch them elsewhere (pip download --no-deps --require-hashes -r locks/{lock.name} -d wheels,\n"
            "       the same for locks/build.txt) and set PIP_NO_INDEX=1 PIP_FIND_LINKS=$PWD/wheels. Then start again.",
        )


def install_project(venv: Path) -> None:
    """Installs the checkout itself, editable, with the locked build backend instead of one fetched for the occasion."""
    command = [venv_python(venv), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*command, "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)])


# --- programs of Debian, for the tests ---


def ensure(needed: Needed) -> None:
    """Installs programs from Debian when they are missing. The tests start servers of their own with them."""
    beside = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))  # Debian's are not in PATH
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *beside])
    missing = [program for program in needed.programs if shutil.which(program, path=search) is None]
    if not missing or (not needed.all_of and len(missing) < len(needed.programs)):
        return
    if os.environ.get(needed.without) == "1":
        say(f"WARNING: {needed.without}=1: every test that needs {needed.what} will be skipped")
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *needed.packages]
    shown = "sudo " + " ".join(command)
    prefix = administrator()
    if prefix is None or shutil.which("apt-get") is None:
        fail(
            f"the tests need {needed.what} ({', '.join(missing)} not found), and this user may not install one.",
            f"{shown}\n       or leave out all that needs it: {needed.without}=1 make test",
        )
    say(f"installing {' '.join(needed.packages)} (programs only, no service)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    around = [[["sh", "-c", line] for line in lines] for lines in (needed.before, needed.after)]
    for step in (["apt-get", "update", "-q"], *around[0], command, *around[1]):
        result = subprocess.run([*prefix, *step], env=environment, **CAPTURED)
        if result.returncode and step is command:
            sys.stderr.write("\n".join(result.stdout.splitlines()[-15:]) + "\n")
            fail(f"apt-get could not install {needed.what}.", f"{shown}\n       or: {needed.without}=1 make test")


def administrator() -> list[str] | None:
    """What goes before a command that needs root: nothing as root, `sudo -n` if that asks no password, else None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


# --- words ---


def run(command: Sequence[str]) -> None:
    result = subprocess.run(command, **CAPTURED)
    if result.returncode:
        sys.stderr.write(result.stdout[-4000:])
        fail(f"`{' '.join(command)}` failed with {result.returncode} (its words are above).", "cure that, start again")


def show_progress(done: int, total: int, name: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K  {done:>3}/{total} {name}")
        sys.stderr.flush()
    elif done % 25 == 0 or name == "unpacking":
        say(f"  {done}/{total} {name}")


def end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def fail(problem: str, next_step: str) -> NoReturn:
    print(f"setup: {problem}\n next: {next_step}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
