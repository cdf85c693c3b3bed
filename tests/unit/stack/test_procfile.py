from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aispine.errors import StackError
from aispine.stack import procfile


def read(folder: Path, text: str, **env: str):
    path = folder / "Procfile"
    path.write_text(text)
    return procfile.read(path, procfile.environment({"PATH": "/usr/bin:/bin", **env}), folder)


def test_a_line_becomes_a_program_with_its_words(tmp_path):
    (program,) = read(tmp_path, "# ours\nweb: sleep '1 000' --x\n")
    assert program.name == "web"
    assert program.argv[0].endswith("/sleep")
    assert program.argv[1:] == ("1 000", "--x")
    assert program.env["AISPINE_PROCESS"] == "web"


def test_variables_are_filled_after_the_line_is_split(tmp_path):
    (program,) = read(tmp_path, "web: echo $NAME ${OTHER} $unset", NAME="two words", OTHER="b")
    assert program.argv[1:] == ("two words", "b", "$unset")


def test_the_order_of_the_file_is_kept(tmp_path):
    assert [program.name for program in read(tmp_path, "b: true\na: true\n")] == ["b", "a"]


@pytest.mark.parametrize("text", ["a: true\na: true\n", "a: echo 'open\n"])
def test_a_malformed_procfile_is_refused(tmp_path, text):
    with pytest.raises(StackError, match="Procfile is not valid"):
        read(tmp_path, text)


def test_a_program_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(StackError, match="no-such-program"):
        read(tmp_path, "web: no-such-program")


def test_this_installations_programs_come_first_in_the_path():
    assert procfile.environment({"PATH": "/bin"})["PATH"] == f"{Path(sys.executable).parent}:/bin"


def test_the_products_procfile_names_its_processes(tmp_path):
    programs = procfile.read(procfile.find(), procfile.environment({"PATH": "/usr/bin:/bin"}), tmp_path)
    assert [program.name for program in programs] == ["web", "worker", "worker-cpu", "worker-io", "beat", "flower"]
