"""Tables on terminals of any width."""

from __future__ import annotations

import pytest

from cli import output

ID = "01a202be-cf57-7bb2-ac69-bd33366b4999"
COLUMNS = ("execution", "flow", "started", "about")
ROW = (ID, "credit_analysis", "2026-01-01 00:00:00", "words " * 20)


@pytest.fixture
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def table(capsys: pytest.CaptureFixture[str]) -> list[str]:
    output.write_table(COLUMNS, [ROW], empty="none", spare=("started",))
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [80, 100], indirect=True)
def test_ids_are_whole_and_long_texts_are_folded(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    lines = table(capsys)
    assert lines[1].startswith(f"{ID}  credit_analysis  ")
    assert len(lines) > 2
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "shown"), [(80, False), (120, True)], indirect=["width"])
def test_a_spare_column_needs_room(width: int, shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert ("STARTED" in table(capsys)[0]) is shown


def test_an_id_is_folded_where_not_even_it_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    output.write_table(("execution",), [(ID,)], empty="none")
    _, *lines = capsys.readouterr().out.splitlines()
    assert "".join(line.strip() for line in lines) == ID
