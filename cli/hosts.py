"""`aispine hosts`: where calls of the tenant may go."""

from __future__ import annotations

import click

from cli import output


@click.command()
@click.option("--allow", metavar="HOST", multiple=True, help="Let calls go nowhere else; repeat for several.")
@click.option("--deny", metavar="HOST", multiple=True, help="Let no call go there; repeat for several.")
@click.option("--clear", is_flag=True, help="Empty both lists first.")
@output.output_option
@click.pass_context
def hosts(ctx: click.Context, allow: tuple[str, ...], deny: tuple[str, ...], clear: bool, form: output.Format) -> None:
    """Show which hosts calls may go to, or set a list: names, `*.name`, addresses, networks, `loopback`, `private`.

    A list that is given takes the place of the one before. What the deployment does not allow stays forbidden.

    \b
    Example:
      aispine hosts
      aispine hosts --allow '*.example.com' --allow api.openai.com --deny 203.0.113.0/24
      aispine hosts --clear
    """
    from cli import client as api

    client, path = api.from_context(ctx), "/api/v1/hosts"
    change: dict[str, list[str]] = {"allow": [], "deny": []} if clear else {}
    change |= {name: list(given) for name, given in (("allow", allow), ("deny", deny)) if given}
    found = client.put(path, json=change) if change else client.get(path)
    if form == "json":
        output.write_json(found)
        return
    click.echo(f"allow  {', '.join(found['allow']) or 'all that the deployment allows'}")
    click.echo(f"deny   {', '.join(found['deny']) or 'none'}")
