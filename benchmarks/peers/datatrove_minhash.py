"""datatrove: MinHash deduplication as its documentation has it, four stages, two local workers.

python datatrove_minhash.py TEXTS OUT WORK: TEXTS holds two JSONL files with the keys `id` and `text`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

WORKERS = 2


def main() -> None:
    texts, out, work = (Path(name) for name in sys.argv[1:])
    config = MinhashConfig()

    def stage(name: str, pipeline: list, tasks: int) -> None:
        LocalPipelineExecutor(
            pipeline=pipeline, tasks=tasks, workers=min(tasks, WORKERS), logging_dir=str(work / "logs" / name)
        ).run()

    signatures, buckets, remove = (str(work / name) for name in ("signatures", "buckets", "remove"))
    stage(
        "signatures", [JsonlReader(str(texts)), MinhashDedupSignature(output_folder=signatures, config=config)], WORKERS
    )
    stage("buckets", [MinhashDedupBuckets(signatures, buckets, config=config)], config.num_buckets)
    stage("cluster", [MinhashDedupCluster(buckets, remove, config=config)], 1)
    writer = JsonlWriter(str(out), output_filename="${rank}.jsonl", compression=None)
    stage("filter", [JsonlReader(str(texts)), MinhashDedupFilter(remove), writer], WORKERS)


if __name__ == "__main__":
    main()
