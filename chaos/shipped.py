"""Where the shop and the stock experiments are: inside the installed package, or at the root of a checkout.

Reads the shop's manifest, the one thing about the shop that this program knows. Leaves out starting it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from chaos.parse import shaped
from chaos.parse.document import read
from chaos.system import System

_PACKAGE = Path(__file__).parent


def shop_folder() -> Path:
    """The folder that holds `sandbox/` and `experiments/`; on the import path, it makes the shop importable."""
    installed = _PACKAGE / "_shipped"
    return installed if installed.is_dir() else _PACKAGE.parent


def find_experiment(name: str) -> Path:
    """The file of that name, or else the stock experiment of that name; the file, though missing, for neither."""
    stock = shop_folder() / "experiments" / f"{name.removesuffix('.yaml')}.yaml"
    return Path(name) if Path(name).exists() or not stock.is_file() else stock


@cache
def load_system() -> System:
    """The shop as its manifest describes it; raises InvalidExperiment with every mistake in the manifest."""
    return shaped(read(shop_folder() / "sandbox" / "shop.yaml"), System)
