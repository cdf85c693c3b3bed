"""Prefect 3 with a server of its own: a flow that calls tasks; for a fan-out, tasks that are mapped and a last one."""

from __future__ import annotations

from prefect import flow, task

from benchmarks.peers.programs.talk import talk


@task
def echo(value: int) -> int:
    return value


@task
def total(values: list[int]) -> int:
    return sum(values)


@flow
def chain(size: int) -> int:
    value = 1
    for _ in range(size):
        value = echo(value)
    return value


@flow
def fan(size: int) -> int:
    return total(echo.map(range(size)).result())


if __name__ == "__main__":
    talk("prefect", {"chain": chain, "fan": fan})
