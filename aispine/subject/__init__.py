"""What is kept of a person who wrote over a channel: shown, and erased."""

from aispine.subject.erasing import Eraser, Erasure, erasures
from aispine.subject.person import Person, find

__all__ = ["Eraser", "Erasure", "Person", "erasures", "find"]
