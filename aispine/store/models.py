"""The tables.

Payloads are `json` (kept as written, never queried in SQL), labels are `jsonb` (filtered). What belongs to an
execution carries no foreign key to it: checking one would lock the execution's row once more for every row written.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PLATFORM: Final = "platform"
"""The tenant that owns what every tenant may read and none may write: the official agents."""

Json = JSON(none_as_null=True)
Id = Uuid(as_uuid=False)
Timestamp = DateTime(timezone=True)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Tenant(Base):
    __tablename__ = "tenants"
    __table_args__ = (CheckConstraint("tenant_id <> ''", name="tenant_id"),)

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ApiKey(Base):
    """Only the SHA-256 of a key is kept; `prefix` is what a person recognises it by."""

    __tablename__ = "api_keys"

    api_key_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)


class FlowRow(Base):
    """`lookup_id` is the flow's id with `-` as `_`, so that both spellings find it."""

    __tablename__ = "flows"
    __table_args__ = (UniqueConstraint("tenant_id", "lookup_id"),)

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    flow_id: Mapped[str] = mapped_column(Text, primary_key=True)
    lookup_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(Timestamp)


class FlowVersionRow(Base):
    """Immutable; `source` is the file as it was deployed."""

    __tablename__ = "flow_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "flow_id", "version"),
        ForeignKeyConstraint(["tenant_id", "flow_id"], ["flows.tenant_id", "flows.flow_id"]),
    )

    flow_version_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    flow_id: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class AgentRow(Base):
    __tablename__ = "agents"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class AgentVersionRow(Base):
    """`definition` is what `agent.yaml` or the registration says; `credential` is encrypted."""

    __tablename__ = "agent_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "agent_id", "version"),
        ForeignKeyConstraint(["tenant_id", "agent_id"], ["agents.tenant_id", "agents.agent_id"], ondelete="CASCADE"),
    )

    agent_version_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    pool: Mapped[str] = mapped_column(Text)
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    definition: Mapped[dict[str, Any]] = mapped_column(Json)
    credential: Mapped[str | None] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


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


class ScheduleRow(Base):
    """When a flow starts by itself; `origin` is `flow` for what its file says, `api` for what somebody added.

    `every` counts from `anchor_at`. `next_due_at` is null while it is paused, and when no time comes any more.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "flow_id"], ["flows.tenant_id", "flows.flow_id"]),
        CheckConstraint("(cron IS NULL) <> (every IS NULL)", name="one_kind"),
        Index("ix_schedules_list", "tenant_id", "schedule_id"),
        Index("ix_schedules_due", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
        Index("uq_schedules_file", "tenant_id", "flow_id", unique=True, postgresql_where=text("origin = 'flow'")),
    )

    schedule_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    flow_id: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    cron: Mapped[str | None] = mapped_column(Text)
    every: Mapped[float | None] = mapped_column(Double)
    timezone: Mapped[str] = mapped_column(Text)
    input: Mapped[Any] = mapped_column(Json)
    anchor_at: Mapped[datetime] = mapped_column(Timestamp)
    next_due_at: Mapped[datetime | None] = mapped_column(Timestamp)
    paused_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ScheduleFiringRow(Base):
    """One time of a schedule that was carried out, with the execution that it started or the error that kept it."""

    __tablename__ = "schedule_firings"
    __table_args__ = (Index("ix_schedule_firings_fired", "fired_at"),)

    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedules.schedule_id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Timestamp, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    execution_id: Mapped[str | None] = mapped_column(Id)
    error: Mapped[Any] = mapped_column(Json, nullable=True)
    fired_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.clock_timestamp())


class IdempotencyKeyRow(Base):
    """The first answer to a request that starts something; `status` is null while it is in flight."""

    __tablename__ = "idempotency_keys"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    method: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[Any] = mapped_column(Json, nullable=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), index=True)


class WorkerRow(Base):
    """A worker, or beat, that says every few seconds that it lives.

    `processes` are the pids that run its nodes, as the owners of leases name them; `consuming` is false once it takes
    no more messages.
    """

    __tablename__ = "workers"

    worker_id: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, server_default=PLATFORM)
    name: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int] = mapped_column(Integer)
    pool: Mapped[str] = mapped_column(Text)
    queues: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    slots: Mapped[int] = mapped_column(Integer, server_default="0")
    busy: Mapped[int] = mapped_column(Integer, server_default="0")
    processes: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    consuming: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Timestamp)
    heartbeat_at: Mapped[datetime] = mapped_column(Timestamp)
    drain_requested_at: Mapped[datetime | None] = mapped_column(Timestamp)


class CounterRow(Base):
    """A figure about the whole platform, as `/metrics` shows it; `labels` as they stand there."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    labels: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, server_default=PLATFORM)
    value: Mapped[float] = mapped_column(Double)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


SHARED: Final = frozenset({"agents", "agent_versions"})
"""Tables whose platform rows every tenant may read."""
PLATFORM_ONLY: Final = frozenset({"workers", "counters"})
"""Tables that hold nothing of any tenant, and that every tenant may read."""
