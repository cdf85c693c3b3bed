"""Flows that start by themselves: managing their schedules, and starting what is due."""

from aispine.schedules.firing import fire_due
from aispine.schedules.management import create, delete, list_schedules, pause, resume, show
from aispine.schedules.views import Firing, ScheduleEntry, ScheduleView

__all__ = [
    "Firing",
    "ScheduleEntry",
    "ScheduleView",
    "create",
    "delete",
    "fire_due",
    "list_schedules",
    "pause",
    "resume",
    "show",
]
