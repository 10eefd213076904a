"""The shop on Docker in figures, as a table: `python -m benchmarks.docker [--cold]`.

How long it takes to come up, to attach an agent, and to be as before after a SIGKILL of the conductor; and how late
faults are put on. All of it is real: `chaos run`, the engine, the shop. Wants a quiet machine; the load when it began
is shown. `--cold` builds both images without the engine's cache first, on a base image that is there: some minutes,
mostly downloads. Exits 1 where a target is missed; without an engine nothing is measured.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import docker
from docker.errors import DockerException
from rich.console import Console
from rich.table import Table

from chaos.faults import words
from chaos.shipped import load_system, shop_folder
from chaos.targets.compose_sandbox import ComposeSandbox, open_target, shop_environment
from chaos.targets.docker.engine import connect
from chaos.targets.order import Compose, Order
from tests.docker.composed_shop import FILE, ComposedShop
from tests.docker.injured import PAGES, TARGETS, Injured, act, open_proxies
from tests.docker.running import Running, write

ROUNDS = 3
INJECTIONS = 50
EVERY_S, FOR_S = 0.4, 0.2
LATE_MS_MAX = 50.0
WARM_S_MAX = 20.0
HEALED_S_MAX = 5.0
IMAGES = ("shop", "database")


class Row(NamedTuple):
    """One line of the table."""

    what: str
    measured: str
    target: str = ""
    reached: bool = True


def main() -> int:
    """Prints the table; 0 where all targets are reached."""
    load = os.getloadavg()[0]
    try:
        client = docker.from_env(timeout=60, version="auto")
    except DockerException as error:
        sys.stderr.write(f"NOT MEASURED HERE: no Docker engine answers: {error}\n")
        return 0
    rows: list[Row] = []
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["XDG_STATE_HOME"] = str(base / "state")  # these runs are nobody else's to heal
        if "--cold" in sys.argv[1:]:
            rows.append(cold())
        rows += [warm(base), attach(base)]
        shop = stack.enter_context(standing(client))
        rows += [due(base, shop), *(healed(base / word, shop, word) for word in words() if _in_own_system(word))]
    table = Table("what", "measured", "target", "reached", title=f"the shop on Docker, load {load:.1f} at the start")
    for row in rows:
        table.add_row(row.what, row.measured, row.target, "yes" if row.reached else "NO")
    Console(width=140).print(table)
    return 0 if all(row.reached for row in rows) else 1


def cold() -> Row:
    """Both images from nothing but the base image; they are removed again."""
    taken = []
    for target in IMAGES:
        tag = f"chaos-benchmark-{target}"
        argv = [
            "docker",
            "build",
            "--no-cache",
            "--quiet",
            "--target",
            target,
            "--tag",
            tag,
            str(shop_folder() / "sandbox"),
        ]
        began = time.monotonic()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=900)
        taken.append(time.monotonic() - began)
        subprocess.run(["docker", "rmi", tag], check=True, stdout=subprocess.DEVNULL, timeout=60)
    parts = ", ".join(f"{target} {each:.0f} s" for target, each in zip(IMAGES, taken, strict=True))
    return Row("cold images, base image at hand", f"{sum(taken):.0f} s ({parts})")


@contextmanager
def sandbox(base: Path, name: str) -> Iterator[ComposeSandbox]:
    """A shop as a run would bring it up, not up yet; its data is gone afterwards."""
    folder = base / name
    (folder / "logs").mkdir(parents=True)
    run = f"chaos-benchmark-{name}"
    environment = shop_environment(connect(), run, (), shop_folder() / "sandbox")
    compose = Compose(shop_folder() / "compose.sandbox.yml", run, ours=True, owned=True, environment=environment)
    target = open_target(Order(run, folder, folder, False, load_system(), {}, compose=compose))
    try:
        yield target
    finally:
        target.down()


def warm(base: Path) -> Row:
    """From the command to every service serving, the images being there."""
    taken = []
    for number in range(ROUNDS + 1):
        with sandbox(base, f"warm-{number}") as target:
            began = time.monotonic()
            target.up(interrupted=lambda: False)
            taken.append(time.monotonic() - began)
    taken = taken[1:]  # the first may have built the images of this very code
    measured = f"{statistics.median(taken):.1f} s at p50, {max(taken):.1f} s at most, of {ROUNDS}"
    return Row(
        "warm images, until every service serves", measured, f"at most {WARM_S_MAX:.0f} s", max(taken) <= WARM_S_MAX
    )


def attach(base: Path) -> Row:
    """From nothing to an agent that answers, in each container of the shop; a run does this before its baseline."""
    taken = []
    with sandbox(base, "attach") as target:
        target.up(interrupted=lambda: False)
        for service in target.terrain.system.services:
            began = time.monotonic()
            target.agent(service).ask({"do": "list"})
            taken.append((time.monotonic() - began) * 1000)
    measured = f"{statistics.median(taken):.0f} ms at p50, {max(taken):.0f} ms at most, of {len(taken)}"
    return Row("an agent attached, and its first answer", measured)


@contextmanager
def standing(client: Any) -> Iterator[ComposedShop]:
    """A shop that no run began."""
    shop = ComposedShop(client)
    try:
        shop.up()
        open_proxies(shop)
        yield shop
    finally:
        shop.down()


def due(base: Path, shop: ComposedShop) -> Row:
    """How late packet faults are in force in a real run: from when each was due until the system showed it."""
    times = [round(number * EVERY_S, 1) for number in range(INJECTIONS)]
    acts = [{"fault": "network.partition", "target": "cache", "at": f"{at_s}s", "for": f"{FOR_S}s"} for at_s in times]
    (base / "due").mkdir()
    sandbox = f"{{compose: {FILE}, project: {shop.project}}}"
    run = Running(base / "due", write(base / "due" / "due.yaml", acts, sandbox=sandbox, pages=PAGES))
    try:
        run.end()
        late = sorted(each * 1000 for each in run.late_s(times))
    finally:
        run.close()
    p50, p99 = statistics.median(late), late[int(len(late) * 0.99)]
    measured = f"{p50:.1f} ms at p50, {p99:.1f} ms at p99, {late[-1]:.1f} ms at most, of {len(late)}"
    return Row("due until in force, agent attached", measured, f"p99 <= {LATE_MS_MAX:.0f} ms", p99 <= LATE_MS_MAX)


def healed(base: Path, shop: ComposedShop, word: str) -> Row:
    """From SIGKILL of the conductor until engine, kernel and Toxiproxy show the shop as it was before."""
    base.mkdir()
    injured = Injured(base, shop, [act(word, TARGETS[word.partition(".")[0]])])
    try:
        began = time.monotonic()
        injured.run.kill("conductor")
        injured.wait_until_healed()
        taken_s = time.monotonic() - began
    finally:
        injured.run.close()
    return Row(
        f"SIGKILL until healed: {word}", f"{taken_s:.2f} s", f"at most {HEALED_S_MAX:.0f} s", taken_s <= HEALED_S_MAX
    )


def _in_own_system(word: str) -> bool:
    """Third parties are known only in a shop that the run brings up, which is gone when it is healed."""
    return not word.startswith("payment.")


if __name__ == "__main__":
    sys.exit(main())
