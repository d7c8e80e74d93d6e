"""The crash-point enumerator: end the small corpus at a named point, go on in new processes, compare with the undisturbed run.

`python -m corpus_pipeline_tests.torture.enumerate_points [--sample N] [--pairs N] [--seed S] [--how kill|stop]` prints one line
a point that failed, and the sums. `--s3` exports to an S3 server in small parts; `--heartbeats` makes the model slow and the
lease short, so that leases are renewed while it works; `--only` takes the points whose name has a word in it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select, update

from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.llm_stub.latency import NO_LATENCY, Latency
from corpus_pipeline.llm_stub.server import RunningStub
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store import Store, invariants, schema
from corpus_pipeline_tests.servers import s3
from corpus_pipeline_tests.servers.s3 import S3
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.digest import corpus_digest, differences
from corpus_pipeline_tests.torture.workshop import Done, Order, Workshop

_PART_BYTES = 1000  # an export of the small corpus has a few parts
# no run of the small corpus needs more starts than this after its last crash: samples that a fault ended, then the rest
_MOST_STARTS = 4


@dataclass(frozen=True)
class Result:
    """What came of one place or pair of places. repeated: calls that were billed and had to be made again."""

    at: tuple[str, ...]
    reached: int
    problems: tuple[str, ...]
    repeated: int


class Enumerator:
    """Runs the small corpus in children of one workshop, each time in a new home folder."""

    def __init__(
        self,
        folder: Path,
        shop: Workshop,
        stub: RunningStub,
        database_urls: Iterator[str] | None = None,
        *,
        store: S3 | None = None,
        lease_seconds: float = 60,
    ) -> None:
        """stub: of `small.stand_in(folder)`. database_urls: new, empty databases; None: a SQLite file in each home.
        store: where the exports go, `s3.rclone(folder)`; None: a folder in each home."""
        self._folder, self._shop, self._stub = folder, shop, stub
        self._database_urls, self._store, self._lease_seconds = database_urls, store, lease_seconds
        self._bucket = store.fresh_bucket() if store else ""
        self._sources = small.write_files(folder / "sources")
        self._recipe = small.write_recipe(folder)
        self._number = 0
        self.points: list[str] = []
        self.digest: dict[str, str] = {}

    def undisturbed(self) -> None:
        """Fills `points` (in the order of passing) and `digest`."""
        env, home = self._fresh()
        log = home / "points"
        done = self._shop.run(self._order(env, log=str(log), result=str(home / "result")))
        assert done is not None and done.exit == 0 and all(word == "done" for _, _, word in done.said), done
        self.points = log.read_text().split("\n")[:-1]
        with self._corpus(env) as corpus:
            self.digest = corpus.store.fetch(corpus_digest, self._exports(home))
        self._clear(home)

    def attempt(self, *places: tuple[str, str]) -> Result:
        """Meet the (point, how) of each place, one a start, then run to the end and compare."""
        env, home = self._fresh()
        reached, zombies = 0, []
        for at, how in places:
            order = self._order(env, at=at, how=how, result=str(home / f"result{reached}"))
            pid = self._shop.start(order)
            done = self._shop.wait(pid, order)
            self._expire(env, frozen=pid if done is None else None)
            if done is None:
                zombies.append((pid, order))
            elif done.signal != signal.SIGKILL:
                break  # this start did not pass the point so often: the corpus is complete
            reached += 1
        problems = self._finish(env, home)
        for pid, order in zombies:
            os.kill(pid, signal.SIGCONT)
            done = self._shop.wait(pid, order)
            problems += _zombie_problems(done)
        problems += self._finish(env, home) if zombies else []
        repeated = 0
        if not problems:
            with self._corpus(env) as corpus:
                problems = self._compare(corpus.store, home)
                repeated = corpus.store.fetch(_billed_again, small.invoice(self._folder))
        self._clear(home)
        return Result(tuple(at for at, _ in places), reached, tuple(problems), repeated)

    def _finish(self, env: dict[str, str], home: Path) -> list[str]:
        order = self._order(env, result=str(home / "result"))
        for _ in range(_MOST_STARTS):
            done = self._shop.run(order)
            assert done is not None
            if done.exit:
                return [f"a run that nothing disturbed ended with {done.exit}"]
            words = {word for _, _, word in done.said}
            if words <= {"done", "complete"}:
                return []
        return [f"a run that nothing disturbed does not end: {done.said}"]

    def _compare(self, store: Store, home: Path) -> list[str]:
        differ = differences(self.digest, store.fetch(corpus_digest, self._exports(home)))
        found = [f"differs from the undisturbed run: {', '.join(differ)}"] if differ else []
        found += store.fetch(invariants.violations)
        found += store.fetch(invariants.ledger_violations, small.invoice(self._folder))
        found += [f"paid twice: {key}" for key in store.fetch(invariants.paid_twice)]
        left = [path.name for path in home.rglob("*") if path.name.endswith((".tmp", ".part"))]
        if self._store:
            uploads = self._store.client().list_multipart_uploads(Bucket=self._bucket).get("Uploads", ())
            left += [upload["Key"] for upload in uploads if upload["Key"].startswith(f"{home.name}/")]
        found += [f"left behind: {', '.join(left)}"] if left else []
        return found

    def _expire(self, env: dict[str, str], frozen: int | None) -> None:
        """As if the time of the dead or frozen one's lease had passed."""
        passed = update(schema.leases).where(schema.leases.c.expires_at > 0).values(expires_at=1)
        with self._corpus(env) as corpus:
            for _ in range(_MOST_STARTS):
                try:
                    corpus.store.write(lambda c: c.execute(passed), patience=None if frozen is None else 2.0)
                    return
                except StoreUnavailable:
                    if frozen is None:
                        raise
                # another thread of it was inside a transaction, which keeps a SQLite file locked: it is frozen behind that
                os.kill(frozen, signal.SIGCONT)
                time.sleep(0.02)
                os.kill(frozen, signal.SIGSTOP)
        raise AssertionError(f"{frozen} is inside a transaction whenever it is frozen")

    def _fresh(self) -> tuple[dict[str, str], Path]:
        self._number += 1
        home = self._folder / f"home{self._number}"
        env = {"CORPUS_HOME": str(home), "OPENAI_BASE_URL": self._stub.base_url}
        env["CORPUS_LEASE_SECONDS"] = str(self._lease_seconds)
        if self._store:
            env |= self._store.environment() | {"CORPUS_EXPORT_URL": f"s3://{self._bucket}/{home.name}"}
        if self._database_urls is not None:
            env["CORPUS_DATABASE_URL"] = next(self._database_urls)
        small.begin_anew(self._folder, self._stub)
        with self._corpus(env) as corpus:
            for path in self._sources:
                corpus.add(path, recipe=str(self._recipe))
        return env, home

    @contextmanager
    def _corpus(self, env: dict[str, str]) -> Iterator[Corpus]:
        with Corpus.open(Settings.from_env(env)) as corpus:
            yield corpus

    def _order(self, env: dict[str, str], **more: str) -> Order:
        extra = {"part_bytes": _PART_BYTES} if self._store else {}
        return Order(env, small.NAMES, extra=extra, **more)

    def _exports(self, home: Path) -> Path:
        return self._folder / "buckets" / self._bucket / home.name if self._store else home / "exports"

    @staticmethod
    def _clear(home: Path) -> None:
        shutil.rmtree(home, ignore_errors=True)


