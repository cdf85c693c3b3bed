from __future__ import annotations

import subprocess
import sys
import threading
import time
from textwrap import dedent

import pytest

from aispine.agent.call import call
from aispine.agent.contract import AgentFailure, AgentReply
from aispine.guards import aside
from aispine.settings import Settings
from tests.unit.agent.support import request, write_agent

SETTINGS = Settings(max_log_bytes=2000)


def outcome(folder, code, *, more="", **changes):
    return call(write_agent(folder, code, more=more), request(**changes), SETTINGS)


def test_what_the_agent_returns_is_the_output(tmp_path):
    called = outcome(
        tmp_path, "def execute(input, config, context): return {'got': input, 'with': config}", config={"a": 1}
    )
    assert called.outcome == AgentReply(output={"got": {"text": "hello"}, "with": {"a": 1}})


def test_a_reply_carries_message_and_metadata(tmp_path):
    code = """
    from aispine.agent import Reply
    def execute(input, config, context):
        return Reply({"a": (1, 2)}, message="done\\0", metadata={"tokens_used": 7})
    """
    expected = AgentReply(output={"a": [1, 2]}, message="done\N{REPLACEMENT CHARACTER}", metadata={"tokens_used": 7})
    assert outcome(tmp_path, code).outcome == expected


def test_the_context_tells_the_call(tmp_path):
    code = """
    def execute(input, config, context):
        return [context.execution_id, context.path, context.attempt, context.idempotency_key, context.timeout]
    """
    reply = outcome(tmp_path, code, attempt=3).outcome
    assert reply.output == ["e1", "n1", 3, "e1/n1", 5.0]


@pytest.mark.parametrize(
    ("raised", "code", "detail"),
    [
        ("AgentError('no')", "agent_error", None),
        ("AgentError('no', code='E7')", "agent_error", {"error_code": "E7"}),
        ("AgentError('no', code='E7', retryable=True)", "unavailable", {"error_code": "E7"}),
        ("AgentError('no', retryable=True)", "unavailable", None),
        ("AgentError('no', code='rate_limited', retry_after=3)", "rate_limited", None),
        ("AgentError('no', code='invalid_input', detail={'field': 'x'})", "invalid_input", {"field": "x"}),
        ("AgentError('no', code='lost')", "agent_error", {"error_code": "lost"}),
    ],
)
def test_an_agent_error_becomes_the_failure_it_names(tmp_path, raised, code, detail):
    failure = outcome(tmp_path, f"from aispine.agent import AgentError\ndef execute(i, c, x): raise {raised}").outcome
    assert (failure.code, failure.message, failure.detail) == (code, "no", detail)
    assert failure.retry_after == (3.0 if code == "rate_limited" else None)


def test_any_other_error_is_short_in_the_failure_and_whole_in_the_log(tmp_path):
    called = outcome(tmp_path, "def execute(input, config, context):\n    print('before')\n    return 1 / 0\n")
    assert called.outcome == AgentFailure(code="agent_error", message="ZeroDivisionError: division by zero")
    assert called.log.startswith("before\nTraceback")
    assert "agent.py" in called.log
    assert "aispine/agent/python.py" not in called.log


def test_exit_is_a_failure_and_not_the_end_of_the_worker(tmp_path):
    failure = outcome(tmp_path, "import sys\ndef execute(i, c, x): sys.exit(3)").outcome
    assert (failure.code, failure.message) == ("agent_error", "the agent called exit(3)")


@pytest.mark.parametrize("returned", ["float('nan')", "{'a': object()}", "{1, 2}", "b'x'"])
def test_what_is_not_json_is_an_invalid_response(tmp_path, returned):
    assert outcome(tmp_path, f"def execute(i, c, x): return {returned}").outcome.code == "invalid_response"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def execute(", "SyntaxError"),
        ("import no_such_module", "no_such_module"),
        ("x = 1", "no plain function"),
        ("async def execute(i, c, x): return 1", "no plain function"),
        ("raise SystemExit(1)", "SystemExit"),
    ],
)
def test_code_that_cannot_be_loaded_is_told(tmp_path, code, message):
    failure = outcome(tmp_path, code).outcome
    assert failure.code == "agent_error"
    assert message in failure.message


def test_a_changed_file_is_loaded_again_even_within_a_second(tmp_path):
    for number in range(5):
        assert outcome(tmp_path, f"def execute(i, c, x): return {number}").outcome.output == number


def test_a_changed_file_that_the_agent_imports_is_loaded_again(tmp_path):
    code = "from .rules import rule\ndef execute(i, c, x): return rule()"
    for number in range(3):
        (tmp_path / "rules.py").write_text(f"def rule(): return {number}")
        assert outcome(tmp_path, code).outcome.output == number


