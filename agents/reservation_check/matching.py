"""How alike two names are, however they are spelt, ordered or cut."""

import re
import unicodedata
from difflib import SequenceMatcher
from typing import Final

ALIKE: Final = 0.8
"""From here on two words count as one that was spelt differently."""
_SPELT: Final = str.maketrans("äöüåæøœł", "aouaaool", "'\N{RIGHT SINGLE QUOTATION MARK}") | str.maketrans(
    {"ß": "ss", "ð": "d", "þ": "th"}
)
_PARTICLES: Final = frozenset(
    {"de", "del", "la", "las", "los", "el", "y", "da", "do", "dos", "van", "von", "der", "den"}
)
_EXTRA: Final = 0.04
"""What each word costs that the longer name has and the other has not."""


def words(name: str) -> list[str]:
    """The words of a name in plain letters, as a machine-readable zone and a person would both write them."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_SPELT))
    letters = plain.encode("ascii", "ignore").decode()
    # A zone writes Ä as AE, Ö as OE, Ü as UE and Ø as OE.
    return [re.sub("([aou])e", r"\1", word) for word in re.findall("[a-z]+", letters)]


def similarity(one: str, other: str, surname: str | None = None) -> float:
    """0 to 1: how sure it is that both name the same person.

    A name may lack words that the other has, and its last word may be cut. One shared word alone is never enough, and
    of a known `surname` one word has to be among those that match.
    """
    shorter, longer = sorted((_core(one), _core(other)), key=len)
    if not shorter:
        return 0.0
    pairs = _pairs(shorter, longer)
    score = sum(alike for _, alike in pairs) / len(shorter)
    score *= 1 - _EXTRA * min(len(longer) - len(shorter), 4)
    if len(shorter) == 1 and len(longer) > 1:
        score *= 0.6
    if surname and not any(_among(word, words(surname)) for word, alike in pairs if alike >= ALIKE):
        score *= 0.5
    return round(score, 4)


def _core(name: str) -> list[str]:
    found = words(name)
    return [word for word in found if word not in _PARTICLES] or found


def _pairs(shorter: list[str], longer: list[str]) -> list[tuple[str, float]]:
    """Each word of the shorter name with how well the best word fits that is left for it, the surest pairs first."""
    wanted = sorted(((_alike(a, b), i, j) for i, a in enumerate(shorter) for j, b in enumerate(longer)), reverse=True)
    found: dict[int, tuple[str, float]] = {}
    taken: set[int] = set()
    for alike, i, j in wanted:
        if i not in found and j not in taken:
            found[i] = (shorter[i], alike)
            taken.add(j)
    return [found[i] for i in range(len(shorter))]


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    short, long_ = sorted((one, other), key=len)
    if long_.startswith(short):
        if len(short) == 1:
            return ALIKE
        if len(short) >= 3:
            return 0.95
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return ratio if ratio >= ALIKE else 0.0


def _among(word: str, others: list[str]) -> bool:
    return any(_alike(word, each) >= ALIKE for each in others)
