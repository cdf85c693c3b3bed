from __future__ import annotations

import io
import json

from aispine.stack.output import ConsoleOutput, JsonOutput, choose, resolve


def test_lines_are_prefixed_by_their_program():
    stream = io.StringIO()
    ConsoleOutput(stream, coloured=False).line("web", "hello")
    assert stream.getvalue() == "web        | hello\n"


def test_each_name_keeps_a_colour_of_its_own():
    stream = io.StringIO()
    output = ConsoleOutput(stream, coloured=True)
    for name in ("web", "beat", "web"):
        output.line(name, "x")
    first, second, third = stream.getvalue().splitlines()
    assert first == third
    assert first[:5] != second[:5]


def test_json_lines_pass_and_others_are_wrapped():
    stream = io.StringIO()
    output = JsonOutput(stream)
    output.line("web", '{"event": "ours"}')
    for text in ("Traceback (most recent call last):", "{not json}", "  ", "[1]"):
        output.line("web", text)
    first, *others = map(json.loads, stream.getvalue().splitlines())
    assert first == {"event": "ours"}
    assert [(line["process"], line["event"]) for line in others] == [
        ("web", "Traceback (most recent call last):"),
        ("web", "{not json}"),
        ("web", "[1]"),
    ]


def test_auto_is_json_where_no_person_reads():
    assert resolve("auto", io.StringIO()) == "json"
    assert isinstance(choose("auto", io.StringIO()), JsonOutput)
    assert isinstance(choose("console", io.StringIO()), ConsoleOutput)
