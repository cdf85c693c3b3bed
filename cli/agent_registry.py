"""The agents that are registered with the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from aispine.errors import InvalidRequest
from cli import listing, output
from cli.agent_folders import api_key_option

AGENTS: Final = "/api/v1/agents"


@click.command("list")
@listing.limit_option(100)
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List the agents that flows can call: your own and the official ones.

    \b
    Example:
      aispine agent list
    """
    write_agents(listing.read(ctx, AGENTS, limit), form, "No agent is registered. Try `aispine agent create NAME`.")


def write_agents(agents: list[dict[str, Any]], form: output.Format, empty: str) -> None:
    """Writes agents as a list shows them."""
    listing.write(
        agents,
        form,
        ("agent", "version", "status", "kind", "pool", "type", "description"),
        _row,
        empty=empty,
        spare=("version", "type", "kind", "pool"),
    )


def _row(agent: dict[str, Any]) -> tuple[Any, ...]:
    status = f"{agent['status']}, deprecated" if agent["deprecated"] else agent["status"]
    kept = (agent["agent_id"], agent["version"], status, agent["kind"], agent["pool"], agent["type"])
    return *kept, agent.get("description")


@click.command()
@click.argument("target", metavar="URL|PATH")
@click.option("--agent-id", metavar="ID", help="Refuse the agent unless it says that this is its id.")
@click.option("--name", help="A name for people.")
@click.option("--description", help="What it does.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for one call.")
@click.option("--draft", is_flag=True, help="Let no flow find it until `aispine agent activate`.")
@click.option("--update", is_flag=True, help="Replace what is registered about it.")
@api_key_option
@output.output_option
@click.pass_context
def register(
    ctx: click.Context,
    target: str,
    agent_id: str | None,
    name: str | None,
    description: str | None,
    timeout: float | None,
    draft: bool,
    update: bool,
    agent_key: str | None,
    form: output.Format,
) -> None:
    """Register the agent that answers at URL, or the language model whose agent.yaml is in PATH.

    The id and version of one at a URL come from its /health.

    \b
    Example:
      aispine agent register http://127.0.0.1:8800 --agent-key secret
      aispine agent register https://agents.example.com/eddie --update --agent-id eddie
      aispine agent register ./concierge
    """
    from cli import client as api

    folder = None if target.startswith(("http://", "https://")) else _definition(Path(target))
    agent_id = agent_id or (folder or {}).get("agent_id")
    if update and agent_id is None:
        raise click.UsageError("--update needs --agent-id")
    given: dict[str, Any] = {"api_key": agent_key, "agent_id": agent_id, "name": name}
    given |= {"description": description, "timeout": timeout}
    values = (folder or {"endpoint": target}) | {key: value for key, value in given.items() if value is not None}
    if draft and not update:
        values["status"] = "draft"
    client = api.from_context(ctx)
    agent = client.put(f"{AGENTS}/{agent_id}", json=values) if update else client.post(AGENTS, json=values)
    if form == "json":
        output.write_json(agent)
    else:
        where = f" at {agent['endpoint']}" if agent.get("endpoint") else ""
        click.echo(f"{agent['agent_id']} {agent['version']} registered{where}")


def _definition(folder: Path) -> dict[str, Any]:
    """What the agent.yaml of a language model says; code cannot be sent."""
    from aispine.agent import manifest

    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is neither a folder nor an http(s) URL", field="target")
    agent = manifest.read(folder)
    if agent.kind != "llm":
        hint = "Put its folder where the stack finds it, or serve it: `aispine agent serve`."
        raise InvalidRequest(f"{folder} holds code, which runs where it is", field="target", hint=hint)
    return manifest.as_definition(agent)
