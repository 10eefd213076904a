"""What the network agent costs and how exact it is, as a table: `python -m benchmarks.agent`.

Makes its own namespaces and links. Ratios come from interleaved rounds of one run. Everything runs with a real-time
priority where that is permitted, so that other programs hardly matter, and else wants a quiet machine; the table says
which it was. Exits 1 where a target is missed.
"""

import contextlib
import os
import select
import signal
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.agent.binomial import interval
from tests.agent.netns import PEER, TARGET, Agent, World, world
from tests.agent.traffic import PORT, tcp, udp

ROUNDS = 60
ROUND_S = 0.1  # shorter than what the kernel lets a real-time process have at a stretch
DELAY_MS = 50.0
ROUND_TRIPS = 400  # each on every connection
REPEATS = 20
LOSS_DATAGRAMS, LOSS = 20_000, 0.10


class Row(NamedTuple):
    """One line of the table."""

    what: str
    measured: str
    target: str
    reached: bool


def main() -> int:
    """Prints the table; 0 where all targets are reached."""
    with world() as hosts, real_time() as ahead:
        rows = [cost_without_fault(hosts)]
        rows += [exactness(hosts, 1, 1.0), exactness(hosts, 16, 2.0), large_reply(hosts)]
        rows += [loss(hosts), time_to_add(hosts), time_to_vanish(hosts), time_to_start(hosts)]
    title = "the agent, with real-time priority" if ahead else "the agent, without real-time priority"
    table = Table("what", "measured", "target", "reached", title=title)
    for row in rows:
        table.add_row(row.what, row.measured, row.target, "yes" if row.reached else "NO")
    Console(width=140).print(table)
    return 0 if all(row.reached for row in rows) else 1


@contextlib.contextmanager
def real_time() -> Iterator[bool]:
    """Runs this process, and those it starts meanwhile, ahead of all others; says whether that is permitted."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def cost_without_fault(hosts: World) -> Row:
    """Round trips per second on one TCP connection, with an agent that had a fault and has none now, and without."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    with tcp(hosts.target, hosts.peer, PEER) as (client, server), echoing(server):
        for number in range(2 * ROUNDS):
            attached = number % 4 in (1, 2)  # with, with, without, without: no drift favours either
            # Starting one warms nothing and leaves things to tidy up, so there always is one, only elsewhere.
            with contextlib.closing(Agent(hosts.target if attached else hosts.other)) as agent:
                agent.add("partition", peers=["198.18.9.9"])
                agent.do("remove", fault="f")
                rates[attached].append(round_trips(client) / ROUND_S)
    with_agent, without = statistics.median(rates[True]), statistics.median(rates[False])
    ratio = statistics.median(ours / theirs for ours, theirs in zip(rates[True], rates[False], strict=True))
    measured = f"{with_agent:,.0f}/s with, {without:,.0f}/s without: ratio {ratio:.3f}"
    return Row("round trips, agent attached, no fault", measured, "ratio >= 0.97", ratio >= 0.97)


def round_trips(client: socket.socket) -> int:
    """How many round trips one connection makes in ROUND_S."""
    end, count = time.monotonic() + ROUND_S, 0
    while time.monotonic() < end:
        client.sendall(b"x")
        client.recv(1)
        count += 1
    return count


