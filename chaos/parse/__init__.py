"""YAML text → Experiment; every error with file:line:column, in plain words, and with what is allowed.

document.py reads text and keeps the place of every part, syntax.py explains what is not YAML, explain.py what does
not fit the model, fields.py finds the allowed keys. All problems of a file come together; only one can be told
where the text is not YAML at all. Leaves out whether names exist and windows fit: that is `validate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from chaos.errors import InvalidExperiment
from chaos.model import Experiment
from chaos.parse.document import Document, read
from chaos.parse.explain import problems

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Parsed:
    """An experiment, and the document it came from."""

    document: Document
    experiment: Experiment

    @property
    def file(self) -> str:
        """The file's name as it was given."""
        return self.document.file

    @property
    def text(self) -> str:
        """The file's text, for the run's folder."""
        return self.document.text


def parse(path: Path) -> Parsed:
    """Reads one experiment; raises InvalidExperiment with every problem in it."""
    document = read(path)
    return Parsed(document, shaped(document, Experiment))


def shaped(document: Document, model: type[M]) -> M:
    """The document as a model; raises InvalidExperiment."""
    found = list(document.repeated)
    try:
        # Aliases only: a file says `for`, never the `for_` of the Python field.
        result = model.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        found += problems(error, model, document)
    if found:
        raise InvalidExperiment(found)
    return result
