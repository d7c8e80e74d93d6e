"""Pause and resume: flags with scope, reason and name, and whether each has really stopped; starting what is unfinished."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.commands import pause as commands_pause
from corpus_pipeline.service.queries import progress
from corpus_pipeline.service.records.pages import PausesPage
from corpus_pipeline.states import Stage
from corpus_pipeline.web.context import Form, acting, first, reply, site_of
from corpus_pipeline.web.rendering import counted


def pauses(request: Request) -> Response:
    corpus = site_of(request).corpus
    flags = corpus.store.fetch(progress.flags)
    data: PausesPage = {"flags": flags, "history": corpus.store.fetch(progress.flag_history, 100)}
    names = [file.name for file in corpus.files()]
    return reply(request, "pauses.html", data, names=names, busy=any(not flag["stopped"] for flag in flags))


def pause(request: Request, form: Form) -> tuple[str, str]:
    file, stage, reason = first(form, "file"), first(form, "stage"), first(form, "reason")
    if stage not in ("", *Stage):
        raise UsageError(f"stage must be one of {', '.join(Stage)}")
    if not reason:
        raise UsageError("say why: whoever finds the work paused will want to know")
    flags = acting(request).pause(
        [file] if file else [], Stage(stage) if stage else None, not file and not stage, reason[:2000]
    )
    scope = commands_pause.scope_text(flags[0])
    return f"Pausing {scope}: work stops at its next batch boundary.", first(form, "back")


def resume(request: Request, form: Form) -> tuple[str, str]:
    flag = first(form, "flag")
    if not flag.isascii() or not flag.isdigit() or len(flag) > 18:
        raise UsageError("say which pause flag is to be cleared")
    scope = acting(request).clear_flag(int(flag))
    return f"Resumed {scope}. A running `corpus ui` goes on by itself, otherwise `corpus run` does.", first(
        form, "back"
    )


def start(request: Request, form: Form) -> tuple[str, str]:
    """Ask for a run of a file."""
    name, stage = first(form, "file"), _last_stage(form)
    if not acting(request).start([name], stage):
        return "It was asked for already.", first(form, "back")
    return f"Asked for a run of {name} up to {stage}. A running `corpus ui` starts it within seconds.", first(
        form, "back"
    )


def backfill(request: Request, form: Form) -> tuple[str, str]:
    """Ask for one backfill of every file that is unfinished and not paused."""
    stage = _last_stage(form)
    names = site_of(request).corpus.store.fetch(progress.startable, stage)
    if not names:
        return "Nothing to start: all of it is done, paused or at work.", first(form, "back")
    if not acting(request).backfill(stage):
        return "It was asked for already.", first(form, "back")
    said = f"Asked for a backfill of {counted(len(names), 'file')} up to {stage}."
    return f"{said} A running `corpus ui` starts it within seconds.", first(form, "back")


def _last_stage(form: Form) -> Stage:
    stage = first(form, "stage") or Stage.EXPORT.value
    if stage not in list(Stage):
        raise UsageError(f"stage must be one of {', '.join(Stage)}")
    return Stage(stage)
