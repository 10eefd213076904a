"""The folder of one run, `runs/<time>-<slug>/`: where everything about it is written, and where it is judged from."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chaos.errors import SandboxError, UsageError


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The experiment file as it was."""
        return self.path / "experiment.yaml"

    @property
    def target(self) -> Path:
        """The order it was begun with, by which its target can be reached again."""
        return self.path / "target.json"

    @property
    def journal(self) -> Path:
        """What was done and when."""
        return self.path / "journal.jsonl"

    @property
    def history(self) -> Path:
        """Every operation of the load."""
        return self.path / "history.jsonl"

    @property
    def samples(self) -> Path:
        """What the probes saw."""
        return self.path / "samples.jsonl"

    @property
    def final(self) -> Path:
        """The last reads of the systems of record."""
        return self.path / "final"

    @property
    def logs(self) -> Path:
        """What the services wrote."""
        return self.path / "logs"

    @property
    def data(self) -> Path:
        """Where the services' data is mounted while the sandbox runs; empty afterwards."""
        return self.path / "data"


def create(base: Path, title: str, experiment: str | None, now: datetime) -> RunFolder:
    """A new folder below `base`, with the experiment in it if there is one; raises SandboxError if none can be made."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:48] or "run"
    stem = f"{now:%Y%m%dT%H%M%S}-{slug}"
    for attempt in range(100):
        path = base / (stem if attempt == 0 else f"{stem}-{attempt + 1}")
        try:
            path.mkdir(parents=True, exist_ok=False)
            folder = RunFolder(path.resolve())
            if experiment is not None:
                folder.experiment.write_text(experiment, encoding="utf-8")
                folder.final.mkdir()
            for part in (folder.logs, folder.data):
                part.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise SandboxError(
                f"no folder for this run under {base}: {error}", remedy="give another place with --report DIR"
            ) from error
        return folder
    raise SandboxError(f"a hundred runs named {stem} already", remedy=f"move them out of {base}")


def digest(file: Path) -> str:
    """What tells a file from every other one: its SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def existing(path: Path) -> RunFolder:
    """The folder of a finished run; raises UsageError when it is none."""
    folder = RunFolder(path.resolve())
    for part in (folder.experiment, folder.journal):
        if not part.is_file():
            raise UsageError(
                f"{path} is not the folder of a run: it has no {part.name}",
                remedy="give one of the folders under runs/, as `chaos run` names it at its end",
            )
    return folder


@contextmanager
def data_folder(folder: RunFolder, *, in_memory: bool) -> Iterator[Path]:
    """Where the services' data goes; nothing of it is left.

    With namespaces a file system in memory is mounted over the run's own `data`. Without, it is a temporary folder that
    another user may enter, because PostgreSQL will not run as root.
    """
    if in_memory:
        yield folder.data
        folder.data.rmdir()
        return
    temporary = Path(tempfile.mkdtemp(prefix="chaos-"))
    temporary.chmod(0o711)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        folder.data.rmdir()
