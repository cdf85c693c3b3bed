"""What people do to executions: cancel, pause, resume, retry, rerun, signal, answer; each again is no error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aispine.engine.advance import advance
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import (
    ApprovalAnswered,
    CancelRequested,
    Fact,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    SignalReceived,
)
from aispine.engine.terms import Terms
from aispine.engine.unknown import unknown_execution
from aispine.errors import Conflict, InvalidRequest, NotFound
from aispine.flow.inputs import check_value
from aispine.flow.state import Signal, Transition
from aispine.flow.status import ExecutionStatus
from aispine.store.ids import is_id, new_id

_OF_EVERY_ANSWER: Final = frozenset({"approved", "comment"})


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The operations of one tenant's people; `by` says who, in the event.

    All raise `NotFound` for an execution that is not theirs.
    """

    dispatch: Dispatch
    tenant_id: str

    def cancel(self, execution_id: str, reason: str | None = None, by: str | None = None) -> None:
        """Ends the execution. Raises `Conflict` when it has ended otherwise."""
        after = self._apply(execution_id, CancelRequested(reason=reason, by=by))
        if after.execution.status is not ExecutionStatus.CANCELLED:
            raise _ended(after, "cancelled")

    def pause(self, execution_id: str, by: str | None = None) -> None:
        """Lets what runs finish and starts nothing more. Raises `Conflict` when the execution has ended."""
        after = self._apply(execution_id, PauseRequested(by=by))
        if after.execution.status is not ExecutionStatus.PAUSED:
            raise _ended(after, "paused")

    def resume(self, execution_id: str, by: str | None = None) -> None:
        """Lets a paused execution go on. Raises `Conflict` when it has ended and nothing was changed."""
        after = self._apply(execution_id, ResumeRequested(by=by))
        if after.empty and after.execution.status.terminal:
            raise _ended(after, "resumed")

    def retry(self, execution_id: str, by: str | None = None) -> None:
        """Opens an ended execution again, keeping what succeeded.

        Raises `Conflict` for one that completed or has not ended.
        """
        after = self._apply(execution_id, RetryRequested(detail={"by": by} if by else {}))
        if not after.empty:
            return
        if after.execution.status is ExecutionStatus.COMPLETED:
            raise Conflict("the execution has completed", hint="Start it again with `rerun`.")
        raise Conflict(f"the execution is {after.execution.status}", hint="Only one that has ended can be retried.")

    def signal(self, execution_id: str, name: str, payload: Any, by: str | None = None) -> None:
        """Gives a signal to the node that waits for it, or keeps it. Raises `Conflict` when the execution has ended."""
        signal = Signal(signal_id=new_id(), name=name, payload=payload)
        after = self._apply(execution_id, SignalReceived(signal=signal, by=by))
        if after.empty:
            raise _ended(after, "signalled")

    def answer(self, execution_id: str, path: str, values: Mapping[str, Any], *, by: str) -> None:
        """Answers an approval. Raises `Conflict` when it does not wait, `InvalidInput` for a misfit of its form."""
        self._check_answer(execution_id, path, values)
        after = self._apply(execution_id, ApprovalAnswered(path=path, values=values, by=by), path=path)
        if after.empty:
            raise Conflict(f"`{path}` does not wait for an answer", field="path")

    def _check_answer(self, execution_id: str, path: str, values: Mapping[str, Any]) -> None:
        from aispine.engine import plans
        from aispine.store import executions

        if not isinstance(values.get("approved"), bool):
            raise InvalidRequest("`approved` must be true or false", field="approved")
        with self.dispatch.store.session(self.tenant_id) as session:
            row = executions.find(session, execution_id) if is_id(execution_id) else None
        if row is None:
            raise unknown_execution(execution_id)
        plan = plans.find(self.dispatch.store, row.flow_version_id, self.tenant_id)
        try:
            spec = plan.node(path)
        except (KeyError, ValueError):
            raise NotFound(f"the execution has no node `{path}`", field="path") from None
        if spec.approval is None:
            raise Conflict(f"`{path}` is no approval", field="path")
        if spec.approval.form is not None:
            check_value(spec.approval.form, _of_the_form(spec.approval.form, values), "answer")

    def _apply(self, execution_id: str, fact: Fact, *, path: str | None = None) -> Transition:
        if not is_id(execution_id):
            raise unknown_execution(execution_id)
        store, terms = self.dispatch.store, Terms(owner="api")
        after = advance(
            store, execution_id, [fact], terms, rows=() if path is None else (path,), tenant_id=self.tenant_id
        )
        if after is None:
            raise unknown_execution(execution_id)
        if not after.empty:
            self.dispatch.follow(after)
        return after


def _of_the_form(form: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as the form sees it: what every answer may have counts only where the form names it."""
    named = {*form.get("properties", ()), *form.get("required", ())}
    return {name: value for name, value in values.items() if name in named or name not in _OF_EVERY_ANSWER}


def _ended(after: Transition, what: str) -> Conflict:
    status = after.execution.status
    return Conflict(f"the execution is {status}", hint=f"Only one that has not ended can be {what}.")
