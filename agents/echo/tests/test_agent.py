import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def test_attempts_after_the_failing_ones_succeed():
    assert AGENT.run({"n": 1}, {"fail_first": 2}, attempt=2).code == "unavailable"
    assert AGENT.run({"n": 1}, {"fail_first": 2}, attempt=3).output == {"n": 1}


def test_what_is_not_an_object_comes_back_too():
    assert AGENT.run([1, "two"]).output == [1, "two"]


def test_a_sleep_longer_than_the_timeout_is_cut():
    quick = AGENT.call({}, {"sleep_seconds": 0.01})
    assert quick.outcome.output == {}
