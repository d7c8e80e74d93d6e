"""The policy that `corpus doctor` prints for the key of an object store."""

from __future__ import annotations

import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.doctor import least_policy


@pytest.mark.parametrize("prefix", ["exports", "teams/a/exports"])
def test_the_policy_names_the_prefix_and_deletes_nothing(monkeypatch, corpus_home, prefix: str) -> None:
    monkeypatch.setenv("CORPUS_EXPORT_URL", f"s3://bucket/{prefix}/")
    listing, objects = least_policy()["Statement"]
    assert objects["Resource"] == f"arn:aws:s3:::bucket/{prefix}/*"
    assert listing["Resource"] == "arn:aws:s3:::bucket"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": [f"{prefix}/*"]}}
    actions = [*listing["Action"], *objects["Action"]]
    assert "s3:PutObject" in actions and not any("Delete" in a or "*" in a or "Policy" in a for a in actions)


def test_a_folder_has_no_policy(corpus_home) -> None:
    with pytest.raises(UsageError, match="s3://BUCKET/PREFIX"):
        least_policy()
