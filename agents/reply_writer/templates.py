"""The texts of replies, by language and category."""

from typing import Final

GREETINGS: Final = {"en": "Hello{name},", "es": "Hola{name}:"}
CLOSINGS: Final = {"en": "Best regards,\n{signature}", "es": "Saludos cordiales,\n{signature}"}
DUE: Final = {
    "en": "We answer tickets of priority {priority} within {hours} hours.",
    "es": "Respondemos los casos de prioridad {priority} en un plazo de {hours} horas.",
}
PRIORITIES: Final = {
    "en": {"urgent": "urgent", "high": "high", "normal": "normal", "low": "low"},
    "es": {"urgent": "urgente", "high": "alta", "normal": "normal", "low": "baja"},
}
HOURS: Final = {"urgent": 1, "high": 4, "normal": 24, "low": 72}
BODIES: Final = {
    "en": {
        "access": "you can set a new password from the sign-in page. If the account stays locked, tell us its e-mail.",
        "billing": "we are checking the payment{reference}. A charge made by mistake is refunded in 5 working days.",
        "bug": "thank you for the report. We are reproducing it; please tell us when it last happened.",
        "how_to": "the guide in the help centre shows it step by step. Tell us where you are stuck.",
        "other": "thank you for writing. What were you trying to do, and what happened instead?",
    },
    "es": {
        "access": "puede crear una contraseña nueva desde la página de acceso. Si sigue bloqueada, díganos su correo.",
        "billing": "estamos revisando el pago{reference}. Un cobro hecho por error se reembolsa en 5 días hábiles.",
        "bug": "gracias por el aviso. Lo estamos reproduciendo; díganos cuándo ocurrió por última vez.",
        "how_to": "la guía del centro de ayuda lo muestra paso a paso. Díganos dónde se detuvo.",
        "other": "gracias por escribirnos. ¿Puede contarnos qué intentaba hacer y qué ocurrió en su lugar?",
    },
}
REFERENCES: Final = {"en": " of invoice {number}", "es": " de la factura {number}"}
