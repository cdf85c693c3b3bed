"""The tables.

Payloads are `json` (kept as written, never queried in SQL), labels are `jsonb` (filtered). What belongs to an
execution carries no foreign key to it: checking one would lock the execution's row once more for every row written.
"""

from aispine.store.models.agents import AgentMetricRow, AgentRow, AgentVersionRow
from aispine.store.models.base import PLATFORM, PLATFORM_ONLY, SEALED, SHARED, Base
from aispine.store.models.cached import CachedAnswerRow
from aispine.store.models.calls import CallRow
from aispine.store.models.channels import (
    ChannelMessageRow,
    ChannelRow,
    ContactRow,
    ConversationRow,
    OutboxRow,
    QuestionRow,
)
from aispine.store.models.executions import EventRow, ExecutionRow, NodeExecutionRow, NodeLogRow, SignalRow
from aispine.store.models.files import FileChunkRow, FileRow
from aispine.store.models.flows import FlowRow, FlowVersionRow
from aispine.store.models.health import AgentHealthRow
from aispine.store.models.hosts import HostListsRow
from aispine.store.models.plans import Plan
from aispine.store.models.schedules import ScheduleFiringRow, ScheduleRow
from aispine.store.models.secrets import SecretRow
from aispine.store.models.slots import CallSlotRow
from aispine.store.models.subjects import ErasureRow
from aispine.store.models.tenants import ApiKey, IdempotencyKeyRow, Tenant
from aispine.store.models.tools import ToolRow
from aispine.store.models.workers import CounterRow, WorkerRow

__all__ = [
    "PLATFORM",
    "PLATFORM_ONLY",
    "SEALED",
    "SHARED",
    "AgentHealthRow",
    "AgentMetricRow",
    "AgentRow",
    "AgentVersionRow",
    "ApiKey",
    "Base",
    "CachedAnswerRow",
    "CallRow",
    "CallSlotRow",
    "ChannelMessageRow",
    "ChannelRow",
    "ContactRow",
    "ConversationRow",
    "CounterRow",
    "ErasureRow",
    "EventRow",
    "ExecutionRow",
    "FileChunkRow",
    "FileRow",
    "FlowRow",
    "FlowVersionRow",
    "HostListsRow",
    "IdempotencyKeyRow",
    "NodeExecutionRow",
    "NodeLogRow",
    "OutboxRow",
    "Plan",
    "QuestionRow",
    "ScheduleFiringRow",
    "ScheduleRow",
    "SecretRow",
    "SignalRow",
    "Tenant",
    "ToolRow",
    "WorkerRow",
]
