"""An agent over HTTP in a process of its own, which sleeps as its `config` says, on any number of connections."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aispine.errors import StackError
from benchmarks.stack import environment

AGENT: Final = "remote"
_HEALTH: Final = {
    "agent_id": AGENT,
    "version": "1.0.0",
    "capabilities": ["testing"],
    "ready": True,
    # An agent that says nothing is taken to bear 50 calls a minute.
    "rate_limit": {"requests_per_minute": 1_000_000},
}
_ROOT: Final = Path(__file__).resolve().parent.parent
_BACKLOG: Final = 1024


@contextmanager
def running() -> Iterator[str]:
    """Yields the address of the agent, as long as it runs."""
    command = [sys.executable, "-m", "benchmarks.service"]
    with subprocess.Popen(command, cwd=_ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _address(process)
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    """The line that it prints once it listens."""
    line = process.stdout.readline().strip() if process.stdout else ""
    if not line:
        raise StackError("the agent over HTTP did not start")
    return line


async def _serve() -> None:
    server = await asyncio.start_server(_talk, "127.0.0.1", 0, backlog=_BACKLOG)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    async with server:
        await server.serve_forever()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one connection, request after request, until its client closes it."""
    try:
        while True:
            method, body = await _read(reader)
            answer = await _answer(method, body)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            writer.write(head.encode() + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return lines[0].split()[0], await reader.readexactly(int(headers.get("content-length", 0)))


async def _answer(method: str, body: bytes) -> bytes:
    if method == "GET":
        return json.dumps(_HEALTH).encode()
    asked: dict[str, Any] = json.loads(body)
    await asyncio.sleep(asked["config"].get("sleep_seconds", 0))
    output = {"message": "", "data": asked["input"], "metadata": {}}
    return json.dumps({"status": "success", "output": output, "execution_id": asked["execution_id"]}).encode()


if __name__ == "__main__":
    asyncio.run(_serve())
