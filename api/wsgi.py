"""The application as gunicorn loads it."""

from aispine import logs, settings
from api.app import create_app

logs.configure(settings.current())
app = create_app()
