"""`corpus worker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus_pipeline.cancellation import signals_noted
from corpus_pipeline.cli.output import say
from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import Stage

if TYPE_CHECKING:
    from corpus_pipeline.defs.worker import Worked


@click.command()
@click.option(
    "--to",
    type=click.Choice([stage.value for stage in Stage]),
    default=Stage.EXPORT.value,
    show_default=True,
    help="The last stage to work.",
)
@click.option("--consumer", "consumers", multiple=True, help="Work the files of this consumer only. Repeatable.")
@click.option("--once", is_flag=True, help="End when nothing is due any more.")
@click.option("--celery", is_flag=True, help="Take runs of Dagster from the broker CORPUS_CELERY_BROKER instead.")
@click.option(
    "--concurrency", type=click.IntRange(min=1), default=1, show_default=True, help="With --celery: runs at a time."
)
def worker(to: str, consumers: tuple[str, ...], once: bool, celery: bool, concurrency: int) -> int:
    """Work whatever is due, file after file, until it is stopped: a service, on as many hosts as you like.

    All workers share CORPUS_DATABASE_URL, CORPUS_EXPORT_URL and CORPUS_DAGSTER_DATABASE_URL, so that each sees what the
    others do and the UI shows all their runs. A file that failed, or that a gate holds, waits for a person.

    \b
    Examples:
      corpus worker                       # without an engine: takes the fairest file that no other works
      corpus worker --consumer search     # a machine of one team
      corpus worker --celery              # runs that Dagster's daemon hands out
    """
    from corpus_pipeline.service import structured_logs
    from corpus_pipeline.settings import Settings, host_name

    settings = Settings.from_env()
    if settings.log_json:
        structured_logs.configure()
    if celery:
        if consumers or once or to != Stage.EXPORT.value:
            raise UsageError("--celery works what Dagster hands out: --to, --consumer and --once do not go with it")
        from corpus_pipeline.defs import celery_worker

        return celery_worker.run(settings, concurrency)
    from corpus_pipeline.defs.worker import Worker

    def tell(worked: Worked) -> None:
        say(f"{worked.name}: {worked.problem or 'worked'} (run {worked.run_id[:8]})")

    loop = Worker(settings, Stage(to), consumers)
    say(f"worker on {host_name()} is ready; Ctrl-C stops it at its next batch boundary")
    try:
        with signals_noted() as noted:
            loop.run(noted, tell, once=once)
    except KeyboardInterrupt:
        pass
    say("stopped; what is finished is kept")
    return 0
