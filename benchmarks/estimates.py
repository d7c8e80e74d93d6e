"""How far `corpus estimate` is from the bill: jobs of many kinds, simulated from the first row to the last.

    python benchmarks/estimates.py                       # 20 jobs of 400 rows, some minutes
    python benchmarks/estimates.py --jobs 8 --rows 200

Each job has rows of its own lengths (some files begin with their short rows), strategies, faults, service tiers and cache.
It is estimated before the first call, and again when a trial of rows that lie evenly over the file is paid (`--spread`), which
is made larger once where the estimate asks for it; the bill is the request log of the stand-in. The margin is what the estimate
itself says of its error in the rest of the job in 19 of 20 jobs. Harm is beside benefit: how far off, and which way, without a
trial, for the rest, for the whole bill. Ends with 1 when more than one job in 20 is off by more than 5 % of its whole bill.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import yaml

from corpus_pipeline.errors import Interrupted
from corpus_pipeline.llm_stub import StubOptions, running
from corpus_pipeline.llm_stub.faults import parse_shares
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

STRATEGIES = (
    ["paraphrase"],
    ["response_regeneration"],
    ["evol_instruct"],
    ["self_refine"],
    ["reasoning_distillation"],
    ["paraphrase", "response_regeneration"],
    [{"paraphrase": {"samples": 2}}],
)
FAULTS = ([], ["429=0.05", "500=0.03"], ["sorry=0.03", "malformed=0.03", "empty=0.02"], ["cut=0.03", "rst=0.01"])
WORDS = (
    "garden water early bed plant summer evening soil root leaf shade morning rain barrel mulch seed frost bloom prune weed"
    " harvest compost trellis bulb stem petal hedge spade rake hose ladder pot tray glass path fence gate bench tool glove"
).split()
TRIAL_SHARE = 0.25
TOLERANCE = 0.05
Errors = tuple[float, float, float]  # before any call, of the rest after the trial, of the whole bill after it


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the number of the first job, which is its seed, too")
    parser.add_argument("--rows", type=int, default=400)
    asked = parser.parse_args()
    print(
        "| job | strategies | faults | rows | tiers, cache | bill | before any call | rows of the trial | the rest after it |"
        " margin | the whole bill | ways, cheapest first |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    done = [job(number, asked.rows) for number in range(asked.first, asked.first + asked.jobs)]
    errors = [one for one, _ in done]
    far = sum(abs(whole) > TOLERANCE for _, _, whole in errors)
    beyond = sum(margin is None or abs(error[1]) > margin for error, margin in done)
    print(f"the rest was farther off than the margin said in {beyond} of {len(done)} jobs")
    for name, at in (("before any call", 0), ("the rest after a trial", 1), ("the whole bill after it", 2)):
        off = sorted(error[at] for error in errors)
        print(
            f"{name}: from {off[0]:+.1%} to {off[-1]:+.1%}, median {off[len(off) // 2]:+.1%};"
            f" {sum(o > 0 for o in off)} too high, {sum(abs(o) > TOLERANCE for o in off)} of {len(off)} off by more than 5 %"
        )
    return 1 if far > len(errors) / 20 else 0


def job(number: int, rows: int) -> tuple[Errors, float | None]:
    rng = random.Random(number)
    strategies, faults = STRATEGIES[number % len(STRATEGIES)], FAULTS[number % len(FAULTS)]
    order, tiers, cache = number % 3 == 0, number % 5 == 0, number % 4 == 1
    with tempfile.TemporaryDirectory(prefix="corpus-estimate-") as name:
        folder = Path(name)
        log = folder / "invoice.jsonl"
        options = StubOptions(
            seed=number,
            faults=parse_shares(faults),
            retry_after=0.05,
            request_log=log,
            cache_from=256 if cache else 1024,
            cache_writes=cache,
            tiers=("default", "flex") if tiers else (),
        )
        with running(options) as stub:
            env = {"CORPUS_HOME": str(folder / "home"), "OPENAI_BASE_URL": stub.base_url}
            with Corpus.open(Settings.from_env(env)) as corpus:
                prepare(corpus, folder, strategies, texts(rng, rows, order=order))
                before = expected(corpus)
                trial = int(rows * TRIAL_SHARE)
                for _ in range(2):  # the second one where the first estimate asks for it
                    with suppress(Interrupted):  # that is how a limit ends
                        corpus.run_stage("rows", Stage.AUGMENT, limit=trial, spread=True)
                    paid = bill(log)
                    said = corpus.estimate("rows")
                    if (further := said["total"]["trial_rows"]) is None:
                        break
                    trial = further
                after, margin, ways = said["total"]["cost_usd"]["expected"], said["total"]["margin"], said["ways"]
                corpus.run_stage("rows", Stage.AUGMENT)
                whole = bill(log)
    errors = before / whole - 1, after / (whole - paid) - 1, (paid + after) / whole - 1
    names = ", ".join(step if isinstance(step, str) else next(iter(step)) + " x 2" for step in strategies)
    ranked = " < ".join(way["way"] for way in ways if way["cost_usd"] is not None)
    print(
        f"| {number} | {names} | {' '.join(faults) or 'none'} | {'short first' if order else 'mixed'} |"
        f" {'flex by chance' if tiers else ''}{' cached' if cache else ''} | ${whole:.4f} | {errors[0]:+.1%} |"
        f" {trial} | {errors[1]:+.1%} | {'' if margin is None else f'{margin:.1%}'} | {errors[2]:+.1%} | {ranked} |",
        flush=True,
    )
    return errors, margin


def texts(rng: random.Random, rows: int, *, order: bool) -> list[dict[str, str]]:
    made = []
    for row in range(rows):
        asked, said = (max(8, int(rng.lognormvariate(mean, 0.7))) for mean in (3.0, 4.2))
        prompt = f"Explain for bed {row}: {' '.join(rng.choices(WORDS, k=asked))}?"
        made.append({"prompt": prompt, "response": f"For bed {row}: {' '.join(rng.choices(WORDS, k=said))}."})
    return sorted(made, key=lambda turn: len(turn["prompt"]) + len(turn["response"])) if order else made


def prepare(corpus: Corpus, folder: Path, strategies: list[Any], turns: list[dict[str, str]]) -> None:
    recipe, data = folder / "recipe.yaml", folder / "rows.jsonl"
    body = {
        "name": "estimates",
        "clean": {"rules": [], "dedup": {"exact": False, "near": False}},
        "augment": {
            "model": "corpus-stub",
            "backoff_cap_seconds": 0.1,
            "completion": {"tolerated_failures": 0.95},
            "strategies": strategies,
        },
    }
    recipe.write_text(yaml.safe_dump(body))
    with data.open("wb") as out:
        for turn in turns:
            out.write(orjson.dumps(turn, option=orjson.OPT_APPEND_NEWLINE))
    corpus.add(data, name="rows", recipe=str(recipe))
    for stage in (Stage.INGEST, Stage.CLEAN):
        corpus.run_stage("rows", stage)


def expected(corpus: Corpus) -> float:
    return float(corpus.estimate("rows")["total"]["cost_usd"]["expected"])


def bill(log: Path) -> float:
    return sum(orjson.loads(line)["nano_dollars"] for line in log.read_bytes().splitlines()) / 1e9


if __name__ == "__main__":
    sys.exit(main())
