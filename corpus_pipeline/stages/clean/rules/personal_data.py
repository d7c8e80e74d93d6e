"""Personal data: e-mail addresses, phone, card, account and identity numbers, internet addresses, wallets, secrets.

Precision goes before recall: a datum must carry its own proof (a checksum, a prefix, a layout) or stand behind the word
that names it, so that sums, dates, ISBNs, versions and file names are not taken for a person's number. Every string of
the record that can go out is looked at, whatever its key or place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from corpus_pipeline.model import Change
from corpus_pipeline.stages.clean.personal_data import entities
from corpus_pipeline.stages.clean.personal_data.record import Found, Masker, Record, may_hold
from corpus_pipeline.stages.clean.personal_data.scanner import KINDS, signs
from corpus_pipeline.stages.clean.personal_data.spans import Detector
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View

Choice = Literal["mask", "drop", "keep"]


class MaskingRule(Rule):
    """A rule that finds kinds of data in every string of a record; each kind is masked, kept, or drops the row."""

    rewrites = True
    kinds: ClassVar[tuple[str, ...]]
    reason: ClassVar[str]  # what the word of a drop begins with

    class Params(Rule.Params):
        stand_ins: Literal["labels", "same_type"] = Field(
            "labels", description="what is written instead: a label such as [EMAIL], or something of the same type"
        )
        unscanned_keys: tuple[str, ...] = Field(
            (), description="top-level keys of the record that are not looked at; the manifest names them"
        )

    params: Params

    def choices(self) -> dict[str, str]:
        """What is done with each kind."""
        return {kind: getattr(self.params, kind) for kind in self.kinds}

    def screen(self, view: View) -> bool:
        if signs(view.text, view.data, view.marks) > 0:
            return True
        return may_hold(view.shape, view.tools, view.turns)

    def apply(self, view: View) -> Outcome:
        masker = Masker(
            self._looked_for(),
            same_type=self.params.stand_ins == "same_type",
            unscanned=self.params.unscanned_keys,
            names=self._names(),
        )
        record = masker(Record(view.turns, view.tools, view.shape))
        if not masker.found:
            return Outcome(view.turns)
        # which kind and how many; never the datum itself
        changes = tuple(
            Change(self.name, self.version, found.turn, found.place, count, found.kind)
            for found, count in masker.found.items()
        )
        dropped = self._reason_to_drop(masker.found)
        if dropped is not None:
            return Outcome(
                view.turns, changes, f"{self.reason}_{dropped.kind}", f"{masker.found[dropped]} in {dropped.place}"
            )
        return Outcome(
            record.turns,
            changes,
            tools=record.tools if record.tools != view.tools else None,
            shape=record.shape if record.shape != view.shape else None,
        )

    def _names(self) -> Detector | None:
        """What finds names of people; None: they are not looked for."""
        return None

    def _looked_for(self) -> frozenset[str]:
        return frozenset(kind for kind, choice in self.choices().items() if choice != "keep")

    def _reason_to_drop(self, found: dict[Found, int]) -> Found | None:
        choices = self.choices()
        return next((one for one in found if choices[one.kind] == "drop"), None)


def coverage(rules: Sequence[MaskingRule]) -> dict[str, Any]:
    """What the rules of a recipe look for in every string of a record, and what they leave: for the manifest.

    unscanned_kinds: kinds that no rule looks for; unscanned_keys: top-level keys that a rule does not look at.
    """
    choices = {kind: choice for rule in rules for kind, choice in rule.choices().items() if choice != "keep"}
    return {
        "kinds": choices,
        "unscanned_kinds": [kind for kind in PersonalData.kinds if kind not in choices],
        "unscanned_keys": sorted({key for rule in rules for key in rule.params.unscanned_keys}),
    }


class PersonalData(MaskingRule):
    name = "personal_data"
    version = 3
    summary = (
        "Masks e-mail addresses, phone, card, account, identity and passport numbers, public internet addresses, wallets, "
        "keys and passwords in every string of the record, unknown keys included; each kind may be masked, kept, or a "
        "reason to drop the conversation."
    )
    kinds = (*KINDS, "name")
    reason = "personal"
    reasons = tuple(f"personal_{kind}" for kind in kinds)

    class Params(MaskingRule.Params):
        email: Choice = Field("mask", description="e-mail addresses but those of reserved example domains")
        phone: Choice = Field(
            "mask", description="phone numbers of all countries, toll-free and service lines left out"
        )
        card: Choice = Field("mask", description="payment cards: known prefix and Luhn checksum")
        iban: Choice = Field("mask", description="bank accounts: IBAN with its checksum")
        id_number: Choice = Field(
            "mask", description="national identity, tax and insurance numbers of 50 countries, by check digit and words"
        )
        passport: Choice = Field("mask", description="what stands behind the word passport, in 20 languages")
        ip_address: Choice = Field("mask", description="public IPv4 and IPv6 addresses")
        wallet: Choice = Field("mask", description="addresses of crypto wallets, by their checksums")
        secret: Choice = Field("mask", description="API keys with a known prefix, JSON web tokens, private key blocks")
        password: Choice = Field("mask", description="passwords in URLs, assignments, headers and sentences")
        name: Choice = Field("keep", description="names of people, by a model; needs corpus-pipeline[entities]")
        name_model: str = Field(
            entities.MODEL, description="a GLiNER model: its name at the Hugging Face hub, or a folder"
        )

    params: Params

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        if self.params.name != "keep":
            entities.require()

    def _names(self) -> Detector | None:
        return None if self.params.name == "keep" else entities.finder(self.params.name_model)

    def screen(self, view: View) -> bool:
        return self.params.name != "keep" or super().screen(view)
