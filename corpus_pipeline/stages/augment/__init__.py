"""Augment: strategies say what to ask and how to read the answer, validators say what may become a row."""
