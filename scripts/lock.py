"""Writes locks/*.txt from pyproject.toml: `make lock`. For maintainers; needs the network.

uv resolves (in an environment of its own below build/), because it resolves once for every platform and Python version.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from setup import ROOT, make_venv, run, say, venv_python

UV = "uv==0.13.9"
VENV = ROOT / "build" / "lock-venv"
# most poisoned releases are found within days
COOLDOWN = "7 days"


def main() -> None:
    if not (VENV / "bin" / "uv").is_file():
        make_venv(VENV)
        run([venv_python(VENV), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", UV])
    locks = ROOT / "locks"
    build = VENV / "build.in"
    build.write_text("hatchling\n")
    compile_lock(build, locks / "build.txt")
    compile_lock(ROOT / "pyproject.toml", locks / "runtime.txt")
    compile_lock(ROOT / "pyproject.toml", locks / "test.txt", "--extra", "test", "-c", "locks/runtime.txt")


def compile_lock(source: Path, target: Path, *options: str) -> None:
    """Resolves `source` for Python 3.11 and newer on every platform, wheels only, each with its sha256."""
    command = [str(VENV / "bin" / "uv"), "pip", "compile", "--no-config", "--universal", "--generate-hashes"]
    command += ["--python-version", "3.11", "--only-binary", ":all:", "--exclude-newer", COOLDOWN]
    command += ["--upgrade", "--quiet", "--custom-compile-command", "make lock", *options]
    command += ["-o", str(target), str(source)]
    # lists of other indexes and folders that this machine may have must not shape the lock
    foreign = [name for name in os.environ if name.startswith("UV_") and name != "UV_DEFAULT_INDEX"]
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    count = len(re.findall(r"^[a-z0-9]", target.read_text(), re.MULTILINE))
    say(f"{target.relative_to(ROOT)}: {count} packages")


if __name__ == "__main__":
    main()
