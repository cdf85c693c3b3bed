"""Agents: what a flow's nodes call. A python agent imports `AgentError`, `Context` and `Reply` from here."""

from aispine.agent.author import AgentError, Context, Reply

__all__ = ["AgentError", "Context", "Reply"]
