"""What the content of a file is, by its first bytes, and whether that is what its sender says.

The signatures are those that the WHATWG MIME Sniffing Standard and the formats' own specifications give.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable
from typing import Final

from aispine.errors import Unprocessable

HEAD: Final = 4096
"""How many of the first bytes are looked at."""
BINARY: Final = "application/octet-stream"
TEXT: Final = "text/plain"


def decide(head: bytes, name: str, declared: str | None) -> str:
    """The media type of a file by its head, what was declared, and its name where nothing was.

    Raises `Unprocessable` when the content is not what it is said to be.
    """
    said = _normal(declared) or _by_name(name)
    found = sniff(head)
    if said is None:
        return found
    if not _agree(said, found):
        raise Unprocessable(
            f"The file `{name[:100]}` is said to be {said[:100]}, but its content is {_DESCRIBED.get(found, found)}",
            field="file",
            hint="Send it with its own type and ending.",
        )
    return said


def sniff(head: bytes) -> str:
    """The media type that the first bytes tell; `text/plain` and `application/octet-stream` where there is no sign."""
    signed = next((kind for kind, fits in _SIGNATURES if fits(head)), None)
    return signed or (BINARY if _has_binary(head) else TEXT)


def _normal(declared: str | None) -> str | None:
    """The type without parameters; None when it says nothing. Raises `Unprocessable` when it is no media type."""
    said = (declared or "").partition(";")[0].strip().lower()
    if said in {"", BINARY, "binary/octet-stream", "application/x-www-form-urlencoded"}:
        return None
    if not _MEDIA_TYPE.fullmatch(said):
        raise Unprocessable(f"`{said[:100]}` is not a media type", field="Content-Type")
    return _ALIASES.get(said, said)


def _by_name(name: str) -> str | None:
    kind, encoding = _NAMES.guess_type(name, strict=False)
    return None if encoding is not None else kind


def _agree(said: str, found: str) -> bool:
    if said == found or said in _MORE_PRECISE.get(found, ()):
        return True
    if said in _SIGNED:
        return False
    if found == TEXT:
        return _is_text(said) or said.startswith("application/")
    if found == BINARY:
        return not _is_text(said)
    return found in _CONTAINERS and said.startswith("application/") and not _is_text(said)


def _is_text(said: str) -> bool:
    return said.startswith("text/") or said.endswith(("+xml", "+json")) or said in _TEXTUAL


def _has_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return bool(_BINARY_BYTES.intersection(head))


def _starts(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


def _chunked(kind: bytes) -> Callable[[bytes], bool]:
    """A RIFF file of that kind."""
    return lambda head: head.startswith(b"RIFF") and head[8:12] == kind


def _branded(*brands: bytes) -> Callable[[bytes], bool]:
    """An ISO media file whose major brand is one of these; any, where none is named."""
    return lambda head: head[4:8] == b"ftyp" and (not brands or head[8:12] in brands)


def _is_pdf(head: bytes) -> bool:
    """Its mark may stand behind other bytes, but a text that speaks of it is none."""
    return head.lstrip().startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and _has_binary(head))


def _is_mp3(head: bytes) -> bool:
    return head.startswith((b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")) or _binary(b"ID3")(head)


def _binary(prefix: bytes) -> Callable[[bytes], bool]:
    """Starts with letters that a text may start with too."""
    return lambda head: head.startswith(prefix) and _has_binary(head)


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and head[6:10] == b"\0\0\0\0"


ZIP: Final = "application/zip"
OLE: Final = "application/x-ole-storage"
_SIGNATURES: Final[tuple[tuple[str, Callable[[bytes], bool]], ...]] = (
    ("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", _starts(b"\xff\xd8\xff")),
    ("image/gif", _starts(b"GIF87a", b"GIF89a")),
    ("image/webp", _chunked(b"WEBP")),
    ("image/tiff", _starts(b"II*\0", b"MM\0*")),
    ("image/bmp", _is_bmp),
    ("image/heic", _branded(b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")),
    ("image/avif", _branded(b"avif", b"avis")),
    (ZIP, _starts(b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")),
    ("application/gzip", _starts(b"\x1f\x8b\x08")),
    ("application/x-7z-compressed", _starts(b"7z\xbc\xaf\x27\x1c")),
    ("application/vnd.rar", _starts(b"Rar!\x1a\x07")),
    (OLE, _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    ("audio/ogg", _starts(b"OggS\0")),
    ("audio/wav", _chunked(b"WAVE")),
    ("audio/amr", _starts(b"#!AMR")),
    ("audio/flac", _starts(b"fLaC")),
    ("audio/aac", _starts(b"\xff\xf1", b"\xff\xf9")),
    ("audio/mpeg", _is_mp3),
    ("video/mp4", _branded()),
    ("video/webm", _starts(b"\x1a\x45\xdf\xa3")),
    ("application/x-msdownload", _binary(b"MZ")),
    ("application/x-executable", _starts(b"\x7fELF")),
    ("application/pdf", _is_pdf),
)
_SIGNED: Final = frozenset(kind for kind, _ in _SIGNATURES)
_CONTAINERS: Final = frozenset({ZIP, OLE})
"""What other formats are made of: their own types are taken as said."""
_TEXTUAL: Final = frozenset(
    {"application/json", "application/xml", "application/yaml", "application/x-ndjson", "application/javascript"}
)
_MORE_PRECISE: Final = {
    "image/heic": {"image/heif"},
    "audio/ogg": {"video/ogg", "application/ogg", "audio/opus"},
    "video/mp4": {"audio/mp4", "audio/aac", "audio/x-m4a", "video/quicktime", "video/3gpp", "audio/3gpp"},
    "video/webm": {"audio/webm", "video/x-matroska"},
    "application/x-msdownload": {"application/x-dosexec", "application/vnd.microsoft.portable-executable"},
    "application/x-executable": {"application/x-sharedlib", "application/x-elf"},
}
_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
    "application/x-gzip": "application/gzip",
    "application/x-zip-compressed": ZIP,
    "application/x-rar-compressed": "application/vnd.rar",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
}
_DESCRIBED: Final = {TEXT: "text", BINARY: "of no known kind", OLE: "an older Office file"}
_NAMES: Final = mimetypes.MimeTypes()
"""Not the machine's own table, so that a name means the same everywhere."""
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
for _ending, _kind in {
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".epub": "application/epub+zip",
    ".heic": "image/heic",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".amr": "audio/amr",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}.items():
    _NAMES.add_type(_kind, _ending)
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_BINARY_BYTES: Final = frozenset({*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
