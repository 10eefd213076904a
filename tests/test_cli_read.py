"""The commands that only read, as a user types them: in a process of their own, with their exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos import catalogue, faults
from chaos.shipped import load_system, shop_folder
from chaos.targets.base import Terrain
from chaos.validate import check
from chaos.version import __version__

EXPERIMENTS = shop_folder() / "experiments"
WITHIN_S = 60


def chaos(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the command from the repository's root and checks its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "chaos", *arguments],
        cwd=shop_folder(),
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_version_is_answered_without_heavy_imports() -> None:
    assert chaos("--version").stdout == f"chaos {__version__}\n"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "chaos", "--version"],
        cwd=shop_folder(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    assert not any(f" {heavy}" in done.stderr for heavy in ("typer", "pydantic", "yaml", "rich"))


def test_check_loads_no_fault_that_a_file_does_not_use_and_nothing_of_the_run() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "chaos", "check", "experiments/replica-dies.yaml"],
        cwd=shop_folder(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "chaos.faults.processes" in loaded  # of the fault's own module Python 3.11 keeps no time
    heavy = {"rich", "aiohttp", "docker", "psycopg", "requests", "pyroute2", "jinja2", "hdrh", "asyncio"}
    assert not loaded & (
        heavy | {"chaos.run", "chaos.faults.third_party", "chaos.faults.packets", "chaos.targets.embedded"}
    )


def test_help_names_the_exit_codes_and_every_command() -> None:
    text = chaos("--help").stdout
    for word in ("check", "plan", "faults", "schema", "--version", "130 interrupted", "3 inconclusive"):
        assert word in text


def test_no_command_is_a_usage_error_with_help() -> None:
    done = chaos(code=2)
    assert "check" in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["bogus"], ["check"], ["check", "--bogus", "x"], ["plan", "a", "b"]])
def test_usage_errors(arguments: list[str]) -> None:
    assert chaos(*arguments, code=2).stderr


def test_check_says_ok_for_each_good_file() -> None:
    files = sorted(str(file.relative_to(shop_folder())) for file in EXPERIMENTS.rglob("*.yaml"))
    done = chaos("check", *files)
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"ok  {file}" for file in files]
    assert all(" fault" in line and " checks, lasts " in line for line in lines)
    assert done.stderr == ""


def test_check_knows_stock_experiments_by_name(tmp_path: Path) -> None:
    assert "Orders do not notice" in chaos("check", "replica-dies").stdout


def test_check_tells_every_problem_of_every_file(tmp_path: Path) -> None:
    good = EXPERIMENTS / "replica-dies.yaml"
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(good.read_text().replace("title:", "titel:"))
    second.write_text(good.read_text().replace("process.kill", "process.kil").replace("orders.p99", "orders.p98"))
    done = chaos("check", str(first), str(good), str(second), str(tmp_path / "none.yaml"), code=2)
    assert done.stdout.startswith(f"ok  {good}: ")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{first}:1:1: unknown key 'titel'; did you mean 'title'; allowed: title, ")
    assert sum(line.startswith(f"{second}:") and "there is no measure 'p98'" in line for line in lines) == 2
    assert any(f"{second}:" in line and "there is no fault 'process.kil'; did you mean" in line for line in lines)
    assert lines[-1] == f"{tmp_path / 'none.yaml'}:1:1: there is no such file"


def test_plan_is_repeatable_and_follows_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text((EXPERIMENTS / "replica-dies.yaml").read_text().replace("db-replica-1,", "{one of: replicas},"))
    plans = [chaos("plan", str(file), "--seed", str(seed)).stdout for seed in range(6)]
    assert plans[3] == chaos("plan", str(file), "--seed", "3").stdout
    assert {"db-replica-1" in text for text in plans} == {True, False}
    assert "the service is started again" in plans[0]


def test_plan_refuses_a_wrong_file(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("title: [")
    assert chaos("plan", str(file), code=2).stderr.startswith(f"{file}:1:")


def test_faults_lists_the_catalogue() -> None:
    lines = chaos("faults").stdout.splitlines()
    assert [line.split()[0] for line in lines] == faults.words()


def test_one_fault_with_its_parameters() -> None:
    text = chaos("faults", "network.latency").stdout
    for part in ("delay: duration, as in 250ms (required)", "default both", "needs    delay, network", "example:"):
        assert part in text


@pytest.mark.parametrize("word", faults.words())
def test_the_examples_pass_check(tmp_path: Path, word: str) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(catalogue.example(word, load_system()))
    parsed = check(file, Terrain(load_system(), missing={}))
    assert parsed.experiment.method[0].fault == word
    assert catalogue.example(word, load_system()).splitlines()[-1].strip() in catalogue.page(word, load_system())


def test_an_unknown_fault() -> None:
    done = chaos("faults", "network.latencies", code=2)
    assert "there is no fault 'network.latencies'; did you mean 'network.latency'; allowed: process.kill" in done.stderr


def test_the_schema_is_json() -> None:
    assert json.loads(chaos("schema").stdout)["title"] == "An experiment for chaos"
