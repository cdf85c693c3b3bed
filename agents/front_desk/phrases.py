"""What the front desk says, in English and Spanish, and which of them a text is in."""

import re
from typing import Final

PHRASES: Final = {
    "es": {
        "greeting": "Hola, soy el asistente del hotel. Pregúnteme lo que quiera, escriba su código de reserva "
        "(por ejemplo HTL-1001), o escriba «persona» para hablar con alguien.",
        "code": "Escriba, por favor, su código de reserva (por ejemplo HTL-1001).",
        "bye": "Ha sido un placer. ¡Hasta pronto!",
        "reservation": "Su reserva {code} está confirmada: llegada {check_in}, salida {check_out}. ¿Algo más?",
        "no_reservation": "No encuentro una reserva con ese código. Compruébelo, o escriba «persona».",
    },
    "en": {
        "greeting": "Hello, I am the hotel's assistant. Ask me anything, send your reservation code "
        "(such as HTL-1001), or write 'person' to talk to somebody.",
        "code": "Please send me your reservation code (such as HTL-1001).",
        "bye": "It was a pleasure. See you soon!",
        "reservation": "Your reservation {code} is confirmed: arrival {check_in}, departure {check_out}. "
        "Anything else?",
        "no_reservation": "I find no reservation under that code. Please check it, or write 'person'.",
    },
}
_WORDS: Final = {
    "es": "hola buenas buenos días tardes gracias qué que cuál cómo dónde cuándo hora es el la los las mi su una un "
    "quiero necesito puedo tengo tienen hay reserva reservación desayuno piscina aparcamiento persona humano adiós "
    "por para y con",
    "en": "hello hi good morning thanks thank what which how where when time is the my your a an i want need can have "
    "do there reservation booking breakfast pool parking person human bye please for and with to does",
}


def language_of(text: str) -> str | None:
    """The language whose words the text has more of; None when that does not tell."""
    found = re.findall(r"[a-záéíóúñü]+", text.lower())
    counts = {language: sum(word in words.split() for word in found) for language, words in _WORDS.items()}
    if counts["es"] == counts["en"]:
        return None
    return max(counts, key=lambda language: counts[language])
