"""The built-in agent `ocr_structured` in a flow, on a real worker, with a file of the tenant."""

from __future__ import annotations

from typing import Final

from aispine import settings
from aispine.files import TenantFiles
from aispine.flow.sensitive import HIDDEN
from aispine.store.database import Store
from cli import specimens
from cli.specimens import Distortion
from tests.support.flows import Flows
from tests.support.workers import Workers

FLOW: Final = {
    "flow_id": "read_a_document",
    "version": "1.0.0",
    "name": "Read a document",
    "nodes": [
        {"id": "receive", "type": "input"},
        {
            "id": "read",
            "type": "processor",
            "agent_id": "ocr_structured@^1.0",
            "depends_on": ["receive"],
            "timeout": 100,
            "input": {
                "file": "${input.document}",
                "schema": {"required": ["number"], "properties": {"number": {"type": "string"}}},
            },
        },
        {
            "id": "sure",
            "type": "decision",
            "depends_on": ["read"],
            "condition": "output.confidence >= 0.9 and output.mrz.valid",
            "then": "take",
            "else": "ask",
        },
        {"id": "take", "type": "output", "output": {"number": "${nodes.read.output.fields.number}"}},
        {"id": "ask", "type": "output", "output": {"number": None}},
    ],
}


def test_a_flow_reads_a_file_decides_on_it_and_shows_nobody_who_it_is(
    flows: Flows, workers: Workers, web_store: Store, tenant: str
) -> None:
    person = specimens.invent(21)
    picture = specimens.draw("td1_back", person, Distortion(width=900, rotation=3, jpeg=80), seed=3)
    files = TenantFiles(store=web_store, tenant_id=tenant, settings=settings.current())
    document = files.put(picture, name="card.jpg").reference.as_dict()
    seen = flows.run(FLOW, {"document": document}, seconds=100)
    assert seen.statuses["take"] == "completed", seen.nodes["read"]
    assert seen.nodes["read"].output["strategy"] == "rapidocr"
    assert seen.nodes["read"].output["mrz"]["valid"]
    assert seen.nodes["read"].output["mrz"]["lines"] == HIDDEN
    assert seen.nodes["read"].output["fields"] == HIDDEN
    assert person.number not in str(seen.nodes)
