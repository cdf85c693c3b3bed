"""Keywords: the words and phrases that a text is about (RAKE: rapid automatic keyword extraction)."""

import re
from collections import Counter, defaultdict
from typing import Any

from aispine.agent import Context

from .stop_words import ALL

LONGEST_PHRASE = 4


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns at most `config.limit` (10) keywords with their counts, and as many phrases with their scores."""
    limit = int(config.get("limit", 10))
    phrases = _phrases(input["text"])
    counts = Counter(word for phrase in phrases for word in phrase if len(word) > 2)
    scores = _scores(phrases)
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return {
        "keywords": [{"word": word, "count": count} for word, count in _top(counts, limit)],
        "phrases": [{"phrase": phrase, "score": round(score, 2)} for phrase, score in ranked[:limit]],
        "distinct_words": len(counts),
    }


def _phrases(text: str) -> list[tuple[str, ...]]:
    """The runs of words between stop words and punctuation."""
    found = []
    for part in re.split(r"[^\w\s'-]+|\n", text.lower()):
        run: list[str] = []
        for word in [*re.findall(r"[^\W\d_][\w'-]*", part), ""]:
            if word and word not in ALL:
                run.append(word)
            elif run:
                found.append(tuple(run[:LONGEST_PHRASE]))
                run = []
    return found


def _scores(phrases: list[tuple[str, ...]]) -> dict[str, float]:
    """A word scores its degree (how many words it stands with) over its frequency; a phrase the sum of its words."""
    frequency: Counter[str] = Counter()
    degree: defaultdict[str, int] = defaultdict(int)
    for phrase in phrases:
        for word in phrase:
            frequency[word] += 1
            degree[word] += len(phrase)
    return {
        " ".join(phrase): sum(degree[word] / frequency[word] for word in phrase)
        for phrase in phrases
        if len(phrase) > 1
    }


def _top(counts: Counter[str], limit: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
