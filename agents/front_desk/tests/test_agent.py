import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)
TOPICS = [{"name": "pool", "words": ["pool", "piscin"], "answer": {"en": "Open."}}]


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Quiero hablar con una persona", "person"),
        ("I have a complaint", "person"),
        ("is the pool open?", "faq"),
        ("where is my reservation", "faq"),
        ("muchas gracias", "bye"),
        ("hi", "greeting"),
        ("which way to the moon", "unknown"),
        ("", "bye"),
    ],
)
def test_intents(text, intent):
    assert AGENT.run({"text": text}, {"topics": TOPICS}).output["intent"] == intent


def test_a_topic_that_is_not_whole_is_refused():
    assert AGENT.run({"text": "x"}, {"topics": [{"name": "pool"}]}).code == "invalid_input"
