"""The shop's image takes what the whole project is tested with: same versions, same files."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def locked(file: Path) -> dict[str, tuple[str, set[str]]]:
    """Package → version, and the hashes of its files."""
    found: dict[str, tuple[str, set[str]]] = {}
    package = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if pinned := re.match(r"([\w.-]+)(?:\[.*?\])?==(\S+)", line):
            package = pinned[1]
            found[package] = (pinned[2], set())
        found[package][1].update(re.findall(r"sha256:\w+", line))
    return found


def test_the_image_has_the_versions_of_the_project() -> None:
    project, image = locked(ROOT / "requirements.lock"), locked(ROOT / "sandbox" / "requirements.lock")
    assert image
    assert {name: project.get(name) for name in image} == image
    assert all(hashes for _version, hashes in image.values())


def test_what_the_shop_asks_for_is_locked() -> None:
    lines = (ROOT / "sandbox" / "requirements.in").read_text(encoding="utf-8").splitlines()
    asked = {line.partition("[")[0] for line in lines if line and not line.startswith("#")}
    assert asked
    assert asked <= locked(ROOT / "sandbox" / "requirements.lock").keys()
