"""Words with their weight from -3 to 3, words that turn the next ones round, and words that strengthen them."""

from typing import Final


def _weights(weight: int, words: str) -> dict[str, int]:
    return dict.fromkeys(words.split(), weight)


WEIGHTS: Final[dict[str, int]] = {
    **_weights(3, "excellent outstanding superb perfect love amazing brilliant excelente perfecto increíble encanta"),
    **_weights(2, "good great happy success strong better best benefit reliable efficient robust promising win gain"),
    **_weights(2, "bueno buena bien feliz éxito mejor fuerte fiable eficiente gracias beneficio"),
    **_weights(
        1, "useful helpful fast easy cheap clean improve improved improves growth support stable thanks falling"
    ),
    **_weights(1, "útil rápido fácil barato limpio mejora crecimiento estable"),
    **_weights(-1, "slow hard expensive delay delays uncertain limited concern concerns costly risk risks volatile"),
    **_weights(-1, "lento difícil caro retraso incierto limitado riesgo preocupación"),
    **_weights(
        -2, "bad poor problem problems fail fails failed failure broken loss weak worse wrong angry error errors"
    ),
    **_weights(-2, "malo mala mal problema problemas falla fallo roto pérdida débil peor enojado error errores"),
    **_weights(-3, "terrible awful horrible worst hate disaster useless unacceptable scam pésimo odio desastre estafa"),
}
NEGATIONS: Final = frozenset("not no never without hardly n't cannot nunca sin ni tampoco jamás".split())  # noqa: SIM905 - words read better as a text
BOOSTERS: Final = {
    **dict.fromkeys("very really extremely highly too muy realmente sumamente demasiado".split(), 1.5),  # noqa: SIM905 - words read better as a text
    **dict.fromkeys("slightly somewhat rather fairly algo poco".split(), 0.5),  # noqa: SIM905 - words read better as a text
}
