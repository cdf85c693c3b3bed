"""The REST API: a thin shell that reads a request, calls one use case of the core and presents what it returns."""

from api.app import create_app

__all__ = ["create_app"]
