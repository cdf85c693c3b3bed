"""Logging of every process: one JSON object a line, or readable lines, with the ids of what is being worked on.

Celery's, gunicorn's and SQLAlchemy's records go the same way as ours.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TextIO

from aispine.errors import InvalidRequest
from aispine.settings import Settings


def _imported_without_rich(name: str) -> Any:
    # structlog imports rich and pygments where they are installed, only for tracebacks that we show plainly: 8 MB and
    # 0.2 s in each process.
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = None  # type: ignore[assignment] # None makes the import system say "not there".
    try:
        return importlib.import_module(name)
    finally:
        if hidden:
            del sys.modules["rich"]


if TYPE_CHECKING:
    import structlog
else:
    structlog = _imported_without_rich("structlog")

REDACTED: Final = "[redacted]"
_SECRET_KEY: Final = re.compile(
    r"authorization|passw(or)?d|token(?!s|_count|_usage)|secret|cookie|api_?key|encryption_keys|private_key",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<keep>://[^\s:/@]*:)[^\s/@]+(?=@)",
        r"(?P<keep>\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}",
        r"(?P<keep>\b(?:password|passwd|token|secret|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}]+",
    )
)
_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_DEPTH: Final = 6
_CAPTURED: Final = (
    "celery",
    "celery.task",
    "celery.beat",
    "gunicorn.error",
    "gunicorn.access",
    "sqlalchemy",
    "werkzeug",
)
_PER_TASK: Final = ("celery.worker.strategy", "celery.app.trace")
"""They tell of each task that it was received and that it succeeded; what matters of it is an event."""
_NOISY: Final = {
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "urllib3": logging.WARNING,
    "alembic": logging.WARNING,
}

Event = MutableMapping[str, Any]


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Sends every record of this process to `stream` (stderr), in the settings' format and from their level on.

    May be called again. Raises `InvalidRequest` on an unknown level or format.
    """
    stream = stream or sys.stderr
    level = _level(settings.log_level)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(), processors=_last(settings.log_format, stream))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    _capture(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log.info("node.completed", duration=0.2)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def bind(**ids: Any) -> None:
    """Adds ids to every record of this thread from now on."""
    structlog.contextvars.bind_contextvars(**ids)


def forget() -> None:
    """Takes the ids away that were bound in this thread."""
    structlog.contextvars.clear_contextvars()


@contextlib.contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Adds ids to every record within: `request_id`, `tenant`, `execution`, `path`. None is left out."""
    with structlog.contextvars.bound_contextvars(**{name: value for name, value in ids.items() if value is not None}):
        yield


_hide: ContextVar[Callable[[Any], Any] | None] = ContextVar("aispine_hide", default=None)


@contextlib.contextmanager
def hiding(hide: Callable[[Any], Any]) -> Iterator[None]:
    """Lets every record of this thread within pass through `hide` before it is written, and through those around it."""
    outer = _hide.get() or _as_it_is
    token = _hide.set(lambda value: hide(outer(value)))
    try:
        yield
    finally:
        _hide.reset(token)


def redact(value: Any, depth: int = _DEPTH) -> Any:
    """The value without its secrets: those under a telling key, and those inside texts."""
    if isinstance(value, str):
        return _redact_text(value)
    if depth <= 0 or not isinstance(value, Mapping | list | tuple):
        return value
    if isinstance(value, Mapping):
        return {key: REDACTED if _secret(key, item) else redact(item, depth - 1) for key, item in value.items()}
    return [redact(item, depth - 1) for item in value]


def _secret(key: Any, value: Any) -> bool:
    return isinstance(key, str) and bool(_SECRET_KEY.search(key)) and value not in (None, "", True, False)


def _redact_text(text: str) -> str:
    for pattern in _SECRET_TEXT:
        text = pattern.sub(rf"\g<keep>{REDACTED}", text)
    return text


def _redacted(_logger: Any, _method: str, event: Event) -> Event:
    # The two keys that start with an underscore belong to structlog and are taken out later.
    hide = _hide.get() or _as_it_is
    return {key: value if key.startswith("_") else hide(redact({key: value})[key]) for key, value in event.items()}


def _as_it_is(value: Any) -> Any:
    return value


def _process(_logger: Any, _method: str, event: Event) -> Event:
    name = os.environ.get("AISPINE_PROCESS")
    if name:
        event["process"] = name
    return event


def _shared() -> list[Any]:
    """What happens to every record, ours or not."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]


def _last(log_format: str, stream: TextIO) -> list[Any]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if _is_console(log_format, stream):
        coloured = stream.isatty() or bool(os.environ.get("FORCE_COLOR"))
        renderer = structlog.dev.ConsoleRenderer(
            colors=coloured,
            timestamp_key="time",
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        )
        return [remove, _short_time, structlog.processors.format_exc_info, _redacted, renderer]
    return [
        remove,
        _process,
        structlog.processors.format_exc_info,
        _redacted,
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]


def _short_time(_logger: Any, _method: str, event: Event) -> Event:
    event["time"] = str(event.get("time", ""))[11:23]
    return event


def _is_console(log_format: str, stream: TextIO) -> bool:
    if log_format not in {"auto", "console", "json"}:
        raise InvalidRequest(
            f"log_format `{log_format}` is not known", field="log_format", hint="Use json, console or auto."
        )
    return log_format == "console" or (log_format == "auto" and stream.isatty())


def _level(name: str) -> int:
    if name.lower() not in _LEVELS:
        raise InvalidRequest(
            f"log_level `{name}` is not known", field="log_level", hint=f"Use one of {', '.join(_LEVELS)}."
        )
    return logging.getLevelNamesMapping()[name.upper()]


def _capture(level: int) -> None:
    """Takes the handlers away that other packages set up, so that their records reach ours, once."""
    for name in _CAPTURED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _PER_TASK:
        logging.getLogger(name).setLevel(logging.DEBUG if level <= logging.DEBUG else max(level, logging.WARNING))
    for name, quietest in _NOISY.items():
        logging.getLogger(name).setLevel(max(level, quietest))
