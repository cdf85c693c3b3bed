"""A bucket of S3, or of what speaks its protocol: `s3://bucket/prefix?endpoint=https://...&region=...`.

Credentials are looked for where boto3 looks: the environment, the files of its command line, the machine's role.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final
from urllib.parse import parse_qs, urlsplit

from aispine.errors import InvalidRequest, NotFound, Unavailable
from aispine.files.intake import CHUNK

_GONE: Final = frozenset({"NoSuchKey", "404"})


@functools.lru_cache(maxsize=4)
def bucket(url: str) -> Bucket:
    """The bucket of that URL; its client is made once per process. Raises `InvalidRequest` when it is no such URL."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme != "s3" or not parts.netloc or options.keys() - {"endpoint", "region"}:
        raise InvalidRequest(
            "AISPINE_FILES_URL must be s3://bucket/prefix?endpoint=https://...&region=...", field="files_url"
        )
    return Bucket(_client(options.get("endpoint"), options.get("region")), parts.netloc, parts.path.strip("/"))


def _client(endpoint: str | None, region: str | None) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise Unavailable("boto3 is not installed", hint="pip install 'aispine[s3]'") from error
    limits = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3, "mode": "standard"})
    return boto3.client("s3", endpoint_url=endpoint, region_name=region or "us-east-1", config=limits)


class Bucket:
    """Objects named by prefix, tenant and file."""

    def __init__(self, client: Any, name: str, prefix: str) -> None:
        self._client = client
        self._name = name
        self._prefix = f"{prefix}/" if prefix else ""

    def put(self, tenant_id: str, file_id: str, content: IO[bytes]) -> None:
        with _translated():
            self._client.put_object(Body=content, **self._place(tenant_id, file_id))

    def chunks(self, tenant_id: str, file_id: str) -> Iterator[bytes]:
        with _translated():
            yield from self._client.get_object(**self._place(tenant_id, file_id))["Body"].iter_chunks(CHUNK)

    def remove(self, tenant_id: str, file_id: str) -> None:
        with _translated():
            self._client.delete_object(**self._place(tenant_id, file_id))

    def _place(self, tenant_id: str, file_id: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": f"{self._prefix}{tenant_id}/{file_id}"}


@contextmanager
def _translated() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE:
            raise NotFound("The content of the file is gone", field="file_id") from error
        raise _unavailable(error) from error
    except (BotoCoreError, HTTPClientError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"The file storage does not answer: {error}", hint="Check AISPINE_FILES_URL.")
