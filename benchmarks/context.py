"""What a measure has at hand: a stack with its client, the baseline and an agent over HTTP, started when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from benchmarks import baseline, driver, service, stack
from benchmarks.baseline import Baseline
from benchmarks.database import Database
from benchmarks.driver import Driver
from benchmarks.stack import Stack


class Bench:
    """One running stack."""

    def __init__(self, running: Stack, resources: ExitStack) -> None:
        self.stack = running
        self.database = resources.enter_context(Database(running.database_url))
        self.driver: Driver = resources.enter_context(driver.connected(running, self.database))
        self._resources = resources
        self._baseline: Baseline | None = None
        self._endpoint: str | None = None

    @property
    def baseline(self) -> Baseline:
        """Bare Celery on the broker of this stack."""
        if self._baseline is None:
            self._baseline = self._resources.enter_context(baseline.running(self.stack))
        return self._baseline

    @property
    def endpoint(self) -> str:
        """Where the agent over HTTP answers, once it is registered as `remote`."""
        if self._endpoint is None:
            self._endpoint = self._resources.enter_context(service.running())
            self.driver.register(self._endpoint)
        return self._endpoint


@contextmanager
def running(settings: Mapping[str, str]) -> Iterator[Bench]:
    """Yields a stack of its own, set up by some environment variables."""
    with stack.running(settings) as started, ExitStack() as resources:
        yield Bench(started, resources)
