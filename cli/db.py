"""`aispine db`: the database as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from cli import text

_FILE: Final = click.Path(dir_okay=False, resolve_path=True, path_type=Path)


@click.group()
def db() -> None:
    """Back up, restore and migrate the database.

    It is the one of AISPINE_DATABASE_URL, or that of the local stack, whether it runs or not.

    \b
    Example:
      aispine db backup monday.backup
    """


@db.command()
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Write everything in the database to FILE; what runs goes on meanwhile.

    Credentials in it are encrypted: keep AISPINE_ENCRYPTION_KEYS, or encryption.keys of the home, beside it.

    \b
    Example:
      aispine db backup monday.backup
    """
    from aispine.stack import backup as database

    with database.target(database.chosen()) as found:
        size = database.backup(found, file)
    click.echo(f"{file}: {text.size(size)}")


@db.command()
@click.argument("file", type=_FILE)
def restore(file: Path) -> None:
    """Fill an empty database from FILE, and bring it to this version.

    Executions that were open go on as soon as workers run. With a new AISPINE_HOME, put encryption.keys there first.

    \b
    Example:
      aispine db restore monday.backup
    """
    from aispine.stack import backup as database

    with database.target(database.chosen()) as found:
        database.restore(found, file)
    click.echo(f"{file} restored")


@db.command()
@click.option("--logins", is_flag=True, help="Print the variables with which other processes log in. They are secret.")
def migrate(logins: bool) -> None:
    """Bring the database to this version; `aispine up` does it by itself.

    \b
    Example:
      aispine db migrate
    """
    from aispine.stack import backup as database
    from aispine.store import vacant

    chosen = database.chosen()
    with database.target(chosen) as found:
        made = database.upgrade(found, chosen.home)
        click.echo(f"The database is at revision {vacant.revision(found.owner_url)}.", err=logins)
    if logins:
        click.echo(f"AISPINE_WEB_DATABASE_URL={made.web_database_url}")
        click.echo(f"AISPINE_ENGINE_DATABASE_URL={made.engine_database_url}")
