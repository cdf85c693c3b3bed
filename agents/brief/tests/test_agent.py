import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def test_a_title_that_is_given_is_kept():
    parts = {"text": "One. Two.", "keywords": {}, "sentiment": {}, "readability": {}}
    assert AGENT.run({**parts, "title": "Mine"}).output["title"] == "Mine"
