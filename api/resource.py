"""flask-smorest with types: blueprints, and the gathering of their OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from apispec import APISpec
from flask_smorest import Api, Blueprint  # type: ignore[import-untyped]  # flask-smorest has no types.
from marshmallow import Schema

from api import schemas
from api.arguments import Parser

View = TypeVar("View", bound=Callable[..., Any])


class Resource(Blueprint):  # type: ignore[misc]  # flask-smorest has no types.
    """The routes of one resource; arguments are read by `api.arguments`."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, name, description=description)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().route(rule, **options)
        return decorator

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[View], View]:
        # One for all requests, since given a class webargs makes another for each.
        decorator: Callable[[View], View] = super().arguments(schema(), **options)
        return decorator

    def response(self, status: int, schema: type[Schema] | None = None, **options: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().response(status, schema, **options)
        return decorator

    def alt_response(self, status: int, **options: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().alt_response(status, **options)
        return decorator

    def doc(self, **members: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().doc(**members)
        return decorator


class Rest(Api):  # type: ignore[misc]  # flask-smorest has no types.
    """Registers resources and gathers their document; errors are shown by `api.problems`."""

    ERROR_SCHEMA = schemas.Problem
    spec: APISpec

    def _register_error_handlers(self) -> None:
        """There is one place for errors, and it is not here."""
