"""The writing thread: in order, complete, never in the way, and loud when it cannot write."""

from __future__ import annotations

import json
import os
import time

import pytest

from chaos.load.appender import Appender

PIPE_BYTES = 1 << 20  # more than a pipe holds


def _lines(descriptor: int) -> list[int]:
    with os.fdopen(descriptor, "rb") as file:
        return [json.loads(line)["n"] for line in file]


def test_a_reader_that_does_not_read_delays_nobody_and_loses_nothing() -> None:
    read, write = os.pipe()
    appender = Appender(write, lambda error: None)
    lines = PIPE_BYTES // 100
    slowest_s = 0.0
    for n in range(lines):
        began = time.perf_counter()
        appender.put({"n": n, "padding": "x" * 100})
        slowest_s = max(slowest_s, time.perf_counter() - began)
    assert slowest_s < 1.0
    time.sleep(0.2)  # the thread is stuck in its write by now
    with os.fdopen(read, "rb") as file:
        seen = [json.loads(file.readline())["n"] for _ in range(lines)]
    appender.close()
    os.close(write)
    assert seen == list(range(lines))


def test_closing_writes_what_waits() -> None:
    read, write = os.pipe()
    appender = Appender(write, lambda error: None)
    for n in range(10):
        appender.put({"n": n})
    appender.close()
    os.close(write)
    assert _lines(read) == list(range(10))


def test_an_error_is_told_at_once_and_again_at_the_end() -> None:
    read, write = os.pipe()
    os.close(read)
    told: list[OSError] = []
    appender = Appender(write, told.append)
    appender.put({"n": 1})
    deadline = time.monotonic() + 5.0
    while not told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [type(error) for error in told] == [BrokenPipeError]
    with pytest.raises(BrokenPipeError):
        appender.close()
    os.close(write)
