"""Commands: one module for each subject that people change."""
