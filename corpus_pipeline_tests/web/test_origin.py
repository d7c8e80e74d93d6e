"""The origin of a form: the same host by the same scheme."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from corpus_pipeline.web.security import same_origin


@pytest.mark.parametrize(
    ("origin", "secure", "ours"),
    [
        ("https://corpus.example.org", True, True),
        ("http://corpus.example.org", True, False),
        ("http://corpus.example.org", False, True),
        ("https://corpus.example.org:8443", True, False),
        ("https://evil.example.org", True, False),
        ("null", True, False),
        ("file://corpus.example.org", False, False),
    ],
)
def test_a_page_without_https_is_not_ours_where_we_are_known_by_https(origin: str, secure: bool, ours: bool) -> None:
    headers = Headers({"host": "corpus.example.org", "origin": origin})
    assert same_origin(headers, secure=secure) is ours
