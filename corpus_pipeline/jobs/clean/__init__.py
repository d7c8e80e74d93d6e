"""Cleaning: the stage, duplicates across the files of a corpus, invalidation of verdicts."""
