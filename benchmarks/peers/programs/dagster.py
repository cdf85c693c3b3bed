"""Dagster: jobs of ops, executed in this process, which is its fastest way, with a stored instance."""

from __future__ import annotations

import functools
from typing import Any, Final

from dagster import DagsterInstance, In, JobDefinition, Nothing, Out, graph, op

from benchmarks.peers.programs.talk import talk

_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


@op(ins={"start": In(Nothing)}, out=Out(int))
def echo() -> int:
    return 1


@op
def total(values: list[int]) -> int:
    return sum(values)


@functools.cache
def chain(size: int) -> JobDefinition:
    @graph(name="chain")
    def nodes() -> None:
        last: Any = None
        for place in range(size):
            node = echo.alias(f"n{place}")
            last = node() if last is None else node(start=last)

    return nodes.to_job()


@functools.cache
def fan(size: int) -> JobDefinition:
    @graph(name="fan")
    def nodes() -> None:
        total([echo.alias(f"n{place}")() for place in range(size)])

    return nodes.to_job()


def main() -> None:
    """The jobs are built once: only their runs are measured."""
    with DagsterInstance.get() as instance:

        def run(job: JobDefinition) -> None:
            if not job.execute_in_process(instance=instance, run_config=_QUIET).success:
                raise RuntimeError(f"{job.name} failed")

        talk("dagster", {"chain": lambda size: run(chain(size)), "fan": lambda size: run(fan(size))})


if __name__ == "__main__":
    main()
