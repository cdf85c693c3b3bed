import base64
import io
import json

import pytest
from PIL import Image, ImageDraw

from aispine.agent.testing import load_agent
from cli import specimens
from cli.specimens import Distortion

AGENT = load_agent(__file__)
NAMES = ("surname", "given_names", "number", "birth_date", "expiry_date")
SCHEMA = {"required": list(NAMES), "properties": {name: {"type": "string"} for name in (*NAMES, "address")}}
TURNED = Distortion(width=1000, rotation=6, quarter_turns=1, perspective=0.04, blur=1, noise=6, light=0.2, jpeg=70)


def read(*pictures):
    return AGENT.run(asked(*pictures)).output


def asked(*pictures):
    files = [{"base64": base64.b64encode(picture).decode()} for picture in pictures]
    return {"files": files, "schema": SCHEMA}


def note():
    """A small picture with a line of print."""
    picture, kept = Image.new("RGB", (400, 80), "white"), io.BytesIO()
    ImageDraw.Draw(picture).text((20, 20), "Total 1234", fill="black", font_size=36)
    picture.save(kept, "PNG")
    return kept.getvalue()


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


def test_what_was_read_before_is_not_read_again():
    person = specimens.invent(7)
    front = specimens.draw("td1_front", person, Distortion(width=1000, jpeg=80), seed=1)
    back = specimens.draw("td1_back", person, Distortion(width=1000, jpeg=80), seed=2)
    first = read(back)
    again = AGENT.run({**asked(front, back), "readings": json.loads(json.dumps(first["readings"]))}).output
    assert [page["remembered"] for page in again["pages"]] == [False, True]
    together = read(front, back)
    for name in ("fields", "details", "confidence", "mrz", "text"):
        assert again[name] == together[name], name
    assert AGENT.run({**asked(back), "readings": again["readings"]}).output["fields"] == first["fields"]


@pytest.mark.parametrize("pages", ["", "nonsense", "7", "[7]", '[{"lines": []}]'])
def test_what_was_remembered_by_another_version_is_read_again(pages):
    first = AGENT.run({"file": {"base64": base64.b64encode(note()).decode()}}).output
    kept = [{**first["readings"][0], "pages": pages}]
    again = AGENT.run({"file": {"base64": base64.b64encode(note()).decode()}, "readings": kept}).output
    assert (again["text"], again["pages"][0]["remembered"]) == (first["text"], False)


def test_readings_of_another_shape_are_refused():
    outcome = AGENT.run({**asked(b"x"), "readings": [{"sha256": "a"}]})
    assert (outcome.code, "readings" in outcome.message) == ("invalid_input", True)


@pytest.mark.parametrize(
    ("concept", "printed", "zoned", "expected"),
    [
        ("document_number", "0L2250131", "OL2250131", True),
        ("document_number", "OL225O131", "OL2250I31", True),
        ("document_number", "OL2250132", "OL2250131", False),
        ("birth_date", "1974-05-30", "1974-05-31", False),
    ],
)
def test_print_and_zone_say_the_same_where_print_cannot_be_told_apart(concept, printed, zoned, expected):
    assert AGENT.module("result").same(concept, printed, zoned) is expected
