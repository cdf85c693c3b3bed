"""DBOS Transact on PostgreSQL: a workflow of steps; for a fan-out, child workflows that are started together."""

from __future__ import annotations

import os

from dbos import DBOS

from benchmarks.peers.programs.talk import talk

DBOS(config={"name": "bench", "system_database_url": os.environ["PEER_DATABASE_URL"], "log_level": "ERROR"})


@DBOS.step()
def echo(value: int) -> int:
    return value


@DBOS.workflow()
def chain(size: int) -> int:
    value = 1
    for _ in range(size):
        value = echo(value)
    return value


@DBOS.workflow()
def branch(value: int) -> int:
    return echo(value)


@DBOS.workflow()
def fan(size: int) -> int:
    branches = [DBOS.start_workflow(branch, place) for place in range(size)]
    return echo(sum(each.get_result() for each in branches))


def main() -> None:
    """Each workflow is started and waited for as a client in the same process does."""
    DBOS.launch()
    talk(
        "dbos",
        {
            "chain": lambda size: DBOS.start_workflow(chain, size).get_result(),
            "fan": lambda size: DBOS.start_workflow(fan, size).get_result(),
        },
    )
    DBOS.destroy()


if __name__ == "__main__":
    main()