def test_two_agents_with_modules_of_the_same_name_do_not_meet(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.py").write_text(f"NAME = '{name}'")
    code = "from .rules import NAME\ndef execute(i, c, x): return NAME"
    assert [outcome(tmp_path / name, code).outcome.output for name in ("one", "two", "one")] == ["one", "two", "one"]
    assert "rules" not in sys.modules


def test_a_missing_folder_is_worth_another_attempt(tmp_path):
    agent = write_agent(tmp_path / "gone", "def execute(i, c, x): return 1")
    (tmp_path / "gone" / "agent.yaml").unlink()
    assert call(agent, request(), Settings(home=tmp_path)).outcome.code == "unavailable"


def test_input_and_output_are_checked_against_their_schemas(tmp_path):
    more = """\
    input_schema: {type: object, required: [text], properties: {text: {type: string}}}
    output_schema: {type: object, properties: {n: {type: integer}}, required: [n]}
    """
    code = "def execute(input, config, context): return {'n': config['n']}"
    assert outcome(tmp_path, code, more=more, config={"n": 1}).outcome.output == {"n": 1}
    missing = outcome(tmp_path, code, more=more, input={"text": 5}).outcome
    assert (missing.code, missing.detail) == ("invalid_input", {"misfits": ["text: must be a string; it is 5"]})
    assert outcome(tmp_path, code, more=more, config={"n": "x"}).outcome.code == "invalid_response"


def test_the_log_is_bounded(tmp_path):
    called = outcome(tmp_path, "def execute(i, c, x):\n    for _ in range(1000): print('x' * 100)\n    return {}")
    assert called.log.endswith("\n[truncated after 2000 bytes]\n")
    assert len(called.log) < 2100


SLOW = "import time\ndef execute(i, c, x):\n    print('waiting')\n    time.sleep(30)\n"


def test_an_agent_that_takes_too_long_is_interrupted_on_the_main_thread(tmp_path):
    started = time.monotonic()
    called = outcome(tmp_path, SLOW, timeout=0.2)
    assert (called.outcome.code, called.log) == ("timeout", "waiting\n")
    assert time.monotonic() - started < 3


def test_an_agent_that_catches_every_exception_is_interrupted_too(tmp_path):
    code = """
    import time
    def execute(i, c, x):
        try:
            time.sleep(30)
        except Exception:
            time.sleep(30)
    """
    assert outcome(tmp_path, code, timeout=0.2).outcome.code == "timeout"


def test_an_agent_that_swallows_the_first_interruption_meets_the_next(tmp_path):
    code = """
    import time
    def execute(i, c, x):
        try:
            time.sleep(30)
        except BaseException:
            time.sleep(30)
    """
    assert outcome(tmp_path, code, timeout=0.2).outcome.code == "timeout"


def on_thread(work):
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(20)
    return results[0]


def wait_until(holds, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def test_an_agent_that_takes_too_long_on_a_thread_is_given_up(tmp_path):
    code = """
    import time
    def execute(i, c, x):
        print("waiting")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            time.sleep(0.01)
    """
    agent = write_agent(tmp_path, code)
    called = on_thread(lambda: call(agent, request(timeout=0.2), SETTINGS))
    assert (called.outcome.code, called.log) == ("timeout", "waiting\n")
    # The thread is told to end, and does so at its next line of Python.
    wait_until(lambda: aside.stuck_threads() == 0)


def test_an_agent_on_a_thread_answers_and_fails_as_on_the_main_one(tmp_path):
    agent = write_agent(tmp_path, "def execute(input, config, context):\n    print('x')\n    return 1 / input['by']")
    assert on_thread(lambda: call(agent, request(input={"by": 2}), SETTINGS)).outcome.output == 0.5
    failed = on_thread(lambda: call(agent, request(input={"by": 0}), SETTINGS))
    assert failed.outcome.code == "agent_error"
    assert "ZeroDivisionError" in failed.log


def test_code_that_holds_the_interpreter_costs_the_process_its_life(tmp_path):
    write_agent(tmp_path, "import itertools\ndef execute(i, c, x): sum(itertools.repeat(0))")
    program = dedent(
        f"""
        from pathlib import Path
        from aispine.agent import deadline, manifest
        from aispine.agent.call import call
        from aispine.settings import Settings
        from tests.unit.agent.support import request
        deadline.GRACE = 0.3
        call(manifest.read(Path({str(tmp_path)!r})), request(timeout=0.2), Settings())
        """
    )
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
    assert ended.returncode == -9
    assert time.monotonic() - started < 10


def test_the_process_lives_on_after_a_call_in_time(tmp_path):
    write_agent(tmp_path, "def execute(i, c, x): return 1")
    program = dedent(
        f"""
        import time
        from pathlib import Path
        from aispine.agent import deadline, manifest
        from aispine.agent.call import call
        from aispine.settings import Settings
        from tests.unit.agent.support import request
        deadline.GRACE = 0.1
        call(manifest.read(Path({str(tmp_path)!r})), request(timeout=0.1), Settings())
        time.sleep(0.5)
        """
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False).returncode == 0
