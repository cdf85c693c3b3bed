"""Messaging channels, and the webhooks over which their services tell what people write."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, request, url_for

from aispine.channel import management, webhook
from aispine.channel.management import ChannelView
from aispine.conversation import notices
from aispine.engine import broker
from aispine.errors import InvalidRequest
from aispine.store.ids import is_id
from api import paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("channels", "Messaging channels over which people talk to flows.")


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, schemas.ChannelPage)
def list_channels(query: dict[str, Any]) -> Any:
    """List the channels in the order in which they were made."""
    limit, after = query["limit"], paging.decode(query.get("cursor"))
    if after is not None and not is_id(after):
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor")
    with tenant_session() as session:
        rows = management.list_channels(session, principal().tenant_id, after=after, limit=limit + 1)
    page = paging.page(rows, limit, "channel_id")
    return page | {"data": [_present(row) for row in page["data"]]}


@blueprint.route("", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.ChannelRequest)
@blueprint.response(201, schemas.Channel)
def create(payload: dict[str, Any]) -> Any:
    """Add a channel; the answer says where its service has to send what people write."""
    with tenant_session() as session:
        made = management.create(session, principal().tenant_id, payload, parts().settings)
    return _present(made), HTTPStatus.CREATED, {"Location": url_for("channels.show", channel_id=made.channel_id)}


@blueprint.route("/<channel_id>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Channel)
def show(channel_id: str) -> Any:
    """Show a channel without its secrets."""
    with tenant_session() as session:
        return _present(management.show(session, principal().tenant_id, channel_id))


@blueprint.route("/<channel_id>", methods=["PUT"])
@access("key")
@blueprint.arguments(schemas.ChannelChange)
@blueprint.response(200, schemas.Channel)
def update(payload: dict[str, Any], channel_id: str) -> Any:
    """Change what is named; secrets that are not named stay."""
    with tenant_session() as session:
        found = management.update(session, principal().tenant_id, channel_id, payload, parts().settings)
    return _present(found)


@blueprint.route("/<channel_id>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(channel_id: str) -> Any:
    """Delete a channel with what came in over it and what was to go out."""
    with tenant_session() as session:
        management.delete(session, principal().tenant_id, channel_id)


@blueprint.route("/<channel_id>/test", methods=["POST"])
@access("key")
@blueprint.response(200, schemas.ChannelTest)
def test(channel_id: str) -> Any:
    """Ask the service about the channel with its own secrets."""
    with tenant_session() as session:
        line = management.own_line(session, principal().tenant_id, channel_id, parts().settings)
    return {"channel_id": channel_id, "answer": dict(management.test(line))}


@blueprint.route("/<channel_id>/links", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.ChannelLink)
@blueprint.response(204)
def link(payload: dict[str, Any], channel_id: str) -> Any:
    """Say where a person is written to when a message over this channel is refused for good."""
    here = (channel_id, payload["user_id"])
    there = (payload["fallback_channel_id"], payload["fallback_user_id"])
    with tenant_session() as session:
        management.link(session, principal().tenant_id, here, there)


@blueprint.route("/<channel_id>/webhook", methods=["GET"])
@access("signature")
@blueprint.alt_response(200, description="The challenge.", content_type="text/plain")
def handshake(channel_id: str) -> Any:
    """Answer the service that asks whether the webhook is ours."""
    answer = webhook.challenge(parts().store, channel_id, request.args, parts().settings)
    return Response(answer, content_type="text/plain")


@blueprint.route("/<channel_id>/webhook", methods=["POST"])
@access("signature")
@blueprint.alt_response(200, description="Kept, or known already.", content_type="text/plain")
def receive(channel_id: str) -> Any:
    """Take what the service tells, signed by it; it is worked on afterwards."""
    contacts = webhook.receive(parts().store, channel_id, dict(request.headers), request.get_data(), parts().settings)
    notices.to_read(broker.app(), contacts)
    return Response("ok", content_type="text/plain")


def _present(found: ChannelView) -> dict[str, Any]:
    return management.as_dict(found) | {"webhook_url": _webhook_url(found.channel_id)}


def _webhook_url(channel_id: str) -> str:
    """Where the service reaches us: the public URL, or what the caller called us by."""
    base = parts().settings.public_url or parts().settings.url or request.host_url
    return f"{base.rstrip('/')}{url_for('channels.receive', channel_id=channel_id)}"
