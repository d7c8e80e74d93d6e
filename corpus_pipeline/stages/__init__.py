"""The path of the data: ingest, clean, augment, export. Pure domain: no SQL and no Dagster in here."""
