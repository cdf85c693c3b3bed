"""What was opened for a call is found and hidden in whatever the call said."""

from __future__ import annotations

import base64
import io

from aispine import logs
from aispine.secrets import NONE, Opened
from aispine.settings import Settings

KEY = "p&ss w0rd"
OPENED = Opened(values={"key": KEY, "longer": f"{KEY}-and-more"})


def test_a_value_is_hidden_wherever_it_stands() -> None:
    said = {KEY: [f"it is {KEY}.", {"deep": f"{KEY}-and-more"}], "n": 1, "url": "x?k=p%26ss%20w0rd"}
    said["basic"] = base64.b64encode(KEY.encode()).decode()
    assert OPENED.hide(said) == {
        "[redacted]": ["it is [redacted].", {"deep": "[redacted]"}],
        "n": 1,
        "url": "x?k=[redacted]",
        "basic": "[redacted]",
    }


def test_without_secrets_nothing_is_touched() -> None:
    said = {"a": [1]}
    assert NONE.hide(said) is said
    assert KEY not in repr(OPENED)


def test_the_process_logs_without_them_while_the_call_lasts() -> None:
    stream = io.StringIO()
    logs.configure(Settings(log_format="json"), stream)
    log = logs.get("test")
    with logs.hiding(Opened(values={"other": "another one"}).hide), logs.hiding(OPENED.hide):
        log.info("together", said=f"{KEY} and another one")
        log.info("called", answer=f"it said {KEY}")
    log.info("ended", answer="p&ss")
    assert KEY not in stream.getvalue()
    assert "another one" not in stream.getvalue()
    assert "it said [redacted]" in stream.getvalue()
