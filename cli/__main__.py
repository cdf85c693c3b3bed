"""`python -m cli` is `aispine`."""

from cli.main import main

main(prog_name="aispine")
