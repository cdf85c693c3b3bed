"""A stand-in for the WhatsApp Business Cloud API on loopback, as strict about what it is sent as the real one.

The demo, the measures and the tests play people with it. `serving` starts one, `AISPINE_WHATSAPP_URL` leads a stack to
it, and `Phone` is a person who writes over it.
"""

from __future__ import annotations

from cli.standin.phone import Message, Phone, Told
from cli.standin.server import serving
from cli.standin.whatsapp import ACCESS_TOKEN, APP_SECRET, NUMBER, Refused, WhatsApp, text_of

__all__ = [
    "ACCESS_TOKEN",
    "APP_SECRET",
    "NUMBER",
    "Message",
    "Phone",
    "Refused",
    "Told",
    "WhatsApp",
    "serving",
    "text_of",
]
