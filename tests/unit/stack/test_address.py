from __future__ import annotations

import socket

import pytest

from aispine.errors import StackError
from aispine.stack.address import Address, health
from tests.unit.cli.standin import reply, serving


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1")],
)
def test_the_url_is_one_that_a_client_can_use(host, url):
    assert Address(host=host, port=1).url == url


def test_another_stack_on_the_port_is_told_apart_from_another_program():
    health = {"status": "ok", "version": "9.9.9", "uptime_seconds": 1.0}
    with serving(lambda _: reply(health)) as server, pytest.raises(StackError, match=r"AI Spine \(9.9.9\)") as raised:
        Address.of(server.url).check_free()
    assert "--port" in raised.value.hint


def test_a_taken_port_is_named_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} ") as error:
            Address(host="127.0.0.1", port=port).check_free()
    assert "--port" in error.value.hint
    Address(host="127.0.0.1", port=port).check_free()


def test_a_host_that_is_not_ours_is_an_error():
    with pytest.raises(StackError, match=r"192\.0\.2\.1"):
        Address(host="192.0.2.1", port=8700).check_free()


def test_nobody_listening_is_no_health():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert health(Address(host="127.0.0.1", port=free.getsockname()[1])) is None
