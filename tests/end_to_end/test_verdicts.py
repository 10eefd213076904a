"""Every stock experiment passes on the hardened shop; every twin fails, for the reason that its description states.

Each is run in each sandbox that can run it, as a test of its own. A verdict is never tried again. A run that says
nothing (inconclusive, as on a machine that is too busy) is tried once more, and the table tells. The last test prints
all verdicts as a table, also where output is captured, and compares the two sandboxes. With CHAOS_TWINS_ON_DOCKER=N
only so many twins run on Docker, others each day: for CI, where all would take another quarter of an hour.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from rich.console import Console
from rich.table import Table

from chaos.faults import fault_class
from chaos.targets.base import Capability
from tests.docker.left import project_label
from tests.end_to_end.command import EXPERIMENTS, chaos, report

STOCK = sorted(EXPERIMENTS.glob("*.yaml"))
TWINS = sorted((EXPERIMENTS / "twins").glob("*.yaml"))
EMBEDDED, COMPOSE = "embedded", "compose"
ONLY_ON_DOCKER = {Capability.PROXY, Capability.LIMITS}
TRIES_MAX = 2
LONGEST_EXPERIMENT_S = 60.0
LONGEST_RUN_S = 280  # on Docker the images may have to be built first
TABLE_COLUMNS = 150


@dataclass(frozen=True)
class Outcome:
    """What one run of an experiment came to."""

    verdict: str
    why: str
    failed: frozenset[str]  # checks, by name and phase
    took_s: float
    tries: int

    @property
    def shown(self) -> str:
        """The verdict, and whether it took a second run."""
        return self.verdict if self.tries == 1 else f"{self.verdict} (run {self.tries})"


OUTCOMES: dict[tuple[Path, str], Outcome] = {}
"""What was run in this session; the table is made from it."""


def needs(path: Path) -> set[Capability]:
    """What an experiment asks of its sandbox."""
    acts = yaml.safe_load(path.read_text())["method"]
    return {need for act in acts for need in fault_class(act["fault"]).needs}


def name(path: Path) -> str:
    """The experiment's name, with its folder for a twin."""
    return str(path.relative_to(EXPERIMENTS).with_suffix(""))


def drawn() -> list[Path]:
    """The twins that run on Docker."""
    count = int(os.environ.get("CHAOS_TWINS_ON_DOCKER", len(TWINS)))
    return Random(date.today().toordinal()).sample(TWINS, min(count, len(TWINS)))


ON_DOCKER = [*STOCK, *drawn()]
REFUSED = [path for path in [*STOCK, *TWINS] if needs(path) & ONLY_ON_DOCKER]
EMBEDDABLE = [path for path in [*STOCK, *TWINS] if path not in REFUSED]


def runs_of(paths: list[Path]) -> list[Any]:
    """Every experiment in every sandbox that can run it, as parameters of a test."""
    marks: dict[str, Any] = {EMBEDDED: (), COMPOSE: pytest.mark.docker}
    return [
        pytest.param(path, kind, id=f"{path.stem}-{kind}", marks=marks[kind])
        for path in paths
        for kind in (EMBEDDED, COMPOSE)
        if path in (ON_DOCKER if kind == COMPOSE else EMBEDDABLE)
    ]


@pytest.fixture
def place(request: pytest.FixtureRequest, kind: str) -> str:
    """The sandbox, once it is known that this machine has it; afterwards nothing may be left in it."""
    request.getfixturevalue("namespaces" if kind == EMBEDDED else "nothing_left_on_engine")
    return kind


@pytest.mark.parametrize(("path", "kind"), runs_of(STOCK))
def test_stock_experiment_passes(path: Path, place: str, nothing_left: Path, request: pytest.FixtureRequest) -> None:
    code, found, said = played(path, place, nothing_left, request)
    assert code == 0, said
    assert found["verdict"] == "passed"
    assert found["duration_s"] < LONGEST_EXPERIMENT_S
    assert all(fault["healed"] and fault["effective"] for fault in found["faults"])


@pytest.mark.parametrize(("path", "kind"), runs_of(TWINS))
def test_twin_fails_for_the_stated_reason(
    path: Path, place: str, nothing_left: Path, request: pytest.FixtureRequest
) -> None:
    code, found, said = played(path, place, nothing_left, request)
    assert code == 1, said
    assert reason(path) in failed(found), said


