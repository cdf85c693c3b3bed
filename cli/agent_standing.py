"""How agents stand: searching for them, showing one, suspending, activating and deprecating it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import click

from cli import listing, output
from cli.agent_registry import AGENTS, write_agents

Function = TypeVar("Function", bound=Callable[..., Any])
STATUSES: Final = ("draft", "pending", "testing", "verified", "active", "suspended")


@click.command()
@click.argument("words", nargs=-1)
@click.option("--capability", "capabilities", multiple=True, help="What it can do; several must all be there.")
@click.option("--kind", type=click.Choice(["python", "http", "llm"]), help="How it is called.")
@click.option("--type", "type_", type=click.Choice(["official", "verified", "private"]), help="Who stands behind it.")
@click.option("--status", type=click.Choice(STATUSES), help="How it stands. [default: active or suspended]")
@listing.limit_option(100)
@output.output_option
@click.pass_context
def search(
    ctx: click.Context,
    words: tuple[str, ...],
    capabilities: tuple[str, ...],
    kind: str | None,
    type_: str | None,
    status: str | None,
    limit: int,
    form: output.Format,
) -> None:
    """Find agents by the WORDS of their ids, names, capabilities and descriptions, the best first.

    \b
    Example:
      aispine agent search credit score
      aispine agent search --capability echo --kind python
      aispine agent search invoice --status draft
    """
    given = {"q": " ".join(words), "capability": list(capabilities), "kind": kind, "type": type_, "status": status}
    params = {name: value for name, value in given.items() if value}
    write_agents(listing.read(ctx, AGENTS, limit, params), form, "No agent fits.")


@click.command()
@click.argument("agent_id", metavar="AGENT")
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True, help="How far back calls count.")
@output.output_option
@click.pass_context
def show(ctx: click.Context, agent_id: str, days: int, form: output.Format) -> None:
    """Show AGENT: what it is, its versions and how they stand, its calls, and its last checks.

    \b
    Example:
      aispine agent show eddie
      aispine agent show eddie --days 7 --output json
    """
    from cli import client as api

    client, path = api.from_context(ctx), f"{AGENTS}/{agent_id}"
    agent = client.get(path)
    versions = client.get(f"{path}/versions")["data"]
    figures = client.get(f"{path}/metrics", params={"days": days})
    checks = client.get(f"{path}/checks")
    if form == "json":
        output.write_json({**agent, "version_details": versions, "metrics": figures["versions"], "checks": checks})
        return
    for name, value in _facts(agent, checks):
        click.echo(f"{name:<13} {value}")
    click.echo()
    _write_versions(versions, {each["version"]: each for each in figures["versions"]})
    if checks["checks"]:
        click.echo()
        _write_checks(checks["checks"])


def _facts(agent: dict[str, Any], checks: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "agent", f"{agent['agent_id']} {agent['version']}  {agent.get('name') or ''}"
    if agent.get("description"):
        yield "description", agent["description"]
    yield "kind", f"{agent['kind']}, {agent['type']}, pool {agent['pool']}"
    yield "status", _status(agent)
    if agent.get("deprecated"):
        yield "deprecated", agent["deprecation"]
    if agent.get("capabilities"):
        yield "capabilities", ", ".join(agent["capabilities"])
    if agent.get("endpoint"):
        yield "endpoint", agent["endpoint"]
        ready = {True: "ready", False: "not ready", None: "not checked yet"}[checks["ready"]]
        yield "health", f"{ready}, {checks['failures']} checks in a row without an answer"
    if agent.get("rate_limit"):
        yield (
            "rate limit",
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in agent["rate_limit"].items()),
        )
    if agent.get("max_concurrency"):
        yield "at once", f"{agent['max_concurrency']} calls"


def _status(found: dict[str, Any]) -> str:
    reason = f": {found['status_reason']}" if found.get("status_reason") else ""
    return f"{found['status']}{reason}"


def _write_versions(versions: list[dict[str, Any]], figures: dict[str, dict[str, Any]]) -> None:
    output.write_table(
        ("version", "status", "type", "calls", "success", "p50", "p95", "errors"),
        (_version(each, figures.get(each["version"])) for each in versions),
        empty="It has no version.",
        spare=("type", "p50"),
    )


def _version(version: dict[str, Any], called: dict[str, Any] | None) -> tuple[Any, ...]:
    state = "retired" if version["retired_at"] else _status(version)
    status = f"{state}, deprecated" if version["deprecated"] else state
    if called is None:
        return version["version"], status, version["type"], 0, "", "", "", ""
    latency = called["latency"]
    errors = ", ".join(f"{code} {count}" for code, count in called["errors"].items())
    times = (f"{latency['p50']:.3f} s", f"{latency['p95']:.3f} s")
    return version["version"], status, version["type"], called["calls"], f"{called['success_rate']:.1%}", *times, errors


def _write_checks(checks: list[dict[str, Any]]) -> None:
    rows = [
        (each["at"], "ready" if each["ready"] else "not ready", f"{each['duration_ms']} ms", each["error"])
        for each in checks[:10]
    ]
    output.write_table(("checked at", "found", "took", "problem"), rows, empty="It was not checked yet.")


_OPTIONS: Final = (
    click.argument("agent_id", metavar="AGENT"),
    click.option("--version", help="This version alone. [default: all]"),
    click.option("--reason", help="Why; shown to whoever asks."),
    click.option("--tenant", metavar="ID", help="Whose agent it is; for who governs agents alone."),
    output.output_option,
)


def _standing(function: Function) -> Function:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@_standing
@click.pass_context
def suspend(ctx: click.Context, /, agent_id: str, form: output.Format, **given: Any) -> None:
    """Let AGENT not be called: nodes that need it wait or fail as their flow says, until it is activated.

    Agents of the platform, as those in folders are, need a key with the permission agents:govern; a stack's first key
    has it.

    \b
    Example:
      aispine agent suspend eddie --reason "wrong scores since Monday"
      aispine agent suspend eddie --version 1.2.0
    """
    _post(ctx, agent_id, "suspend", given, form)


@click.command()
@_standing
@click.pass_context
def activate(ctx: click.Context, /, agent_id: str, form: output.Format, **given: Any) -> None:
    """Let AGENT be called again that was suspended, or a draft for the first time.

    \b
    Example:
      aispine agent activate eddie
      aispine agent activate eddie --version 1.3.0
    """
    _post(ctx, agent_id, "activate", given, form)


@click.command()
@click.option("--undo", is_flag=True, help="Take it back.")
@_standing
@click.pass_context
def deprecate(ctx: click.Context, /, agent_id: str, undo: bool, form: output.Format, **given: Any) -> None:
    """Say that flows should use another version than this of AGENT; --reason tells which. It is still called.

    \b
    Example:
      aispine agent deprecate eddie --version 1.0.0 --reason "use ^1.1"
      aispine agent deprecate eddie --version 1.0.0 --undo
    """
    _post(ctx, agent_id, "deprecate", given | {"deprecated": not undo}, form)


def _post(ctx: click.Context, agent_id: str, verb: str, given: dict[str, Any], form: output.Format) -> None:
    from cli import client as api

    named = {**given, "tenant_id": given.pop("tenant", None)}
    sent = {name: value for name, value in named.items() if name != "tenant" and value is not None}
    changed = api.from_context(ctx).post(f"{AGENTS}/{agent_id}/{verb}", json=sent)["data"]
    if form == "json":
        output.write_json(changed)
        return
    for each in changed:
        deprecated = ", deprecated" if each["deprecated"] else ""
        click.echo(f"{agent_id} {each['version']} is {_status(each)}{deprecated}")
    if not changed:
        click.echo(f"{agent_id} is so already")
