"""Killing, freezing and cutting a corpus on purpose, and the proof that nothing is lost or doubled."""
