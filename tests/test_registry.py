"""Which runs may have left something, and who has them: read and locked from several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos import registry
from chaos.errors import SandboxError
from chaos.folder import RunFolder
from chaos.system import System
from chaos.targets.order import Order

_HOLDER = """
import os, sys, time
from pathlib import Path
from chaos import registry
from chaos.targets.order import Order
with registry.hold(Order.from_json(Path(sys.argv[1]).read_text())) as ours:
    assert ours
    os.write(1, b"has it\\n")
    time.sleep(60)
"""


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    made = Order("chaos-1", tmp_path / "run", tmp_path, False, System(name="x", services={}), {})
    made.folder.mkdir()
    RunFolder(made.folder).target.write_text(made.to_json())
    return made


def test_a_run_is_there_from_its_entry_until_it_is_struck_off(order: Order, tmp_path: Path) -> None:
    assert registry.entries() == ([], [])
    registry.enter(order)
    registry.enter(order)
    assert registry.is_entered(order.run)
    [entry], _ = registry.entries()
    assert (entry.order, entry.engine, entry.pid) == (order, "", os.getpid())
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "run", tmp_path / "state/chaos/runs"}
    registry.strike(order.run)
    registry.strike(order.run)
    assert registry.entries() == ([], [])


@pytest.mark.parametrize("rubbish", ["", "{}", "[]", "7", '{"order": {}}', '{"order": null}', "\udcff"])
def test_what_cannot_be_understood_is_named(order: Order, tmp_path: Path, rubbish: str) -> None:
    registry.enter(order)
    odd = tmp_path / "state/chaos/runs/odd.json"
    odd.write_text(rubbish, errors="surrogateescape")
    entries, unreadable = registry.entries()
    assert ([entry.order for entry in entries], unreadable) == ([order], [odd])


def test_a_registry_that_cannot_be_written_is_said_before_anything_is_begun(order: Order, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(SandboxError, match="XDG_STATE_HOME"):
        registry.enter(order)


def test_two_cannot_have_a_run_until_the_first_is_dead(order: Order) -> None:
    argv = [sys.executable, "-c", _HOLDER, str(RunFolder(order.folder).target)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"has it\n"
        with registry.hold(order, within_s=0.1) as ours:
            assert not ours
        holder.send_signal(signal.SIGKILL)
        with registry.hold(order, within_s=5.0) as ours:
            assert ours
            with registry.hold(order) as again:
                assert not again
    with registry.hold(order) as ours:
        assert ours


def test_where_the_folder_is_gone_the_conductors_process_tells(order: Order) -> None:
    registry.enter(order)
    RunFolder(order.folder).target.unlink()
    with registry.hold(order) as ours:
        assert not ours, "this very process, which entered it, lives"
    registry.strike(order.run)
    with registry.hold(order) as ours:
        assert ours
