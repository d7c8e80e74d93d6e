"""The questions that people ask and the things that they want done: the one way in for CLI, web pages and assets."""

from corpus_pipeline.service.corpus import Corpus

__all__ = ["Corpus"]
