"""Brief: merges keywords, sentiment and readability of a text into one brief."""

import re
from typing import Any

from aispine.agent import Context, Reply


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> Reply:
    """Picks the sentences that hold most keywords, in the order of the text, and says the rest in one line."""
    counts = {item["word"]: item["count"] for item in input["keywords"].get("keywords", [])}
    highlights = _highlights(input["text"], counts, int(config.get("sentences", 2)))
    summary = _summary(list(counts), input["sentiment"], input["readability"])
    output = {
        "title": input.get("title") or ", ".join(list(counts)[:3]).capitalize(),
        "summary": summary,
        "highlights": highlights,
        "keywords": list(counts),
        "sentiment": input["sentiment"].get("label"),
        "level": input["readability"].get("level"),
    }
    return Reply(output, message=summary)


def _highlights(text: str, counts: dict[str, int], limit: int) -> list[str]:
    sentences = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip()]
    ranked = sorted(range(len(sentences)), key=lambda place: (-_worth(sentences[place], counts), place))
    return [sentences[place] for place in sorted(ranked[:limit])]


def _worth(sentence: str, counts: dict[str, int]) -> float:
    """The keywords' counts over the root of the length, so that a long sentence is not chosen for its length."""
    words = re.findall(r"[^\W\d_]+", sentence.lower())
    return sum(counts.get(word, 0) for word in set(words)) / max(len(words), 1) ** 0.5


def _summary(keywords: list[str], sentiment: dict[str, Any], readability: dict[str, Any]) -> str:
    about = ", ".join(keywords[:3]) or "nothing in particular"
    seconds = readability.get("reading_seconds", 0)
    return (
        f"About {about}; {sentiment.get('label', 'neutral')} in tone ({sentiment.get('score', 0):+.2f}); "
        f"{readability.get('level', 'medium')} to read, {seconds} s."
    )
