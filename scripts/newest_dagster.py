"""Import the definitions with the newest release of Dagster that pyproject.toml allows, in a fresh environment.

    python3 scripts/newest_dagster.py

Shows early what a release breaks that the lock does not know yet. Needs the package index.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import tomllib
from pathlib import Path

from setup import ROOT, RUNTIME_LOCK, install, make_venv, run, say, venv_python
from try_wheel import build

_CODE = """
from importlib.metadata import version
from corpus_pipeline.definitions import defs
keys = sorted("/".join(spec.key.path) for spec in defs.resolve_all_asset_specs())
assert len(keys) >= 4, keys
print("dagster", version("dagster"), "defines", ", ".join(keys))
"""


def main() -> None:
    """Exit with the status of the import; the environment is removed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = [line for line in project["dependencies"] if line.startswith("dagster")]
    with tempfile.TemporaryDirectory(prefix="corpus-dagster-") as name:
        folder = Path(name)
        wheel, venv = build(folder), folder / "venv"
        make_venv(venv)
        install(venv, RUNTIME_LOCK)
        pip = [venv_python(venv), "-m", "pip", "install", "--quiet"]
        run([*pip, "--no-deps", "--no-index", str(wheel)])
        run([*pip, "--upgrade", *allowed])
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CORPUS_")}
        environment |= {"CORPUS_HOME": str(folder / "home"), "HOME": str(folder)}
        done = subprocess.run([venv_python(venv), "-c", _CODE], cwd=folder, env=environment, check=False)
    say("the definitions load" if done.returncode == 0 else f"not with {', '.join(allowed)}")
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
