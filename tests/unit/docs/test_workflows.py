"""The workflows of the repository itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.unit.docs.generated import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"


def jobs(name: str) -> dict[str, Any]:
    return yaml.safe_load((WORKFLOWS / name).read_text("utf-8"))["jobs"]


def runs(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_the_one_script_of_checks_is_what_runs(name: str) -> None:
    assert ".ci/run" in runs(jobs(name)["check"])


def test_nothing_is_published_before_the_checks_and_the_build() -> None:
    found = jobs("release.yml")
    assert found["build"]["needs"] == "check"
    assert found["github"]["needs"] == found["pypi"]["needs"] == "build"


def test_only_the_publishing_jobs_may_write() -> None:
    found = jobs("release.yml")
    assert found["github"]["permissions"] == {"contents": "write"}
    assert found["pypi"]["permissions"] == {"id-token": "write"}
    assert all("permissions" not in found[name] for name in ("check", "build"))