def played(path: Path, place: str, base: Path, request: pytest.FixtureRequest) -> tuple[int, dict[str, Any], str]:
    """The exit code, the report and the output of a run, whose outcome is kept for the table."""
    for tries in range(1, TRIES_MAX + 1):
        code, found, said = played_once(path, place, base / str(tries), request)
        OUTCOMES[path, place] = Outcome(found["verdict"], found["why"], failed(found), found["duration_s"], tries)
        if found["verdict"] != "inconclusive":
            break
    return code, found, said


def played_once(path: Path, place: str, base: Path, request: pytest.FixtureRequest) -> tuple[int, dict[str, Any], str]:
    """The exit code, the report and the output of one run."""
    done = chaos("run", path, "--sandbox", place, "--report", base, within_s=LONGEST_RUN_S)
    said = done.out + done.err
    assert list(base.glob("*/journal.jsonl")), said
    folder = done.folder(base)
    if place == COMPOSE:
        target = json.loads((folder / "target.json").read_text())
        labels = request.getfixturevalue("nothing_left_on_engine")
        labels += [project_label(target["compose"]["project"]), f"chaos.run={target['run']}"]
    return done.code, report(folder), said


def failed(found: dict[str, Any]) -> frozenset[str]:
    """The checks that failed: by name, and where the text of a twin would say so, with the phase."""
    broken = [check for check in found["checks"] if check["verdict"] == "failed"]
    return frozenset(check["name"] + (" while faults are on" if check["phase"] == "fault" else "") for check in broken)


def reason(path: Path) -> str:
    """What a twin's description says that it fails on."""
    stated = re.search(r"Fails on ([a-z_0-9]+\.[a-z_0-9]+(?: while faults are on)?)", path.read_text())
    assert stated, f"{path} does not say on what it fails"
    return stated[1]


@pytest.mark.parametrize("path", REFUSED, ids=name)
def test_what_only_docker_can_do_is_refused_with_the_remedy(path: Path, namespaces: None, nothing_left: Path) -> None:
    done = chaos("run", path, "--report", nothing_left)
    assert done.code == 3, done.out + done.err
    assert "--sandbox compose" in done.err
    assert not list(nothing_left.iterdir()), "something was begun"


def test_every_experiment_has_its_twin() -> None:
    assert [path.name for path in STOCK] == [path.name for path in TWINS]


def test_both_sandboxes_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    if not OUTCOMES:
        pytest.skip("NOT TESTED HERE: select the whole file, so that there are verdicts to compare")
    with capsys.disabled():
        Console(width=TABLE_COLUMNS).print("\n", table())
    for path in [*STOCK, *TWINS]:
        expected = "failed" if path in TWINS else "passed"
        there = {kind: OUTCOMES[path, kind] for kind in (EMBEDDED, COMPOSE) if (path, kind) in OUTCOMES}
        assert all(each.verdict == expected for each in there.values()), (name(path), there)
    if os.environ.get("CHAOS_REQUIRE_DOCKER") == "1":
        everything = {tuple(each.values[:2]) for each in runs_of([*STOCK, *TWINS])}
        assert everything == set(OUTCOMES), "some have no verdict"


def table() -> Table:
    """All verdicts of this session."""
    columns = ("experiment", "weak", EMBEDDED, COMPOSE, "seconds", "why not as expected")
    made = Table(*columns, title="verdicts", title_justify="left")
    for path in [*STOCK, *TWINS]:
        there = [OUTCOMES.get((path, kind)) for kind in (EMBEDDED, COMPOSE)]
        expected = "failed" if path in TWINS else "passed"
        no = "cannot" if path in REFUSED else "not run"
        made.add_row(
            name(path),
            ", ".join(yaml.safe_load(path.read_text()).get("weak", [])),
            there[0].shown if there[0] else no,
            there[1].shown if there[1] else "not run",
            " / ".join(f"{each.took_s:.0f}" if each else "-" for each in there),
            "; ".join(each.why for each in there if each and each.verdict != expected),
        )
    return made
