"""The observer keeps its rates, ends in time and is never silent about what went wrong."""

from __future__ import annotations

import resource
import threading
import time
from pathlib import Path
from typing import cast

import pytest

from chaos.errors import ChaosError, SandboxError
from chaos.model import CommandProbe, HttpProbe, SqlProbe, StateProbe
from chaos.observe import Observer, Sample, samples
from chaos.targets.base import Target
from tests.observe.conftest import SPARE_S, Observe, SmallTarget, outcomes


@pytest.mark.usefixtures("pages", "silent")
def test_a_silent_probe_delays_neither_itself_nor_others(observe: Observe) -> None:
    probes = {
        "quick": HttpProbe.model_validate({"http": "edge/healthz", "every": "100ms"}),
        "silent page": HttpProbe.model_validate({"http": "silent/", "every": "200ms"}),
        "silent database": SqlProbe.model_validate({"sql": "select 1", "on": "silent", "every": "200ms"}),
    }
    found = observe(probes, 2.0)
    assert len([one for one in found if one.probe == "quick"]) == pytest.approx(20, abs=3)
    for name in ("silent page", "silent database"):
        asked = [one for one in found if one.probe == name]
        assert len(asked) == pytest.approx(10, abs=2)
        assert outcomes(asked, name) == {(False, None, "timeout")}
        assert all(0.19 <= one.latency_s < 0.2 + SPARE_S for one in asked)
        # the rate is that of a fixed grid: the error does not add up
        assert (asked[-1].t - asked[0].t) / (len(asked) - 1) == pytest.approx(0.2, abs=0.04)


def test_a_bug_in_a_target_is_in_the_samples_and_not_silent(observe: Observe) -> None:
    found = observe({"up": StateProbe.model_validate({"state": "nobody", "every": "100ms"})}, 0.5)
    assert outcomes(found, "up") == {(False, None, "KeyError: 'nobody'")}
    assert len(found) >= 3


@pytest.mark.usefixtures("silent")
def test_stopping_takes_no_longer_than_a_time_out(target: SmallTarget, tmp_path: Path) -> None:
    before = threading.active_count()
    probe = HttpProbe.model_validate({"http": "silent/", "every": "500ms"})
    observer = Observer({"silent": probe}, cast(Target, target), tmp_path / "samples.jsonl", time.monotonic())
    time.sleep(0.2)
    began = time.monotonic()
    observer.stop()
    assert time.monotonic() - began < 0.5 + SPARE_S
    observer.stop()
    assert threading.active_count() == before


def test_no_probes_no_samples(observe: Observe) -> None:
    assert observe({}, 0.0) == []


def test_a_file_that_cannot_be_written_is_an_error(target: SmallTarget, tmp_path: Path) -> None:
    probe = CommandProbe.model_validate({"command": ["true"], "on": "edge", "every": "50ms"})
    with pytest.raises(SandboxError, match="No such file"):
        Observer({"true": probe}, cast(Target, target), tmp_path / "absent" / "samples.jsonl", 0.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    observer = Observer({"true": probe}, cast(Target, target), tmp_path / "samples.jsonl", time.monotonic())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))  # the kernel refuses writes beyond, as a full disk does
        time.sleep(1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(SandboxError, match="cannot be written"):
        observer.stop()
    assert len(list(samples(tmp_path / "samples.jsonl"))) >= 1


def test_reading_samples(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    line = '{"t": 4.0, "probe": "lag", "ok": true, "latency_s": 0.002, "value": 0.0}\n'
    path.write_text(line + '{"t": 5.0, "probe": "lag", "ok": false, "latency_s": 1.0, "error": "timeout"}\n{"t": 6.0, ')
    assert list(samples(path)) == [
        Sample(4.0, "lag", True, 0.002, 0.0),
        Sample(5.0, "lag", False, 1.0, None, "timeout"),
    ]
    path.write_text(line + "{}\n")
    with pytest.raises(ChaosError, match=r"samples.jsonl:2: "):
        list(samples(path))
