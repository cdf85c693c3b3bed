"""Computes a Fibonacci number the slow way: work for a processor that takes as long each time."""

from typing import Any

from aispine.agent import Context


def execute(_input: Any, config: dict[str, Any], _context: Context) -> int:
    return fibo(config["number"])


def fibo(number: int) -> int:
    """The number by the definition, without remembering anything."""
    return number if number < 2 else fibo(number - 1) + fibo(number - 2)
