"""What the cleaning rules do to corpora of others, and how much of it is right, beside the filters of a peer.

    python benchmarks/verdicts/harm.py ../shared/data MORE-FOLDERS...           # one line a rule
    python benchmarks/verdicts/harm.py FOLDERS... --sample sample.jsonl         # cases without a label, to be read
    python benchmarks/verdicts/harm.py FOLDERS... --peers CACHE --write         # and the figures of the reference

Default rules work together, in their order, as they do by default; each other rule works alone with its defaults, and,
where it can, once more with `do: drop`, which says what its verdicts are worth. Changed
and dropped rows are drawn by a hash (`--each` of a rule and effect, over all corpora) and labelled by a reader in
`labels.jsonl`: right when a trainer would want it so. A label names its row by file, number and a hash of its texts and
holds nothing of it. Harm is the share of all rows that a rule dropped or changed, times the share of its labelled cases
that were wrong. The peers are datatrove, its Gopher, C4 and FineWeb filters, and data-juicer, its filters of text, as they
install, on the texts of the same rows; their drops are labelled in the same way.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from corpora import below, read_rows
from peer_runs import Peer, Skipped, installed

from corpus_pipeline.model import Conversation
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.clean.rule_effects import Effect, Effects, Example
from corpus_pipeline.stages.clean.rules import DEFAULT_RULES, RULES, build

HERE = Path(__file__).parent
LABELS, FIGURES = HERE / "labels.jsonl", HERE / "figures.json"
PEERS = (
    Peer("datatrove", "datatrove_filters.py", ("datatrove[io,processing]==0.10.*", "spacy==3.*", "orjson")),
    Peer("data-juicer", "data_juicer_filters.py", ("py-data-juicer==1.6.*", "simhash-pybind", "aiohttp")),
)
ACTS = (Effect.DROPPED, Effect.CHANGED)
DROPPING = "(do: drop)"


class Case(NamedTuple):
    """One row that something was done to, and by what."""

    rule: str
    effect: Effect
    corpus: str
    row: int
    mark: str  # a hash of the texts of the row
    example: Example | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.rule, self.effect.value, self.mark

    @property
    def draw(self) -> int:
        return zlib.crc32(f"{self.rule} {self.effect} {self.corpus}:{self.row}".encode())


@dataclass
class Tally:
    """What one rule did over all corpora."""

    rows: Counter[Effect] = field(default_factory=Counter)
    cases: list[Case] = field(default_factory=list)


def main() -> int:
    """Print a line for each rule; write samples and figures as asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=40, help="cases of each rule and effect that are labelled")
    parser.add_argument("--sample", type=Path, help="write the drawn cases that have no label yet")
    parser.add_argument("--peers", type=Path, help="run the peers; their environments are kept in this folder")
    parser.add_argument("--write", action="store_true", help="write the figures that the reference shows")
    said = parser.parse_args()
    total, tallies, texts, shown = measured(said.folders)
    labels = {(one["rule"], one["effect"], one["mark"]): one["right"] for one in _lines(LABELS)}
    if said.peers:
        tallies |= peer_tallies(said.peers, texts, shown)
    figures = {rule: figure(tally, total, labels, said.each) for rule, tally in tallies.items()}
    show(total, figures)
    if said.sample:
        write_sample(said.sample, tallies.values(), labels, said.each, texts)
    if said.write:
        known = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {"rows": total, "rules": {}}
        kept = known["rules"]  # of what was not run now; each figure says of how many rows it is
        FIGURES.write_text(json.dumps({"rows": total, "rules": kept | figures}, indent=1) + "\n", encoding="utf-8")
    return 0


Texts = dict[tuple[str, int], str]


def measured(folders: Sequence[Path]) -> tuple[int, dict[str, Tally], Texts, Texts]:
    """(rows, what each rule did, the texts of each row, the same without rejected answers) of all corpora that a format
    reads."""
    dropping = [rule.name for rule in RULES if "do" in rule.Params.model_fields]
    tallies = {rule.name: Tally() for rule in RULES} | {f"{name} {DROPPING}": Tally() for name in dropping}
    texts, shown, total = Texts(), Texts(), 0
    alone = [rule.name for rule in RULES if rule.name not in DEFAULT_RULES]
    for folder in folders:
        for corpus in below(folder):
            try:
                rows, joined = read_rows(corpus.records)
            except ValueError as error:
                print(f"{corpus.name}: left out, {error}", file=sys.stderr)
                continue
            total += len(rows)
            texts |= {(corpus.name, n): _text(row) for n, row in enumerate(rows, 1)}
            shown |= {(corpus.name, n): _text(row, without="rejected") for n, row in enumerate(rows, 1)}
            ways: list[tuple[list[NamedStep] | None, str]] = [(None, "")]
            ways += [([NamedStep(name=name)], "") for name in alone]
            ways += [([NamedStep(name=name, params={"do": "drop"})], f" {DROPPING}") for name in dropping]
            for steps, suffix in ways:
                try:
                    rules = build(steps)
                except Exception as error:  # a rule without defaults: nothing to measure
                    print(f"{steps}: {error}", file=sys.stderr)
                    continue
                effects = Effects(rules, joined=joined, examples=len(rows))
                for number, row in enumerate(rows, 1):
                    effects.take(number, row)
                for rule, of_rule in effects.of_rule.items():
                    name = f"{rule}{suffix}"
                    tallies[name].rows.update(of_rule.rows)
                    tallies[name].cases += [
                        Case(name, effect, corpus.name, one.row, _mark(texts[corpus.name, one.row]), one)
                        for effect in ACTS
                        for one in of_rule.examples(effect)
                    ]
    return total, tallies, texts, shown


