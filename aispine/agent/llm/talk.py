"""One attempt of an llm agent: it asks, lets tools be used, repairs its answer once, and stops at its limits."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any, Final

from aispine.agent.contract import AgentFailure, AgentReply, AgentRequest, Ended, FailureCode, flow_output
from aispine.agent.definition import AgentVersion
from aispine.agent.http import call_key
from aispine.agent.llm import answer, means, prompt, recipe
from aispine.agent.llm.means import Means
from aispine.agent.llm.recipe import Choice
from aispine.agent.llm.spending import Spending
from aispine.agent.llm.telling import Teller
from aispine.agent.llm.toolbox import Uses
from aispine.errors import ExpressionError, NotFound
from aispine.flow import secret
from aispine.flow.sensitive import is_marked
from aispine.guards import rules
from aispine.guards.rules import Guard
from aispine.model import client
from aispine.model.chat import Model, Question, Turn
from aispine.model.client import Call
from aispine.model.errors import CUT_OFF, ModelError, declined
from aispine.settings import Settings
from aispine.tool.definition import Tool

RETRIED: Final = (FailureCode.RATE_LIMITED, FailureCode.UNAVAILABLE, FailureCode.TIMEOUT)
STEP_LIMIT: Final = "step_limit"


class Stop(Exception):
    """The attempt ends with a failure."""

    def __init__(self, failure: AgentFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Talk:
    """The conversation of one attempt; `log` has a line for each turn."""

    def __init__(
        self, agent: AgentVersion, request: AgentRequest, given: Means, settings: Settings, guard: Guard | None = None
    ) -> None:
        self._agent = agent
        self._request = request
        self._means = given
        self._settings = settings
        self._guard = guard or rules.of(settings)
        self._recipe = recipe.of(agent.llm or {})
        self._until = time.monotonic() + request.timeout
        self._spending = Spending(self._recipe.budget, given.spent)
        self._choices = list(self._recipe.choices)
        self._step = 0
        self._discreet = _is_discreet(agent)
        self.log: list[str] = []

    def run(self) -> Ended:
        """Talks to the end. Every way in which that can fail is an `AgentFailure`, never an exception."""
        begun = time.monotonic()
        try:
            outcome: Ended = self._talk()
        except Stop as stop:
            outcome = stop.failure
        except ExpressionError as error:
            outcome = AgentFailure(code=FailureCode.EXPRESSION_ERROR, message=error.message)
        except NotFound as error:
            outcome = AgentFailure(code=FailureCode.UNAVAILABLE, message=error.message)
        took = {"processing_time": round(time.monotonic() - begun, 3)}
        return replace(outcome, metadata={**outcome.metadata, **self._spending.told(), "steps": self._step, **took})

    def _talk(self) -> AgentReply:
        uses, repaired = self._uses(), False
        said = prompt.messages(self._recipe, self._request, self._agent.output_schema)
        while True:
            turn = self._ask(said, uses)
            if turn.tool_uses:
                if uses is None:
                    raise Stop(_without_tools())
                said += [turn.message(), *(uses.answer(use, self._left()) for use in turn.tool_uses)]
                continue
            value, misfits = answer.read(turn.text, self._agent.output_schema)
            if not misfits:
                return self._reply(turn, value, uses)
            if repaired or turn.finish == "length":
                raise Stop(_misfitting(turn, misfits))
            said, repaired = [*said, turn.message(), answer.complaint(misfits)], True

    def _uses(self) -> Uses | None:
        if not self._recipe.tools:
            return None
        if self._means.tools is None:
            raise Stop(AgentFailure(code=FailureCode.UNAVAILABLE, message="tools cannot be called from here"))
        found = self._means.tools.find(self._recipe.tools)
        self._discreet = self._discreet or any(map(_is_discreet, found.values()))
        return Uses(self._means.tools, found, self._request.idempotency_key)

    def _ask(self, said: list[dict[str, Any]], uses: Uses | None) -> Turn:
        """The next turn, of the first model that gives one; those before it are not asked again."""
        if self._step >= self._recipe.max_steps:
            raise Stop(_too_many(self._recipe.max_steps))
        self._step += 1
        failures: list[AgentFailure] = []
        while self._choices:
            try:
                return self._ask_one(self._choices[0], said, uses)
            except ModelError as error:
                failures.append(self._failed(self._choices.pop(0), error))
        raise Stop(_of_all(failures))

    def _ask_one(self, choice: Choice, said: list[dict[str, Any]], uses: Uses | None) -> Turn:
        model, begun = self._with_config(choice), time.monotonic()
        room = self._spending.room(model.model, len(json.dumps(said, ensure_ascii=False)))
        if room is not None and room < 1:
            raise Stop(self._spending.exceeded())
        functions = uses.functions if uses is not None else ()
        question = Question(
            messages=said, functions=functions, output_schema=self._agent.output_schema, max_tokens=room
        )
        tell = means.nobody if self._discreet else self._means.tell
        teller = Teller(tell, self._step, model.model.model)
        turn = self._through(model.model, question, self._call(choice), teller)
        self._spending.add(turn.usage, model.model)
        self._note(choice, f"{turn.usage.prompt}+{turn.usage.completion} tokens", begun, turn)
        return turn

    def _through(self, model: Model, question: Question, call: Call, teller: Teller) -> Turn:
        def asked() -> Turn | ModelError:
            try:
                return client.ask(model, question, call, teller)
            except ModelError as error:
                return error
            finally:
                teller.flush()

        found = self._means.through(model, call.seconds, asked)
        if isinstance(found, AgentFailure):
            raise ModelError(found)
        if isinstance(found, ModelError):
            raise found
        return found

    def _with_config(self, choice: Choice) -> Choice:
        """The model with what the node's config says instead."""
        given = {name: value for name in ("temperature", "max_tokens") if (value := self._request.config.get(name))}
        if "max_tokens" in given:
            given[choice.model.limit_field] = given.pop("max_tokens")
        return replace(choice, model=replace(choice.model, params={**choice.model.params, **given}))

    def _call(self, choice: Choice) -> Call:
        left = self._left()
        return Call(
            guard=self._guard,
            seconds=min(left, choice.timeout or left),
            limit=self._settings.max_response_bytes,
            api_key=self._api_key(choice),
            key=call_key(self._request.execution_id, self._request.path, self._request.attempt),
        )

    def _api_key(self, choice: Choice) -> str | None:
        missing = sorted(secret.names(choice.api_key) - set(self._means.secrets))
        if missing:
            message = f"the secret `{missing[0]}` is not known here; outside of a flow set the variable of that name"
            raise Stop(AgentFailure(code=FailureCode.REJECTED, message=message))
        filled: str | None = secret.fill(choice.api_key, self._means.secrets)
        return filled

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            message = f"the agent did not answer in {self._request.timeout:g} s"
            raise Stop(AgentFailure(code=FailureCode.TIMEOUT, message=message))
        return left

    def _failed(self, choice: Choice, error: ModelError) -> AgentFailure:
        if error.usage is not None:
            self._spending.add(error.usage, choice.model)
        self.log.append(f"step {self._step}: {choice.model.model}: {error.failure.code}: {error.failure.message}")
        if error.failure.code == FailureCode.CANCELLED:
            raise Stop(error.failure)
        return error.failure

    def _note(self, choice: Choice, spent: str, begun: float, turn: Turn) -> None:
        wants = ", ".join(use.name for use in turn.tool_uses)
        took = time.monotonic() - begun
        line = f"step {self._step}: {choice.model.model}: {spent}, {took:.2f} s"
        self.log.append(f"{line}, wants {wants}" if wants else line)

    def _reply(self, turn: Turn, value: Any, uses: Uses | None) -> AgentReply:
        metadata: dict[str, Any] = {"model": self._choices[0].model.model, "finish": turn.finish}
        if uses is not None:
            metadata["tools"] = uses.made
        if self._agent.output_schema is None:
            return AgentReply(output=flow_output(None, turn.text), message=turn.text, metadata=metadata)
        return AgentReply(output=value, metadata=metadata)


