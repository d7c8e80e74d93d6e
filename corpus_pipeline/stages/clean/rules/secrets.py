"""Secrets alone: keys, tokens, private keys and passwords, for recipes that leave the rest of personal data in."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.stages.clean.rules.personal_data import Choice, MaskingRule


class Secrets(MaskingRule):
    name = "secrets"
    summary = (
        "Masks keys, tokens, private keys, passwords and nothing else, in every string of the record; off by default, "
        "for personal_data does the same beside its other kinds."
    )
    kinds = ("secret", "password")
    reason = "leaked"
    reasons = tuple(f"leaked_{kind}" for kind in kinds)

    class Params(MaskingRule.Params):
        secret: Choice = Field("mask", description="API keys with a known prefix, JSON web tokens, private key blocks")
        password: Choice = Field("mask", description="passwords in URLs, assignments, headers and sentences")

    params: Params
