"""The failed-sample queue: look, replay, dismiss; one, some, or all that match."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs.augment.plan import Overrides
from corpus_pipeline.service.queries import progress
from corpus_pipeline.service.queries.views import parse_address
from corpus_pipeline.service.records.pages import FailedPage
from corpus_pipeline.states import FailedState, Stage
from corpus_pipeline.store.failed_samples import Where
from corpus_pipeline.web.context import Form, acting, first, number_in, reply, site_of, word_in
from corpus_pipeline.web.rendering import counted

_SIZE = 50
_STATES = [state.value for state in FailedState]
_KEYS = ("file", "stage", "strategy", "reason", "state")


def queue(request: Request) -> Response:
    after = number_in(request, "after", 0, 0, 1 << 62)
    asked = {
        "file": word_in(request, "file"),
        "stage": word_in(request, "stage", [stage.value for stage in Stage]),
        "strategy": word_in(request, "strategy"),
        "reason": word_in(request, "reason"),
        "state": word_in(request, "state", [*_STATES, "any"]) or FailedState.OPEN.value,
    }
    corpus = site_of(request).corpus
    found = corpus.failed_samples(_where(asked), after=after, limit=_SIZE + 1)
    data: FailedPage = {
        "samples": found[:_SIZE],
        "next_after": found[_SIZE - 1]["id"] if len(found) > _SIZE else None,
    }
    if request.scope["json"]:
        return reply(request, "failed.html", data)
    words = corpus.store.fetch(progress.failed_words)
    return reply(request, "failed.html", data, chosen=asked, words=words, states=_STATES, after=after)


def _where(asked: Mapping[str, str | None]) -> Where:
    return Where(
        file_name=asked["file"],
        stage=asked["stage"],
        strategy=asked["strategy"],
        reason=asked["reason"],
        state=None if asked["state"] == "any" else asked["state"],
    )


def one(request: Request) -> Response:
    identifier: int = request.path_params["identifier"]
    found = site_of(request).corpus.failed_samples(Where(ids=(identifier,)), limit=1)
    if not found:
        raise HTTPException(404, f"There is no failed sample {identifier}.")
    number = parse_address(found[0]["row"])[1]
    return reply(request, "failed_one.html", found[0], number=number)


def replay(request: Request, form: Form) -> tuple[str, str]:
    overrides: Overrides = {}
    if model := first(form, "model"):
        overrides["model"] = model[:128]
    if most := first(form, "max_output_tokens"):
        if not most.isascii() or not most.isdigit() or not 0 < int(most[:9]) <= 1_000_000:
            raise UsageError("the longest answer is a number of tokens")
        overrides["max_output_tokens"] = int(most)
    changed = acting(request).replay(_chosen(form), overrides)
    if not changed:
        return "Nothing that is open matches; nothing was changed.", first(form, "back")
    said = f"{counted(len(changed), 'sample')} will be tried again by the next run."
    if first(form, "then") == "run":
        asked = acting(request).start_replayed(changed)
        said += (
            f" Asked for {counted(len(asked), 'run')}: a running `corpus ui` starts it within seconds."
            if asked
            else (" No run was asked for: it is paused, or was asked for already.")
        )
    return said, first(form, "back")


def dismiss(request: Request, form: Form) -> tuple[str, str]:
    reason = first(form, "reason")
    if not reason:
        raise UsageError("say why they do not matter; it is kept in the audit log")
    changed = acting(request).dismiss(_chosen(form), reason[:2000])
    if not changed:
        return "Nothing that is open matches; nothing was changed.", first(form, "back")
    return f"{counted(len(changed), 'sample')} dismissed: no longer in the way of the export.", first(form, "back")


def _chosen(form: Form) -> Where:
    """The ticked samples, or all that match the filter of the page. Raises UsageError when neither is said."""
    if first(form, "scope") == "matching":
        asked = {key: first(form, f"filter_{key}") or None for key in _KEYS}
        return _where(asked)
    ids = tuple(int(text) for text in form.get("id", []) if text.isascii() and text.isdigit() and len(text) < 19)
    if not ids:
        raise UsageError("tick at least one sample, or choose all that match")
    return Where(ids=ids)
