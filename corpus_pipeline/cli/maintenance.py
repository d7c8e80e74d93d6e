"""`corpus doctor` and `corpus upgrade`."""

from __future__ import annotations

import click

from corpus_pipeline.cli.output import json_option, mark, print_json, print_lines, say, tell


@click.command()
@click.option("--probe", is_flag=True, help="Ask each model of each recipe once, as a run would; says what it cost.")
@click.option(
    "--deep", is_flag=True, help="Read everything that is stored and compare it; takes long, changes nothing."
)
@click.option(
    "--s3-policy", is_flag=True, help="Print the minimal policy that the key for CORPUS_EXPORT_URL needs, and exit."
)
@click.option(
    "--grants",
    type=click.Choice(["migrate", "operate", "augment", "view"]),
    help="Print what makes the database user of one kind of process (migrate first, then `corpus upgrade`), and end.",
)
@json_option
def doctor(probe: bool, deep: bool, s3_policy: bool, grants: str | None, as_json: bool) -> int:
    """Check database, schema, model, price, export target and permissions; each finding has its next command."""
    from corpus_pipeline.service.doctor import examine, least_policy

    if s3_policy:
        print_json(least_policy())
        return 0
    if grants is not None:
        from corpus_pipeline.settings import Settings
        from corpus_pipeline.store.grants import DatabaseRole, statements

        for statement in statements(Settings.from_env().database_url, DatabaseRole(grants)):
            tell(statement)
        return 0
    findings = list(examine(probe=probe, deep=deep))
    if as_json:
        print_lines(finding._asdict() for finding in findings)
    else:
        for finding in findings:
            mark("ok  " if finding.ok else "FAIL", finding.ok, f"{finding.subject}: {finding.sentence}")
    return 0 if all(finding.ok for finding in findings) else 1


@click.command()
def upgrade() -> None:
    """Bring the database schema to this version of the program. Make a backup first."""
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.store import Store, migrate

    settings = Settings.from_env()
    settings.make_home()
    store = Store(settings.database_url)
    try:
        before, after = migrate.upgrade(store)
    finally:
        store.close()
    say(f"schema {after}" + (" (it was so already)" if before == after else f", from {before or 'nothing'}"))