@contextlib.contextmanager
def echoing(*servers: socket.socket) -> Iterator[None]:
    """A process of its own that echoes on these sockets."""
    child = os.fork()
    if not child:
        while True:
            readable, _, _ = select.select(servers, [], [])
            for server in readable:
                if not (data := server.recv(1)):
                    os._exit(0)
                server.sendall(data)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def exactness(hosts: World, connections: int, target_ms: float) -> Row:
    """How far the added round trip is off what was asked, over all round trips on so many connections at once."""
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(tcp(hosts.target, hosts.peer, PEER)) for _ in range(connections)]
        clients = [client for client, _ in pairs]
        stack.enter_context(echoing(*(server for _, server in pairs)))
        agent = stack.enter_context(contextlib.closing(Agent(hosts.target)))
        without = statistics.median(timed(clients, 100))
        agent.add("latency", delay_ms=DELAY_MS)
        off = sorted(taken - without - DELAY_MS for taken in timed(clients, ROUND_TRIPS))
    p50, p99 = off[len(off) // 2], sorted(map(abs, off))[int(len(off) * 0.99)]
    what = f"latency {DELAY_MS:g} ms, {connections} connection{'s' if connections > 1 else ''}"
    measured = f"off by {p50:+.2f} ms at p50, {p99:.2f} ms at p99, of {len(off):,}"
    return Row(what, measured, f"p99 <= {target_ms:g} ms", p99 <= target_ms)


def timed(clients: Sequence[socket.socket], each: int) -> list[float]:
    """Round trips in milliseconds, each connection at its own pace."""
    sent: dict[socket.socket, float] = {}
    left = dict.fromkeys(clients, each)
    taken = []
    for number, client in enumerate(clients):
        time.sleep(0.003 if number else 0)
        sent[client] = time.monotonic()
        client.sendall(b"x")
    while sent:
        readable, _, _ = select.select(list(sent), [], [], 5.0)
        now = time.monotonic()
        for client in readable:
            client.recv(1)
            taken.append((now - sent.pop(client)) * 1000)
            left[client] -= 1
            if left[client]:
                sent[client] = time.monotonic()
                client.sendall(b"x")
    return taken


def large_reply(hosts: World) -> Row:
    """A reply of 300 kB from the target, against the same with all of the delay on the way in."""
    taken = {direction: transfer_ms(hosts, direction) for direction in ("in", "both")}
    ratio = taken["both"] / taken["in"]
    measured = f"{taken['both']:.0f} ms, all of it inwards {taken['in']:.0f} ms: ratio {ratio:.2f}"
    return Row(f"latency {DELAY_MS:g} ms, reply of 300 kB", measured, "ratio <= 1.10", ratio <= 1.1)


def transfer_ms(hosts: World, direction: str) -> float:
    """How long the reply takes, in a new connection."""
    reply = bytes(300_000)
    with contextlib.closing(Agent(hosts.target)) as agent, tcp(hosts.peer, hosts.target, TARGET) as (client, server):
        agent.add("latency", direction=direction, delay_ms=DELAY_MS)
        sender = threading.Thread(target=server.sendall, args=(reply,))
        begun = time.monotonic()
        client.sendall(b"x")
        server.recv(1)
        sender.start()
        got = 0
        while got < len(reply):
            got += len(client.recv(1 << 20))
        taken = (time.monotonic() - begun) * 1000
        sender.join()
    return taken


def loss(hosts: World) -> Row:
    """Datagrams lost one way."""
    with contextlib.closing(Agent(hosts.target)) as agent, udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("loss", percent=LOSS * 100, direction="out", ports=[PORT])
        lost = LOSS_DATAGRAMS - pair.flood(LOSS_DATAGRAMS)
        counted = agent.counters()["dropped"]["packets"]
    least, most = interval(LOSS_DATAGRAMS, LOSS, 0.99)
    measured = f"{lost:,} of {LOSS_DATAGRAMS:,} lost, {counted:,} counted as dropped"
    return Row(f"loss {LOSS:.0%}", measured, f"{least:,} to {most:,}", least <= lost <= most and lost == counted)


def time_to_add(hosts: World) -> Row:
    """From sending the command to the rules being in force."""
    taken = []
    with contextlib.closing(Agent(hosts.target)) as agent:
        for number in range(REPEATS):
            begun = time.monotonic()
            in_force = agent.add("latency", fault=f"f{number}", delay_ms=1, peers=["198.18.9.9"])
            taken.append((in_force - begun) * 1000)
    return spread("command to in force", taken, 10.0)


def time_to_vanish(hosts: World) -> Row:
    """From SIGKILL of the agent to the kernel having no table."""
    taken = []
    for _ in range(REPEATS):
        with contextlib.closing(Agent(hosts.target)) as agent:
            agent.add("partition", peers=["198.18.9.9"])
            begun = time.monotonic()
            agent.process.kill()
            while hosts.target.tables():
                time.sleep(0.0005)
            taken.append((time.monotonic() - begun) * 1000)
    return spread("SIGKILL to no table", taken, 100.0)


def time_to_start(hosts: World) -> Row:
    """From starting nsenter to the agent being ready."""
    taken = []
    for _ in range(REPEATS):
        begun = time.monotonic()
        with contextlib.closing(Agent(hosts.target)):
            taken.append((time.monotonic() - begun) * 1000)
    return spread("start to ready", taken, 200.0)


def spread(what: str, taken: list[float], target_ms: float) -> Row:
    """A row of times, judged by their median."""
    median = statistics.median(taken)
    measured = f"{median:.1f} ms at p50, {max(taken):.1f} ms at most, of {len(taken)}"
    return Row(what, measured, f"p50 <= {target_ms:g} ms", median <= target_ms)


if __name__ == "__main__":
    sys.exit(main())
