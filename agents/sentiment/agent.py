"""Sentiment: adds up the weights of a lexicon, turned round by negation and changed by emphasis."""

import math
import re
from typing import Any

from aispine.agent import Context

from .lexicon import BOOSTERS, NEGATIONS, WEIGHTS

REACH = 3
"""How many words before a word can negate or strengthen it."""
NEUTRAL = 0.1


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns a score from -1 to 1, its label, and the words that made it."""
    hits = []
    for sentence in re.split(r"[.!?\n]+", input["text"].lower()):
        words = re.findall(r"[^\W\d_]+", re.sub(r"n['\u2019]t\b", " not", sentence))
        hits += [(word, _weight(words, place)) for place, word in enumerate(words) if word in WEIGHTS]
    total = sum(weight for _, weight in hits)
    score = round(total / math.sqrt(total * total + 15), 4)
    return {
        "score": score,
        "label": "neutral" if abs(score) < NEUTRAL else "positive" if score > 0 else "negative",
        "positive": sorted({word for word, weight in hits if weight > 0}),
        "negative": sorted({word for word, weight in hits if weight < 0}),
    }


def _weight(words: list[str], place: int) -> float:
    weight = float(WEIGHTS[words[place]])
    for before in words[max(place - REACH, 0) : place]:
        weight *= -0.75 if before in NEGATIONS else BOOSTERS.get(before, 1.0)
    return weight
