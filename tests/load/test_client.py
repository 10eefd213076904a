"""The load's process dies, is left alone, or cannot write: the conductor hears of it, and nothing is left running."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos.errors import SandboxError
from chaos.load import client
from chaos.load.history import read
from chaos.metrics import BROWSE, ORDERS
from tests.load.conftest import SmallShop, Spec, Start

SOON_S = 10.0


def _poll_until_it_raises(load: client.LoadProcess) -> SandboxError:
    deadline = time.monotonic() + SOON_S
    with pytest.raises(SandboxError) as caught:
        while time.monotonic() < deadline:
            select.select([load], [], [], 0.5)
            load.poll()
    return caught.value


def test_summaries_arrive_while_it_runs(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    load = start(spec(small_shop.url))
    assert select.select([load], [], [], SOON_S)[0]
    (first, *_) = load.poll()
    assert set(first.streams) == {ORDERS, BROWSE}
    assert load.poll() == []  # and polling does not wait


def test_a_killed_generator_is_an_error(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    load = start(spec(small_shop.url))
    time.sleep(0.5)
    os.kill(load.pid, signal.SIGKILL)
    error = _poll_until_it_raises(load)
    assert "was killed by signal 9" in error.what
    for ask in (load.poll, lambda: load.stop(1.0)):  # and stays one
        with pytest.raises(SandboxError, match="signal 9"):
            ask()
    history = list(read(spec("").history))
    assert len(history) >= 15  # what was sent until then is not lost
    assert {one.result for one in history} <= {"ok", "unknown"}


def test_stopping_a_killed_generator_is_an_error(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    load = start(spec(small_shop.url))
    os.kill(load.pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="signal 9"):
        load.stop(1.0)


def test_a_generator_that_breaks_says_why(spec: Spec, start: Start) -> None:
    with pytest.raises(SandboxError, match="cannot write its history"):
        start(spec("http://127.0.0.1:1", history="/nowhere/history.jsonl"))


def test_an_older_history_is_not_overwritten(spec: Spec, start: Start, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("precious")
    with pytest.raises(SandboxError, match="File exists"):
        start(spec("http://127.0.0.1:1"))
    assert (tmp_path / "history.jsonl").read_text() == "precious"


@pytest.mark.parametrize("asked", [True, False], ids=["when stopped", "by itself"])
def test_a_history_that_cannot_be_written_is_an_error(
    small_shop: SmallShop, spec: Spec, start: Start, asked: bool
) -> None:
    load = start(spec(small_shop.url))
    resource.prlimit(
        load.pid, resource.RLIMIT_FSIZE, (3_000, 3_000)
    )  # the kernel refuses writes beyond, as a full disk
    if asked:
        time.sleep(1.0)
        with pytest.raises(SandboxError) as caught:
            load.stop(1.0)
        error = caught.value
    else:
        error = _poll_until_it_raises(load)
    assert "cannot write its history" in error.what
    assert "room" in error.remedy
    notes: list[str] = []
    assert len(list(read(spec("").history, notes))) > 5


@pytest.mark.parametrize("way", ["stdin closes", "SIGTERM"])
def test_it_ends_in_order_when_the_conductor_is_gone(small_shop: SmallShop, spec: Spec, way: str) -> None:
    small_shop.manners = "hang"
    planned = spec(small_shop.url)
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(planned.model_dump_json(by_alias=True) + "\n" + json.dumps({"do": "begin"}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"ready": True}
        assert "streams" in json.loads(process.stdout.readline())
        if way == "SIGTERM":
            process.terminate()
        else:
            process.stdout.close()
            process.stdin.close()
        assert process.wait(SOON_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()
    history = list(read(planned.history))
    assert len(history) >= 5
    assert {(one.result, one.error) for one in history} == {("unknown", "stopped")}


def test_a_relative_path_is_the_conductors(
    small_shop: SmallShop, spec: Spec, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start(spec(small_shop.url, history="history.jsonl")).stop(1.0)
    assert (tmp_path / "history.jsonl").exists()


def test_nothing_is_sent_before_it_begins(small_shop: SmallShop, spec: Spec) -> None:
    load = client.start(spec(small_shop.url))
    try:
        result = load.stop(1.0)
    finally:
        load.kill()
    assert result.sent == 0
    assert small_shop.came == []
