"""`python -m corpus_pipeline` is `corpus`."""

from corpus_pipeline.cli import main

main()
