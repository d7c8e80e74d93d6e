"""The search index of the row browser: which rows may hold a text. Derived data below CORPUS_HOME, made beside the pipeline.

It holds no text, only which hashed groups of letters each row has, so it may name a row too many, and never one too few:
anyone who asks it reads the rows that it names. See `grams` for what is remembered and `segment` for how.
"""

from corpus_pipeline.search.grams import facet, wanted
from corpus_pipeline.search.index import Candidates, Identity, Index, Maker, note_removed, paths, take_out
from corpus_pipeline.search.segment import CHUNK, SPAN, build

__all__ = [
    "CHUNK",
    "SPAN",
    "Candidates",
    "Identity",
    "Index",
    "Maker",
    "build",
    "facet",
    "note_removed",
    "paths",
    "take_out",
    "wanted",
]
