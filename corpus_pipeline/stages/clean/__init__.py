"""Clean: rules tag and transform, fingerprints and pairs find duplicates. Pure functions over batches of rows."""
