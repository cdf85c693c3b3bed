"""Channels: what they take and what is shown."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from aispine.channel.kinds import KINDS
from api.schemas.common import moment, text, value

_LONGEST = 4096


def _credentials(*, required: bool) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.Length(0, _LONGEST)),
        required=required,
        metadata={
            "description": "Of WhatsApp `phone_number_id`, `access_token`, `app_secret` and, if you like, "
            "`verify_token`; of Telegram `bot_token` and, if you like, `secret_token`. "
            "Kept encrypted and never shown again."
        },
    )


def _staff() -> Any:
    return fields.List(
        fields.String(validate=validate.Length(1, 100)),
        metadata={"description": "Who may approve over this channel: phone numbers or user ids."},
    )


class ChannelRequest(Schema):
    kind = text(
        "What it is; e-mail and voice are refused in this version.", required=True, validate=validate.OneOf(KINDS)
    )
    name = text("What people call it.", validate=validate.Length(1, 200))
    flow_id = text("The flow that a message starts.", allow_none=True, validate=validate.Length(1, 200))
    staff = _staff()
    credentials = _credentials(required=True)


class ChannelChange(Schema):
    name = text("What people call it.", validate=validate.Length(1, 200))
    flow_id = text("The flow that a message starts; null for none.", allow_none=True, validate=validate.Length(1, 200))
    staff = _staff()
    credentials = _credentials(required=False)


class Channel(Schema):
    channel_id = text("The channel's id.")
    kind = text("What it is.")
    name = text("What people call it.")
    address = text("What the service calls it: the phone number's id, or the bot's.")
    flow_id = text("The flow that a message starts.", allow_none=True)
    staff = fields.List(fields.String())
    webhook_url = text("Where the service sends what people write.")
    made = value("Secrets that were made up for the webhook; shown this once.")
    created_at = moment("When it was made.")
    updated_at = moment("When it was changed last.")


class ChannelPage(Schema):
    data = fields.List(fields.Nested(Channel))
    next_cursor = text("Brings the next page.", allow_none=True)


class ChannelTest(Schema):
    channel_id = text("The channel's id.")
    answer = fields.Dict(metadata={"description": "What the service says of the channel."})


class ChannelLink(Schema):
    user_id = text("The person on this channel.", required=True, validate=validate.Length(1, 200))
    fallback_channel_id = text(
        "The channel that takes this one's place.", required=True, validate=validate.Length(1, 64)
    )
    fallback_user_id = text("The person there.", required=True, validate=validate.Length(1, 200))