def _is_discreet(asked: AgentVersion | Tool) -> bool:
    """True when something that goes in or out is sensitive: words come in pieces, in which none would be found."""
    return is_marked(asked.input_schema) or is_marked(asked.output_schema)


def _without_tools() -> AgentFailure:
    return AgentFailure(code=FailureCode.INVALID_RESPONSE, message="the model wants tools, and the agent has none")


def _too_many(limit: int) -> AgentFailure:
    message = f"the model had no answer after {limit} steps"
    return AgentFailure(code=FailureCode.AGENT_ERROR, message=message, detail={"error_code": STEP_LIMIT})


def _misfitting(turn: Turn, misfits: list[str]) -> AgentFailure:
    if turn.finish == "length":
        return replace(
            declined(CUT_OFF, "the model's answer was cut off at its limit of tokens"),
            code=FailureCode.INVALID_RESPONSE,
        )
    message = f"the model's answer does not fit the output_schema: {misfits[0]}"
    return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message, detail={"misfits": misfits})


def _of_all(failures: list[AgentFailure]) -> AgentFailure:
    """The failure of an attempt in which no model answered: one that may pass, if there is one, speaks for all."""
    passing = [failure for failure in failures if failure.code in RETRIED]
    waits = [failure.retry_after for failure in passing if failure.retry_after is not None]
    spoken = (passing or failures)[0]
    if len(failures) == 1:
        return spoken
    told = [{"code": str(failure.code), "message": failure.message} for failure in failures]
    wait = min(waits) if len(waits) == len(passing) and waits else None
    return replace(spoken, retry_after=wait, detail={**(spoken.detail or {}), "models": told})
