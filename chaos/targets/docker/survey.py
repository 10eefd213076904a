"""What an engine and the kernel under it can do for faults, found out by trying in a helper container of its own.

Asked only for what a plan needs: building the agent's image and starting a container take time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping

from chaos.errors import ChaosError
from chaos.targets.base import Capability, Refusal
from chaos.targets.docker import agent_image, helper_container
from chaos.targets.docker.engine import Engine
from chaos.targets.docker.helper_container import Helper
from chaos.targets.docker.stream import STDOUT
from chaos.targets.machine import lacking_packets

_PACKETS = {Capability.NETWORK, Capability.DELAY}
_PROBED_WITHIN_S = 10.0


def lacking(engine: Engine, needed: Collection[Capability], *, run: str) -> Mapping[Capability, Refusal]:
    """Which of the capabilities the engine lacks, and why."""
    if not _PACKETS & set(needed):
        return {}
    try:
        return lacking_packets(_probe(engine, run))
    except ChaosError as error:
        return dict.fromkeys(_PACKETS, Refusal(error.what, error.remedy))


def _probe(engine: Engine, run: str) -> dict[str, object]:
    """What the agent finds in a network namespace of its own."""
    helper = Helper(
        image=agent_image.ensure_image(engine),
        argv=(*agent_image.ARGV, "--probe"),
        role="probe",
        run=run,
        target="the kernel",
        joins={},
        rights=("NET_ADMIN",),
    )
    _, stream = helper_container.start(engine, helper)
    deadline = time.monotonic() + _PROBED_WITHIN_S
    said = b""
    while (frame := stream.read(deadline - time.monotonic())) and frame.data:
        if frame.stream == STDOUT:
            said += frame.data
    stream.finish(_PROBED_WITHIN_S)
    try:
        found: dict[str, object] = json.loads(said)
    except json.JSONDecodeError:
        return {}  # it could not even say so: then it can do nothing
    return found
