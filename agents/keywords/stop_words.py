"""Words that say how sentences hang together and nothing about what they are about, in English and Spanish."""

from typing import Final

ENGLISH: Final = frozenset(
    """a about above after again against all also am an and any are as at be because been before being below between
    both but by can could did do does doing down during each even every few for from further get had has have having he
    her here hers him his how i if in into is it its itself just less like made make many may me might more most much
    must my new no nor not now of off on once one only or other our ours out over own per quite rather s same she
    should since so some such t than that the their theirs them then there these they this those through to too two
    under until up upon us use used very was we well were what when where which while who whom why will with within
    without would yet you your yours""".split()  # noqa: SIM905 - words read better as a text
)
SPANISH: Final = frozenset(
    """a al algo algunos ante antes aquel así aún aunque cada como con contra cual cuando de del desde donde dos durante
    e el ella ellas ellos en entre era es esa ese eso esta está están este esto estos fue ha hace hacia han hasta hay
    la las le les lo los mas más me mi mientras muy nada ni no nos nosotros o os otra otro para pero poco por porque que
    qué quien se sea según ser si sí sido sin sobre son su sus también tan tanto te tiene todo todos tu tus un una uno
    unos y ya yo""".split()  # noqa: SIM905 - words read better as a text
)
ALL: Final = ENGLISH | SPANISH
