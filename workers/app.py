"""The Celery app that the worker and beat processes load: `celery -A workers.app`."""

from __future__ import annotations

from aispine.engine import broker
from workers import process, tasks

app = broker.app()
tasks.register(app)
process.connect()
app.conf.beat_scheduler = "workers.beat:TickScheduler"
