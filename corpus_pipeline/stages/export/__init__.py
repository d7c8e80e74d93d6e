"""Export: the gate, the files, the manifest, and where they go.

The order of things: `gate.enforce`, then per batch `selection.encode`, `part.ExportPart.add` and `mark` (kept with the
cursor), then `finish`, `features.infer_file`, and `targets.open_target(url).publish`; at last `ExportPart.discard`.
"""