def _billed_again(connection: Connection, invoice: Sequence[Mapping[str, object]]) -> int:
    """Calls that were on the wire when their process died: billed, and asked again."""
    died = select(schema.llm_attempts.c.id).where(
        schema.llm_attempts.c.state == AttemptState.UNKNOWN.value, schema.llm_attempts.c.outcome == "process_died"
    )
    lost = set(connection.execute(died).scalars())
    return sum(line["outcome"] == "answered" and line["attempt_id"] in lost for line in invoice)


def _zombie_problems(done: Done | None) -> list[str]:
    if done is None or done.signal or done.exit:
        return [f"a thawed worker ended with {done}"]
    return []


def can_freeze(point: str) -> bool:
    """Whether a worker that is frozen here leaves the database to others.

    Inside a transaction it does not: SQLite's file stays locked as long as it lives. On MariaDB the server ends such a
    transaction after a while, which is shown once and not at every point.
    """
    return not point.startswith("before commit")


@contextmanager
def enumerator(
    folder: Path,
    database_urls: Iterator[str] | None = None,
    *,
    store: S3 | None = None,
    latency: Latency = NO_LATENCY,
    lease_seconds: float = 60,
) -> Iterator[Enumerator]:
    """An enumerator with its own stand-in and workshop, after the undisturbed run."""
    with small.stand_in(folder, latency) as stub, Workshop() as shop:
        found = Enumerator(folder, shop, stub, database_urls, store=store, lease_seconds=lease_seconds)
        found.undisturbed()
        yield found


