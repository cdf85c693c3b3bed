import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1500, 1500),
        ("1.500", 1500),
        ("1,5", 1.5),
        ("1.234.567,89", 1234567.89),
        ("$ 1,234,567.89", 1234567.89),
        ("3 500", 3500),
        ("-20", -20),
    ],
)
def test_numbers_are_read_as_people_write_them(written, read):
    schema = {"properties": {"n": {"type": "number"}}}
    assert AGENT.run({"n": written}, {"schema": schema}).output["fields"] == {"n": read}


@pytest.mark.parametrize("written", ["", "abc", "12 dozen", True, "1-2", "--3"])
def test_what_is_no_number_is_no_field(written):
    schema = {"properties": {"n": {"type": "number"}}}
    assert AGENT.run({"n": written}, {"schema": schema}).output["fields"] == {}


def test_the_message_names_fields_in_the_language_asked_for():
    reply = AGENT.run({"language": "en", "email": "x"})
    assert "Missing: full name, monthly income, amount, term in months." in reply.message
    assert "e-mail is not an e-mail address" in reply.message
    assert "Falta: nombre completo" in AGENT.run({}).message


def test_the_outer_value_wins_over_a_nested_one():
    schema = {"properties": {"n": {"type": "integer"}}}
    assert AGENT.run({"inner": {"n": 1}, "n": 2}, {"schema": schema}).output["fields"] == {"n": 2}
