"""What is said once in a run, however many calls it concerns, and kept for reports."""

from __future__ import annotations

from corpus_pipeline.jobs.augment.group_commit import Writer
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.plain_text import plain
from corpus_pipeline.store.provider_facts import Fact


class Notices:
    """Sentences to the narrator of a run, and facts to its writer."""

    def __init__(self, held: Held, writer: Writer) -> None:
        self._held, self._writer = held, writer
        self._said: set[str] = set()

    def say(self, sentence: str) -> None:
        """Say a sentence, once."""
        if sentence not in self._said:
            self._said.add(sentence)
            work = self._held.work
            work.narrator.notice(plain(f"{work.stage} of {work.file.name}: {sentence}"))

    def fact(self, fact: Fact, sentence: str) -> None:
        """Keep a fact and say it, once."""
        if self.keep(fact):
            self.say(sentence)

    def keep(self, fact: Fact) -> bool:
        """Keep a fact, once; whether it is new in this run."""
        key = f"{fact.origin} {fact.model} {fact.kind} {fact.name} {fact.value}"
        if key in self._said:
            return False
        self._said.add(key)
        self._writer.unit.learn(fact)
        self._writer.soon()
        return True
