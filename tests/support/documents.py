"""Files that somebody sends to do harm, made small."""

from __future__ import annotations

import io
import zlib

from PIL import Image, ImageDraw


def huge_picture(side: int = 30_000) -> bytes:
    """A PNG of few bytes whose head promises `side` x `side` pixels."""
    head = side.to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00"
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(3 * side + 1))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks
    )


def long_pdf(pages: int = 5_000) -> bytes:
    """A PDF with so many empty pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, pages + 3))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, pages)]
    objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"] * pages
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, len(body))
    return bytes(body) + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def written(*lines: str) -> bytes:
    """A PNG of plain lines, as somebody writes them who makes up a document."""
    picture, kept = Image.new("RGB", (900, 60 * len(lines) + 40), "white"), io.BytesIO()
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((30, 20 + 60 * number), line, fill="black", font_size=34)
    picture.save(kept, "PNG")
    return kept.getvalue()
