"""Readability: counts words, sentences and syllables, and says how hard a text is to read."""

import re
from typing import Any

from aispine.agent import AgentError, Context

WORDS_A_MINUTE = 220
LEVELS = ((70, "easy"), (50, "medium"), (30, "hard"))


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns the counts, the reading time, and the ease by Flesch or, in Spanish, by Fernandez Huerta."""
    text = input["text"]
    words = re.findall(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*", text)
    if not words:
        raise AgentError("`text` has no words", code="invalid_input")
    sentences = max(len([part for part in re.split(r"[.!?]+(?:\s|$)|\n{2,}", text) if re.search(r"\w", part)]), 1)
    syllables = sum(_syllables(word) for word in words)
    spanish = config.get("language", "en") == "es"
    ease = _ease(len(words) / sentences, syllables / len(words), spanish=spanish)
    return {
        "words": len(words),
        "sentences": sentences,
        "syllables": syllables,
        "words_per_sentence": round(len(words) / sentences, 1),
        "reading_seconds": round(len(words) * 60 / WORDS_A_MINUTE),
        "reading_ease": ease,
        "level": next((level for least, level in LEVELS if ease >= least), "very hard"),
    }


def _syllables(word: str) -> int:
    """Groups of vowels; a silent e at the end of an English word is none."""
    groups = len(re.findall(r"[aeiouyáéíóúü]+", word.lower()))
    silent = re.search(r"[^aeiouyl]e$", word.lower()) is not None and groups > 1
    return max(groups - silent, 1)


def _ease(words_per_sentence: float, syllables_per_word: float, *, spanish: bool) -> float:
    if spanish:
        return round(206.84 - 60 * syllables_per_word - 1.02 * words_per_sentence, 1)
    return round(206.835 - 84.6 * syllables_per_word - 1.015 * words_per_sentence, 1)
