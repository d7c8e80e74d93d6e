"""Every mode of the stand-in, one small job each: what was stored, what was booked beside the bill, and what was said.

    python benchmarks/modes.py                 # prints the table of docs/provider-modes.md; some minutes

Each job is eight rows in which one request in four meets the mode, or, for modes that concern every request, all of them.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import orjson
import yaml
from sqlalchemy import text

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm_stub import StubOptions, running
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

ROWS = 8
OF_THE_JOB = {Fault.BAD_KEY, Fault.QUOTA_GONE, Fault.NO_SUCH_MODEL, Fault.REDIRECT, Fault.FORBIDDEN}


class Heard(logging.Handler):
    """Keeps what is said at the level of a warning."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.said[short(record.getMessage())] = None


heard = Heard()


def short(said: str) -> str:
    """One line of a table."""
    return " ".join(said.split()).replace("|", "/")[:200]


def main() -> None:
    logging.getLogger().addHandler(heard)
    print("| mode | met by | new rows | failed samples | calls: answered, error, unknown | booked | billed | said |")
    print("|---|---|---|---|---|---|---|---|")
    for fault in Fault:
        if fault is not Fault.EXPIRED:  # which only batches meet
            print(line(fault, 1.0 if fault in OF_THE_JOB else 0.25), flush=True)


def line(fault: Fault, share: float) -> str:
    with tempfile.TemporaryDirectory(prefix="corpus-modes-") as name:
        folder = Path(name)
        log = folder / "invoice.jsonl"
        options = StubOptions(seed=2, faults={fault: share}, retry_after=0.1, trickle=0.2, request_log=log)
        with running(options) as stub:
            env = {"CORPUS_HOME": str(folder / "home"), "OPENAI_BASE_URL": stub.base_url}
            with Corpus.open(Settings.from_env(env)) as corpus:
                said = job(corpus, folder)
                facts = corpus.store.fetch(_facts)
        lines = log.read_bytes().splitlines() if log.exists() else []
        billed = sum(orjson.loads(entry)["nano_dollars"] for entry in lines)
    rows, failed, calls, booked = facts
    states = ", ".join(str(calls.get(state, 0)) for state in ("answered", "error", "unknown"))
    of = "all requests" if share == 1 else "one in four"
    return f"| `{fault}` | {of} | {rows} | {failed} | {states} | ${booked / 1e9:.6f} | ${billed / 1e9:.6f} | {said} |"


def job(corpus: Corpus, folder: Path) -> str:
    """Run it; what a person reads."""
    recipe, data = folder / "modes.yaml", folder / "modes.jsonl"
    augment = {
        "model": "corpus-stub",
        "backoff_cap_seconds": 0.1,
        "max_retries": 2,
        "call_deadline_seconds": 1.5,
        "provider_patience_seconds": 3,
        "strategies": ["paraphrase"],
    }
    body = {"name": "modes", "clean": {"rules": [], "dedup": {"exact": False, "near": False}}, "augment": augment}
    recipe.write_text(yaml.safe_dump(body))
    with data.open("wb") as out:
        for row in range(ROWS):
            turn = {
                "prompt": f"How is bed {row} of the garden watered in July?",
                "response": f"With a can, bed {row} first.",
            }
            out.write(orjson.dumps(turn, option=orjson.OPT_APPEND_NEWLINE))
    corpus.add(data, name="modes", recipe=str(recipe))
    for stage in (Stage.INGEST, Stage.CLEAN):
        corpus.run_stage("modes", stage)
    heard.said.clear()
    try:
        corpus.run_stage("modes", Stage.AUGMENT)
        said = "done"
    except CorpusError as error:
        said = short(str(error))
    reasons = corpus.store.fetch(
        lambda c: c.execute(text("SELECT reason, COUNT(*) FROM failed_samples GROUP BY reason ORDER BY reason")).all()
    )
    return "; ".join([said, *(f"{reason} {count}" for reason, count in reasons), *heard.said])


def _facts(connection: Any) -> tuple[int, int, dict[str, int], int]:
    def one(statement: str) -> int:
        return int(connection.execute(text(statement)).scalar_one() or 0)

    found = connection.execute(text("SELECT state, COUNT(*) FROM llm_attempts GROUP BY state")).all()
    calls = {str(state): int(count) for state, count in found}
    return (
        one("SELECT COUNT(*) FROM augmented_rows"),
        one("SELECT COUNT(*) FROM failed_samples"),
        calls,
        one("SELECT SUM(cost) FROM llm_attempts"),
    )


if __name__ == "__main__":
    main()
