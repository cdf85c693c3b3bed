import pytest

from aispine.agent.testing import load_agent

AGENT = load_agent(__file__)


@pytest.mark.parametrize("sample", AGENT.samples, ids=lambda sample: sample.name)
def test_sample(sample):
    assert AGENT.misses(sample) == []


@pytest.mark.parametrize(
    ("name", "surname"),
    [
        ("VILLAVICENCIO ECHEVE JUAN SEBASTIAN", "VILLAVICENCIO ECHEVE"),
        ("Villavicencio, Juan S.", "Villavicencio"),
        ("MUELLER SOEREN", "MUELLER"),
        ("OCONNOR ZOE", "OCONNOR"),
        ("Oscar Nunez", None),
        ("Benitez Solis Lucia", "Benitez Solis"),
        ("Benites Lucia Ines", None),
    ],
)
def test_a_name_is_found_however_it_is_spelt_ordered_or_cut(name, surname):
    assert AGENT.run({"name": name, "surname": surname}).output["reason"] == "matched"


@pytest.mark.parametrize("name", ["Lucía", "Óscar Müller", "María García", "Juan Núñez Solís", "", None])
def test_one_shared_word_is_nobody(name):
    assert not AGENT.run({"name": name}).output["found"]


def test_a_given_name_does_not_stand_for_the_surname():
    assert not AGENT.run({"name": "Muñoz María José Ruiz", "surname": "Ruiz"}).output["found"]


def test_a_table_of_ones_own_is_read(tmp_path):
    import sqlite3

    path = tmp_path / "hotel.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE stays (code, guest, check_in, check_out, room)")
        for code in ("A", "B"):
            row = (code, "Ana Ruiz", "2026-01-10", "2026-01-12", "1")
            connection.execute("INSERT INTO stays VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    config = {"url": f"sqlite:///{path}", "table": "stays", "today": "2026-01-11"}
    assert AGENT.run({"name": "Ana Ruiz"}, config).output["reason"] == "ambiguous"
    assert AGENT.run({"name": "Ana Ruiz", "code": "B"}, config).output["reservation"]["code"] == "B"
    assert AGENT.run({"name": "Ana Ruiz"}, {**config, "table": "other"}).code == "unavailable"
    assert AGENT.run({"name": "Ana Ruiz"}, {**config, "table": "x; drop"}).code == "invalid_input"
