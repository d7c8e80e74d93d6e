"""Export: the gate, the files, the manifest, and where they go."""
