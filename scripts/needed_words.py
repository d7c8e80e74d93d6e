"""Write the words that the patterns behind a first look need (`stages.first_look.words_needed`), which take long to tell.

    python scripts/needed_words.py            # writes corpus_pipeline/stages/needed_words.json
    python scripts/needed_words.py --check    # fails where the file is not what would be written

A pattern that the file does not know costs time when it is first used, and nothing else.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import orjson

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from corpus_pipeline import stages  # noqa: E402
from corpus_pipeline.stages.first_look import NEEDED_WORDS, MayMatch, name_of, words_needed  # noqa: E402


def main() -> int:
    """Write the file, or say that it is not up to date."""
    found = dict[str, list[str] | None]()
    for looked in first_looks():
        for pattern in looked.patterns:
            words = words_needed(pattern)
            found[name_of(pattern)] = None if words is None else sorted(words)
    written = b"{\n" + b",\n".join(b'"%s":%s' % (name.encode(), orjson.dumps(found[name])) for name in sorted(found))
    written += b"\n}\n"
    if "--check" not in sys.argv[1:]:
        NEEDED_WORDS.write_bytes(written)
        return 0
    if NEEDED_WORDS.read_bytes() != written:
        print(
            f"{NEEDED_WORDS.relative_to(ROOT)} is not up to date: run python scripts/needed_words.py", file=sys.stderr
        )
        return 1
    return 0


def first_looks() -> list[MayMatch]:
    """All that modules of the stages hold."""
    modules = [import_module(module.name) for module in walk_packages(stages.__path__, f"{stages.__name__}.")]
    return [value for module in modules for value in vars(module).values() if isinstance(value, MayMatch)]


if __name__ == "__main__":
    raise SystemExit(main())
