from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from aispine.agent import credential
from aispine.errors import InvalidRequest

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_a_key_comes_back_and_is_not_readable_meanwhile():
    sealed = credential.seal("secret-key", OLD)
    assert "secret-key" not in sealed
    assert credential.open_(sealed, OLD) == "secret-key"


def test_keys_can_be_rotated():
    sealed = credential.seal("secret-key", OLD)
    assert credential.open_(sealed, f"{NEW}, {OLD}") == "secret-key"


def test_a_lost_encryption_key_is_told():
    with pytest.raises(InvalidRequest, match="cannot be decrypted"):
        credential.open_(credential.seal("secret-key", OLD), NEW)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "é", "x" * 5000])
def test_what_cannot_be_a_header_is_refused(key):
    with pytest.raises(InvalidRequest, match="api_key"):
        credential.seal(key, OLD)


@pytest.mark.parametrize("keys", [None, "", " , ", "short"])
def test_without_encryption_keys_nothing_is_stored(keys):
    with pytest.raises(InvalidRequest, match="AISPINE_ENCRYPTION_KEYS"):
        credential.seal("secret", keys)
