"""Workers."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from aispine.engine.attendance import WorkerState
from api.schemas.common import moment, text


class HeldNode(Schema):
    """A node that a worker runs now."""

    execution_id = text("Its execution.")
    path = text("Its address there.")
    attempt = fields.Integer()
    started_at = moment("When its first attempt began.", allow_none=True)
    seconds = fields.Float(metadata={"description": "How long ago that was."})


class Worker(Schema):
    """A worker, or beat, as it said of itself at its last heartbeat."""

    worker_id = text("Its id: host, pid and start.")
    name = text("Its name, as Celery has it.")
    host = text("The host that it runs on.")
    pid = fields.Integer(metadata={"description": "Its main process there."})
    pool = text("What it is for: `engine`, `cpu`, `io`, or `beat`.")
    state = fields.String(validate=validate.OneOf([state.value for state in WorkerState]))
    queues = fields.List(fields.String(), metadata={"description": "The queues that it serves."})
    slots = fields.Integer(metadata={"description": "How many nodes it runs at once."})
    busy = fields.Integer(metadata={"description": "How many of them are taken, by whichever tenant."})
    free = fields.Integer(metadata={"description": "How many are not."})
    nodes = fields.List(
        fields.Nested(HeldNode), metadata={"description": "What it runs now, as far as it is the asking tenant's."}
    )
    version = text("Its version of AI Spine.")
    started_at = moment("When its main process began.")
    heartbeat_at = moment("When it spoke last.")
    heartbeat_seconds = fields.Float(metadata={"description": "How long ago that was."})


class WorkerPage(Schema):
    data = fields.List(fields.Nested(Worker))
    next_cursor = text("Always null: all workers are on one page.", allow_none=True)
