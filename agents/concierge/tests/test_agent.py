import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []
