"""The row browser: pages that show what the service answers, each also as JSON. No build step, works without scripts."""

from corpus_pipeline.web.app import create_app
from corpus_pipeline.web.options import Options

__all__ = ["Options", "create_app"]
