import base64

import pytest

from aispine.agent.testing import load_agent
from cli import specimens
from cli.specimens import Distortion

AGENT = load_agent(__file__)
NAMES = ("surname", "given_names", "number", "birth_date", "expiry_date")
SCHEMA = {"required": list(NAMES), "properties": {name: {"type": "string"} for name in (*NAMES, "address")}}
TURNED = Distortion(width=1000, rotation=6, quarter_turns=1, perspective=0.04, blur=1, noise=6, light=0.2, jpeg=70)


def read(*pictures):
    files = [{"base64": base64.b64encode(picture).decode()} for picture in pictures]
    return AGENT.run({"files": files, "schema": SCHEMA}).output


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


def test_a_passport_photographed_sideways():
    person = specimens.invent(2)
    output = read(specimens.draw("td3", person, TURNED, seed=1))
    assert output["mrz"]["lines"] == specimens.compose("td3", person)
    assert output["mrz"]["valid"]
    assert output["fields"] == {
        "surname": person.surname,
        "given_names": person.given_names,
        "number": person.number,
        "birth_date": person.born.isoformat(),
        "expiry_date": person.expires.isoformat(),
        "address": None,
    }
    assert all(output["details"][name]["agrees"] for name in NAMES)
    assert all(0 <= edge <= 1 for detail in output["details"].values() for edge in detail["box"])
    assert 80 < abs(output["pages"][0]["rotation"]) < 100


def test_front_and_back_of_a_card_upside_down_are_one_document():
    person = specimens.invent(7)
    front = specimens.draw("td1_front", person, Distortion(width=1000, quarter_turns=2, jpeg=80), seed=1)
    back = specimens.draw("td1_back", person, Distortion(width=1000, rotation=-5, jpeg=80), seed=2)
    output = read(back, front)
    assert output["mrz"]["lines"] == specimens.compose("td1", person)
    assert output["fields"]["surname"] == person.surname.upper()
    assert output["fields"]["address"] == person.address
    assert [output["details"][name]["page"] for name in ("address", "surname")] == [1, 2]
    assert output["confidence"] > 0.9
