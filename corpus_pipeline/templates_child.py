"""The child process of `sandbox.check_template`: limits itself, then compiles and renders what it reads from stdin.

Exit code 0: the template is fine; 1: its fault is on stdout; anything else: it went beyond a limit.
"""

from __future__ import annotations

import json
import resource
import sys

from corpus_pipeline.templates import (
    CHECK_CPU_SECONDS,
    CHECK_MEMORY_BYTES,
    PromptTemplate,
    TemplateFault,
)


def main() -> int:
    """Read `{"text": ..., "contexts": [...]}`, try it out, return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (CHECK_MEMORY_BYTES, CHECK_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CHECK_CPU_SECONDS, CHECK_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a pipe is no file: stdout still works
    asked = json.load(sys.stdin)
    try:
        template = PromptTemplate(asked["text"])
        for context in asked["contexts"]:
            template.render(context)
    except TemplateFault as fault:
        print(fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
