import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def score(text):
    return AGENT.run({"text": text}).output["score"]


def test_emphasis_strengthens_and_negation_turns_round():
    assert score("very good") > score("good") > score("slightly good") > 0 > score("not good")


def test_spanish_counts_too():
    assert score("Un servicio excelente, muchas gracias") > 0 > score("El pago falla, es un desastre")
