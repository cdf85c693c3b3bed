"""The API as the commands see it: JSON in, JSON out, and problems raised as the errors of `aispine.errors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final
from urllib.parse import urlsplit

import click
import requests

import aispine
from aispine import errors
from cli import options, sse

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 60.0
_START_HINT: Final = "Start a stack with `aispine up`, or name one with --url or AISPINE_URL."
_OTHER_HINT: Final = (
    "Start one with `aispine up`. A stack that runs elsewhere is found from the folder of its project, "
    "by AISPINE_HOME, or by --url and --api-key."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back: `body` is parsed JSON, or text when the server sent something else."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Client:
    """Speaks to one API with one key. Paths are whole: `/api/v1/flows`, `/health`."""

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self.url = _checked_url(url)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"aispine/{aispine.__version__}"
        if api_key:
            self._session.headers["Authorization"] = f"Bearer {_checked_key(api_key)}"

    def twin(self) -> Client:
        """Another client of the same API with the same key, for another thread."""
        other = Client(self.url)
        other._session.headers.update(self._session.headers)
        return other

    def get(self, path: str, **request: Any) -> Any:
        """The parsed body of a GET. Takes `params` and `headers`. Raises an `AISpineError`."""
        return self.send("GET", path, **request).body

    def post(self, path: str, **request: Any) -> Any:
        """The parsed body of a POST. Takes `json` or `data`, `params` and `headers`. Raises an `AISpineError`."""
        return self.send("POST", path, **request).body

    def put(self, path: str, **request: Any) -> Any:
        """As `post`, with PUT."""
        return self.send("PUT", path, **request).body

    def delete(self, path: str, **request: Any) -> Any:
        """As `get`, with DELETE."""
        return self.send("DELETE", path, **request).body

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: bytes | str | IO[bytes] | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer, status and headers included. Raises an `AISpineError`."""
        try:
            response = self._session.request(
                method,
                self.url + path,
                json=json,
                data=data,
                params=params,
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise unreachable(self.url, error) from error
        return _answer(response)

    def stream(self, path: str, last_event_id: str | None = None, *, timeout: float | None = None) -> sse.Events:
        """The events of `path` after `last_event_id`, live and over reconnections, until there are no more.

        Raises `Unavailable` when the server stays away, and `TimeoutError` after `timeout` seconds.
        """
        return sse.follow(self._open, path, last_event_id, timeout=timeout)

    def content(self, path: str) -> Iterator[bytes]:
        """The body of a GET as it comes, whatever it is. Raises an `AISpineError`."""
        with self._open(path, {}, ANSWER_SECONDS) as response:
            try:
                yield from response.iter_content(65_536)
            except requests.RequestException as error:
                raise errors.Unavailable(f"{self.url} broke off", hint="Try again.") from error

    def _open(self, path: str, headers: Mapping[str, str], read_seconds: float) -> requests.Response:
        try:
            response = self._session.get(
                self.url + path,
                headers=headers,
                stream=True,
                timeout=(CONNECT_SECONDS, read_seconds),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise unreachable(self.url, error) from error
        if response.status_code not in {200, 204}:
            _answer(response)
        return response


def from_context(ctx: click.Context) -> Client:
    """The client for the URL and key of the flags, the environment, the project or the local stack, in this order.

    The local stack's key goes to the local stack alone, and never to a URL that somebody named.
    """
    from aispine import settings

    given, named, found = options.of(ctx), settings.load(stack=False), settings.current()
    url, key = given.url or named.url, given.api_key or named.api_key
    if url is not None:
        return Client(url, key)
    if found.url is None:
        raise errors.Unavailable(f"no AI Spine is running in the home {found.home}", hint=_OTHER_HINT)
    return Client(found.url, key or found.api_key)


def pages(client: Client, path: str, *, params: Mapping[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    """Up to `limit` rows of a list, page after page."""
    left, cursor = limit, None
    while left > 0:
        page = client.get(path, params={**params, "limit": min(left, 200), "cursor": cursor})
        yield from page["data"]
        left, cursor = left - len(page["data"]), page.get("next_cursor")
        if cursor is None:
            return


def unreachable(url: str, error: Exception) -> errors.Unavailable:
    """The error of a server that cannot be spoken to."""
    if isinstance(error, requests.Timeout):
        return errors.Unavailable(f"{url} did not answer in time", hint="`aispine doctor` says how the stack is.")
    if isinstance(error, requests.exceptions.SSLError):
        return errors.Unavailable(f"{url} has no certificate that this machine trusts")
    return errors.Unavailable(f"{url} does not answer", hint=_START_HINT)


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise errors.InvalidRequest(f"`{url}` is not an http(s) URL", field="url", hint="Check --url or AISPINE_URL.")
    return url.rstrip("/")


def _checked_key(key: str) -> str:
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise errors.InvalidRequest(
            "the API key has characters that no key has", field="api_key", hint="Check --api-key or AISPINE_API_KEY."
        )
    return key


def _answer(response: requests.Response) -> Answer:
    body = _body(response)
    if response.status_code >= 400:
        raise _problem(response.status_code, body, response)
    if response.status_code >= 300 or not isinstance(body, dict | list | None):
        raise errors.Unavailable(f"{response.url} does not answer like AI Spine", hint="Check --url or AISPINE_URL.")
    return Answer(status=response.status_code, headers=response.headers, body=body)


def _body(response: requests.Response) -> Any:
    try:
        return response.json() if response.content else None
    except requests.RequestException:
        return response.text


def _problem(status: int, body: Any, response: requests.Response) -> errors.AISpineError:
    problem = body if isinstance(body, dict) else {}
    kind = _BY_CODE.get(str(problem.get("code"))) or _BY_STATUS.get(status, errors.AISpineError)
    return kind(
        str(problem.get("detail") or problem.get("title") or f"{response.url} answered {status} {response.reason}"),
        hint=_HINTS.get(status) or problem.get("hint"),
        field=problem.get("field"),
        errors=problem.get("errors") or (),
    )


_HINTS: Final = {401: "Set AISPINE_API_KEY or give --api-key. `aispine auth key` prints the local stack's key."}
"""What the command says better than the API, which speaks of headers."""


def _family(kind: type[errors.AISpineError]) -> Iterator[type[errors.AISpineError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


_BY_CODE: Final = {kind.code: kind for kind in _family(errors.AISpineError)}
_BY_STATUS: Final = {kind.status: kind for kind in reversed(list(_family(errors.AISpineError)))}
