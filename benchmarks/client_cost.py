"""What a call costs the client: augmentation against a fast local server, beside raw aiohttp, the OpenAI SDK and two libraries.

    python benchmarks/client_cost.py                                  # 4,000 and 20,000 calls: ours, aiohttp, the SDK
    python benchmarks/client_cost.py --peers PYTHON                   # and curator, async-batch-llm and the SDK of there
    python benchmarks/client_cost.py --calls 4000 --only ours --profile /tmp/ours.prof

One server in a process of its own; it has every answer ready before the clock runs and answers at once, so that all that is
measured is the client. All sides send the same bodies and get the same answers. Ours also commits every intent, answer, row
and cursor, judges each answer, and syncs it to the disk; the others append a line to a file. Printed for each side: processor
seconds (user and system, all threads) for 1,000 calls, the calls that one core makes in a second by that, the ratio to ours,
peak memory.

Wall time says little on a busy machine; processor seconds rise there, too, so compare sides of one run only.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import hashlib
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

SIDES = ("ours", "aiohttp", "sdk")
PEERS = ("sdk", "curator", "async-batch-llm")
SLOTS = 50


# --- the server ---------------------------------------------------------------------------------------------------------------


class Answering(asyncio.Protocol):
    """One keep-alive connection: whole requests in, ready answers out."""

    def __init__(self, ready: dict[bytes, bytes], rest: bytes) -> None:
        self._ready, self._rest, self._buffer = ready, rest, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(self._ready.get(_question(body), self._rest))


def _question(body: bytes) -> bytes:
    """What tells two requests apart, whatever else a library puts into the body."""
    try:
        asked = json.loads(body)["messages"][-1]["content"]
    except (ValueError, LookupError, TypeError):
        return b""  # a library that tries out whether somebody is there
    return hashlib.sha256(str(asked).encode()).digest()


def serve(bodies: Path) -> None:
    """Answer on a free port of this machine until the process ends; the port is the first line of the output."""
    import uvloop

    from corpus_pipeline.llm import tokens
    from corpus_pipeline.llm.chat_completions import request_hash
    from corpus_pipeline.llm_stub import answers

    ready: dict[bytes, bytes] = {}
    for line in bodies.open("rb"):
        body = json.loads(line)
        reply = answers.reply(answers.read_order(body, request_hash(body)), None)
        ready[_question(line)] = _response(reply.content or "", len(line) // 4, tokens.expected(reply.content or ""))

    async def run() -> None:
        rest = _response("ok", 1, 1)
        server = await asyncio.get_running_loop().create_server(lambda: Answering(ready, rest), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    uvloop.run(run())


def _response(text: str, asked: int, said: int) -> bytes:
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "corpus-stub", "choices": [choice]}
    raw = json.dumps(body | {"usage": usage}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req-1\r\ncontent-length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


# --- the sides ----------------------------------------------------------------------------------------------------------------


def ours(folder: Path, calls: int, profile: Path | None) -> dict[str, Any]:
    from augment_window import write_rows

    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.states import Stage

    recipe = folder / "cost.yaml"
    recipe.write_text(
        "name: cost\nclean: {rules: [], dedup: {exact: false, near: false}}\n"
        f"augment: {{model: corpus-stub, concurrency: {SLOTS}, strategies: [paraphrase]}}\n"
    )
    data = folder / "cost.jsonl"
    write_rows(data, calls)
    env = {"CORPUS_HOME": str(folder / "home"), "OPENAI_BASE_URL": os.environ["OPENAI_BASE_URL"]}
    env["CORPUS_ANSWER_READER"] = os.environ.get("CORPUS_ANSWER_READER", "auto")
    with Corpus.open(Settings.from_env(env)) as corpus:
        corpus.add(data, recipe=str(recipe))
        corpus.run_stage("cost", Stage.INGEST)
        corpus.run_stage("cost", Stage.CLEAN)
        import corpus_pipeline.jobs.augment.scheduler  # noqa: F401 - loading is not measured, at no side

        with measured() as figures, profiled(profile):
            report = corpus.run_stage("cost", Stage.AUGMENT).report
    return figures | {"answers": report["succeeded"]}


def raw_aiohttp(folder: Path, calls: int, profile: Path | None) -> dict[str, Any]:
    import aiohttp

    bodies = _bodies(folder)

    async def run() -> int:
        gate, done = asyncio.Semaphore(SLOTS), 0
        async with aiohttp.ClientSession() as session:

            async def one(body: dict[str, Any]) -> None:
                nonlocal done
                async with (
                    gate,
                    session.post(f"{os.environ['OPENAI_BASE_URL']}/chat/completions", json=body) as response,
                ):
                    answer = await response.json()
                out.write(json.dumps(answer["choices"][0]["message"]["content"]) + "\n")
                done += 1

            await asyncio.gather(*(one(body) for body in bodies))
        return done

    with (folder / "aiohttp.jsonl").open("w") as out, measured() as figures, profiled(profile):
        answered = asyncio.run(run())
    return figures | {"answers": answered}


def sdk(folder: Path, calls: int, profile: Path | None) -> dict[str, Any]:
    import openai

    bodies = _bodies(folder)

    async def run() -> int:
        gate, done = asyncio.Semaphore(SLOTS), 0
        client = openai.AsyncOpenAI(api_key="none", base_url=os.environ["OPENAI_BASE_URL"], max_retries=2)

        async def one(body: dict[str, Any]) -> None:
            nonlocal done
            async with gate:
                answer = await client.chat.completions.create(**body)
            out.write(json.dumps(answer.choices[0].message.content) + "\n")
            done += 1

        await asyncio.gather(*(one(body) for body in bodies))
        return done

    with (folder / "sdk.jsonl").open("w") as out, measured() as figures, profiled(profile):
        answered = asyncio.run(run())
    return figures | {"answers": answered}


def curator(folder: Path, calls: int, profile: Path | None) -> dict[str, Any]:
    os.environ |= {"CURATOR_CACHE_DIR": str(folder / "curator"), "TELEMETRY_ENABLED": "false", "OPENAI_API_KEY": "none"}
    from bespokelabs import curator as library

    rows = [{"messages": body["messages"]} for body in _bodies(folder)]

    class Asked(library.LLM):  # type: ignore[misc]
        def prompt(self, row: dict[str, Any]) -> Any:
            return row["messages"]

        def parse(self, row: dict[str, Any], response: str) -> dict[str, str]:
            return {"text": response}

    asked = Asked(
        model_name="gpt-4o-mini",
        backend="openai",
        backend_params={
            "base_url": os.environ["OPENAI_BASE_URL"],
            "max_requests_per_minute": 10**7,
            "max_tokens_per_minute": 10**10,
            "max_concurrent_requests": SLOTS,
        },
    )
    with measured() as figures, profiled(profile):
        made = asked(rows)
    return figures | {"answers": len(getattr(made, "dataset", made))}


def async_batch_llm(folder: Path, calls: int, profile: Path | None) -> dict[str, Any]:
    import async_batch_llm as library
    import openai

    bodies = _bodies(folder)

    class Asked(library.LLMCallStrategy[str]):  # type: ignore[misc, name-defined]
        def __init__(self, client: Any, body: dict[str, Any]) -> None:
            self._client, self._body = client, body

        async def execute(self, prompt: str, attempt: int, timeout: float, *rest: Any) -> Any:
            answer = await self._client.chat.completions.create(**self._body)
            usage = answer.usage
            said = {
                "input_tokens": usage.prompt_tokens,
                "output_tokens": usage.completion_tokens,
                "total_tokens": usage.total_tokens,
            }
            return answer.choices[0].message.content, said

    async def run() -> int:
        client = openai.AsyncOpenAI(api_key="none", base_url=os.environ["OPENAI_BASE_URL"], max_retries=0)
        config = library.ProcessorConfig(max_workers=SLOTS, timeout_per_item=60.0)
        async with library.ParallelBatchProcessor(config=config) as processor:
            for number, body in enumerate(bodies):
                await processor.add_work(
                    library.LLMWorkItem(item_id=str(number), strategy=Asked(client, body), prompt="see the body")
                )
            found = await processor.process_all()
        for entry in found.results:
            out.write(json.dumps(entry.output) + "\n")
        return sum(entry.success for entry in found.results)

    with (folder / "abl.jsonl").open("w") as out, measured() as figures, profiled(profile):
        answered = asyncio.run(run())
    return figures | {"answers": answered}


WORK: dict[str, Callable[[Path, int, Path | None], dict[str, Any]]] = {
    "ours": ours,
    "aiohttp": raw_aiohttp,
    "sdk": sdk,
    "curator": curator,
    "async-batch-llm": async_batch_llm,
}


def _bodies(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "bodies.jsonl").open()]


@contextmanager
def measured() -> Iterator[dict[str, Any]]:
    """Processor and wall seconds of a block, its child processes included, and the peak memory of the process."""
    figures: dict[str, Any] = {"before_mb": _peak_mb()}
    wall, cpu = time.perf_counter(), _cpu()
    yield figures
    figures |= {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu, "peak_mb": _peak_mb()}


def _cpu() -> float:
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def profiled(path: Path | None) -> Iterator[None]:
    """Profile every thread that begins in the block, by its own processor time; the profiler is measured, too."""
    if path is None:
        yield
        return
    kept: list[cProfile.Profile] = []

    def begin(*_: Any) -> None:
        sys.setprofile(None)
        kept.append(cProfile.Profile(time.thread_time))
        kept[-1].enable()

    threading.setprofile(begin)
    try:
        yield
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
        stats = None
        for one in kept:
            one.create_stats()
            if one.stats:  # type: ignore[attr-defined]
                stats = pstats.Stats(one) if stats is None else stats.add(one)
        if stats is not None:
            stats.dump_stats(path)


# --- the table ----------------------------------------------------------------------------------------------------------------


def run_side(side: str, python: str, folder: Path, calls: int, address: str, profile: Path | None) -> dict[str, Any]:
    own = [python, __file__, "--part", side, "--folder", str(folder), "--calls", str(calls)]
    own += ["--profile", str(profile)] if profile else []
    environment = os.environ | {"OPENAI_BASE_URL": address}
    done = subprocess.run(own, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word"])[-1])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(calls: int, sides: list[tuple[str, str, str]], profile: Path | None) -> None:
    """One table: (name, side, interpreter) of each that takes part, against one server."""
    from augment_window import request_bodies

    with tempfile.TemporaryDirectory(prefix="corpus-cost-") as made:
        folder = Path(made)
        with (folder / "bodies.jsonl").open("w") as out:
            out.writelines(json.dumps(body) + "\n" for body in request_bodies(calls))
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(folder / "bodies.jsonl")], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            print(f"\n{calls:,} calls, {SLOTS} at once; load of the machine {os.getloadavg()[0]:.1f}\n")
            print("| side | CPU s per 1,000 calls | calls/s on one core | of ours | wall s | peak memory | answers |")
            print("|---|---|---|---|---|---|---|", flush=True)
            base: float | None = None
            for name, side, python in sides:
                try:
                    figures = run_side(side, python, folder, calls, address, profile)
                except RuntimeError as error:
                    print(f"| {name} | SKIPPED: {str(error)[:160]} | | | | | |", flush=True)
                    continue
                per_call = figures["cpu"] / calls
                base = per_call if base is None else base
                print(
                    f"| {name} | {per_call * 1000:.2f} | {1 / per_call:,.0f} | {per_call / base:.2f} | {figures['wall']:.1f} |"
                    f" {figures['peak_mb']} MB ({figures['before_mb']} before) | {figures['answers']:,} |",
                    flush=True,
                )
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[4000, 20_000])
    parser.add_argument("--only", choices=SIDES)
    parser.add_argument(
        "--peers", help="the interpreter of an environment that has curator, async-batch-llm and openai"
    )
    parser.add_argument("--profile", type=Path, help="write what cProfile saw of each thread there")
    parser.add_argument("--part", choices=[*WORK], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
    elif arguments.part:
        figures = WORK[arguments.part](arguments.folder, arguments.calls[0], arguments.profile)
        print(json.dumps(figures))
    else:
        own = [arguments.only] if arguments.only else SIDES
        sides = [(side, side, sys.executable) for side in own]
        if arguments.peers:
            sides += [(f"{side} (its own environment)", side, arguments.peers) for side in PEERS]
        for calls in arguments.calls:
            compare(calls, sides, arguments.profile)


if __name__ == "__main__":
    main()
