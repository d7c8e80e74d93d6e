"""How right the validators of answers are: what of labelled answers they refuse, by kind, language and validator.

    python benchmarks/answers.py                    # the set of the repository
    python benchmarks/answers.py --part third       # one of its parts
    python benchmarks/answers.py FILE.jsonl         # a set of your own
    python benchmarks/answers.py --without on_subject --wrong 20

A line of a set is {"label": "good" | "bad", "kind", "strategy", "target"?, "language"?, "system"?, "prompt", "response",
"answer"}: the row, and what a model answered. It ends with 1 when fewer than 90 % of the bad answers or more than 2 % of the
good ones are refused.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.strategies import Strategy, accept, build
from corpus_pipeline_tests.augment.answers import PARTS, answers_of_part

_MIN_BAD_REFUSED, _MAX_GOOD_REFUSED = 0.9, 0.02
_PARAMS: dict[str, dict[str, Any]] = {
    "paraphrase": {"min_prompt_letters": 1},
    "response_regeneration": {"min_response_letters": 1, "tag_only": []},  # every validator refuses here
    "self_refine": {"min_response_letters": 1},
}


class Judged(NamedTuple):
    """A labelled answer, and who refused it; None when it was taken."""

    row: dict[str, Any]
    by: str | None
    why: str


def judged(row: dict[str, Any], without: tuple[str, ...]) -> Judged:
    """What the validators say of one labelled answer."""
    strategy = _strategy(row, without)
    turn = Turn(system=row.get("system") or None, prompt=row["prompt"], response=row["response"])
    conversation = Conversation(1, (turn,), "{}")
    skipped = strategy.applies(conversation)
    if skipped is not None:
        return Judged(row, f"skipped: {skipped}", skipped)
    try:
        accept(strategy, conversation, (Answer(row["answer"], "stop", "model", Usage(1, 1)),))
    except BadAnswer as fault:
        return Judged(row, fault.validator or "structure", f"{fault.reason}: {fault.detail}")
    return Judged(row, None, "")


def _strategy(row: dict[str, Any], without: tuple[str, ...]) -> Strategy:
    params = dict(_PARAMS.get(row["strategy"], {}))
    if row.get("target"):
        params["target_language"] = row["target"]
    known = {
        validator.name for validator in build([NamedStep(name=row["strategy"], params=params)], "model")[0].validators
    }
    params["without"] = [name for name in without if name in known | {"not_refused", "no_template_token"}]
    return build([NamedStep(name=row["strategy"], params=params)], "model")[0]


def rows_of(arguments: argparse.Namespace) -> Iterable[dict[str, Any]]:
    """The labelled answers that were asked for."""
    if arguments.files:
        for name in arguments.files:
            for line in Path(name).read_text(encoding="utf-8").splitlines():
                yield json.loads(line)
        return
    for part in PARTS if arguments.part == "all" else (arguments.part,):
        yield from answers_of_part(part)


def interval(found: int, of: int) -> tuple[float, float]:
    """Wilson's interval of a share, with 95 % confidence."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, found / of
    middle, spread = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def table(found: list[Judged], key: str) -> None:
    """The confusion table by a key of the rows."""
    counts: dict[tuple[str, str], Counter[bool]] = defaultdict(Counter)
    for one in found:
        counts[one.row["label"], str(one.row.get(key) or "?")][one.by is not None] += 1
    print(f"\n{'label':<6} {key:<44} refused  taken")
    for (label, value), count in sorted(counts.items()):
        print(f"{label:<6} {value:<44} {count[True]:>7} {count[False]:>6}")


def main() -> int:
    """Print the tables; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--part", choices=("all", *PARTS), default="all")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--wrong", type=int, default=0, help="show so many of those that are judged wrongly")
    arguments = parser.parse_args()
    found = [judged(row, tuple(arguments.without)) for row in rows_of(arguments)]
    for key in ("kind", "language"):
        table(found, key)
    by = Counter((one.by, one.row["label"]) for one in found if one.by is not None)
    print("\nvalidator: bad refused, good refused")
    for name in sorted({name for name, _ in by}, key=lambda name: -by[name, "bad"]):
        print(f"  {name:<28} {by[name, 'bad']:>5} {by[name, 'good']:>5}")
    shares = {}
    print()
    for label in ("bad", "good"):
        own = [one for one in found if one.row["label"] == label]
        refused = sum(one.by is not None for one in own)
        low, high = interval(refused, len(own))
        shares[label] = refused / max(1, len(own))
        print(f"{label}: {refused} of {len(own)} refused, {shares[label]:.1%} (95 %: {low:.1%} to {high:.1%})")
    for one in [one for one in found if (one.by is None) is (one.row["label"] == "bad")][: arguments.wrong]:
        print(f"\n{one.row['label']} {one.row['kind']} {one.by} {one.why[:120]}")
        for key in ("prompt", "response", "answer"):
            print(f"  {key:<8} {one.row[key][:200]!r}")
    return int(shares["bad"] < _MIN_BAD_REFUSED or shares["good"] > _MAX_GOOD_REFUSED)


if __name__ == "__main__":
    sys.exit(main())
