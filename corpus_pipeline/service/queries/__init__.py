"""Queries: one module for each subject that people ask about. They read and never write."""
