"""Near-duplicate detection: features, SimHash fingerprints, search of candidates, verdicts."""
