import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def test_spanish_has_a_formula_of_its_own():
    text = "La casa es blanca y el gato duerme en la ventana."
    english, spanish = (AGENT.run({"text": text}, {"language": language}).output for language in ("en", "es"))
    assert english["words"] == spanish["words"] == 11
    assert english["reading_ease"] != spanish["reading_ease"]
