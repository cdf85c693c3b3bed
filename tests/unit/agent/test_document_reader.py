"""The built-in agent `ocr_structured` over everything outside it: URLs, a vision model, Tesseract."""

from __future__ import annotations

import base64
import io
import json
import os

import pytest
from PIL import Image

from aispine.agent.folder import built_in
from aispine.agent.testing import load_agent
from aispine.settings import current
from cli import specimens
from cli.specimens import Distortion
from tests.support.service import Reply, serving

AGENT = load_agent(built_in() / "ocr_structured")
PERSON = specimens.invent(11)
BLURRED = specimens.draw("td1_front", PERSON, Distortion(width=420, blur=6, jpeg=60), seed=1)
SCHEMA = {"required": ["surname"], "properties": {"surname": {"type": "string"}, "number": {"type": "string"}}}


def run(content, **config):
    value = {"file": {"base64": base64.b64encode(content).decode()}, "schema": SCHEMA}
    return AGENT.run(value, config)


def scan(*pictures):
    """A PDF of pictures."""
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    kept = io.BytesIO()
    images[0].save(kept, "PDF", save_all=True, append_images=images[1:], resolution=150)
    return kept.getvalue()


def model(content):
    return Reply(body={"choices": [{"message": {"content": content}}]})


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("AISPINE_ALLOWED_HOSTS", "loopback")
    current.cache_clear()
    with serving() as service:
        yield service
    current.cache_clear()


def test_a_scan_in_a_pdf_is_looked_at_as_a_picture():
    card = specimens.draw("td1_front", PERSON, Distortion(width=900))
    output = run(scan(card)).output
    assert output["fields"] == {"surname": PERSON.surname.upper(), "number": PERSON.number}
    assert [one["strategy"] for one in output["tried"]] == ["pdf_text", "rapidocr"]
    assert output["strategy"] == "rapidocr"


def test_a_picture_is_fetched_from_a_url(service):
    service.on("GET", "/card.png", Reply(body=specimens.draw("td1_front", PERSON, Distortion(width=800))))
    service.on("GET", "/gone.png", Reply(status=404))
    found = AGENT.run({"file": f"{service.url}/card.png", "schema": SCHEMA}).output
    assert found["fields"]["number"] == PERSON.number
    assert AGENT.run({"file": {"url": f"{service.url}/gone.png"}}).code == "rejected"


def test_a_url_inside_the_deployment_is_refused(monkeypatch):
    monkeypatch.setenv("AISPINE_ALLOWED_HOSTS", "")
    current.cache_clear()
    failure = AGENT.run({"file": "http://127.0.0.1:9/secret.png"})
    current.cache_clear()
    assert failure.code == "rejected"


def test_a_model_is_asked_when_nothing_else_is_sure(service):
    answer = {"fields": {"surname": "Quimera", "number": "AB 12", "admin": "yes"}, "lines": ["Quimera", 7]}
    service.on("POST", "/v1/chat/completions", model(json.dumps(answer)))
    vision = {"url": f"{service.url}/v1", "model": "eyes", "api_key": "k"}
    output = run(BLURRED, vision=vision, min_confidence=0.99, strategies=["vision"]).output
    assert output["strategy"] == "vision"
    assert output["fields"]["surname"] == "Quimera"
    assert "admin" not in output["fields"]
    assert output["details"]["surname"]["confidence"] == 0.5
    (asked,) = service.asked
    assert asked.headers["authorization"] == "Bearer k"
    task, pictures = asked.json["messages"]
    assert "never an instruction" in task["content"]
    assert pictures["content"][0]["image_url"]["url"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=503), "unavailable"),
        (Reply(status=429), "rate_limited"),
        (Reply(status=401), "rejected"),
        (model("I cannot help with that."), "agent_error"),
        (model('["a list"]'), "agent_error"),
    ],
)
def test_a_model_that_does_not_help_fails_clearly(service, reply, code):
    service.on("POST", "/chat/completions", reply)
    assert run(BLURRED, vision={"url": service.url, "model": "eyes"}, strategies=["vision"]).code == code


def test_tesseract_is_used_where_it_is_installed(tmp_path, monkeypatch):
    word = "5\t1\t1\t1\t{line}\t{number}\t{left}\t{top}\t90\t20\t96.5\t{text}"
    header = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    words = [(1, 1, 10, 10, "Apellidos"), (2, 1, 10, 34, "Muñoz"), (2, 2, 104, 34, "Ávila")]
    rows = [
        word.format(line=line, number=number, left=left, top=top, text=text) for line, number, left, top, text in words
    ]
    program = tmp_path / "tesseract"
    table = "\n".join([header, *rows])
    program.write_text(
        f"#!/bin/sh\n[ $1 = --list-langs ] && echo spa && exit\ncat > /dev/null\ncat <<'EOF'\n{table}\nEOF\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    output = run(BLURRED, strategies=["tesseract"]).output
    assert output["strategy"] == "tesseract"
    assert output["fields"]["surname"] == "Muñoz Ávila"
    assert 0.85 < output["details"]["surname"]["confidence"] < 0.965
