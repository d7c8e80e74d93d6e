"""Recall and false finds of the detectors of personal data and refusals: on the labelled sets, and on real corpora.

    python benchmarks/detectors.py [FILE.jsonl|FILE.json ...]

Without files it measures on the labelled sets of the tests alone. Of each file it prints how many rows hold a find, by
kind, and some of the finds to read: whether they are right is for a person to say.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

from corpus_pipeline.stages.clean.personal_data.scanner import KINDS, spans
from corpus_pipeline.stages.clean.personal_data.spans import Source
from corpus_pipeline.stages.refusals import is_refusal

SETS = Path(__file__).parents[1] / "corpus_pipeline_tests" / "clean"
SHOWN = 10


def rows_of(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def labelled() -> None:
    positives = rows_of(SETS / "personal_data" / "positives.jsonl")
    lookalikes = rows_of(SETS / "personal_data" / "lookalikes.jsonl")
    found = Counter(row["kind"] for row in positives if spans(Source(row["text"]), KINDS))
    for kind, total in Counter(row["kind"] for row in positives).items():
        print(f"personal data  {kind:12} {found[kind]:4} of {total}")
    false = sum(bool(spans(Source(row["text"]), KINDS)) for row in lookalikes)
    print(f"personal data  look-alikes  {false:4} of {len(lookalikes)} masked")
    answers = rows_of(SETS / "refusals" / "labelled.jsonl")
    hits = Counter((r["language"], r["refusal"]) for r in answers if is_refusal(r["answer"], r["asked"]))
    totals = Counter((r["language"], r["refusal"]) for r in answers)
    for language in dict.fromkeys(row["language"] for row in answers):
        yes, no = (language, True), (language, False)
        print(f"refusals  {language}  {hits[yes]} of {totals[yes]} found, {hits[no]} of {totals[no]} ordinary ones")


def real(path: Path) -> None:
    rows, kinds, examples, touched = rows_of(path), Counter[str](), list[str](), 0
    started = process_time()
    for row in rows:
        own = [(text, span) for text in strings(row) for span in spans(Source(text), KINDS)]
        touched += bool(own)
        kinds.update(span.kind for _, span in own)
        examples += [f"{span.kind}: {text[max(0, span.start - 30) : span.end + 10]!r}" for text, span in own]
    print(f"{path.name}: {touched} of {len(rows)} rows, {dict(kinds)}, {process_time() - started:.1f} CPU s")
    print(*(f"    {example}" for example in examples[:SHOWN]), sep="\n")


if __name__ == "__main__":
    labelled()
    for name in sys.argv[1:]:
        real(Path(name))
