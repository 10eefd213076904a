"""The run's folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from chaos.errors import SandboxError, UsageError
from chaos.folder import create, data_folder, existing

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def test_its_name_tells_when_and_what(tmp_path: Path) -> None:
    folder = create(tmp_path / "runs", "Checkout: survives?!", "title: x", NOW)
    assert folder.path.name == "20261122T153000-checkout-survives"
    assert folder.experiment.read_text() == "title: x"


def test_two_in_one_second_get_two_folders(tmp_path: Path) -> None:
    assert create(tmp_path, "a", "", NOW).path != create(tmp_path, "a", "", NOW).path


def test_a_place_that_cannot_be_written_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError) as caught:
        create(tmp_path / "file" / "runs", "a", "", NOW)
    assert "--report" in caught.value.remedy


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the folder of a run"):
        existing(tmp_path)


@pytest.mark.parametrize("in_memory", [True, False])
def test_no_data_is_left(tmp_path: Path, in_memory: bool) -> None:
    folder = create(tmp_path, "a", "", NOW)
    with data_folder(folder, in_memory=in_memory) as data:
        assert data.is_dir()
        if not in_memory:
            (data / "rows").write_text("x")
    assert not data.exists()
    assert not folder.data.exists()
