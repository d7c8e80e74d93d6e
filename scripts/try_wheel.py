"""Build the wheel, install it with the locked packages in a fresh environment, and run `corpus demo` there.

    python3 scripts/try_wheel.py

Shows what a checkout hides: a file missing from the wheel, an import that only the test environment can satisfy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from setup import ROOT, RUNTIME_LOCK, install, make_venv, run, say, venv_python


def main() -> None:
    """Exit with the status of the demo; the environment is removed."""
    with tempfile.TemporaryDirectory(prefix="corpus-wheel-") as name:
        folder = Path(name)
        wheel = build(folder)
        venv = folder / "venv"
        make_venv(venv)
        install(venv, RUNTIME_LOCK)
        run([venv_python(venv), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)])
        sys.exit(try_demo(venv, folder))


def build(folder: Path) -> Path:
    """The wheel of this checkout, built by the locked back end of the environment that runs this."""
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    run([sys.executable, "-c", code, str(folder)])
    [wheel] = folder.glob("*.whl")
    say(f"built {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB")
    return wheel


def try_demo(venv: Path, folder: Path) -> int:
    """Run the installed command from a folder that holds no checkout."""
    kept = ("PATH", "LANG", "TMPDIR", "NO_COLOR", "CI")
    environment = {key: value for key, value in os.environ.items() if key in kept} | {"HOME": str(folder)}
    for words in (["--version"], ["demo", "--home", str(folder / "home")]):
        done = subprocess.run([venv / "bin" / "corpus", *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL)
        if done.returncode:
            return done.returncode
    exported = sorted((folder / "home").rglob("*.jsonl"))
    say(f"the demo exported {len(exported)} files")
    return 0 if exported else 1


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
