"""Executions and all that belongs to one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Json, Timestamp


class ExecutionRow(Base):
    """`event_seq` is the last event's number, `open_nodes` counts nodes that are activated and not terminal."""

    __tablename__ = "executions"
    __table_args__ = (
        Index("ix_executions_list", "tenant_id", text("created_at DESC"), text("execution_id DESC")),
        Index("ix_executions_flow", "tenant_id", "flow_id", text("created_at DESC")),
        Index(
            "ix_executions_correlation",
            "tenant_id",
            "correlation_id",
            postgresql_where=text("correlation_id IS NOT NULL"),
        ),
        Index("ix_executions_labels", "labels", postgresql_using="gin", postgresql_where=text("labels <> '{}'")),
        Index("ix_executions_root", "root_execution_id", postgresql_where=text("root_execution_id IS NOT NULL")),
        Index("ix_executions_rerun", "rerun_of", postgresql_where=text("rerun_of IS NOT NULL")),
        Index(
            "uq_executions_parent",
            "parent_execution_id",
            "parent_path",
            "parent_attempt",
            unique=True,
            postgresql_where=text("parent_execution_id IS NOT NULL"),
        ),
        Index(
            "ix_executions_due",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_executions_schedule",
            "schedule_id",
            text("created_at DESC"),
            postgresql_where=text("schedule_id IS NOT NULL"),
        ),
        Index(
            "ix_executions_finished",
            "finished_at",
            postgresql_where=text("finished_at IS NOT NULL AND parent_execution_id IS NULL"),
        ),
        Index(
            "ix_executions_open",
            "status",
            postgresql_where=text("status NOT IN ('completed', 'failed', 'cancelled', 'timed_out')"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    execution_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"))
    flow_id: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    flow_version_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    input: Mapped[Any] = mapped_column(Json)
    context: Mapped[Any] = mapped_column(Json)
    output: Mapped[Any] = mapped_column(Json, nullable=True)
    error: Mapped[Any] = mapped_column(Json, nullable=True)
    agents: Mapped[Any] = mapped_column(Json, nullable=True)
    labels: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    correlation_id: Mapped[str | None] = mapped_column(Text)
    event_seq: Mapped[int] = mapped_column(Integer, server_default="0")
    open_nodes: Mapped[int] = mapped_column(Integer, server_default="0")
    active_nodes: Mapped[int] = mapped_column(Integer, server_default="0")
    reopened: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    parent_execution_id: Mapped[str | None] = mapped_column(Id)
    parent_path: Mapped[str | None] = mapped_column(Text)
    parent_attempt: Mapped[int | None] = mapped_column(SmallInteger)
    """Which attempt of the subflow node started this one: a repeated start finds it again."""
    depth: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """How many executions stand above this one."""
    root_execution_id: Mapped[str | None] = mapped_column(Id)
    """The topmost of them; None for an execution that is no child."""
    rerun_of: Mapped[str | None] = mapped_column(Id)
    schedule_id: Mapped[str | None] = mapped_column(Id)
    paused_at: Mapped[datetime | None] = mapped_column(Timestamp)
    mutexes: Mapped[Any] = mapped_column(Json, nullable=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
    deadline_at: Mapped[datetime | None] = mapped_column(Timestamp)
    due_at: Mapped[datetime | None] = mapped_column(Timestamp)
    """When the tick must look at it: the start that was not picked up, or the deadline."""


class NodeExecutionRow(Base):
    """A node inside one execution; a node without a row is pending and untouched.

    `unsettled`, `live_control`, `live_dependency` and `blocked` count its incoming edges.
    `due_at` is when the tick must look at it: end of the lease, of the delay before a retry, of a timer,
    or of the time after which a queued message counts as lost.
    """

    __tablename__ = "node_executions"
    __table_args__ = (
        Index("ix_node_executions_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_node_executions_waiting", "tenant_id", "started_at", postgresql_where=text("status = 'waiting'")),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    execution_id: Mapped[str] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    node_id: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    queue: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    lost_attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    unsettled: Mapped[int] = mapped_column(Integer, server_default="0")
    live_control: Mapped[int] = mapped_column(Integer, server_default="0")
    live_dependency: Mapped[int] = mapped_column(Integer, server_default="0")
    blocked: Mapped[int] = mapped_column(Integer, server_default="0")
    input: Mapped[Any] = mapped_column(Json, nullable=True)
    output: Mapped[Any] = mapped_column(Json, nullable=True)
    message: Mapped[str | None] = mapped_column(Text)
    metadata_: Mapped[Any] = mapped_column("metadata", Json, nullable=True)
    error: Mapped[Any] = mapped_column(Json, nullable=True)
    state: Mapped[Any] = mapped_column(Json, nullable=True)
    lease_owner: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None] = mapped_column(Timestamp)
    queued_at: Mapped[datetime | None] = mapped_column(Timestamp)
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)


class SignalRow(Base):
    """A signal that came before anybody waited for it."""

    __tablename__ = "signals"
    __table_args__ = (
        Index("ix_signals_kept", "execution_id", "created_at", postgresql_where=text("consumed_at IS NULL")),
    )

    signal_id: Mapped[str] = mapped_column(Text, primary_key=True)
    execution_id: Mapped[str] = mapped_column(Id)
    tenant_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(Json, nullable=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    consumed_at: Mapped[datetime | None] = mapped_column(Timestamp)


class EventRow(Base):
    """`seq` counts from 1 inside an execution, without a gap."""

    __tablename__ = "events"

    execution_id: Mapped[str] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    path: Mapped[str | None] = mapped_column(Text)
    data: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class NodeLogRow(Base):
    """What an agent printed and logged in one attempt."""

    __tablename__ = "node_logs"

    execution_id: Mapped[str] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
