from __future__ import annotations

import pytest

from aispine.errors import InvalidRequest
from aispine.guards import rules
from aispine.guards.failures import Refused
from aispine.guards.rules import Guard
from aispine.settings import Settings


@pytest.mark.parametrize(
    "told",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "::127.0.0.1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    ],
)
def test_an_address_that_is_not_public_is_refused_in_every_form(told):
    with pytest.raises(Refused) as refused:
        Guard().check("agents.example.com", told)
    assert (refused.value.code, "AISPINE_ALLOWED_HOSTS" in (refused.value.hint or "")) == ("rejected", True)


@pytest.mark.parametrize(
    "told", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111", "2002:808:808::1"]
)
def test_a_public_address_may_be_called(told):
    Guard().check("agents.example.com", told)


@pytest.mark.parametrize(
    ("allowed", "host", "told", "passes"),
    [
        ("loopback", "localhost", "127.0.0.1", True),
        ("loopback", "localhost", "::1", True),
        ("loopback", "intern", "10.0.0.1", False),
        ("private", "intern", "10.0.0.1", True),
        ("private", "metadata", "169.254.169.254", False),
        ("public", "localhost", "127.0.0.1", False),
        ("agents.internal", "agents.internal", "10.0.0.1", True),
        ("agents.internal", "AGENTS.internal.", "10.0.0.1", True),
        ("agents.internal", "x.agents.internal", "10.0.0.1", False),
        ("*.internal", "x.agents.internal", "10.0.0.1", True),
        ("*.internal", "internal", "10.0.0.1", False),
        ("10.1.0.0/16, 10.2.3.4", "a", "10.1.200.1", True),
        ("10.1.0.0/16, 10.2.3.4", "a", "10.2.3.4", True),
        ("10.1.0.0/16, 10.2.3.4", "a", "10.2.3.5", False),
        ("fd00::/8", "a", "fd12::1", True),
    ],
)
def test_the_deployment_allows_what_it_names(allowed, host, told, passes):
    guard = rules.of(Settings(allowed_hosts=allowed))
    if passes:
        guard.check(host, told)
    else:
        with pytest.raises(Refused):
            guard.check(host, told)


def test_what_a_tenant_rules_out_takes_away_and_never_gives():
    guard = Guard().restricted(
        only=rules.hosts(["*.good.com", "127.0.0.1"], "only"), denied=rules.hosts(["8.8.0.0/16"], "d")
    )
    guard.check("api.good.com", "1.1.1.1")
    for host, told in [("api.good.com", "8.8.8.8"), ("else.com", "1.1.1.1"), ("127.0.0.1", "127.0.0.1")]:
        with pytest.raises(Refused):
            guard.check(host, told)


@pytest.mark.parametrize("entry", ["http://a.com", "a b", "10.0.0.0/40", "*", "", "a..b", "a/b"])
def test_an_entry_that_is_no_host_is_told(entry):
    with pytest.raises(InvalidRequest, match="no host, address or network"):
        rules.hosts([entry], "allowed")
