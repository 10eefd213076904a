"""One shop for the whole folder: starting it takes seconds, and what a test breaks it mends again."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.launcher import Shop


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Shop]:
    """The shop, up; at the end it is told to end, and must."""
    shop = Shop(Path(tempfile.mkdtemp(prefix="shop-")))
    try:
        shop.up()
        yield shop
    finally:
        shop.down()
        assert not shop.folder.exists()


@pytest.fixture
def shop(running_shop: Shop) -> Iterator[Shop]:
    """The shop, well, with everything settled; afterwards faults are ended and dead services started again."""
    for service in running_shop.services:
        assert running_shop.is_ready(service), service
    yield running_shop
    for service, process in running_shop.processes.items():
        if process.poll() is not None:
            running_shop.start(service)
            running_shop.wait_ready(service)
    for third_party in running_shop.manifest["third_parties"]:
        running_shop.end_fault(third_party)
    running_shop.wait_drained()
