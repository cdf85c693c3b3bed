"""Checks of an agent before it is used: the contract, and its samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from aispine.agent import http, module, service
from aispine.agent.contract import AgentFailure, FailureCode, Health
from aispine.agent.credential import seal
from aispine.agent.definition import AgentVersion
from aispine.agent.manifest import read, registration
from aispine.agent.sample import Sample, read_samples
from aispine.agent.testing import outcome_of, request_for
from aispine.flow.jsonvalue import parse
from aispine.guards.http import Answer
from aispine.guards.rules import OPEN
from aispine.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check; `problem` is None when it passed, `seconds` is what it took."""

    name: str
    problem: str | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.problem is None


def check_folder(folder: Path, settings: Settings) -> list[Check]:
    """Checks an agent in a folder: what holds an application is served meanwhile.

    Raises `InvalidAgent` when its definition or a sample cannot be read.
    """
    if service.is_service(folder):
        return _check_service(folder, settings)
    agent = read(folder)
    samples = read_samples(folder)
    own = _llm_checks(samples) if agent.kind == "llm" else _code_checks(agent)
    return [Check(name="agent.yaml is valid"), *own, *_sample_checks(agent, samples, settings)]


def _check_service(folder: Path, settings: Settings) -> list[Check]:
    from cryptography.fernet import Fernet

    samples, begun = read_samples(folder), time.monotonic()
    try:
        with service.serving(folder) as served:
            starts = Check(name=_STARTS, seconds=time.monotonic() - begun)
            # The key is sealed as a registered one would be, under a key that lives as long as this check.
            own = replace(settings, encryption_keys=Fernet.generate_key().decode())
            sealed = seal(served.key, str(own.encryption_keys))
            return [starts, *check_endpoint(served.url, samples, own, credential=sealed)]
    except service.NotServedError as error:
        return [Check(name=_STARTS, problem=str(error), seconds=time.monotonic() - begun)]


_STARTS: Final = f"{service.FILE} can be served"


def _code_checks(agent: AgentVersion) -> list[Check]:
    return [_timed("the code can be loaded", lambda: _load_problem(agent))]


def _llm_checks(samples: Sequence[Sample]) -> list[Check]:
    """A sample says what the model says, since no check may depend on a key and on what a model makes of a day."""
    silent = next((sample.name for sample in samples if not sample.model), None)
    problem = f"the sample `{silent}` has no `model`" if silent else None if samples else "there is no sample"
    return [Check(name="every sample plays the model", problem=problem)]


def check_endpoint(
    endpoint: str, samples: Sequence[Sample], settings: Settings, *, credential: str | None = None
) -> list[Check]:
    """Checks an agent that answers over HTTP, wherever it is: the command is a person's own.

    Raises `InvalidAgent` when the endpoint is no URL.
    """
    values = {"agent_id": "agent", "version": "0.0.0", "endpoint": endpoint}
    agent = registration(values, credential=credential)
    health = _timed("GET /health fits the contract", lambda: _health_problem(agent, settings))
    if not health.passed:
        return [health]
    probe = next((sample for sample in samples if "code" not in sample.expect), Sample(name="empty", input={}))
    checks: list[tuple[str, Callable[[], str | None]]] = [
        ("POST /execute fits the contract", lambda: _execute_problem(agent, probe, settings)),
        ("the answer repeats execution_id", lambda: _echo_problem(agent, probe, settings)),
        ("a body that is not JSON is refused with 400", lambda: _nonsense_problem(agent, settings)),
    ]
    if credential is not None:
        stranger = replace(agent, credential=None)
        checks.append(("a call without the key is refused with 401", lambda: _stranger_problem(stranger, settings)))
    return [health, *(_timed(name, check) for name, check in checks), *_sample_checks(agent, samples, settings)]


def _timed(name: str, check: Callable[[], str | None]) -> Check:
    started = time.monotonic()
    problem = check()
    return Check(name=name, problem=problem, seconds=time.monotonic() - started)


def _sample_checks(agent: AgentVersion, samples: Sequence[Sample], settings: Settings) -> Iterator[Check]:
    for sample in samples:
        yield _timed(f"sample: {sample.name}", partial(_sample_problem, agent, sample, settings))


def _sample_problem(agent: AgentVersion, sample: Sample, settings: Settings) -> str | None:
    return "; ".join(sample.misses(outcome_of(agent, sample, settings, OPEN))) or None


def _load_problem(agent: AgentVersion) -> str | None:
    try:
        module.load(agent.folder or "", agent.entry)
    except module.LoadError as error:
        return str(error)
    return None


def _health_problem(agent: AgentVersion, settings: Settings) -> str | None:
    answer = http.health(agent, settings, OPEN)
    if isinstance(answer, Health):
        return None if answer.ready else "the agent says that it is not ready"
    return answer.message


CONFORMING: Final = frozenset({FailureCode.AGENT_ERROR, FailureCode.REJECTED, FailureCode.RATE_LIMITED})
"""Failures that an agent may answer with; the others say that it does not keep the contract."""


def _execute_problem(agent: AgentVersion, sample: Sample, settings: Settings) -> str | None:
    outcome = http.execute(agent, request_for(agent, sample.input, sample.config, 1, settings), settings, OPEN)
    failed = isinstance(outcome, AgentFailure) and outcome.code not in CONFORMING
    return f"{outcome.code}: {outcome.message}" if failed and isinstance(outcome, AgentFailure) else None


def _echo_problem(agent: AgentVersion, sample: Sample, settings: Settings) -> str | None:
    request = request_for(agent, sample.input, sample.config, 1, settings)
    answer = http.post(agent, request.body(), settings, OPEN, seconds=request.timeout)
    if isinstance(answer, AgentFailure):
        return answer.message
    if answer.status != 200:
        return None
    body = parse(answer.body)
    return None if body.get("execution_id") == request.execution_id else "`execution_id` is missing in the answer"


def _nonsense_problem(agent: AgentVersion, settings: Settings) -> str | None:
    return _status_problem(http.post(agent, b"{nonsense", settings, OPEN, seconds=http.HEALTH_TIMEOUT), 400)


def _stranger_problem(agent: AgentVersion, settings: Settings) -> str | None:
    return _status_problem(http.post(agent, {}, settings, OPEN, seconds=http.HEALTH_TIMEOUT), 401)


def _status_problem(answer: Answer | AgentFailure, expected: int) -> str | None:
    if isinstance(answer, AgentFailure):
        return answer.message
    return None if answer.status == expected else f"the agent answered {answer.status}"
