"""What people do to channels. Everything raises `NotFound` for a channel that is not the tenant's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from aispine.channel import credentials, kinds
from aispine.channel.adapter import Definition, Line
from aispine.errors import Conflict, InvalidRequest, NotFound
from aispine.settings import Settings
from aispine.store import channels, flows
from aispine.store.ids import is_id, new_id
from aispine.store.models import ChannelRow

_MOST_STAFF: Final = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelView:
    """A channel without its secrets; `address` is what the outside calls it.

    `verify_token` is shown once, when it was made up here: it is typed into the service's own form.
    """

    channel_id: str
    kind: str
    name: str
    address: str
    flow_id: str | None
    staff: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    made: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnLine:
    """A line with the kind of its channel."""

    kind: str
    line: Line


def create(session: Session, tenant_id: str, values: Mapping[str, Any], settings: Settings) -> ChannelView:
    """Adds a channel. Raises `InvalidRequest`, and `Conflict` when the tenant has it already."""
    kind = values["kind"]
    given = values.get("credentials") or {}
    definition = kinds.adapter(kind).define(_known(kind, given))
    row = ChannelRow(
        channel_id=new_id(),
        tenant_id=tenant_id,
        kind=kind,
        name=values.get("name") or f"{kind} {definition.address}",
        address=definition.address,
        flow_id=_flow(session, tenant_id, values.get("flow_id")),
        staff=_staff(values.get("staff") or ()),
        credentials=_seal(definition, settings),
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"there is a {kind} channel of {definition.address} already", field="credentials") from error
    session.refresh(row)
    made = {name: value for name, value in definition.credentials.items() if name not in given and name in _OURS}
    return _view(row, made)


_OURS: Final = frozenset({"verify_token", "secret_token"})
_ADDRESS: Final = {"whatsapp": ("phone_number_id",)}


def _known(kind: str, given: Mapping[str, str]) -> dict[str, str]:
    known = {*kinds.adapter(kind).credentials, *_ADDRESS.get(kind, ())}
    unknown = sorted(given.keys() - known)
    if unknown:
        hint = f"There are: {', '.join(sorted(known))}."
        raise InvalidRequest(
            f"{kind} takes no `{unknown[0][:100]}`", field=f"credentials.{unknown[0][:100]}", hint=hint
        )
    return {name: value.strip() for name, value in given.items() if value}


def update(
    session: Session, tenant_id: str, channel_id: str, values: Mapping[str, Any], settings: Settings
) -> ChannelView:
    """Changes what is named in `values`; secrets that are not named stay."""
    row = find(session, tenant_id, channel_id)
    if "credentials" in values:
        given = _known(row.kind, values["credentials"] or {})
        kept = {**open_credentials(row, settings), **_own_address(row)}
        definition = kinds.adapter(row.kind).define({**kept, **given})
        row.address, row.credentials = definition.address, _seal(definition, settings)
    if "flow_id" in values:
        row.flow_id = _flow(session, tenant_id, values["flow_id"])
    if "staff" in values:
        row.staff = _staff(values["staff"] or ())
    if values.get("name"):
        row.name = values["name"]
    row.updated_at = func.now()
    session.flush()
    session.refresh(row)
    return _view(row)


def _own_address(row: ChannelRow) -> dict[str, str]:
    return dict.fromkeys(_ADDRESS.get(row.kind, ()), row.address)


def list_channels(session: Session, tenant_id: str, *, after: str | None = None, limit: int = 50) -> list[ChannelView]:
    """Channels in the order in which they were made, from the one after `after` on."""
    return [_view(row) for row in channels.page(session, tenant_id, after=after, limit=limit)]


def show(session: Session, tenant_id: str, channel_id: str) -> ChannelView:
    return _view(find(session, tenant_id, channel_id))


def delete(session: Session, tenant_id: str, channel_id: str) -> None:
    """Deletes the channel with what came in and what was to go out over it."""
    session.delete(find(session, tenant_id, channel_id))
    session.flush()


def own_line(session: Session, tenant_id: str, channel_id: str, settings: Settings) -> OwnLine:
    """The channel ready to be tested, outside of any transaction."""
    row = find(session, tenant_id, channel_id)
    return OwnLine(kind=row.kind, line=line(row, settings))


def test(own: OwnLine) -> Mapping[str, Any]:
    """What the service says of the channel. Raises `InvalidRequest` and `Unavailable`."""
    return kinds.adapter(own.kind).check(own.line)


def link(session: Session, tenant_id: str, here: tuple[str, str], there: tuple[str, str]) -> None:
    """Names where a person is written to when a message is refused; both are a channel's and the person's id."""
    ids = [
        channels.contact(session, find(session, tenant_id, channel_id), user_id, wrote=False)
        for channel_id, user_id in (here, there)
    ]
    if ids[0] == ids[1]:
        raise InvalidRequest("a person cannot be linked to itself", field="fallback_user_id")
    channels.set_fallback(session, *ids)


def find(session: Session, tenant_id: str, channel_id: str) -> ChannelRow:
    row = channels.find(session, tenant_id, channel_id) if is_id(channel_id) else None
    if row is None:
        raise unknown(channel_id)
    return row


def unknown(channel_id: str) -> NotFound:
    return NotFound(f"there is no channel `{channel_id[:64]}`", field="channel_id")


def line(row: ChannelRow, settings: Settings) -> Line:
    """The channel ready to be spoken over."""
    base_url = kinds.base_url(row.kind, settings)
    return Line(base_url=base_url, address=row.address, credentials=open_credentials(row, settings))


def open_credentials(row: ChannelRow, settings: Settings) -> dict[str, str]:
    """The secrets of a channel. Raises `InvalidRequest` when no key of the deployment opens them."""
    return credentials.open_(row.credentials, settings.encryption_keys)


def _seal(definition: Definition, settings: Settings) -> str:
    return credentials.seal(definition.credentials, settings.encryption_keys)


def _flow(session: Session, tenant_id: str, flow_id: str | None) -> str | None:
    if flow_id is None:
        return None
    found = flows.find(session, tenant_id, flow_id)
    if found is None:
        raise NotFound(f"There is no flow `{flow_id[:200]}`", field="flow_id", hint="Deploy it first.")
    return found.flow_id


def _staff(values: Sequence[str]) -> list[str]:
    if len(values) > _MOST_STAFF:
        raise InvalidRequest(f"`staff` names more than {_MOST_STAFF} people", field="staff")
    return [value.strip().lstrip("+").replace(" ", "") for value in values]


def _view(row: ChannelRow, made: Mapping[str, str] | None = None) -> ChannelView:
    return ChannelView(
        channel_id=row.channel_id,
        kind=row.kind,
        name=row.name,
        address=row.address,
        flow_id=row.flow_id,
        staff=tuple(row.staff),
        created_at=row.created_at,
        updated_at=row.updated_at,
        made=made or None,
    )


def as_dict(view: ChannelView) -> dict[str, Any]:
    """The channel as plain values."""
    return asdict(view)
