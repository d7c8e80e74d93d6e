"""Resume-safe corpus processing for LLM training data: ingest, clean, augment and export as Dagster assets."""

__version__ = "0.2.0.dev0"
