"""The journal: written as it happens, read again after a crash."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import ChaosError, InvalidExperiment, SandboxError
from chaos.journal import T_MAX_S, Journal, read, resume


def test_events_come_back_in_order_with_their_times(tmp_path: Path) -> None:
    times = iter([0.0, 1.25])
    with Journal(tmp_path / "j", lambda: next(times)) as journal:
        journal.write("run", seed=7)
        journal.write("heal", durable=True, lease="a")
    assert read(tmp_path / "j") == [{"t": 0.0, "event": "run", "seed": 7}, {"t": 1.25, "event": "heal", "lease": "a"}]


def test_an_event_is_in_the_file_before_the_next_statement(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", lambda: 0.0) as journal:
        journal.write("done", durable=True)
        assert [record["event"] for record in read(tmp_path / "j")] == ["done"]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"t": 0, "event": "run"}\n{"t": 1, "eve')
    assert [record["event"] for record in read(tmp_path / "j")] == ["run"]


@pytest.mark.parametrize("line", ["rubbish", "[1]", '{"event": "run"}', '{"t": 1}', '{"t": 1, "event": 2}'])
def test_any_other_line_is_an_error_with_its_place(tmp_path: Path, line: str) -> None:
    (tmp_path / "j").write_text(f'{{"t": 0, "event": "run"}}\n{line}\n{{"t": 2, "event": "done"}}\n')
    with pytest.raises(InvalidExperiment, match=":2:"):
        read(tmp_path / "j")


INTENT: dict[str, object] = {"event": "intent", "lease": "a", "fault": "process.kill", "target": "edge", "for_s": 3.0}
LOAD: dict[str, object] = {"event": "load", "lag_p99_s": 0.001, "sent": 5, "complete": True}
HEALED: dict[str, object] = {
    "event": "healed",
    "lease": "a",
    "gone": True,
    "effective": True,
    "evidence": "yes",
    "measured": {},
}


IMPOSSIBLE: list[dict[str, object]] = [
    *({name: value for name, value in INTENT.items() if name != lacks} for lacks in INTENT if lacks != "event"),
    {**INTENT, "for_s": "3"},
    {**INTENT, "for_s": float("inf")},
    {**INTENT, "lease": []},
    {**INTENT, "parameters": [1]},
    {**LOAD, "lag_p99_s": float("nan")},
    {**LOAD, "sent": "5"},
    {**LOAD, "sent": 5.0},
    {**LOAD, "complete": 1},
    {"event": "load"},
    {**HEALED, "gone": "yes"},
    {**HEALED, "measured": "much"},
    {"event": "phase"},
    {"event": "phase", "name": 3},
    {"event": "injected", "lease": "a"},
    {"event": "heal_failed", "lease": "a"},
    {"event": "records", "name": "orders", "rows": "3"},
    {"event": "run", "seed": "seven"},
    {"event": "run", "argv": "chaos run"},
    {"event": "error", "what": "x", "exit": "5"},
    {"event": "ended", "service": "edge"},
    {"event": "services", "unready": "edge"},
    {"event": "drained", "drained": "no", "waited_s": 1},
]


@pytest.mark.parametrize("event", [INTENT, LOAD, HEALED])
def test_an_event_with_all_its_fields_is_read(tmp_path: Path, event: dict[str, object]) -> None:
    (tmp_path / "j").write_text(json.dumps({"t": 1, **event}) + "\n")
    assert read(tmp_path / "j") == [{"t": 1, **event}]


@pytest.mark.parametrize(
    "line",
    [
        *(
            f'{{"t": {t}, "event": "done"}}'
            for t in ("1e30", "-1", "864001", "NaN", "Infinity", "1e999", "null", "true")
        ),
        '{"t": "1", "event": "done"}',
        f'{{"t": 1, "event": "done", "n": {"9" * 5000}}}',
        "[" * 100_000,
        *(json.dumps({"t": 1, **event}) for event in IMPOSSIBLE),
    ],
)
def test_what_no_run_could_have_written_is_an_error_with_its_place(tmp_path: Path, line: str) -> None:
    (tmp_path / "j").write_text(f'{{"t": 0, "event": "run"}}\n{line}\n{{"t": 2, "event": "done"}}\n')
    with pytest.raises(InvalidExperiment, match=":2:"):
        read(tmp_path / "j")


@given(st.binary(max_size=300))
def test_rubbish_raises_our_own_errors_only(tmp_path_factory: pytest.TempPathFactory, rubbish: bytes) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    path.write_bytes(rubbish)
    try:
        records = read(path)
    except ChaosError:
        return
    assert all("event" in record for record in records)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_before_anything_is_done() -> None:
    journal = Journal(Path("/dev/full"), lambda: 0.0)
    with pytest.raises(SandboxError, match="No space left"):
        journal.write("intent", durable=True)


def test_text_from_outside_stays_on_its_line(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", lambda: 0.0) as journal:
        journal.write("error", what="two\nlines \x1b[31m")
    assert json.loads((tmp_path / "j").read_text())["what"] == "two\nlines \x1b[31m"


TORN = st.sampled_from(
    ["", "\n", '\n{"t": 2, "ev', '\n{"t": 2, "event": "done"}', '\n{"t": 2, "event": "done"}\n', "\n\xff"]
)


@given(TORN)
def test_who_goes_on_with_a_journal_adds_to_what_was_read(tmp_path_factory: pytest.TempPathFactory, torn: str) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    path.write_text('{"t": 1.5, "event": "run"}' + torn, encoding="latin-1")
    before = read(path)
    with resume(path) as journal:
        journal.write("heal", lease="a", by="watchdog")
    assert read(path) == [*before, {"t": before[-1]["t"], "event": "heal", "lease": "a", "by": "watchdog"}]


def test_its_times_go_on_and_never_back_nor_beyond_what_can_be_read(tmp_path: Path) -> None:
    def heal_of(t0: float) -> float:
        (tmp_path / "j").write_text(f'{{"t": 0, "event": "run", "t0": {t0}}}\n{{"t": 7, "event": "done"}}\n')
        with resume(tmp_path / "j") as journal:
            journal.write("heal", lease="a")
        return float(read(tmp_path / "j")[-1]["t"])

    assert heal_of(time.monotonic() - 30) == pytest.approx(30, abs=1)
    assert heal_of(time.monotonic() + 1000) == 7, "the machine was started again since"
    assert heal_of(-1e9) == T_MAX_S
