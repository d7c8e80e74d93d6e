"""`python -m corpus_pipeline.llm_stub`: the stand-in as a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm_stub.faults import Fault, parse_shares
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.llm_stub.options import StubOptions
from corpus_pipeline.llm_stub.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Parse, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="corpus llm-stub", description="A stand-in for an OpenAI-compatible server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8790, help="0: any free one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--latency", default="fixed:0", help="fixed:S | uniform:low=A,high=B | lognormal:median=M,p99=P"
    )
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=SHARE", help=", ".join(Fault))
    parser.add_argument("--retry-after", type=float, default=1.0, help="seconds that 429 and 503 ask for")
    parser.add_argument("--trickle-seconds", type=float, default=1.0, help="between two bytes of a trickled answer")
    parser.add_argument("--batch-seconds", type=float, default=2.0, help="how long a provider batch takes")
    parser.add_argument("--rpm", type=int, help="requests per minute")
    parser.add_argument("--tpm", type=int, help="tokens per minute")
    parser.add_argument("--model", action="append", default=[], help="a further model name to answer to")
    parser.add_argument("--key", help="the only API key that is let in")
    parser.add_argument("--reasoning-tokens", type=int, default=0, help="hidden tokens that each answer is billed")
    parser.add_argument("--request-log", type=Path, help="JSON Lines file: the invoice")
    parser.add_argument("--fsync", action="store_true", help="make each line of the request log survive a power cut")
    said = parser.parse_args(arguments)
    try:
        options = StubOptions(
            seed=said.seed,
            latency=parse_latency(said.latency),
            faults=parse_shares(said.fault),
            retry_after=said.retry_after,
            trickle=said.trickle_seconds,
            batch=said.batch_seconds,
            requests_per_minute=said.rpm,
            tokens_per_minute=said.tpm,
            models=tuple(said.model),
            api_key=said.key,
            reasoning_tokens=said.reasoning_tokens,
            request_log=said.request_log,
            fsync=said.fsync,
        )
        serve(said.host, said.port, options, _announce)
    except CorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _announce(base_url: str) -> None:
    print(f"corpus-stub: a stand-in model at {base_url} (it cannot think)", file=sys.stderr)
    print(f"  export OPENAI_BASE_URL={base_url} CORPUS_MODEL=corpus-stub", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
