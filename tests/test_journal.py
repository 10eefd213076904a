"""The journal: written as it happens, read again after a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import ChaosError, InvalidExperiment, SandboxError
from chaos.journal import Journal, read


def test_events_come_back_in_order_with_their_times(tmp_path: Path) -> None:
    times = iter([0.0, 1.25])
    with Journal(tmp_path / "j", lambda: next(times)) as journal:
        journal.write("run", seed=7)
        journal.write("intent", durable=True, lease="a")
    assert read(tmp_path / "j") == [{"t": 0.0, "event": "run", "seed": 7}, {"t": 1.25, "event": "intent", "lease": "a"}]


def test_an_event_is_in_the_file_before_the_next_statement(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", lambda: 0.0) as journal:
        journal.write("intent", durable=True)
        assert [record["event"] for record in read(tmp_path / "j")] == ["intent"]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"t": 0, "event": "run"}\n{"t": 1, "eve')
    assert [record["event"] for record in read(tmp_path / "j")] == ["run"]


@pytest.mark.parametrize("line", ["rubbish", "[1]", '{"event": "run"}', '{"t": 1}', '{"t": 1, "event": 2}'])
def test_any_other_line_is_an_error_with_its_place(tmp_path: Path, line: str) -> None:
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
