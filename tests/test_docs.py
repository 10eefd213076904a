"""The documents are tested: what they show works, and what exists is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from chaos.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "sandbox" / "README.md"])
_runner = CliRunner()


def _experiments_in(document: Path) -> list[str]:
    """Whole ones; parts of one have no title."""
    return re.findall(r"```yaml\n(title:.*?)```", document.read_text(), re.S)


SHOWN = [text for path in (ROOT / "README.md", ROOT / "docs" / "experiments.md") for text in _experiments_in(path)]


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: text.splitlines()[0])
def test_experiments_that_are_shown_are_valid(text: str, tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(text)
    checked = _runner.invoke(app, ["check", str(file)])
    assert checked.exit_code == 0, checked.output


def test_the_readme_names_every_command() -> None:
    command = typer.main.get_command(app)
    names = command.list_commands(None)  # type: ignore[attr-defined]
    assert len(names) >= 8
    assert [name for name in names if f"`chaos {name}" not in README] == []


def test_the_readme_names_every_exit_code() -> None:
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert f"**{code}**" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target
