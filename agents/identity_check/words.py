"""What the guest is asked for, in English and Spanish."""

from typing import Final

_ASK: Final = {
    "unreadable": {
        "en": "I cannot read a document in that picture. Please take it again: flat, whole, in good light.",
        "es": "No puedo leer un documento en esa foto. Por favor, hágala de nuevo: plana, entera y con buena luz.",
    },
    "unclear": {
        "en": "The picture is not sharp enough. Please send it again.",
        "es": "La foto no se ve con claridad. Por favor, envíela de nuevo.",
    },
    "zone_invalid": {
        "en": "The lines of letters and numbers at the bottom cannot be read. Please send that side again.",
        "es": "No se leen bien las líneas de letras y números de abajo. Por favor, envíe de nuevo ese lado.",
    },
    "front_missing": {
        "en": "Thank you. Now please send the front of the document.",
        "es": "Gracias. Ahora envíe, por favor, el frente del documento.",
    },
    "back_missing": {
        "en": "Thank you. Now please send the back of the document.",
        "es": "Gracias. Ahora envíe, por favor, el reverso del documento.",
    },
}
_CAUSES: Final = {
    "unsupported_type": {
        "en": "That is no photo and no PDF. Please send a photo of the document.",
        "es": "Eso no es una foto ni un PDF. Por favor, envíe una foto del documento.",
    },
    "password_protected": {
        "en": "The PDF has a password. Please send a photo of the document.",
        "es": "El PDF tiene contraseña. Por favor, envíe una foto del documento.",
    },
    "too_large": {
        "en": "The file is too large. Please send a photo of the document.",
        "es": "El archivo es demasiado grande. Por favor, envíe una foto del documento.",
    },
}

_CAUSES["too_many_pixels"] = _CAUSES["too_many_pages"] = _CAUSES["too_large"]


def ask(reason: str, cause: str | None, language: str) -> str | None:
    """What to say for a reason; the cause that the reader gave says it better where there is one."""
    found = _CAUSES.get(cause or "") if reason == "unreadable" else None
    found = found or _ASK.get(reason)
    return None if found is None else found.get(language[:2], found["es"])
