"""What a content is, and whether that is what its sender says."""

from __future__ import annotations

import pytest

from aispine.errors import Unprocessable
from aispine.files import media_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(20)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
ZIP = b"PK\x03\x04" + bytes(30)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (PDF, "application/pdf"),
        (b"\n" + PDF, "application/pdf"),
        (ZIP, "application/zip"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "image/heic"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "video/mp4"),
        (b"OggS\x00\x02" + bytes(20), "audio/ogg"),
        (b"MZ\x90\x00" + bytes(20), "application/x-msdownload"),
        (b"MZ is how a program begins, and %PDF- a document.", "text/plain"),
        ("Año nuevo\n".encode("latin-1"), "text/plain"),
        ("Año".encode("utf-16"), "text/plain"),
        (bytes(range(32)), "application/octet-stream"),
    ],
)
def test_the_first_bytes_tell_what_a_content_is(head: bytes, kind: str) -> None:
    assert media_type.sniff(head) == kind


@pytest.mark.parametrize(
    ("head", "name", "declared", "kind"),
    [
        (PNG, "a.png", "image/png", "image/png"),
        (PNG, "a.png", None, "image/png"),
        (PNG, "a", "application/octet-stream", "image/png"),
        (JPEG, "a.jpg", "image/jpg", "image/jpeg"),
        (ZIP, "a.docx", None, WORD),
        (ZIP, "a.docx", WORD, WORD),
        (b"a,b\n1,2\n", "a.csv", None, "text/csv"),
        (b'{"a": 1}', "a", "application/json; charset=utf-8", "application/json"),
        (b"<svg/>", "a.svg", None, "image/svg+xml"),
        (b"OggS\x00\x02" + bytes(20), "voice.ogg", "audio/ogg; codecs=opus", "audio/ogg"),
        (b"hello", "", None, "text/plain"),
        (bytes(9), "a.weird", "application/x-weird", "application/x-weird"),
    ],
)
def test_a_content_that_is_what_it_says_keeps_its_type(head: bytes, name: str, declared: str | None, kind: str) -> None:
    assert media_type.decide(head, name, declared) == kind


@pytest.mark.parametrize(
    ("head", "name", "declared"),
    [
        (b"MZ\x90\x00" + bytes(20), "invoice.pdf", "application/pdf"),
        (b"MZ\x90\x00" + bytes(20), "invoice.pdf", None),
        (b"\x7fELF" + bytes(20), "a.docx", WORD),
        (b"<script>", "a.png", "image/png"),
        (PNG, "a.jpg", "image/jpeg"),
        (PDF, "a.txt", "text/plain"),
        (ZIP, "a.json", "application/json"),
        (bytes(20), "a.csv", "text/csv"),
        (b"text", "a.mp3", None),
        (b"text", "a.ico", "image/vnd.microsoft.icon"),
        (PNG, "a.png", "not a type"),
    ],
)
def test_a_content_that_is_not_what_it_says_is_refused(head: bytes, name: str, declared: str | None) -> None:
    with pytest.raises(Unprocessable):
        media_type.decide(head, name, declared)
