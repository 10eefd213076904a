"""Figures never flatter, and nothing in a text can act."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.report import text


@given(st.text())
def test_clean_text_shows_every_character_and_can_be_written(value: str) -> None:
    cleaned = text.clean(value)
    assert all(character == "\n" or character.isprintable() or character in "\u200c\u200d\u3000" or character.isspace()
               for character in cleaned)  # fmt: skip
    assert "\x1b" not in cleaned and "\u202e" not in cleaned and "\r" not in cleaned
    cleaned.encode("utf-8")
    assert text.clean(cleaned) == cleaned


@given(st.text())
def test_one_line_is_one_line(value: str) -> None:
    assert len(text.one_line(value).splitlines()) <= 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\tb\r\nc", "a b\nc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eexe", "\\u202eexe"),
        ("\ud800", "\\ud800"),
        ("日本語 🧨 é", "日本語 🧨 é"),
    ],
)
def test_clean(value: str, shown: str) -> None:
    assert text.clean(value) == shown


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_only_all_is_100_percent(ok: int, rest: int) -> None:
    shown = text.ratio(ok, ok + rest)
    assert (shown == "100%") == (rest == 0 and ok > 0)
    if ok + rest:
        assert float(shown.removesuffix("%")) <= 100 * ok / (ok + rest) + 1e-6


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "\u2013"), (0.0, "0 s"), (0.0042, "4.2 ms"), (0.0851, "85 ms"), (0.9996, "1.00 s"), (1.254, "1.25 s"),
     (9.996, "10.0 s"), (59.96, "1 min"), (74.8, "1 min 15 s"), (3600.0, "1 h"), (3725.0, "1 h 2 min")],
)  # fmt: skip
def test_duration(seconds: float | None, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_figures_and_cuts() -> None:
    assert [text.figure(each) for each in (1234567, 0.123456, True, "x")] == ["1,234,567", "0.1235", "True", "x"]
    assert text.shortened("payment.outage on payments", 12) == "payment.out…"
    assert text.shortened("short", 12) == "short"
