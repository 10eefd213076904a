"""Which system a file is about, and what is said where it names one wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chaos.cli import app
from chaos.errors import InvalidExperiment
from chaos.systems import own_project, system_of

_EXPERIMENT = """\
title: notes
sandbox: {sandbox}
load: {{http: [{{name: page, url: web/, rate: 20/s}}]}}
phases: {{baseline: 5s, recovery: 5s}}
steady_state: {{page.success_rate: ">= 99%"}}
method: [{{fault: {fault}, target: {target}, for: 5s}}]
{more}
"""
_COMPOSE = "services: {web: {expose: [80]}, db: {expose: [5432]}, rates: {scale: 2}}"


def experiment(
    folder: Path, sandbox: str = "{compose: ../compose.yml, project: notes}", more: str = "", **act: str
) -> Path:
    """An experiment in a folder below that of the compose file."""
    (folder / "compose.yml").write_text(_COMPOSE)
    file = folder / "experiments" / "notes.yaml"
    file.parent.mkdir()
    file.write_text(_EXPERIMENT.format(sandbox=sandbox, more=more, **{"fault": "process.kill", "target": "web", **act}))
    return file


def asked(command: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """A command where no engine is."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    return CliRunner().invoke(app, [command, str(file)], catch_exceptions=True)


def test_the_compose_file_is_named_as_seen_from_the_experiment(tmp_path: Path) -> None:
    file = experiment(tmp_path)
    assert list(system_of(file).services) == ["web", "db", "rates-1", "rates-2"]
    named = own_project(file)
    assert named is not None and named.project == "notes"


def test_checking_and_planning_ask_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = experiment(tmp_path, target="{one of: rates}")
    assert "ok  " in asked("check", file, monkeypatch).output
    assert "process.kill on rates-" in asked("plan", file, monkeypatch).output


@pytest.mark.parametrize(
    ("sandbox", "what"),
    [
        ("{compose: ../compose.yml}", "2:10: the key 'project' is missing"),
        ("{compose: ../compose.yml, projct: notes}", "2:36: unknown key 'projct'; did you mean 'project'"),
        ("{compose: ../compose.yml, project: My.Notes}", "2:45: 'My.Notes' cannot name a compose project; allowed: "),
        ("{compose: nope.yml, project: notes}", r"2:20: .*/experiments/nope\.yml cannot be read: No such file"),
    ],
)
def test_a_sandbox_that_is_named_wrongly_is_told_alone(tmp_path: Path, sandbox: str, what: str) -> None:
    file = experiment(tmp_path, sandbox)
    with pytest.raises(InvalidExperiment, match=what) as raised:
        system_of(file)
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(
    ("more", "act", "what"),
    [
        ("", {"target": "wbe"}, "6:40: there is no service 'wbe'; did you mean 'web'"),
        ("", {"target": "rates"}, "6:40: rates is a set; write {one of: rates}"),
        ("", {"target": "{one of: ratse}"}, "6:49: there is no set 'ratse'; did you mean 'rates'"),
        ("", {"fault": "payment.outage, with: {mode: refuse}"}, "6:64: web is not a third party"),
        ("invariants: [orders.none_lost]", {}, "7:14: notes says nothing of its records"),
        ("weak: [retries]", {}, "7:8: there is no protection 'retries'; allowed: none"),
        ("probes: {q: {sql: select 1, on: dbs}}", {}, "7:33: there is no service 'dbs'; did you mean 'db'"),
        ("probes: {c: {command: [ls], on: rates}}", {}, "7:33: there is no service 'rates'"),
        ('abort_if: {orders.success_rate: "< 50%"}', {}, "7:12: there is nothing called 'orders' to measure"),
    ],
)
def test_what_such_a_system_does_not_have_is_told_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, act: dict[str, str], what: str
) -> None:
    checked = asked("check", experiment(tmp_path, more=more, **act), monkeypatch)
    assert isinstance(checked.exception, SystemExit) and checked.exit_code == 2
    assert what in checked.output
