"""What the words of a ticket say about it; an entry is the beginning of a word, or a phrase."""

from typing import Final

CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "access": (
        "password", "log in", "login", "sign in", "locked", "2fa", "access", "account", "reset",
        "contraseña", "clave", "iniciar sesión", "entrar", "acceso", "cuenta", "bloquead",
    ),
    "billing": (
        "invoice", "charge", "refund", "payment", "paid", "card", "price", "subscription", "billing",
        "factura", "cobr", "reembols", "pago", "tarjeta", "precio", "suscripción",
    ),
    "bug": (
        "error", "crash", "broken", "bug", "fail", "not working", "does not work", "down", "outage", "500",
        "falla", "fallo", "roto", "no funciona", "caíd", "se cierra",
    ),
    "how_to": (
        "how do", "how can", "how to", "where can", "is it possible", "documentation", "guide", "explain",
        "cómo", "dónde", "es posible", "documentación", "guía", "explic",
    ),
}  # fmt: skip
URGENT: Final = (
    "urgent", "asap", "immediately", "outage", "everyone", "all users", "production", "data loss", "security", "breach",
    "urgente", "inmediat", "todos los usuarios", "producción", "pérdida de datos", "seguridad",
)  # fmt: skip
HIGH: Final = (
    "cannot", "can't", "blocked", "today", "deadline", "twice", "again", "still",
    "no puedo", "no podemos", "hoy", "dos veces", "otra vez", "sigue",
)  # fmt: skip
LOW: Final = (
    "whenever", "no hurry", "suggestion", "feature request", "sin prisa", "sugerencia", "cuando puedan",
)  # fmt: skip
STOP_WORDS: Final = {
    "en": frozenset(("the", "and", "is", "to", "of", "my", "it", "not", "with", "for", "this", "have", "i", "you")),
    "es": frozenset(("el", "la", "los", "y", "es", "de", "mi", "que", "no", "con", "para", "por", "una", "se", "en")),
}
VIP_PLANS: Final = frozenset(("enterprise", "premium"))
