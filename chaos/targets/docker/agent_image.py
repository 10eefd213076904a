"""The image of the agent: Debian, Python, and the agent's own files, built on the engine where it is not there yet.

Named after what is in it, so a changed agent is another image. Built before traffic starts, never while faults are on.
Nothing is pushed anywhere, and images of earlier versions are left to their owner.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from importlib import resources

from chaos.errors import Unsupported
from chaos.targets.docker.engine import Engine, Refused

BASE = "debian:bookworm-slim"
ARGV = ("python3", "-P", "-m", "agent")
_REPOSITORY = "chaos-agent"
_BUILT_WITHIN_S = 300  # of silence; Debian's mirrors may be slow
_DOCKERFILE = f"""FROM {BASE}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends python3-minimal libpython3-stdlib \\
 && rm -rf /var/lib/apt/lists/*
COPY agent /opt/chaos/agent
RUN python3 -m compileall -q /opt/chaos/agent
ENV PYTHONPATH=/opt/chaos PYTHONDONTWRITEBYTECODE=1
LABEL chaos.image=agent
"""


def image_name() -> str:
    """What the image of this version's agent is called."""
    digest = hashlib.sha256()
    for path, content in sorted(_files().items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return f"{_REPOSITORY}:{digest.hexdigest()[:12]}"


def ensure_image(engine: Engine) -> str:
    """The name of the image, which is then on the engine; takes some ten seconds the first time.

    Raises Unsupported, with the engine's own words, where it cannot be built.
    """
    name = image_name()
    try:
        with engine.doing(f"look for the image {name}") as api:
            api.inspect_image(name)
    except Refused as refused:
        if refused.status != 404:
            raise
        _build(engine, name)
    return name


def _build(engine: Engine, name: str) -> None:
    said: list[str] = []
    with engine.doing(f"build the image {name}") as api:
        for line in api.build(
            fileobj=io.BytesIO(_context()),
            custom_context=True,
            tag=name,
            rm=True,
            forcerm=True,
            decode=True,
            timeout=_BUILT_WITHIN_S,
        ):
            said += [text for text in (line.get("stream", "").strip(),) if text]
            if "error" in line:
                raise Unsupported(
                    f"the agent's image could not be built on the Docker engine: {line['error']}"
                    + "".join(f"\n    {each}" for each in said[-5:]),
                    remedy=f"it needs Debian's mirrors and {BASE} (`docker pull`, or `make images` without a registry)",
                )


def _context() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in _files().items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _files() -> dict[str, bytes]:
    sources = [each for each in resources.files("chaos.agent").iterdir() if each.name.endswith(".py")]
    return {"Dockerfile": _DOCKERFILE.encode(), **{f"agent/{each.name}": each.read_bytes() for each in sources}}
