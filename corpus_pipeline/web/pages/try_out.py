"""A strategy on a few rows: edit its prompt, name models, see what is asked, answered, judged and paid, side by side."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs.augment.plan import labels, with_overrides
from corpus_pipeline.service.commands.try_out import MAX_ROWS
from corpus_pipeline.service.records.pages import TryPage
from corpus_pipeline.web.context import Form, file_name, first, reply, site_of, word_in

_ROWS = 3
_AS_BOUND = "as bound"
_EDITED = "edited"


def form(request: Request) -> Response:
    """The form, with the template of the chosen strategy."""
    name = file_name(request)
    known = _labels(request, name)
    chosen = word_in(request, "strategy", known) or (known[0] if known else "")
    data: TryPage = {
        "name": name,
        "strategies": known,
        "strategy": chosen,
        "templates": _templates(request, name, chosen),
        "tried": None,
        "models": "",
        "rows": _ROWS,
        "numbers": "",
    }
    return reply(request, "try.html", data)


def run(request: Request, form: Form) -> Response:
    """The result below the form as it was sent."""
    name = first(form, "file")
    known = _labels(request, name)
    chosen = first(form, "strategy")
    if chosen not in known:
        raise UsageError(f"strategy must be one of {', '.join(known) or 'none: the recipe names no strategy'}")
    bound = _templates(request, name, chosen)
    sent = {step: form.get(f"template.{step}", [text])[0].replace("\r\n", "\n") for step, text in bound.items()}
    models = first(form, "models").replace(",", " ").split()
    numbers = first(form, "numbers").replace(",", " ").split()
    edited = [(_EDITED, sent)] if _differ(sent, bound) else []
    rows = _number(first(form, "rows") or str(_ROWS), "rows", MAX_ROWS)
    tried = site_of(request).corpus.try_out(
        name,
        chosen,
        rows=rows,
        numbers=[_number(text, "row", (1 << 32) - 1) for text in numbers],
        models=models,
        templates=[(_AS_BOUND, None), *edited] if edited else [],
    )
    data: TryPage = {
        "name": name,
        "strategies": known,
        "strategy": chosen,
        "templates": sent,
        "tried": tried.to_dict(),
        "models": " ".join(models),
        "rows": rows,
        "numbers": " ".join(numbers),
    }
    return reply(request, "try.html", data)


def _labels(request: Request, name: str) -> list[str]:
    corpus = site_of(request).corpus
    (file,) = corpus.files([name])
    return list(labels(corpus.recipe_of(file).augment))


def _templates(request: Request, name: str, label: str) -> dict[str, str]:
    """The template of each step of a strategy."""
    if not label:
        return {}
    corpus = site_of(request).corpus
    (file,) = corpus.files([name])
    section = corpus.recipe_of(file).augment
    model = corpus.settings.model or "not-named"
    return dict(with_overrides(section, label, model, {}, corpus.prices, corpus.endpoints).strategy.templates)


def _differ(sent: dict[str, str], bound: dict[str, str]) -> bool:
    return any(sent[step].strip() != text.strip() for step, text in bound.items())


def _number(text: str, what: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not 0 < int(text) <= most:
        raise UsageError(f"{what} must be a number from 1 to {most}, not {text[:20]!r}")
    return int(text)
