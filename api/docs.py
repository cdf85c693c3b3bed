"""The OpenAPI document, the page that shows it without the internet, and the index."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

from apispec import APISpec
from flask import Blueprint, Flask, Response, current_app, jsonify
from werkzeug.exceptions import NotFound

import aispine
from api import problems
from api.access import access, declared
from api.routes import routes

blueprint = Blueprint("docs", "docs")

_ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_POLICY: Final = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>AI Spine API</title>
  <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
  <link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
</head>
<body>
  <div id="page"></div>
  <script src="/docs/assets/swagger-ui-bundle.js"></script>
  <script src="/docs/assets/start.js"></script>
</body>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  persistAuthorization: true,
  validatorUrl: null,
});
"""


def complete(app: Flask, spec: APISpec) -> None:
    """Keeps the document that `spec` has gathered, with who may call each route and how errors look."""
    document = spec.to_dict()
    operations = {
        (route.openapi_path, method.lower()): declared(app.view_functions[route.endpoint])
        for route in routes(app)
        for method in route.methods
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                _complete(operation, operations.get((path, method)))
    # What flask-smorest adds by itself and nothing refers to any more.
    document["components"].pop("responses", None)
    app.extensions["aispine.openapi"] = json.dumps(document)


def _complete(operation: dict[str, Any], kind: str | None) -> None:
    operation["security"] = [{"key": []}] if kind in {"key", "metrics"} else []
    problem = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    responses["default"] = {"description": "A problem (RFC 9457).", "content": problem}


@blueprint.get("/openapi.json")
@access("public")
def openapi() -> Response:
    """The OpenAPI document."""
    return Response(current_app.extensions["aispine.openapi"], content_type="application/json")


@blueprint.get("/docs")
@access("public")
def page() -> Response:
    """The page that shows the OpenAPI document."""
    return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})


@blueprint.get("/docs/assets/<name>")
@access("public")
def asset(name: str) -> Response:
    """A part of the page."""
    if name == "start.js":
        return Response(_START, content_type="text/javascript")
    if name not in _ASSETS:
        raise NotFound
    return Response(_asset(name), content_type=_ASSETS[name], headers={"Cache-Control": "public, max-age=86400"})


@cache
def _asset(name: str) -> bytes:
    return (resources.files("flask_swagger_ui") / "dist" / name).read_bytes()


@blueprint.get("/")
@access("public")
def index() -> Response:
    """What is where."""
    return jsonify(
        name="AI Spine",
        version=aispine.__version__,
        api="/api/v1",
        docs="/docs",
        openapi="/openapi.json",
        health="/health",
    )
