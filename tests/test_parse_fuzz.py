"""Whatever is in a file, the answer is an experiment or problems with places: never a crash, never jargon."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.errors import InvalidExperiment
from chaos.shipped import load_system, shop_folder
from chaos.targets.base import Terrain
from chaos.validate import check

EXPERIMENTS = sorted((shop_folder() / "experiments").glob("*.yaml"))
JARGON = ("pydantic", "does not belong here", "validation", "Input should", "ValueError", "None", "NoneType", "loc")

full = """\
title: everything
seed: 3
weak: [idempotency]
load: {orders: 20/s, browse: 40/s, timeout: 3s}
phases: {warmup: 1s, baseline: 10s, fault: 30s, recovery: 30s}
probes:
  lag: {sql: select 1, on: db-primary, every: 1s}
  up: {state: edge}
  page: {http: edge/status}
  ping: {command: [ping], on: edge}
steady_state: {orders.success_rate: ">= 99%", lag.value: "< 3"}
method:
  - {fault: payment.outage, target: payments, with: {mode: slow, percent: 50%, delay: 1s}, at: 1s, for: 3s}
  - {fault: network.latency, target: {one of: storefronts}, with: {delay: 50ms, to: [db-primary], ports: [1]}, for: 1s}
  - {fault: process.kill, target: {percent of: replicas, percent: 50%}, for: 3s}
while_faulty: {orders.p50: "< 1s"}
recovers: {within: 20s}
invariants: [orders.none_lost]
abort_if: {orders.success_rate: "< 50% for 10s"}
"""

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(["10s", "20/s", "50%", "< 1s", "edge", "replicas", "process.kill", "orders.p99", "one of", "1:30"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def check_text(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_bytes(text)
        lines = len(text.split(b"\n")) + text.count(b"\r") + 1
        try:
            check(file, Terrain(load_system(), missing={}))
        except InvalidExperiment as error:
            assert error.problems
            for problem in error.problems:
                assert problem.file == str(file)
                assert 1 <= problem.line <= lines
                assert problem.column >= 1
                said = problem.what.partition("'")[0]  # what stands before the first quoted word of the file's own
                assert not any(word in said for word in JARGON), problem.what


def places(value: Any, where: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a value but the top."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in entries for place in [(*where, key), *places(each, (*where, key))]]


def test_the_file_that_is_mutated_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(full)
    assert check(file, Terrain(load_system(), missing={})).experiment.title == "everything"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes(text: bytes) -> None:
    check_text(text)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=" \t\n:-[]{}&*!|>'\"%@`#?,a1s/\\", max_size=60))
def test_yaml_like_text(text: str) -> None:
    check_text(text.encode())


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_valid_file_with_other_values_in_places(data: st.DataObject) -> None:
    content = yaml.safe_load(full.replace("on:", "'on':"))
    for place in data.draw(st.lists(st.sampled_from(places(content)), min_size=1, max_size=3)):
        parent: Any = content
        try:
            for key in place[:-1]:
                parent = parent[key]
            if data.draw(st.booleans()):
                parent[place[-1]] = data.draw(values)
            elif isinstance(parent, dict):
                parent[data.draw(st.text(max_size=6))] = parent.pop(place[-1])
            else:
                del parent[place[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    check_text(yaml.safe_dump(content, allow_unicode=True).encode())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(EXPERIMENTS), st.data())
def test_a_stock_experiment_with_a_piece_cut_out_or_doubled(file: Path, data: st.DataObject) -> None:
    text = file.read_bytes()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = b"" if data.draw(st.booleans()) else text[start:end] * 2
    check_text(text[:start] + piece + text[end:])
