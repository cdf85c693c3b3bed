"""Agents: what a flow's nodes call. A python agent imports `AgentError`, `Context`, `Reply`
and `Accepted` from here."""

from aispine.agent.author import Accepted, AgentError, Context, Reply

__all__ = ["Accepted", "AgentError", "Context", "Reply"]
