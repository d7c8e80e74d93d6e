"""All the SQL there is: the schema, one module per subject, one backend per database.

store = Store("sqlite:///corpus.db")
store.write(lambda connection: pauses.set_flag(connection, ...))
"""

from corpus_pipeline.store.engine import Guard, Store

__all__ = ["Guard", "Store"]
