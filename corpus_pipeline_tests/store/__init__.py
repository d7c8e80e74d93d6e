"""Conformance of the store on every database."""
