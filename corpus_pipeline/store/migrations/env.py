"""Alembic's entry: runs on the connection that `corpus_pipeline.store.migrate` hands over."""

from alembic import context

from corpus_pipeline.store.migrations.repeatable import make_repeatable
from corpus_pipeline.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller owns the transaction
)
make_repeatable(context.get_context())
context.run_migrations()
