"""Agents that are a language model with a prompt, tools, a schema for its answer, and a budget."""
