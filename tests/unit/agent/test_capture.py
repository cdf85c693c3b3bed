# ruff: noqa: T201 - printing is what is tested here.
from __future__ import annotations

import io
import logging
import sys
import threading

from hypothesis import given
from hypothesis import strategies as st

from aispine.agent.capture import LOGGER, Capture, capturing


def test_print_and_logging_are_kept_and_the_rest_goes_on(capsys):
    capture = Capture(1000)
    with capturing(capture):
        print("inside")
        print("wrong", file=sys.stderr)
        logging.getLogger(f"{LOGGER}.x").info("logged")
    print("outside")
    assert "inside\nwrong\n" in capture.text()
    assert "INFO" in capture.text()
    assert capture.text().endswith("logged\n")
    assert capsys.readouterr() == ("outside\n", "")


def test_threads_do_not_mix():
    captures = [Capture(100_000) for _ in range(8)]
    barrier = threading.Barrier(8)

    def work(number):
        barrier.wait()
        with capturing(captures[number]):
            for _ in range(200):
                print(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [capture.text() for capture in captures] == [f"{number}\n" * 200 for number in range(8)]


def test_one_inside_another_keeps_them_apart():
    outer, inner = Capture(100), Capture(100)
    with capturing(outer):
        print("a")
        with capturing(inner):
            print("b")
        print("c")
    assert (outer.text(), inner.text()) == ("a\nc\n", "b\n")


@given(st.lists(st.text()), st.integers(min_value=1, max_value=50))
def test_the_text_is_bounded_and_says_when_it_was_cut(parts, limit):
    capture = Capture(limit)
    for part in parts:
        capture.write(part)
    whole = "".join(parts).encode("utf-8", "replace")
    text = capture.text()
    mark = f"\n[truncated after {limit} bytes]\n"
    assert text.endswith(mark) == (len(whole) > limit)
    assert len(text.removesuffix(mark).replace("\N{REPLACEMENT CHARACTER}", "\0").encode()) <= limit
    assert "\0" not in text


def test_what_stands_for_stdout_writes_the_same_encoding(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    with capturing(Capture(100)):
        pass
    assert sys.stdout.encoding == "utf-8"
