"""The sandboxes that the shop can be brought up in, as the command line calls them."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """One of them."""

    EMBEDDED = "embedded"
    COMPOSE = "compose"
