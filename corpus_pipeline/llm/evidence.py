"""Whose fault a refusal is, decided by what happened before it: the sample's, the job's, or not known yet. Pure.

The same refusal of several samples and no success is about every request: asking on would park them all. A refusal after
successes with the same key and shape is about the sample.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from enum import StrEnum
from typing import Final

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm.failures import Failure, Reason

FEW: Final = 3  # samples that are refused alike before anything was answered
# what names the sample as its cause: asking it a second time cannot help, and it says nothing of other samples
_OF_THE_SAMPLE: Final = frozenset({Reason.CONTENT_POLICY, Reason.TOO_LONG})
_PASSING: Final = frozenset({Reason.FORBIDDEN})  # a gateway's mood as well: asked once more, also behind answers
# too long by the output that is asked for, which is the recipe's to change
_OF_THE_LIMIT: Final = lazily(r"max_(?:completion_|output_)?tokens\b[^.]{0,60}\btoo (?:large|high|big)", re.IGNORECASE)
_VARIES: Final = lazily(r"\d+|'[^']{0,200}'|\"[^\"]{0,200}\"|`[^`]{0,200}`|\b[0-9a-f]{8,}\b")


class Blame(StrEnum):
    """Whose a refusal is."""

    SAMPLE = "sample"  # it is parked
    JOB = "job"  # the task is paused; its samples stay unasked
    OPEN = "open"  # it is asked once more, when more is known


class Evidence:
    """What was answered and refused of one model at one endpoint, in this run."""

    def __init__(self) -> None:
        self.answers = 0
        self._refused: dict[str, dict[Hashable, int]] = {}  # by likeness: tries by sample

    def answered(self) -> None:
        """A call was answered: key, address, model and shape of requests are right."""
        self.answers += 1

    def refused(self, sample: Hashable, failure: Failure) -> Blame:
        """Whose the refusal of a sample is."""
        if failure.reason in _OF_THE_SAMPLE and (self.answers or not _OF_THE_LIMIT.search(failure.message)):
            return Blame.SAMPLE
        tries = self._refused.setdefault(likeness(failure), {})
        tries[sample] = tries.get(sample, 0) + 1
        if self.answers == 0 and (len(tries) >= FEW or (len(tries) > 1 and sum(tries.values()) > FEW)):
            return Blame.JOB
        is_about_it = self.answers > 0 and failure.reason not in _PASSING
        if tries[sample] == 1 and not is_about_it:
            return Blame.OPEN
        if self.answers:
            del tries[sample]
        return Blame.SAMPLE

    def unreadable(self, sample: Hashable, failure: Failure) -> bool:
        """Whether a success that holds no answer tells of what stands behind the address, and no longer of a passing fault.

        Each such call may be billed: a page of somebody else is not asked again for every sample.
        """
        tries = self._refused.setdefault(likeness(failure), {})
        tries[sample] = tries.get(sample, 0) + 1
        return self.answers == 0 and len(tries) >= FEW and sum(tries.values()) >= 2 * FEW


def likeness(failure: Failure) -> str:
    """The same for refusals that say the same, whatever numbers and names they quote."""
    said = _VARIES.sub("#", failure.message.lower())[:200]
    return f"{failure.reason} {failure.status} {failure.code or ''} {said}"
