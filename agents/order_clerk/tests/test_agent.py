import pytest

from aispine.agent.sample import Sample
from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def test_a_model_that_only_looks_up_is_stopped():
    again = {"tool_calls": [{"name": "order_status", "arguments": {}}]}
    stubborn = Sample(name="again", input={"question": "?"}, model=(again,) * 4, tools={"order_status": [{}] * 4})
    assert AGENT.outcome(stubborn).detail == {"error_code": "step_limit"}
