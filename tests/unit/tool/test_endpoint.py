from __future__ import annotations

import pytest

from aispine.tool.endpoint import Unfillable, fill, placeholders, with_query

URL = "https://shop.example.com/orders/{order_id}/lines?user={user}"


def test_members_of_the_input_stand_in_the_url_and_the_rest_is_left() -> None:
    url, rest = fill(URL, {"order_id": "A/1 ?", "user": 7, "note": "x"})
    assert url == "https://shop.example.com/orders/A%2F1%20%3F/lines?user=7"
    assert rest == {"note": "x"}


@pytest.mark.parametrize("given", [{}, {"order_id": None}, {"order_id": {}}, {"order_id": ""}, {"order_id": ".."}])
def test_what_cannot_stand_in_a_path_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(Unfillable, match="order_id"):
        fill(URL, {"user": 1, **given})


def test_a_query_has_lists_several_times_and_no_nulls() -> None:
    url = with_query("https://x.example.com/a?b=1", {"c": [1, "ü"], "d": None, "e": True, "f": {"g": 1}})
    assert url == "https://x.example.com/a?b=1&c=1&c=%C3%BC&e=true&f=%7B%22g%22%3A+1%7D"


def test_braces_without_a_name_are_no_placeholders() -> None:
    assert placeholders("https://x.example.com/{a}/{b}") == ("a", "b")
    assert placeholders("https://x.example.com/{a") is None
    assert placeholders("https://x.example.com/{a.__class__}") is None
