"""One viewer asks for sixty heavy things at once; how long another viewer's pages take meanwhile.

    python benchmarks/browse.py 300000 --folder /tmp/large        # makes the corpus, once
    python benchmarks/crowd.py --folder /tmp/large [--seconds 20]

A `corpus serve` of its own with two users. For each kind of request (statistics, searches, selections, downloads, pages of
rows, all of them mixed) sixty are kept under way for some seconds by one of them, from a process of its own, and the other
one asks for three pages in turn. `guesses` are 200 wrong passwords for one name, sent at the same moment from one address or
from fifty, again and again. Printed: the median, the 95th percentile and the slowest page in milliseconds, beside the same
pages with nobody else there; what became of the heavy ones (of guesses: of the first 200; 403 is one that was checked); and
the load.
"""

from __future__ import annotations

import argparse
import collections
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx

NAME = "large"
PASSWORD = "a long enough password"
PAGES = ("/files", f"/files/{NAME}", f"/files/{NAME}/rows/17")
KINDS = {
    "statistics": [f"/files/{NAME}/statistics", f"/files/{NAME}/reports"],
    "searches": [f"/files/{NAME}/rows?search=xq{n}z&after={n * 1000}" for n in range(60)],
    "selections": [f"/files/{NAME}/selection.jsonl?search=the&stage=clean", f"/files/{NAME}/selection.jsonl"],
    "downloads": ["/exports/1/download"],
    "rows": [f"/files/{NAME}/rows?limit=200&after={n * 997}" for n in range(60)],
}
KINDS["mixed"] = [path for number in range(3) for paths in KINDS.values() for path in paths[number::3][:4]]


GUESSES = {"guesses": 1, "guesses from 50 addresses": 50}  # how many addresses they come from
AT_ONCE = 200


def logged_in(url: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=url, timeout=60, limits=httpx.Limits(max_connections=100))
    token = client.get("/login").text.split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": token, "name": name, "password": PASSWORD}
    assert client.post("/login", data=fields, headers={"Origin": url}).status_code == 303
    return client


def crowd(url: str, kind: str, seconds: float) -> None:
    """Keeps sixty requests of a kind under way; prints how many had which answer."""
    paths, found, lock = KINDS[kind], collections.Counter[str](), threading.Lock()
    until = time.monotonic() + seconds

    def one(number: int) -> None:
        turn = number
        while time.monotonic() < until:
            with lock:
                turn += 1
            try:
                with client.stream("GET", paths[turn % len(paths)]) as answer:
                    size = 0
                    for piece in answer.iter_raw():
                        size += len(piece)
                        if time.monotonic() > until:
                            break
                    code = str(answer.status_code)
            except httpx.HTTPError as error:
                code = type(error).__name__
            with lock:
                found[code] += 1

    with closing(logged_in(url, "vera")) as client:
        print("in", flush=True)
        threads = [threading.Thread(target=one, args=(number,)) for number in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(", ".join(f"{count} x {code}" for code, count in found.most_common()), flush=True)


def guess(url: str, addresses: int, seconds: float) -> None:
    """Sends 200 guesses at once, as often as there is time; prints how many of the first ones had which answer."""
    found, lock, begin = collections.Counter[str](), threading.Lock(), threading.Barrier(AT_ONCE + 1)
    until = time.monotonic() + seconds
    token, cookies = "", httpx.Cookies()
    with httpx.Client(base_url=url) as first:
        token = first.get("/login").text.split('name="csrf" value="')[1].split('"')[0]
        cookies = first.cookies

    def one(number: int) -> None:
        transport = httpx.HTTPTransport(local_address=f"127.0.1.{number % addresses + 1}")
        fields = {"csrf": token, "name": "vera", "password": f"guess number {number}"}
        with httpx.Client(base_url=url, timeout=60, transport=transport, cookies=cookies) as client:
            begin.wait()
            for turn in range(1_000_000):
                try:
                    code = str(client.post("/login", data=fields, headers={"Origin": url}).status_code)
                except httpx.HTTPError as error:
                    code = type(error).__name__
                if turn == 0:
                    with lock:
                        found[code] += 1
                if time.monotonic() > until:
                    return

    threads = [threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    print("in", flush=True)
    begin.wait()
    for thread in threads:
        thread.join()
    print(", ".join(f"{count} x {code}" for code, count in found.most_common()), flush=True)


def asked(client: httpx.Client, seconds: float) -> list[tuple[float, float, str]]:
    """Milliseconds of each page that one viewer opened in that time, one behind the other."""
    took, begin, turn = list[tuple[float, float, str]](), time.monotonic(), 0
    until = begin + seconds
    while time.monotonic() < until:
        begun = time.perf_counter()
        answer = client.get(PAGES[turn % len(PAGES)], headers={"Accept": "text/html"})
        took.append(((time.perf_counter() - begun) * 1000, time.monotonic() - begin, PAGES[turn % len(PAGES)]))
        assert answer.status_code == 200, answer.text
        turn += 1
        time.sleep(0.05)
    return took


def told(what: str, asked: list[tuple[float, float, str]], other: str = "") -> None:
    took = sorted(milliseconds for milliseconds, *_ in asked)
    median, late = took[len(took) // 2], took[int(len(took) * 0.95)]
    load = os.getloadavg()[0]
    if os.environ.get("EACH"):
        print(sorted((round(ms), round(at, 1), path) for ms, at, path in asked)[-5:])
    print(f"| {what} | {len(took)} | {median:.0f} | {late:.0f} | {took[-1]:.0f} | {load:.1f} | {other} |", flush=True)


def measure(url: str, kinds: list[str], seconds: float) -> None:
    print("| sixty of | pages | median ms | 95 % | slowest | load | what the sixty got |")
    print("|---|---|---|---|---|---|---|")
    with closing(logged_in(url, "vic")) as vic:
        asked(vic, 1)
        told("nobody else", asked(vic, seconds / 2))
        for kind in kinds:
            command = [sys.executable, __file__, "--as-crowd", kind, url, "--seconds", str(seconds)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
                assert other.stdout is not None and other.stdout.readline() == "in\n"
                took = asked(vic, seconds)
                said = other.stdout.read().strip()
            told(kind, took, said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="that of benchmarks/browse.py")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each kind")
    parser.add_argument("--kinds", nargs="*", default=[*KINDS, *GUESSES])
    parser.add_argument("--as-crowd", nargs=2, metavar=("KIND", "URL"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.as_crowd:
        kind, url = said.as_crowd
        if kind in GUESSES:
            guess(url, GUESSES[kind], said.seconds)
        else:
            crowd(url, kind, said.seconds)
        return
    from corpus_pipeline.web import users
    from corpus_pipeline.web.options import Role

    home = said.folder / "home"
    for name in ("vera", "vic"):
        users.add(home / "users.json", name, PASSWORD, Role.VIEWER)
    command = [sys.executable, "-u", "-m", "corpus_pipeline", "serve", "--login", "--port", "0"]
    env = os.environ | {"CORPUS_HOME": str(home)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            url = next(word for line in server.stderr for word in line.split() if word.startswith("http"))
            measure(url.rstrip("/."), said.kinds, said.seconds)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
