"""Guarded calls measured: what the guard costs, and whether breaker and limits are right when many ask at once."""
