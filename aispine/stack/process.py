"""One supervised program: how it is started, told apart from a stranger with the same pid, and ended."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

from aispine.errors import StackError
from aispine.stack.account import Account

LINUX: Final = os.uname().sysname == "Linux"
POLL: Final = 0.02
READY: Final = "AISPINE_READY"
"""Names the descriptor on which a program says that it serves."""
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What to run and how to end it. Programs of a lower tier start first and stop last."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    account: Account | None = None
    log: Path | None = None
    """Where the output goes; None sends it to the supervisor."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    tier: int = 1
    descriptors: tuple[int, ...] = ()
    """Open files of the supervisor that it inherits under the same numbers."""
    tells_ready: bool = False
    """It writes to the descriptor that `READY` names once it serves."""


class Process:
    """A running program, the leader of a process group of its own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started = time.monotonic()
        self._ready: int | None = None
        self._popen = self._start(program)
        self.output: IO[bytes] | None = self._popen.stdout

    def _start(self, program: Program) -> subprocess.Popen[bytes]:
        if not program.tells_ready:
            return _popen(program)
        self._ready, told = os.pipe()
        os.set_blocking(self._ready, False)
        try:
            env = {**program.env, READY: str(told)}
            return _popen(replace(program, env=env, descriptors=(*program.descriptors, told)))
        except StackError:
            self._forget_ready()
            raise
        finally:
            os.close(told)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        return self._popen.returncode

    def ready(self) -> bool:
        """True once the program has said that it serves, and for one that does not say so."""
        if self._ready is None:
            return True
        try:
            told = bool(os.read(self._ready, 1))
        except BlockingIOError:
            return False
        if told:
            self._forget_ready()
        return told

    def _forget_ready(self) -> None:
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None

    def ended(self) -> bool:
        """True once the program has ended; then nothing of its process group is left either."""
        if self._popen.returncode is not None:
            return True
        # The group is killed before the leader is reaped: until then its id cannot belong to a stranger.
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self._kill_group()
        self._popen.wait()
        self._forget_ready()
        return True

    def terminate(self) -> None:
        if not self.ended():
            self._popen.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        if not self.ended():
            self._kill_group()

    def stop(self) -> None:
        """Ends the program: its signal first, SIGKILL for the whole group after its limit."""
        self.terminate()
        if not wait_until(self.ended, self.program.stop_seconds):
            self.kill()
            self._popen.wait()

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS refuses to signal a zombie.
            return


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Polls until the condition holds; False when it does not within the limit."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)
    return True


def identity(pid: int) -> str | None:
    """Names the process that has this pid now, so that a later one with the same pid is told apart; None if none."""
    try:
        if LINUX:
            state, *rest = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
            return None if state in "ZX" else f"{boot}:{rest[18]}"
        return _ps(pid, "lstart=")
    except OSError:
        return None


def command_line(pid: int) -> str:
    """The command line of a process, empty when there is none."""
    try:
        if LINUX:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        return _ps(pid, "command=") or ""
    except OSError:
        return ""


def _ps(pid: int, column: str) -> str | None:
    found = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _popen(program: Program) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {}
    if program.account is not None:
        options = {"user": program.account.uid, "group": program.account.gid, "extra_groups": []}
    output: Any = subprocess.PIPE
    try:
        if program.log is not None:
            output = os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return subprocess.Popen(
            program.argv,
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=program.descriptors,
            preexec_fn=_dies_with_parent(program.stop_signal),  # noqa: PLW1509 - the parent has one thread.
            **options,
        )
    except OSError as error:
        raise StackError(f"cannot start {program.name} ({program.argv[0]}): {error.strerror}") from error
    finally:
        if isinstance(output, int) and output >= 0:
            os.close(output)


def _dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Asks Linux to stop the child should its parent be killed; elsewhere the next start ends what is left."""
    if not LINUX:
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:
            os._exit(1)

    return ask
