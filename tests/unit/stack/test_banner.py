from __future__ import annotations

from pathlib import Path

from aispine.stack.banner import Running, banner


def text(*, suggestions=(), coloured=False, **changes):
    values = {
        "url": "http://127.0.0.1:8700",
        "api_key": "sk_x",
        "home": Path("/h"),
    }
    return banner(Running(**{**values, **changes}), suggestions, coloured=coloured)


def test_the_banner_names_url_docs_key_and_home():
    lines = [line.split() for line in text().splitlines()]
    assert ["API", "http://127.0.0.1:8700"] in lines
    assert ["Docs", "http://127.0.0.1:8700/docs"] in lines
    assert ["API", "key", "sk_x"] in lines
    assert ["Home", "/h"] in lines


def test_flower_is_shown_only_when_it_runs():
    assert "Flower" not in text()
    assert "http://127.0.0.1:5555" in text(flower_url="http://127.0.0.1:5555")


def test_where_the_key_is_kept_stands_beside_it():
    assert "kept in /h/api.key" in text(key_file=Path("/h/api.key"))


def test_what_is_not_ready_is_said():
    assert "Starting" not in text()
    assert "worker-io" in text(starting=["worker-io"])


def test_each_suggestion_is_a_line_that_can_be_copied():
    lines = text(suggestions=[("aispine doctor", "a check of every part")]).splitlines()
    assert "    aispine doctor" in lines


def test_an_unknown_key_is_explained():
    assert "AISPINE_API_KEY" in text(api_key=None)


def test_styles_are_for_terminals():
    assert "\x1b" not in text()
    assert "\x1b" in text(coloured=True)
    text().encode("ascii")
