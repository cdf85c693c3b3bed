"""Files whose content is in S3, here a local server that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto.server import ThreadedMotoServer

from aispine import settings
from aispine.errors import NotFound, Unavailable
from aispine.files import TenantFiles
from aispine.store.database import Store

CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(600_000)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def files(web_store: Store, tenant: str, endpoint: str) -> TenantFiles:
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="kept")
    url = f"s3://kept/spine?endpoint={endpoint}"
    return TenantFiles(store=web_store, tenant_id=tenant, settings=replace(settings.current(), files_url=url))


def _objects(endpoint: str) -> list[str]:
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    return [each["Key"] for each in client.list_objects_v2(Bucket="kept").get("Contents", [])]


def test_a_file_is_put_read_and_deleted(files: TenantFiles, endpoint: str, tenant: str) -> None:
    stored = files.put(CONTENT, name="a.png").reference
    assert _objects(endpoint) == [f"spine/{tenant}/{stored.file_id}"]
    assert files.read(stored.as_dict()) == CONTENT
    files.delete(stored.file_id)
    assert _objects(endpoint) == []
    with pytest.raises(NotFound):
        files.read(stored.file_id)


def test_a_storage_that_is_away_is_said_so_and_leaves_no_file(files: TenantFiles) -> None:
    gone = replace(files, settings=replace(files.settings, files_url="s3://kept?endpoint=http://127.0.0.1:9"))
    with pytest.raises(Unavailable):
        gone.put(CONTENT, name="a.png")
    assert files.page(after=None, limit=10) == []
