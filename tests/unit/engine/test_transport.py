"""What a broker's URL comes to, and what is wrong with one that cannot be used."""

from __future__ import annotations

import socket

import pytest

from aispine.engine import transport
from aispine.engine.broker import make_app
from aispine.engine.transport import Transport
from aispine.errors import BrokerUnavailable, InvalidRequest
from aispine.settings import Settings


@pytest.mark.parametrize(
    ("url", "name", "address"),
    [
        ("redis://:secret@h:6379/0", "Redis", "redis://h:6379/0"),
        ("amqp://me:secret@h:5672/spine", "RabbitMQ", "amqp://h:5672/spine"),
        ("amqps://me:secret@a//;amqps://me:secret@b//", "RabbitMQ", "amqps://a//;amqps://b//"),
        ("sqs://key:secret@h:4566?region=eu-west-1", "SQS", "sqs://h:4566"),
        ("sqs://?region=eu-west-1", "SQS", "sqs://?region=eu-west-1"),
    ],
)
def test_a_url_names_its_broker_and_is_shown_without_the_login(url: str, name: str, address: str) -> None:
    found = transport.of(url)
    assert (found.name, found.address) == (name, address)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://h", "must begin with"),
        ("h:5672", "must begin with"),
        ("amqp://a;redis://b", "several kinds"),
        ("redis://a;redis://b", "one Redis alone"),
        ("sqs://h:seven", "cannot be read"),
        ("sqs://?regoin=eu-west-1", "no parameter `regoin`"),
        ("sqs://?wait=0", "from 1 to 20"),
        ("sqs://?secure=maybe", "true or false"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_by_the_name_of_its_setting(url: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        transport.of(url)
    assert refused.value.field == "broker_url"
    assert "AISPINE_BROKER_URL" in refused.value.message
    assert refused.value.hint


def test_sqs_is_told_what_its_url_says() -> None:
    options = transport.of("sqs://?region=eu-west-1&prefix=mine-&wait=2").options
    told = options["region"], options["queue_name_prefix"], options["wait_time_seconds"], options["is_secure"]
    assert told == ("eu-west-1", "mine-", 2, True)


def test_a_client_that_is_not_installed_is_named_with_its_remedy() -> None:
    with pytest.raises(InvalidRequest, match="not installed") as refused:
        transport.require(Transport(name="SQS", url="sqs://", address="sqs://", needs=("no_module_of_this_name",)))
    assert refused.value.hint == "Install it: pip install 'aispine[sqs]'"


def test_a_broker_that_does_not_answer_is_named_without_its_password() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(BrokerUnavailable, match=f"RabbitMQ does not answer at amqp://{where}//") as absent:
            transport.check(transport.of(f"amqp://me:secret@{where}//"))
    assert "secret" not in absent.value.message


def test_the_queues_of_rabbitmq_are_durable_for_as_long_as_a_node_may_run() -> None:
    conf = make_app(Settings(redis_url="redis://h/0", broker_url="amqp://h//")).conf
    assert {queue.name: queue.queue_arguments["x-queue-type"] for queue in conf.task_queues} == {
        "engine": "quorum",
        "cpu": "quorum",
        "io": "quorum",
    }
    assert conf.broker_transport_options["confirm_publish"] is True
    assert conf.result_backend == "redis://h/0"


def test_without_a_broker_url_redis_is_the_broker() -> None:
    conf = make_app(Settings(redis_url="redis://h/0")).conf
    assert conf.broker_url == "redis://h/0"
    assert conf.broker_transport_options["visibility_timeout"] == 3600
