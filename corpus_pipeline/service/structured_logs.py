"""Structured logs: one JSON document a line on stderr, for those who collect logs (`CORPUS_LOG=json`)."""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from corpus_pipeline import __version__
from corpus_pipeline.error_words import in_words, steps
from corpus_pipeline.plain_text import plain_json
from corpus_pipeline.settings import host_name

LOGGER = "corpus_pipeline"
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, logger, message, host, process, version, and whatever the call gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "host": host_name(),
            "pid": os.getpid(),
            "version": __version__,
        }
        document |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            document["exception"] = f"{in_words(error)}\n{steps(error.__traceback__)}"
        return plain_json(orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS)).decode()


def configure() -> None:
    """Send what this package logs to stderr as JSON. Does nothing the second time."""
    logger = logging.getLogger(LOGGER)
    if any(isinstance(handler.formatter, JsonFormatter) for handler in logger.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
