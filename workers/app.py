"""The Celery app with its tasks, as `python -m workers` and `celery -A workers.app` load it."""

from __future__ import annotations

from aispine.engine import broker
from workers import process, tasks

app = broker.app()
tasks.register(app)
process.connect()
app.conf.beat_scheduler = "workers.beat:TickScheduler"
