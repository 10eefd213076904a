"""SIGKILL in the middle of each fault on Docker: what is left is read from the engine, the kernel and the Toxiproxy.

The shop is brought up by the test, and to the run it is a user's own project: it stays, and must look as it did before.
Only the shop's manifest tells where a third party is told to misbehave, so those faults are on in a shop that the run
brings up itself, and whose payments are asked until the watchdog has taken it down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.faults import words
from tests.docker.composed_shop import ComposedShop
from tests.docker.injured import HEALED_WITHIN_S, TARGETS, Injured, act, open_proxies
from tests.docker.injuries import BEHAVES, CONTROL, SILENT, mode, published
from tests.docker.left import left_under, project_label
from tests.docker.running import Running, write
from tests.end_to_end.command import report, wait_for

pytestmark = pytest.mark.docker

DOWN_WITHIN_S = 20.0  # a shop of the run's own: healed first, taken down afterwards
IN_OWN_SYSTEM = [word for word in words() if not word.startswith("payment.")]
IN_OWN_SHOP = [word for word in words() if word.startswith("payment.")]
AT_ONCE = ["process.pause", "network.partition", "network.latency", "proxy.timeout", "proxy.down"]
AT_ONCE += [word for word in ("resource.cpu", "resource.memory") if word in words()][:1]


@pytest.fixture(scope="module")
def shop(engine: Any) -> Iterator[ComposedShop]:
    """A shop that no run began, with the proxies of its manifest."""
    shop = ComposedShop(engine)
    try:
        shop.up()
        open_proxies(shop)
        yield shop
    finally:
        shop.down()


@pytest.fixture
def injured(shop: ComposedShop, nothing_left: Path) -> Iterator[Callable[..., Injured]]:
    """Puts faults on, by `chaos run`; afterwards no process of it may be left."""
    made: list[Injured] = []

    def injure(*acts: dict[str, Any]) -> Injured:
        made.append(Injured(nothing_left, shop, list(acts)))
        return made[-1]

    yield injure
    for each in made:
        each.run.close()


@pytest.mark.parametrize("word", IN_OWN_SYSTEM)
def test_sigkill_of_the_conductor(
    word: str, injured: Callable[..., Injured], record_property: Callable[[str, object], None]
) -> None:
    found = injured(act(word, TARGETS[word.partition(".")[0]]))
    assert found.before.helpers == ()
    wait_for("the fault to be seen", lambda: found.before.differences(found.look()))
    found.run.kill("conductor")
    record_property("healed_after_s", round(found.wait_until_healed(), 2))
    code, out = found.run.end()
    assert code == 3, out
    [healed] = found.run.events("healed")
    assert (healed["gone"], healed["effective"]) == (True, False)
    assert healed["by"] in ("watchdog", "heal"), "the command may be quicker than the watchdog"
    assert report(found.run.folder())["verdict"] == "inconclusive"
    assert "nothing to heal" in found.run.heal()


def many() -> list[dict[str, Any]]:
    """Faults of every kind that can be on at once."""
    targets = iter(["worker", "cache", "db-replica-2", "payments", "shipping", "storefront-1"])
    return [act(word, target) for word, target in zip(AT_ONCE, targets, strict=True)]


def test_sigkill_of_the_command(injured: Callable[..., Injured]) -> None:
    found = injured(*many())
    found.run.kill("command")
    found.wait_until_healed()
    assert {each["by"] for each in found.run.events("healed")} == {"watchdog"}


def test_sigkill_of_conductor_and_watchdog_then_chaos_heal(injured: Callable[..., Injured]) -> None:
    found = injured(*many())
    found.run.kill("command", "supervisor", "watchdog", "conductor")
    wait_for("its agents to end by themselves", lambda: not found.look().helpers, within_s=HEALED_WITHIN_S)
    left = found.before.differences(found.look())
    assert any("paused" in each for each in left), left
    said = found.run.heal("--check", code=4)
    assert all(word in said for word in AT_ONCE), said
    found.run.heal()
    assert found.before.differences(found.look()) == []
    assert found.run.heal() == "nothing to heal\n"
    assert found.before.differences(found.look()) == []


@pytest.mark.parametrize("word", IN_OWN_SHOP)
def test_sigkill_of_the_conductor_with_a_fault_of_a_third_party(
    word: str, engine: Any, nothing_left: Path, nothing_left_on_engine: list[str]
) -> None:
    file = write(nothing_left / "experiment.yaml", [act(word, "payments")])
    run = Running(nothing_left, file, "--sandbox", "compose")
    try:
        run.wait_for("injected")
        project = run.target()["compose"]["project"]
        nothing_left_on_engine += [project_label(project), f"chaos.run={run.target()['run']}"]
        [payments] = engine.containers.list(
            filters={"label": [project_label(project), "com.docker.compose.service=payments"]}
        )
        control = published(payments.attrs, CONTROL)
        assert mode(control) not in (BEHAVES, SILENT)
        run.kill("conductor")
        wait_for("payments to behave, before it is gone", lambda: mode(control) == BEHAVES, within_s=HEALED_WITHIN_S)
        wait_for("the shop to be gone", lambda: not left_under(engine, project_label(project)), within_s=DOWN_WITHIN_S)
        code, out = run.end()
        assert code == 3, out
        assert len(run.events("healed")) == 1
    finally:
        run.close()
