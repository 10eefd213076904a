"""What a journal leaves open, and healing it, whatever is in it; real systems are in tests/docker/test_watchdog.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos import registry
from chaos.errors import ChaosError, HealFailed
from chaos.folder import RunFolder
from chaos.heal import dead_run
from chaos.heal.dead_run import COMMAND, heal_run
from chaos.heal.healer import Healer
from chaos.heal.leases import Open, open_leases
from chaos.journal import Record, read
from chaos.parse import parse
from chaos.plan import plan
from chaos.shipped import load_system, shop_folder
from chaos.system import System
from chaos.targets.order import Compose, Order

EXPERIMENTS = shop_folder() / "experiments"
BAD = ("bad", "bad luck")


def intent(lease: str, t: float = 1.0, **changed: Any) -> Record:
    known = {"fault": "process.kill", "target": "web", "parameters": {}, "for_s": 5.0, "seed": 3, "seen": {"x": 1}}
    return {"t": t, "event": "intent", "lease": lease} | known | changed


def healed(lease: str, *, gone: bool = True) -> Record:
    return {"t": 2.0, "event": "healed", "lease": lease, "gone": gone, "effective": True, "evidence": ""}


class Notes:
    """Stands for a system: notes what it is asked to undo; will not undo anything of the services in BAD."""

    def __init__(self, *, down: bool = True) -> None:
        self.undone: list[str] = []
        self._down = down

    def undo(self, on: Open) -> str:
        self.undone.append(on.lease.id)
        if on.lease.service in BAD:
            raise (ZeroDivisionError if on.lease.service == "bad luck" else HealFailed)("no")
        return "gone"

    def remove_helpers(self) -> int:
        return 0

    def down(self) -> None:
        if not self._down:
            raise HealFailed("no")


@pytest.fixture(autouse=True)
def _own_registry_and_no_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(dead_run, "_BETWEEN_TRIES_S", 0.0)


def order_in(folder: Path, *, ours: bool = False) -> Order:
    """An order for a folder that is made here."""
    folder.mkdir(parents=True)
    system = System(name="x", services={})
    order = Order("r", folder, folder, False, system, {}, compose=Compose(Path("c"), "p", ours=ours, owned=True))
    RunFolder(folder).target.write_text(order.to_json())
    return order


def write(order: Order, records: list[Record], torn: str = "") -> None:
    RunFolder(order.folder).journal.write_text("".join(json.dumps(each) + "\n" for each in records) + torn)


def heal(order: Order, notes: Notes) -> tuple[list[str], list[Record]]:
    """What is left, and what was added to the journal."""
    before = len(read(RunFolder(order.folder).journal))
    healing = heal_run(order, by=COMMAND, say=lambda _: None, healer=cast(Healer, notes), entered=False)
    return healing.left, read(RunFolder(order.folder).journal)[before:]


def test_open_is_what_was_about_to_be_put_on_and_is_not_known_to_be_gone() -> None:
    records = [intent("a"), intent("b", fault="process.pause"), healed("a"), intent("c"), healed("c", gone=False)]
    found = open_leases(records)
    assert [on.lease.id for on in found] == ["c", "b"], "the latest first"
    assert found[1].what == "process.pause on web"
    assert (found[1].lease.for_s, found[1].lease.seed, found[1].seen) == (5.0, 3, {"x": 1})
    assert found[1].fault().word == "process.pause"
    assert [on.lease.id for on in open_leases([intent("a"), healed("a"), intent("a")])] == ["a"], "put on once more"


def test_a_fault_that_this_version_does_not_know_is_said() -> None:
    for changed in ({"fault": "process.kil"}, {"parameters": {"what": 1}}, {"fault": "network.latency"}):
        with pytest.raises(HealFailed, match="this version"):
            open_leases([intent("a", **changed)])[0].fault()


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_fault_is_the_same_again_after_it_went_through_the_journal(file: Path) -> None:
    for step in plan(parse(file).experiment, load_system(), seed=1).steps:
        parameters = json.loads(json.dumps(step.fault.model_dump(mode="json", exclude_unset=True)))
        (on,) = open_leases([intent("a", fault=step.fault.word, parameters=parameters)])
        assert on.fault() == step.fault


def test_what_was_healed_is_added_to_the_journal_and_not_done_twice(tmp_path: Path) -> None:
    order, notes = order_in(tmp_path / "run"), Notes()
    write(order, [intent("a"), intent("b"), healed("a"), intent("c")], torn='{"t": 3, "eve')
    left, added = heal(order, notes)
    assert (left, notes.undone) == ([], ["c", "b"])
    assert [(each["event"], each["lease"], each["by"]) for each in added] == [
        ("heal", "c", "heal"),
        ("heal", "b", "heal"),
        ("healed", "c", "heal"),
        ("healed", "b", "heal"),
    ]
    assert heal(order, notes) == ([], [])
    assert notes.undone == ["c", "b"]


def test_what_somebody_else_has_healed_meanwhile_is_not_touched(tmp_path: Path) -> None:
    order, notes = order_in(tmp_path / "run"), Notes()
    write(order, [intent("a")])
    registry.enter(order)
    registry.strike(order.run)
    assert heal_run(order, by=COMMAND, say=lambda _: None, healer=cast(Healer, notes)).did == 0
    assert notes.undone == []


@pytest.mark.parametrize("service", BAD)
def test_what_would_not_heal_keeps_nothing_else_from_healing_and_is_tried_again(tmp_path: Path, service: str) -> None:
    order, notes = order_in(tmp_path / "run"), Notes()
    write(order, [intent("a"), intent("b", target=service)])
    left, added = heal(order, notes)
    assert notes.undone == ["b", "a", "b", "b"]
    assert [f"process.kill on {service}" in each for each in left] == [True]
    assert [(each["event"], each["lease"]) for each in added[2:]] == [("healed", "a"), ("heal_failed", "b")]
    assert all(each["by_hand"] for each in added if each["event"] == "heal_failed")
    write(order, [*read(RunFolder(order.folder).journal), healed("b")])  # a person did it, and a later try saw it
    assert heal(order, notes) == ([], [])


def test_what_would_not_heal_goes_with_a_sandbox_that_is_taken_down(tmp_path: Path) -> None:
    order = order_in(tmp_path / "run", ours=True)
    write(order, [intent("a", target="bad")])
    assert len(heal(order, Notes(down=False))[0]) == 2
    left, added = heal(order, Notes())
    assert left == []
    assert "ended with the sandbox" in added[-1]["evidence"]


def test_a_journal_that_cannot_be_read_is_said_unless_the_sandbox_is_gone_anyway(tmp_path: Path) -> None:
    for ours, expected in ((False, 1), (True, 0)):
        order = order_in(tmp_path / f"run-{ours}", ours=ours)
        RunFolder(order.folder).journal.write_text('rubbish\n{"t": 0, "event": "run"}\n')
        healing = heal_run(order, by=COMMAND, say=lambda _: None, healer=cast(Healer, Notes()), entered=False)
        assert len(healing.left) == expected


NAMES = st.sampled_from(["a", "b", "c"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
EVENTS = st.one_of(
    st.builds(lambda lease, target: intent(lease, target=target), NAMES, st.sampled_from(["web", *BAD])),
    st.builds(healed, NAMES, gone=st.booleans()),
    st.builds(lambda lease, key, value: {**intent(lease), key: value}, NAMES, st.text(max_size=8), ANYTHING),
    st.builds(
        lambda lease, key, value: {**intent(lease), key: value},
        NAMES,
        st.sampled_from(["fault", "target", "parameters", "for_s", "seed", "seen", "t", "lease", "event"]),
        ANYTHING,
    ),
)


@settings(deadline=None)  # it syncs to the disk
@given(st.lists(EVENTS, max_size=8), st.text(max_size=20))
def test_whatever_is_in_a_journal_only_what_it_left_open_is_touched(
    tmp_path_factory: pytest.TempPathFactory, records: list[Record], torn: str
) -> None:
    order, notes = order_in(tmp_path_factory.mktemp("fuzz") / "run"), Notes()
    write(order, records, torn)
    journal = RunFolder(order.folder).journal
    before = journal.read_bytes()
    try:
        asked = open_leases(read(journal))
    except ChaosError:
        assert heal_run(order, by=COMMAND, say=lambda _: None, healer=cast(Healer, notes), entered=False).left
        assert (notes.undone, journal.read_bytes()) == ([], before)
        return
    for on in asked:
        try:
            on.fault()
        except ChaosError:
            continue
    kept = read(journal)
    heal_run(order, by=COMMAND, say=lambda _: None, healer=cast(Healer, notes), entered=False)
    assert set(notes.undone) == {on.lease.id for on in asked}
    assert read(journal)[: len(kept)] == kept
    assert {on.lease.service for on in open_leases(read(journal))} <= set(BAD)
