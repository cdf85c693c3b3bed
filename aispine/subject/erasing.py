"""Erasing a person: everything goes in one transaction, and a record stays that names nobody.

Nothing may be on its way meanwhile. So the leases of reading and sending are taken first, as a worker takes them, and
what runs is cancelled; an agent that is still at work then finds nothing left to write to.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine import logs
from aispine.engine.dispatch import Dispatch
from aispine.errors import Conflict
from aispine.files import TenantFiles
from aispine.secrets import sealing
from aispine.settings import Settings
from aispine.store import cached_answers, channels, subjects
from aispine.store import erasures as table
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import ErasureRow
from aispine.subject.person import Name, Person, find, fingerprints

LEASE: Final = 120.0
"""Seconds for which nobody else may read from the person or write to them."""
PATIENCE: Final = 15.0
"""Seconds for which whoever does so just now is waited for."""
_PAUSE: Final = 0.1
_ROUNDS: Final = 20
_WHAT: Final = (channels.READING, channels.SENDING)
_BUSY: Final = "Ask again in a moment."

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """The record: when and by whom somebody was erased, and how much of each kind went."""

    erasure_id: str
    erased_at: datetime
    erased_by: str
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Eraser:
    """Erases people of a tenant in the name of `by`."""

    store: Store
    dispatch: Dispatch
    settings: Settings
    tenant_id: str
    by: str

    def erase(self, name: str) -> Erasure:
        """Erases everything of a person, and records it.

        Raises `NotFound`, and `Conflict` when the name may be two people's or somebody is at work for the person.
        """
        with self._session() as session:
            person = find(session, self.tenant_id, name, self.settings)
        owner = new_id()
        try:
            self._take(person, owner)
            person, row = self._erase(name)
        except BaseException:
            self._give_back(person, owner)
            raise
        _log.info("subject.erased", erasure=row.erasure_id, by=self.by, **row.counts)
        files = TenantFiles(store=self.store, tenant_id=self.tenant_id, settings=self.settings)
        files.remove_expired(person.file_ids)
        return _erasure(row)

    def _session(self) -> Any:
        return self.store.session(self.tenant_id)

    def _take(self, person: Person, owner: str) -> None:
        until = time.monotonic() + PATIENCE
        for contact_id in person.contact_ids:
            for what in _WHAT:
                while not self._hold(contact_id, what, owner):
                    if time.monotonic() > until:
                        raise Conflict("a message of this person is being read or sent", hint=_BUSY)
                    time.sleep(_PAUSE)

    def _hold(self, contact_id: str, what: str, owner: str) -> bool:
        with self._session() as session:
            return channels.hold(session, contact_id, what, owner, LEASE)

    def _give_back(self, person: Person, owner: str) -> None:
        with self._session() as session:
            for contact_id in person.contact_ids:
                for what in _WHAT:
                    channels.let_go(session, contact_id, what, owner)

    def _erase(self, name: str) -> tuple[Person, ErasureRow]:
        """What was begun meanwhile, such as a rerun, is found in the next round."""
        for _ in range(_ROUNDS):
            with self._session() as session:
                person = find(session, self.tenant_id, name, self.settings)
                open_ = subjects.hold(session, person.execution_ids)
                # Under the locks nobody starts anything from these executions; what was started before is seen now.
                person = find(session, self.tenant_id, name, self.settings)
                if not open_ and not set(subjects.still_open(session, person.execution_ids)):
                    return person, self._delete(session, person)
            for execution_id in {*open_, *self._still_open(person)}:
                self.dispatch.cancel(execution_id, "its person is erased")
        raise Conflict("executions of this person start again and again", hint=_BUSY)

    def _still_open(self, person: Person) -> Sequence[str]:
        with self._session() as session:
            return subjects.still_open(session, person.execution_ids)

    def _delete(self, session: Session, person: Person) -> ErasureRow:
        subjects.hide_files(session, self.tenant_id, person.file_ids)
        gone = subjects.delete_all(session, self.tenant_id, person.contact_ids, person.execution_ids)
        answers = cached_answers.forget_with(session, person.execution_ids)
        counts = {**gone, "cached_answers": answers, "files": len(person.file_ids)}
        marks = [sealing.fingerprints(each, self.settings.encryption_keys)[0] for each in person.names]
        return table.record(session, self.tenant_id, marks, self.by, counts)


def erasures(
    session: Session, tenant_id: str, settings: Settings, *, name: str | None, after: str | None, limit: int
) -> list[Erasure]:
    """The records in their order, from the one after `after` on; only those of a person where one is named."""
    of = None
    if name is not None:
        wanted = Name.read(name)
        of = fingerprints([*wanted.whole(), wanted.user_id], settings)
    return [_erasure(row) for row in table.page(session, tenant_id, of=of, after=after, limit=limit)]


def _erasure(row: ErasureRow) -> Erasure:
    return Erasure(erasure_id=row.erasure_id, erased_at=row.erased_at, erased_by=row.erased_by, counts=row.counts)