def spread(points: Sequence[str], number: int, seed: int) -> list[str]:
    """A sample that has every name of a point before it has one twice, so that none is left out."""
    chance = random.Random(seed)
    by_name: dict[str, list[str]] = {}
    for point in points:
        by_name.setdefault(point.split("#")[0], []).append(point)
    for keys in by_name.values():
        chance.shuffle(keys)
    names = sorted(by_name)
    chance.shuffle(names)
    rounds = [by_name[name][at] for at in range(len(points)) for name in names if at < len(by_name[name])]
    return rounds[:number]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="enumerate_points", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many points; 0: all")
    parser.add_argument("--pairs", type=int, default=0, help="further, so many pairs of points")
    parser.add_argument("--how", choices=("kill", "stop"), default="kill")
    parser.add_argument("--only", default="", help="points with this in their name")
    parser.add_argument("--s3", action="store_true", help="exports go to an S3 server")
    parser.add_argument("--heartbeats", action="store_true", help="a slow model and leases of three seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=("sqlite", *small.SERVER_KINDS), default="sqlite")
    said = parser.parse_args(arguments)
    chance = random.Random(said.seed)
    began = time.monotonic()
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(
            prefix="corpus-points-", dir=small.fast_folder(), ignore_cleanup_errors=True
        )
        folder = Path(stack.enter_context(temporary))
        urls = None
        if said.database in small.SERVER_KINDS:
            server = stack.enter_context(small.SERVER_KINDS[said.database](folder / said.database))
            urls = iter(server.fresh_database, "")
        store = stack.enter_context(s3.rclone(folder)) if said.s3 else None
        pace = {"latency": Latency("fixed", 0.5), "lease_seconds": 3} if said.heartbeats else {}
        points = stack.enter_context(enumerator(folder, urls, store=store, **pace))
        own = [p for p in points.points if said.only in p and (said.how == "kill" or can_freeze(p))]
        singles = spread(own, said.sample or len(own), said.seed)
        places = [[(at, said.how)] for at in singles]
        places += [[(at, said.how) for at in chance.sample(own, 2)] for _ in range(said.pairs)]
        results = []
        for number, place in enumerate(places, start=1):
            print(f"\r{number}/{len(places)}", end="", file=sys.stderr, flush=True)
            result = points.attempt(*place)
            results.append(result)
            if result.problems:
                print(f"FAILED at {' and '.join(result.at)}: {'; '.join(result.problems)}", flush=True)
    failed = sum(bool(result.problems) for result in results)
    print(
        f"{len(points.points)} points in {len({p.split('#')[0] for p in points.points})} kinds on {said.database};"
        f" {len(singles)} singles and {said.pairs} pairs tried ({said.how}), {sum(r.reached for r in results)} crashes,"
        f" {failed} failed; {sum(r.repeated for r in results)} billed calls were on the wire and made again,"
        f" none was paid twice otherwise; {time.monotonic() - began:.0f} s, seed {said.seed}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
