"""A person as channels know one, and everything that is kept of that person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from aispine.channel.kinds import KINDS
from aispine.errors import Conflict, NotFound
from aispine.secrets import sealing
from aispine.settings import Settings
from aispine.store import subjects

_LONGEST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """How somebody calls a person: an id of a channel's, with or without the kind of the channel before it."""

    kind: str | None
    user_id: str

    @classmethod
    def read(cls, text: str) -> Name:
        """Reads `whatsapp:34600111222` or `34600111222`; a number may be written with + and spaces."""
        kind, separator, rest = text.partition(":")
        known = kind if separator and kind in KINDS else None
        user_id = (rest if known else text).strip()
        digits = user_id.lstrip("+").replace(" ", "")
        return cls(kind=known, user_id=digits if digits.isdigit() else user_id)

    def whole(self) -> list[str]:
        """The names with their kinds that it may stand for."""
        return [f"{kind}:{self.user_id}" for kind in ((self.kind,) if self.kind else KINDS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """The person on one channel."""

    contact_id: str
    channel_id: str
    kind: str
    user_id: str
    display_name: str | None
    wrote_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody on all channels, the linked ones too, with what is kept; `names` are as in `Name.whole`."""

    names: tuple[str, ...]
    contacts: tuple[Contact, ...]
    messages: int
    execution_ids: tuple[str, ...]
    file_ids: tuple[str, ...]

    @property
    def contact_ids(self) -> list[str]:
        return [contact.contact_id for contact in self.contacts]


def find(session: Session, tenant_id: str, name: str, settings: Settings) -> Person:
    """Everything that is kept of a person. Raises `NotFound`, and `Conflict` when the name may be two people's."""
    wanted = Name.read(name)
    contacts = _contacts(session, tenant_id, wanted)
    names = tuple(f"{contact.kind}:{contact.user_id}" for contact in contacts) or tuple(wanted.whole())
    contact_ids = [contact.contact_id for contact in contacts]
    labels = {*names, *(each.partition(":")[2] for each in names)}
    execution_ids = subjects.executions(session, tenant_id, contact_ids, labels)
    if not contacts and not execution_ids:
        raise _unknown(session, tenant_id, wanted, settings)
    return Person(
        names=tuple(dict.fromkeys(names)) if contacts else (wanted.whole()[0] if wanted.kind else wanted.user_id,),
        contacts=contacts,
        messages=subjects.count_messages(session, contact_ids) if contact_ids else 0,
        execution_ids=tuple(execution_ids),
        file_ids=tuple(subjects.files(session, tenant_id, contact_ids, execution_ids)),
    )


def _contacts(session: Session, tenant_id: str, name: Name) -> tuple[Contact, ...]:
    found = list(subjects.contacts(session, tenant_id, name.user_id, name.kind))
    if len({kind for _, kind in found}) > 1:
        kinds = sorted({kind for _, kind in found})
        raise Conflict(
            f"`{name.user_id[:_LONGEST]}` is somebody on {' and on '.join(kinds)}",
            hint=f"They may be two people: say {' or '.join(f'{kind}:...' for kind in kinds)}.",
        )
    if found:
        found += subjects.linked(session, tenant_id, [row.contact_id for row, _ in found])
    return tuple(
        Contact(
            contact_id=row.contact_id,
            channel_id=row.channel_id,
            kind=kind,
            user_id=row.user_id,
            display_name=row.name,
            wrote_at=row.wrote_at,
        )
        for row, kind in found
    )


def fingerprints(names: Sequence[str], settings: Settings) -> list[str]:
    """What stands for these names in the record, whichever of the deployment's keys made it."""
    return [each for name in names for each in sealing.fingerprints(name, settings.encryption_keys)]


def _unknown(session: Session, tenant_id: str, name: Name, settings: Settings) -> NotFound:
    from aispine.store import erasures

    known = fingerprints([*name.whole(), name.user_id], settings)
    before = erasures.page(session, tenant_id, of=known, after=None, limit=100)
    hint = f"Everything of this person was erased at {before[-1].erased_at:%Y-%m-%d %H:%M:%S} UTC." if before else None
    return NotFound(f"nothing is kept of `{name.user_id[:_LONGEST]}`", field="subject", hint=hint)