def peer_tallies(cache: Path, texts: Texts, shown: Texts) -> dict[str, Tally]:
    """What the filters of peers drop of the same rows, by filter. A peer that cannot be run is left out with a word."""
    cache.mkdir(parents=True, exist_ok=True)
    source = cache / "rows.jsonl"
    with source.open("w", encoding="utf-8") as lines:
        for (corpus, row), text in shown.items():
            lines.write(json.dumps({"id": f"{corpus}:{row}", "text": text}) + "\n")
    tallies = dict[str, Tally]()
    for peer in PEERS:
        out = cache / f"{peer.name}.jsonl"
        try:
            python = installed(peer, cache)
            subprocess.run([python, HERE.parent / "peers" / peer.program, source, out], check=True, timeout=1800)
        except (Skipped, subprocess.SubprocessError) as error:
            print(f"{peer.name}: not run, {error}", file=sys.stderr)
            continue
        for drop in _lines(out):
            corpus, _, row = drop["id"].rpartition(":")
            name = f"{peer.name} {drop['filter']}"
            tally = tallies.setdefault(name, Tally())
            tally.rows[Effect.DROPPED] += 1
            example = Example(int(row), Effect.DROPPED, (drop["reason"],))
            tally.cases.append(Case(name, Effect.DROPPED, corpus, int(row), _mark(texts[corpus, int(row)]), example))
    return tallies


def drawn(tally: Tally, each: int) -> Iterator[Case]:
    """The cases of a rule that are to be labelled: `each` of an effect, one for rows with equal texts."""
    for effect in ACTS:
        unique = {case.mark: case for case in tally.cases if case.effect is effect}
        yield from sorted(unique.values(), key=lambda case: case.draw)[:each]


def figure(tally: Tally, total: int, labels: dict[tuple[str, str, str], bool], each: int) -> dict[str, Any]:
    """The figures of a rule. harm: the estimated share of all rows that it damaged; None without labels."""
    found: dict[str, Any] = {"rows": total} | {effect.value: tally.rows[effect] for effect in Effect}
    harm, complete = 0.0, True
    for effect in ACTS:
        known = [labels[case.key] for case in drawn(tally, each) if case.effect is effect and case.key in labels]
        found[f"{effect.value}_labelled"], found[f"{effect.value}_right"] = len(known), sum(known)
        if known:
            harm += tally.rows[effect] / total * (1 - sum(known) / len(known))
        elif tally.rows[effect]:
            complete = False
    return found | {"harm": round(harm, 6) if complete else None}


def show(total: int, figures: dict[str, dict[str, Any]]) -> None:
    """One line for each rule, and the sum of the default ones beside the peer's."""
    print(f"{total:,} rows")
    print(f"{'rule':34} {'dropped':>8} {'right':>9} {'changed':>8} {'right':>9} {'tagged':>7} {'harm':>8}")
    for rule, one in figures.items():
        print(
            f"{rule:34} {one['dropped']:8,} {one['dropped_right']:4}/{one['dropped_labelled']:<4} {one['changed']:8,}"
            f" {one['changed_right']:4}/{one['changed_labelled']:<4} {one['tagged']:7,}"
            f" {'?' if one['harm'] is None else format(one['harm'], '.3%'):>8}"
        )
    ours = sum(figures[name]["harm"] or 0 for name in DEFAULT_RULES)
    names = tuple(peer.name for peer in PEERS)
    peers = {rule: one["harm"] for rule, one in figures.items() if rule.startswith(names) and one["harm"]}
    print(f"default rules together: harm {ours:.3%}")
    for rule, harm in peers.items():
        print(f"{rule}: harm {harm:.3%}, {harm / ours:,.0f} times as much" if ours else f"{rule}: harm {harm:.3%}")


def write_sample(
    path: Path,
    tallies: Iterable[Tally],
    labels: dict[tuple[str, str, str], bool],
    each: int,
    texts: Texts,
) -> None:
    """Write the drawn cases without a label; add `right` and put rule, effect, corpus, row, mark, right into labels.jsonl."""
    with path.open("w", encoding="utf-8") as out:
        for tally in tallies:
            for case in drawn(tally, each):
                if case.key not in labels:
                    shown = case._asdict() | {"example": case.example, "text": texts[case.corpus, case.row]}
                    out.write(json.dumps(shown, ensure_ascii=False) + "\n")


def _text(row: Conversation, without: str = "") -> str:
    return "\n".join(text for turn in row.turns for field, text in turn.texts() if field != without)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
