"""A hotel on a stack: the flow `kyc_onboarding`, its WhatsApp channel, and the clerk at the desk who may approve."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import requests

from aispine.errors import StackError
from cli import flow_deploy, samples
from cli.client import Client
from cli.standin import ACCESS_TOKEN, APP_SECRET, NUMBER, Phone, Told, WhatsApp

FLOW: Final = "kyc_onboarding"
CLERK: Final = "34699999999"
APPROVE: Final = "Aprobar"
_CHANNELS: Final = "/api/v1/channels"
_GLANCE_SECONDS: Final = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Hotel:
    """Where guests write: `webhook` is the stack's, `version` that of the flow."""

    service: WhatsApp
    webhook: str
    channel_id: str
    version: str

    def phone(self, user: str, name: str, told: Callable[[Told], None]) -> Phone:
        return Phone(self.service, self.webhook, user, name, told)


def open_hotel(client: Client, service: WhatsApp) -> Hotel:
    """Deploys the flow and adds the channel on a stack that `AISPINE_WHATSAPP_URL` leads to the stand-in."""
    deployed = flow_deploy.deploy_file(client, samples.flow(FLOW))
    verify = secrets.token_urlsafe(16)
    credentials = {"phone_number_id": NUMBER, "access_token": ACCESS_TOKEN, "app_secret": APP_SECRET}
    body = {
        "kind": "whatsapp",
        "name": "Hotel",
        "flow_id": deployed["flow_id"],
        "staff": [CLERK],
        "credentials": {**credentials, "verify_token": verify},
    }
    made: dict[str, Any] = client.post(_CHANNELS, json=body)
    channel_id = str(made["channel_id"])
    webhook = f"{client.url}{_CHANNELS}/{channel_id}/webhook"
    _shake_hands(webhook, verify)
    client.post(f"{_CHANNELS}/{channel_id}/test")
    return Hotel(service=service, webhook=webhook, channel_id=channel_id, version=deployed["version"])


def _shake_hands(webhook: str, verify: str) -> None:
    """Verifies the webhook as Meta does when its URL is pasted."""
    challenge = secrets.token_hex(8)
    query = {"hub.mode": "subscribe", "hub.verify_token": verify, "hub.challenge": challenge}
    answer = requests.get(webhook, params=query, timeout=30)
    if answer.status_code != 200 or answer.text != challenge:
        raise StackError(f"the webhook did not give the challenge back, but {answer.status_code} {answer.text[:200]}")


@contextmanager
def clerk(hotel: Hotel, told: Callable[[Told], None]) -> Iterator[Phone]:
    """Somebody at the desk who says hello, and approves whatever is asked until the end."""
    phone, over = hotel.phone(CLERK, "Recepción", told), threading.Event()
    phone.writes("Empiezo mi turno")
    thread = threading.Thread(target=_approve, args=(phone, over), daemon=True)
    thread.start()
    try:
        yield phone
    finally:
        over.set()
        thread.join()


def _approve(phone: Phone, over: threading.Event) -> None:
    while not over.is_set():
        message = phone.receives(_GLANCE_SECONDS)
        if message is not None and APPROVE in message.buttons:
            phone.presses(APPROVE, message)
