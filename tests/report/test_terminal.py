"""The terminal: the verdict is the last line, nothing overflows, nothing from outside can act."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from chaos.errors import Exit
from chaos.report import markdown, terminal
from chaos.report.live import Live, StreamNow, sparkline
from tests.report.odd_samples import ALL, EVIL, NOT_HEALED
from tests.report.samples import FAILED, PHASES

NOW = {
    "orders": StreamNow(93.4, 0.284, 20.0),
    "browse": StreamNow(100.0, 0.012, 40.0),
    "lag": StreamNow(None, None, 0.0),
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(renderable: RenderableType, width: int, *, colours: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colours, color_system="standard" if colours else None
    )
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", ALL)
def test_the_verdict_is_last_and_no_line_is_too_wide(name: str, width: int) -> None:
    shown = printed(terminal.render(ALL[name], "runs/x/report.html"), width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown.rstrip().split("\n\n")[-1].startswith(f" {ALL[name].verdict.upper()} ")
    assert "\x1b" not in shown


@pytest.mark.parametrize("name", ALL)
def test_plain_lines_end_with_the_verdict(name: str) -> None:
    judgement = ALL[name]
    lines = terminal.plain(judgement, "runs/x/report.html").splitlines()
    assert lines[-1].startswith(f"{judgement.verdict.upper():<12}  ")
    assert sum(line.startswith(("PASSED", "FAILED", "INCONCLUSIVE")) for line in lines) == 1
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "show", [lambda j: printed(terminal.render(j), 100), terminal.plain], ids=["terminal", "plain"]
)
def test_it_says_what_did_not_hold_and_why(show: object) -> None:
    assert callable(show)
    text = " ".join(show(FAILED).split())
    for words in (
        "172 of 600 orders",
        "order 8f0c2a1e-0003",
        "3 orders were charged twice",
        "idempotency",
        "2.50 s after",
    ):
        assert words in text
    stuck = show(NOT_HEALED)
    assert "NOT HEALED" in stuck and "kill -CONT 4711" in stuck
    assert " ".join(stuck.split()).endswith("(a fault could not be taken off)")


def test_the_marks_say_it_without_colour() -> None:
    plain, coloured = (printed(terminal.render(FAILED), 100, colours=colours) for colours in (False, True))
    assert "✗ failed" in plain and "✓ passed" in plain
    assert "\x1b[31m" in coloured


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    console.print(terminal.render(FAILED))
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[31m" not in console.file.getvalue() and "[0;31" not in console.file.getvalue()


def play(console: Console) -> None:
    """Twenty seconds of a run, four updates a second; the fault comes at 12 s."""
    with Live(console, "Checkout survives", ["12.0 s  payment.outage on payments"], PHASES) as live:
        for quarter in range(80):
            t = quarter / 4
            if t == 12:
                live.event(t, "fault on   payment.outage on payments (refuse)")
            live.update(t, "fault" if t >= 12 else "baseline", NOW, ["payment.outage on payments"] if t >= 12 else [])


def test_without_a_terminal_events_and_a_line_every_five_seconds() -> None:
    console = Console(file=io.StringIO(), width=40)
    play(console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[:2] == ["Checkout survives", "  12.0 s  payment.outage on payments"]
    assert "  12.0 s  fault on   payment.outage on payments (refuse)" in lines
    status = [line for line in lines if "faults on:" in line]
    assert [line.split(" s")[0].strip() for line in status] == ["0.0", "5.0", "10.0", "15.0"]
    assert status[-1] == (
        "  15.0 s  fault; orders 20/s, 93.4% ok, p99 284 ms; browse 40/s, 100% ok, p99 12 ms; lag none; "
        "faults on: payment.outage on payments"
    )


def test_a_stream_that_only_fails_is_not_told_as_one_without_traffic() -> None:
    console = Console(file=io.StringIO(), width=80)
    with Live(console, "Notes are kept", [], PHASES) as live:
        live.update(1.0, "fault", {"read": StreamNow(0.0, 0.002, 0.0), "write": StreamNow(None, None, 0.0)}, [])
    assert isinstance(console.file, io.StringIO)
    assert "fault; read 0/s, 0% ok, p99 2.0 ms; write none; faults on: none" in console.file.getvalue()


def test_forced_colours_alone_move_no_cursor() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    play(console)
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[2K" not in console.file.getvalue() and "\x1b[1A" not in console.file.getvalue()


@pytest.mark.parametrize("width", [30, 60, 120])
def test_on_a_terminal_a_region_is_drawn_again_and_taken_away(width: int) -> None:
    screen = Terminal()
    play(Console(file=screen, width=width, height=30, force_terminal=True, color_system=None))
    shown = screen.getvalue()
    assert "\x1b[1A" in shown and "fault 8/30 s" in shown
    assert ("━" in shown) == (width >= 60)
    assert ("p99, last minute" in shown) == (width >= 60)
    assert shown.count("fault on   payment.outage on payments (refuse)") == 1
    assert shown.endswith("\x1b[2K"), "the region is gone at the end"


def test_nothing_from_outside_acts_on_the_terminal() -> None:
    screen = Terminal()
    console = Console(file=screen, width=80, force_terminal=True, color_system=None)
    with Live(console, EVIL, [EVIL], PHASES) as live:
        live.event(1.0, EVIL)
        live.update(1.0, EVIL, {EVIL: NOW["orders"]}, [EVIL])
    assert "\x1b[31m" not in screen.getvalue() and "\u202e" not in screen.getvalue() and "\x07" not in screen.getvalue()
    assert "[b]bold[/b]" in screen.getvalue()


def test_a_phase_that_is_late_or_unknown_is_shown_all_the_same() -> None:
    screen = Terminal()
    console = Console(file=screen, width=80, force_terminal=True, color_system=None)
    with Live(console, "x", [], PHASES) as live:
        live.update(99.0, "baseline", {}, [])
        live.update(103.0, "baseline", {}, [])
        assert "baseline 4/10 s" in screen.getvalue(), "the plan knows nothing of the time that the shop took to start"
        live.update(120.0, "baseline", {}, [])
        live.update(121.0, "afterwards", {}, [])
        live.stop()
    assert "baseline 10/10 s" in screen.getvalue() and "afterwards" in screen.getvalue()
    with Live(console, "x", [], []) as live:
        live.update(0.0, "baseline", NOW, [])


def test_sparkline_keeps_the_worst_of_each_cell_and_the_last_minute() -> None:
    assert sparkline([], 0.0) == ""
    assert sparkline([(t / 4, 0.1) for t in range(240)], 59.75) == "█" * 30
    assert sparkline([(0.0, 1.0), (58.0, 0.25), (58.5, 0.5), (60.0, 1.0)], 61.0) == "▅█"  # the first is too old
    assert sparkline([(0.0, 1.0), (4.0, 0.0)], 5.0) == "█ ▁"


def test_what_ended_with_the_sandbox_raises_no_alarm() -> None:
    fault = replace(NOT_HEALED.faults[0], left_on=False)
    cut_short = replace(NOT_HEALED, exit=Exit.INCONCLUSIVE, faults=(fault,))
    for text in (printed(terminal.render(cut_short), 100), terminal.plain(cut_short), markdown.render(cut_short)):
        assert "NOT HEALED" not in text and "by hand" not in text.lower()
        assert "ended with the sandbox" in " ".join(text.split())
