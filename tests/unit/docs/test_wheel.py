"""The wheel holds what the tree holds: the packages, the agents, the flows, the templates, the migrations."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.unit.docs.generated import ROOT

PACKAGES: Final = ("aispine", "api", "cli", "workers")
ARTEFACTS: Final = ("agents", "flows", "Procfile")
METADATA: Final = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
DATA: Final = ".data/data/share/aispine/"


def files(name: str) -> set[str]:
    """The files of a part of the tree, by their path in it."""
    path = ROOT / name
    found = [path] if path.is_file() else [child for child in path.rglob("*") if child.is_file()]
    return {str(file.relative_to(ROOT)) for file in found if "__pycache__" not in file.parts}


def copy(target: Path) -> None:
    """Copies what the wheel is made of, since a build leaves its own folders in the tree."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in (*PACKAGES, *ARTEFACTS, *METADATA):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target / name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names inside the wheel, built with the setuptools of the extra `dev`."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    copy(source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(built), str(source)], capture_output=True, text=True, check=False, cwd=built
    )
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("aispine-*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_is_in_the_wheel(wheel: set[str], package: str) -> None:
    assert {name for name in wheel if name.startswith(f"{package}/")} == files(package)


@pytest.mark.parametrize("name", ARTEFACTS)
def test_every_artefact_is_in_the_wheel(wheel: set[str], name: str) -> None:
    shipped = {entry.partition(DATA)[2] for entry in wheel if DATA in entry}
    assert {entry for entry in shipped if entry.split("/")[0] == name} == files(name)


def test_nothing_else_is_at_the_top_of_the_wheel(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == set(PACKAGES)


def test_the_licence_is_in_the_wheel(wheel: set[str]) -> None:
    assert [name for name in wheel if name.endswith("/LICENSE") and ".dist-info/" in name]
