"""A corpus with hostile rows, worked through all stages, and clients of its row browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from corpus_pipeline.model import conversation_id
from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
from corpus_pipeline.store import failed_samples
from corpus_pipeline.web import Options, create_app
from corpus_pipeline_tests import small_corpus

ORIGIN = "http://127.0.0.1:8787"

RECIPE = """
name: web
augment:
  model: corpus-stub
  strategies: [paraphrase]
export:
  gate: {max_failed: 1000, max_rejected: 1}
"""

# texts that would run, load, break out or deceive, were they not shown as what they are
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)' autofocus onfocus='alert(1)' x='",
    "<a href='javascript:alert(1)'>click me</a> javascript:alert(1)",
    "<iframe src='http://127.0.0.1:9/frame'></iframe><img src='http://127.0.0.1:9/beacon.png'>",
    "![x](http://127.0.0.1:9/markdown.png) <link rel=stylesheet href='http://127.0.0.1:9/a.css'>",
    "{{ 7*7 }} {% for x in ().__class__.__mro__ %}{{ x }}{% endfor %} ${7*7} #{7*7} <%= 7*7 %>",
    "</textarea></title></style></script><script>alert(1)</script>",
    "<div hx-get='/pause' hx-trigger='load' hx-on:htmx:load='alert(1)'>x</div>",
    "<form action='/pause' method=post><input name=reason value=x></form><base href='http://127.0.0.1:9/'>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'><style>body{display:none}</style>",
    "safe\u202egnp.exe\u202c and \u2066hidden\u2069 \u200bzero\ufeff",
    "a NUL \x00 an escape \x1b[31mred\x1b[0m a bell \x07",
    "A" * 60_000 + " long without a break",
    "\ud83d\udca9 ".encode("utf-16", "surrogatepass").decode("utf-16") + "ﷺ𒐫" * 200 + "Z\u0351\u036b\u0343" * 50,
)


GONE = 50  # a row that was purged after the first export


def questions() -> list[dict[str, str]]:
    """Rows: hostile ones, ordinary ones, a Chinese one, an exact duplicate, and one that cleaning changes."""
    hostile = [{"question": f"{text} (case {n})", "answer": f"answer {n}: {text}"} for n, text in enumerate(HOSTILE)]
    plain = [small_corpus.pair(number) for number in range(1, 41)]
    chinese = {"question": "水壶怎么除垢？", "answer": "用柠檬酸和温水浸泡半小时，然后冲洗干净。\n#### 30"}
    spaced = {
        "question": "Where  does   the kettle \t stand in the workshop of the old mill?",
        "answer": "By the door.  \n\n\n\n#### 1",
    }
    return [*hostile, *plain, chinese, spaced, plain[4]]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    folder = tmp_path_factory.mktemp("web")
    recipe = folder / "web.yaml"
    recipe.write_text(RECIPE)
    source = small_corpus.write_jsonl(folder / "hostile.jsonl", [*questions(), b'{"question": "cut off'])
    with small_corpus.opened(folder / "home") as opened:
        opened.acting_as("tester").add(source, recipe=str(recipe), consumer="<b>team</b>", format="question_answer")
        small_corpus.run_path(opened, "hostile")
        opened.purge("hostile", [GONE], reason=f"asked for {HOSTILE[0]}")  # entry 2 of the audit log
        opened.redo("hostile", Stage.EXPORT)
        opened.run_stage("hostile", Stage.EXPORT)  # export 2 takes the place of export 1
        yield opened


@pytest.fixture
def fail_some(corpus: Corpus) -> Callable[[int], list[int]]:
    """Puts so many open samples into the failed-sample queue, with hostile prompts and answers; returns their ids."""

    def put(count: int) -> list[int]:
        (file,) = corpus.files(["hostile"])
        task = corpus.work("hostile", Stage.AUGMENT).task
        keys = [(conversation_id(file.id, number), "paraphrase", 7) for number in range(1, count + 1)]
        failures = [
            failed_samples.Failure(
                key=key,
                request_key=None,
                reason="refused",
                error=HOSTILE[n % len(HOSTILE)][:200],
                prompt='[{"role": "user", "content": "<script>alert(2)</script>"}]',
                answer=HOSTILE[(n + 1) % len(HOSTILE)],
                model="<i>model</i>",
                attempts=1,
            )
            for n, key in enumerate(keys)
        ]
        corpus.store.write(lambda c: failed_samples.record(c, corpus.store.backend, task.id, Stage.AUGMENT, failures))
        return [f["id"] for f in corpus.failed_samples(failed_samples.Where(state="open"), limit=100)]

    return put


class Browser(TestClient):
    """A client that behaves like a browser on our own pages: it sends origin, session and token with every form."""

    def form(self, path: str, **fields: Any) -> Any:
        fields = fields if "csrf" in fields else fields | {"csrf": self.token()}
        return self.post(path, data=fields, headers={"Origin": ORIGIN}, follow_redirects=False)

    def token(self, path: str = "/pauses") -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(path).text)
        assert found, "the page has no form"
        return found[1]


def browser(corpus: Corpus, address: str = "127.0.0.1", **options: Any) -> Browser:
    app = create_app(corpus, Options(**options))
    return Browser(app, base_url=ORIGIN, client=(address, 50_000), raise_server_exceptions=False)


@pytest.fixture
def client(corpus: Corpus) -> Browser:
    return browser(corpus)
