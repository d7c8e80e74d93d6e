"""Whose a refusal is: by what was answered and refused before it."""

from __future__ import annotations

import pytest

from corpus_pipeline.llm.evidence import FEW, Blame, Evidence, likeness
from corpus_pipeline.llm.failures import Failure, Reason


def refusal(words: str = "The request is not valid.", reason: Reason = Reason.INVALID_REQUEST) -> Failure:
    return Failure(reason, words, status=400)


def test_the_same_refusal_of_several_samples_and_no_success_is_the_jobs() -> None:
    evidence = Evidence()
    said = [evidence.refused(sample, refusal(f"Row {sample} has 'id_{sample}' in it.")) for sample in range(FEW)]
    assert said == [Blame.OPEN] * (FEW - 1) + [Blame.JOB]


def test_two_samples_that_are_refused_again_and_again_are_enough_in_a_small_file() -> None:
    evidence = Evidence()
    said = [evidence.refused(sample, refusal()) for sample in ("a", "b", "a", "b")]
    assert Blame.JOB in said


def test_different_refusals_are_no_evidence_against_the_job() -> None:
    evidence = Evidence()
    words = ("The picture is missing.", "The name is too odd.", "The date lies ahead.", "The text is blank.")
    assert {evidence.refused(n, refusal(said)) for n, said in enumerate(words)} == {Blame.OPEN}


def test_behind_answers_a_refusal_is_the_samples_at_once() -> None:
    evidence = Evidence()
    evidence.answered()
    assert all(evidence.refused(sample, refusal()) is Blame.SAMPLE for sample in range(50))


def test_behind_answers_a_403_is_asked_once_more_and_then_the_samples() -> None:
    evidence = Evidence()
    evidence.answered()
    failure = refusal("Forbidden", Reason.FORBIDDEN)
    assert [evidence.refused("row", failure) for _ in range(2)] == [Blame.OPEN, Blame.SAMPLE]


def test_the_only_sample_of_a_file_is_parked_in_the_end() -> None:
    evidence = Evidence()
    assert [evidence.refused("row", refusal()) for _ in range(2)] == [Blame.OPEN, Blame.SAMPLE]


@pytest.mark.parametrize("reason", [Reason.CONTENT_POLICY, Reason.TOO_LONG])
def test_what_names_the_sample_is_the_samples_however_often(reason: Reason) -> None:
    evidence = Evidence()
    assert all(evidence.refused(sample, refusal(reason=reason)) is Blame.SAMPLE for sample in range(FEW * 3))


def test_refusals_are_alike_whatever_they_quote() -> None:
    one, other = (refusal(f"Row {n}: value '{word}' of `{word}` is not valid") for n, word in ((1, "x"), (927, "why")))
    assert likeness(one) == likeness(other) != likeness(refusal("Row 1 is not valid"))


def test_an_output_limit_that_no_request_fits_is_the_recipes_and_not_the_rows() -> None:
    said = Failure(Reason.TOO_LONG, "max_tokens=9000 is too high for a context of 8192", status=400)
    evidence = Evidence()
    assert [evidence.refused(sample, said) for sample in range(FEW)][-1] is Blame.JOB
    evidence.answered()
    assert evidence.refused("a long row", said) is Blame.SAMPLE


def test_a_page_instead_of_answers_stops_the_job_once_several_samples_met_it_again() -> None:
    page, evidence = Failure(Reason.BROKEN_BODY, "the body is not JSON: Welcome", status=200), Evidence()
    assert [evidence.unreadable(sample, page) for sample in (1, 2, 3, 1, 2, 3)] == [False] * 5 + [True]


def test_behind_answers_or_of_one_sample_a_page_stops_nothing() -> None:
    page, evidence = Failure(Reason.BROKEN_BODY, "the body is not JSON: Welcome", status=200), Evidence()
    assert not any(evidence.unreadable("the only one", page) for _ in range(20))
    evidence.answered()
    assert not any(evidence.unreadable(sample, page) for sample in range(20))
