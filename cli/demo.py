"""`aispine demo`: a whole stack at work, from its start to its end."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli import output, samples, text
from cli.errors import Interrupted

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client import Client
    from cli.guests.show import Drawn
    from cli.samples import Sample
    from cli.standin import WhatsApp

FLOWS: Final = ("credit_analysis", "parallel_research")
RUN_SECONDS: Final = 120.0
_NEEDED: Final = ("cv2", "numpy", "PIL", "onnxruntime", "rapidocr")
_TERMINATED: Final = 128 + signal.SIGTERM
_NEXT: Final = (
    ("aispine init hello && cd hello", "a project of your own, with a flow and an agent"),
    ("aispine up", "its stack, until Ctrl-C"),
    (
        "aispine flow run flows/hello.yaml --input @flows/hello.input.json --watch",
        "your flow on it, in another terminal and the same folder",
    ),
    ("aispine --help", "everything else"),
)


@click.command()
@click.option(
    "--home",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    help="Keep the stack's data in this folder. [default: a temporary one]",
)
def demo(home: Path | None) -> None:
    """Start a stack, check six guests in on it over WhatsApp, run two more flows, and stop it again.

    The guests send pictures of specimen documents over a stand-in for WhatsApp, which runs here like everything else;
    exits with 1 when one of them comes to another outcome than expected. Needs nothing but this installation, with the
    extra `ocr` for the guests, and touches no other stack.

    \b
    Example:
      aispine demo
    """
    from cli import standin

    console = output.console()
    found = [samples.sample(name) for name in FLOWS]
    with _termination(), _home(home) as folder, standin.serving() as service:
        drawn = _drawn(console)
        with _stack(console, folder, {"AISPINE_WHATSAPP_URL": service.url}) as client:
            if drawn:
                _check_in(console, client, service, drawn)
            for sample in found:
                _demonstrate(console, client, sample)
    _show_next(console)


@contextmanager
def _termination() -> Iterator[None]:
    """Lets SIGTERM end the command the way Ctrl-C does, so that nothing is left running."""

    def leave(*_: Any) -> None:
        sys.exit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _home(home: Path | None) -> AbstractContextManager[Path]:
    from cli import local_stack

    return local_stack.temporary_home() if home is None else nullcontext(home)


def _drawn(console: Console) -> Drawn:
    """The guests with their pictures; none where the extra is missing that draws and reads them."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        console.print(
            "The guests are left out: they need the extra `ocr` (pip install 'aispine[ocr]').", soft_wrap=True
        )
        return ()
    from cli.guests import cast

    began = time.monotonic()
    with _busy(console, "Drawing six guests' documents"):
        drawn = [(guest, guest.draw(seed)) for seed, guest in enumerate(cast.six(datetime.now(UTC).date()), start=1)]
    _done(console, f"Documents drawn in {_since(began)}")
    return drawn


@contextmanager
def _stack(console: Console, home: Path, settings: dict[str, str]) -> Iterator[Client]:
    from cli import local_stack

    began = time.monotonic()
    stack = ExitStack()
    try:
        starting = stack.enter_context(local_stack.started(home, settings))
        with _busy(console, "Starting PostgreSQL, Redis, the API and the workers"):
            client = starting.wait()
        _done(console, f"Stack started in {_since(began)}", client.url)
        yield client
    finally:
        began = time.monotonic()
        with _busy(console, "Stopping everything"):
            stack.close()
        _done(console, f"Everything stopped in {_since(began)}")


def _check_in(console: Console, client: Client, service: WhatsApp, drawn: Drawn) -> None:
    """Opens a hotel on the stack, shows the canvas of its flow, and plays the guests."""
    from aispine.flow import validation
    from cli import canvas
    from cli.guests import hotel as hotels
    from cli.guests import show

    hotel, file = hotels.open_hotel(client, service), samples.flow(hotels.FLOW)
    _heading(console, f"{hotels.FLOW} {hotel.version}", f"deployed from {text.short_path(file)}")
    _part(console, "Canvas")
    canvas.draw(console, validation.load(file.read_bytes(), file=str(file)))
    _part(console, f"{len(drawn)} guests at once, over a stand-in for WhatsApp at {service.url}")
    try:
        show.show(console, client, hotel, drawn)
    except KeyboardInterrupt as error:
        raise Interrupted from error


def _demonstrate(console: Console, client: Client, sample: Sample) -> None:
    """Deploys a flow, shows its canvas, runs it with live progress, and shows its result."""
    from aispine.flow import validation
    from cli import canvas, flow_deploy, flow_run, inputs, watch

    deployed = flow_deploy.deploy_file(client, sample.flow)
    _heading(console, f"{deployed['flow_id']} {deployed['version']}", f"deployed from {text.short_path(sample.flow)}")
    _part(console, "Canvas")
    canvas.draw(console, validation.load(sample.flow.read_bytes(), file=str(sample.flow)))
    _part(console, "Progress")
    start = {
        "flow_id": deployed["flow_id"],
        "version": deployed["version"],
        "input_data": inputs.object_input(f"@{sample.input}"),
    }
    execution_id = flow_run.begin(client, start)["execution_id"]
    try:
        execution = watch.follow(client, execution_id, console=console, timeout=RUN_SECONDS)
    except Interrupted as error:
        raise Interrupted from error
    watch.check_completed(client, execution)
    _part(console, "Result")
    output.write_value(execution["output"])


def _busy(console: Console, doing: str) -> AbstractContextManager[Any]:
    from rich.text import Text

    if console.is_terminal:
        return console.status(Text(doing), spinner="dots")
    console.print(f"{doing} ...")
    return nullcontext()


def _done(console: Console, what: str, detail: str = "") -> None:
    from rich.text import Text

    mark = (output.glyph("completed"), "green")
    console.print(Text.assemble(mark, " ", (what, "bold"), (f"  {detail}" if detail else "", "dim")))


def _heading(console: Console, title: str, detail: str) -> None:
    from rich.text import Text

    console.print(Text.assemble("\n", (title, "bold cyan"), (f"  {detail}", "dim")))


def _part(console: Console, title: str) -> None:
    from rich.text import Text

    console.print(Text(f"\n{title}", style="bold"))


def _show_next(console: Console) -> None:
    from rich.text import Text

    _part(console, "Where to look next")
    for command, what in (*_activation(), *_NEXT):
        console.print(Text(f"  {command}"), soft_wrap=True)
        console.print(Text(f"      {what}", style="dim"))


def _activation() -> Iterator[tuple[str, str]]:
    """What makes `aispine` known to the shell that this is read in, where it is not."""
    script = Path(sys.prefix) / "bin" / "activate"
    if shutil.which("aispine") is None and script.is_file():
        yield f". {text.short_path(script)}", "so that this shell knows aispine; in each new terminal"


def _since(began: float) -> str:
    return text.duration(time.monotonic() - began) or ""
