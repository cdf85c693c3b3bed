import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def test_the_limit_bounds_both_lists():
    output = AGENT.run({"text": "red green, blue yellow, pink brown, grey black"}, {"limit": 2}).output
    assert (len(output["keywords"]), len(output["phrases"]), output["distinct_words"]) == (2, 2, 8)
