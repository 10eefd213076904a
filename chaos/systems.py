"""Which system an experiment file is about: the shop that comes along, or a compose project of the user's own.

Asked before the file is checked, since the check needs to know which services there are: a sandbox that cannot be
understood is told alone. What is wrong with the file apart from that is left for the check to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from chaos.compose_file import NotACompose, own_system
from chaos.errors import InvalidExperiment
from chaos.model import ComposeProject
from chaos.parse import explain
from chaos.parse.document import Document, read
from chaos.shipped import load_system
from chaos.system import System


def system_of(path: Path, running: Mapping[str, Sequence[str]] | None = None) -> System:
    """The system that an experiment file names; `running` names the containers each service has.

    Raises InvalidExperiment where the file is no YAML, names its project wrongly, or its compose file is none.
    """
    document = read(path)
    own = _own(document)
    if own is None:
        return load_system()
    try:
        return own_system(compose_path(path, own), own, running)
    except NotACompose as error:
        raise InvalidExperiment([document.problem(("sandbox", "compose"), str(error))]) from None


def own_project(path: Path) -> ComposeProject | None:
    """The compose project that an experiment file names; None for the shop. Raises InvalidExperiment."""
    return _own(read(path))


def compose_path(path: Path, own: ComposeProject) -> Path:
    """The compose file that an experiment file means, which names it as seen from its own folder."""
    return (path.parent / own.compose).resolve()


def _own(document: Document) -> ComposeProject | None:
    sandbox = document.data.get("sandbox") if isinstance(document.data, dict) else None
    if not isinstance(sandbox, dict):
        return None
    try:
        return ComposeProject.model_validate(sandbox)
    except ValidationError as error:
        raise InvalidExperiment(list(explain.problems(error, ComposeProject, document, ("sandbox",)))) from None
