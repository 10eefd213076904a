"""Several files in one command: checked before the first is run, the worst exit code counts, one JUnit file for all."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chaos.errors import Exit
from tests.end_to_end.command import argv, chaos, journal, wait_for
from tests.end_to_end.test_honesty import write

pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.mark.parametrize(
    ("codes", "worst"),
    [
        ([], 0),
        ([0, 3], 3),
        ([3, 1, 0], 1),
        ([1, 5], 5),
        ([5, 2], 2),
        ([2, 130], 130),
        ([130, 4, 1], 4),
    ],
)
def test_the_worst_code_counts(codes: list[int], worst: int) -> None:
    assert Exit.worst(map(Exit, codes)) == worst


def test_a_mistake_in_the_last_file_stops_the_first(nothing_left: Path) -> None:
    good = write(nothing_left, fault="process.kill", target="db-replica-1")
    bad = nothing_left / "bad.yaml"
    bad.write_text("title: x\n")
    done = chaos("run", good, bad, "--report", nothing_left / "runs")
    assert done.code == 2
    assert f"{bad}:1:1:" in done.err
    assert not (nothing_left / "runs").exists()


def test_a_junit_file_that_cannot_be_written_stops_it_too(nothing_left: Path) -> None:
    good = write(nothing_left, fault="process.kill", target="db-replica-1")
    done = chaos("run", good, "--junit", nothing_left, "--report", nothing_left / "runs")
    assert done.code == 2
    assert not (nothing_left / "runs").exists()


def test_passed_and_inconclusive_is_inconclusive(nothing_left: Path) -> None:
    passes = write(nothing_left, fault="process.kill", target="db-replica-1")
    proves_nothing = passes.with_name("nothing.yaml")
    proves_nothing.write_text(
        passes.read_text().replace("process.kill", "network.partition").replace("with: {}", "with: {to: [shipping]}")
    )
    junit = nothing_left / "junit.xml"
    command = [*argv("run", passes, proves_nothing, "--junit", junit, "--report", nothing_left / "runs")]
    done = subprocess.run([*command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    suites = ElementTree.parse(junit).getroot().findall("testsuite")
    assert len(suites) == 2
    assert [suite.get("errors") == "0" for suite in suites] == [True, False]


def test_an_interruption_ends_the_whole_command(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.pause", target="db-replica-1", for_="30s")
    runs = nothing_left / "runs"
    command = subprocess.Popen(argv("run", file, file, "--report", runs), stdout=subprocess.PIPE, text=True)
    try:
        wait_for("the run", lambda: journal(runs))
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=60)
    finally:
        command.kill()
    assert command.returncode == 130
    assert len(list(runs.iterdir())) == 1, "the second file was run although the user had interrupted"


def test_nobody_reads_any_more(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.kill", target="db-replica-1")
    command = " ".join(argv("run", file, "--report", nothing_left / "runs"))
    shell = f"set -o pipefail; {command} | head -2"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
