"""AI Spine runs flows of AI agents on Celery workers and never loses one."""

__version__ = "0.1.0"
