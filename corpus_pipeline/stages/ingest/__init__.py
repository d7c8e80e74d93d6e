"""Ingest: the bytes of a dataset file become numbered records, and records become conversations or rejects."""
