import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def decide(**fields):
    return AGENT.run({"monthly_income": 3000, "amount": 10000, "term_months": 24, **fields}).output


def test_the_payment_is_that_of_an_annuity():
    balance, payment = 10000.0, decide()["monthly_payment"]
    for _ in range(24):
        balance = balance * (1 + 0.18 / 12) - payment
    assert balance == pytest.approx(0, abs=0.5)


def test_more_debt_never_raises_the_score():
    scores = [decide(monthly_debt=debt)["score"] for debt in range(0, 2000, 100)]
    assert scores == sorted(scores, reverse=True)


def test_more_income_never_lowers_the_score():
    scores = [decide(monthly_income=income)["score"] for income in range(500, 9000, 250)]
    assert scores == sorted(scores)


def test_the_threshold_parts_approve_review_and_reject():
    application = {"monthly_income": 3000, "amount": 10000, "term_months": 24}
    score = AGENT.run(application).output["score"]
    decisions = [
        AGENT.run(application, {"risk_threshold": threshold}).output["decision"]
        for threshold in (score, min(score + 0.1, 1), 1)
    ]
    assert decisions[:2] == ["approve", "review"]


def test_an_invalid_field_is_for_a_person_to_review():
    output = AGENT.run(
        {"fields": {"monthly_income": 3000, "amount": 1, "term_months": 1}, "invalid": [{"field": "age"}]}
    )
    assert output.output["reasons"] == ["invalid: age"]
