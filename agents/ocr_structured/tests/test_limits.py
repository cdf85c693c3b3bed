import base64
import io
import zlib

import pytest
from PIL import Image

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


def run(content, config=None):
    return AGENT.run({"file": {"base64": base64.b64encode(content).decode()}}, config)


def png(width, height):
    kept = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(kept, "PNG")
    return kept.getvalue()


def pdf(pages=1, text="(Nombre: Ana) Tj", extra=b"", trailer=""):
    """A PDF written by hand, so that it can be what no writer would write."""
    stream = f"BT /F1 12 Tf 40 700 Td {text} ET".encode()
    kids = " ".join(f"{4 + number} 0 R" for number in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    head = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents "
    objects += [head + f"{4 + pages} 0 R >>".encode()] * pages
    objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    if extra:
        objects.append(f"<< /Length {len(extra)} /Filter /FlateDecode >>\nstream\n".encode() + extra + b"\nendstream")
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    size = len(objects) + 1
    return (
        body
        + f"xref\n0 {size}\n0000000000 65535 f \n".encode()
        + table
        + f"trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(body)}\n%%EOF".encode()
    )


def locked():
    """A PDF whose key nobody knows."""
    zeros = "00" * 32
    return pdf(trailer=f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{zeros}> /U <{zeros}> /P -4 >> /ID [<00><00>]")


def huge_png():
    """A head that promises 30,000 x 30,000 pixels."""
    head = b"IHDR" + (30_000).to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00"
    data = bytes(4) + b"IDAT" + zlib.crc32(b"IDAT").to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + head + zlib.crc32(head).to_bytes(4) + data


def bomb():
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(10_000_000)) for _ in range(25)) + packer.flush()


@pytest.mark.parametrize(
    ("content", "config", "code"),
    [
        (b"hello", {}, "unsupported_type"),
        (b"GIF89a" + bytes(20), {}, "unsupported_type"),
        (png(50, 50), {"max_bytes": 10}, "too_large"),
        (huge_png(), {}, "too_many_pixels"),
        (png(200, 200), {"max_pixels": 100}, "too_many_pixels"),
        (png(200, 200)[:60], {}, "broken_file"),
        (b"\xff\xd8\xff\xe0 nothing more", {}, "broken_file"),
        (b"%PDF-1.4 and nothing else", {}, "broken_file"),
        (locked(), {}, "password_protected"),
        (pdf(5000), {}, "too_many_pages"),
        (pdf(extra=bomb()), {}, "too_large"),
        (png(300, 200), {}, "nothing_readable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_with_its_code(content, config, code):
    failure = run(content, config)
    assert (failure.code, failure.detail["error_code"]) == ("agent_error", code), failure.message


@pytest.mark.parametrize(
    ("value", "config", "named"),
    [
        ({"file": 7}, {}, "file"),
        ({}, {}, "file"),
        ({"file": {"base64": "!!"}}, {}, "base64"),
        ({"file": "x", "schema": {"properties": []}}, {}, "schema"),
        ({"file": "x"}, {"strategies": ["guess"]}, "strategies"),
        ({"file": "x"}, {"min_confidence": 2}, "min_confidence"),
        ({"file": "x"}, {"vision": {"url": "http://x"}}, "vision"),
    ],
)
def test_bad_input_is_refused_and_named(value, config, named):
    failure = AGENT.run(value, config)
    assert failure.code == "invalid_input"
    assert named in f"{failure.message} {failure.detail}"


def test_the_text_of_a_pdf_is_read_without_looking_at_it():
    reply = run(
        pdf(text="(Nombre: Ana Luna    Total: 1.250,00) Tj"), {"schema": {"properties": {"total": {"type": "number"}}}}
    )
    assert reply.output["strategy"] == "pdf_text"
    assert reply.output["fields"] == {"total": 1250.0}
    assert reply.output["details"]["total"]["page"] == 1
