"""A user's compose file, read as plain YAML: its services, ports and replicas, and what is said where it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.compose_file import NotACompose, own_system
from chaos.model import ComposeProject
from chaos.system import System


def system(folder: Path, text: str, **running: list[str]) -> System:
    """The system that a compose file with this text describes."""
    file = folder / "compose.yml"
    file.write_text(text)
    return own_system(file, ComposeProject(compose="compose.yml", project="notes"), running)


def ports(folder: Path, text: str) -> list[int]:
    """The ports of a service with these lines."""
    return list(system(folder, "services:\n  web:\n    " + text).services["web"].ports.values())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ports: [80]", [80]),
        ('ports: ["80"]', [80]),
        ('ports: ["8080:80"]', [80]),
        ('ports: ["127.0.0.1:8080:80"]', [80]),
        ('ports: ["127.0.0.1::80/tcp"]', [80]),
        ('ports: ["[::1]:8080:80"]', [80]),
        ('ports: ["${PORT}:80", "${OTHER:-8081}:81"]', [80, 81]),
        ('ports: ["8000-8001:9000-9002"]', [9000, 9001, 9002]),
        ('expose: ["3000-3001", 3001]', [3000, 3001]),
        ('ports: ["53:53/udp", "54:54"]', [54]),
        ("ports: [{target: 80, published: 8080}, {target: '81', published: '1-9', protocol: tcp}]", [80, 81]),
        ("ports: [{target: 53, protocol: udp}]", []),
        ('ports: ["8080:${INNER}"]', []),  # only compose knows
        ('ports: "80"', []),  # which compose refuses
        ('ports: !override ["80"]', [80]),
        ("ports: !reset null", []),
        ("ports: [{}, null, []]", []),
        ('ports: ["1-65535"]', list(range(1, 1002))),
    ],
)
def test_ports(tmp_path: Path, text: str, found: list[int]) -> None:
    assert ports(tmp_path, text) == found


def test_anchors_and_merges_are_followed(tmp_path: Path) -> None:
    text = "x-base: &base {image: nothing, expose: [80]}\nservices: {web: {<<: *base}, api.v1: *base, idle: }\n"
    found = system(tmp_path, text).services
    assert {name: list(each.ports.values()) for name, each in found.items()} == {
        "web": [80],
        "api.v1": [80],
        "idle": [],
    }


@pytest.mark.parametrize("text", ["scale: 3", "deploy: {replicas: 3}"])
def test_a_service_with_several_containers_is_a_set(tmp_path: Path, text: str) -> None:
    found = system(tmp_path, f"services: {{web: {{{text}, expose: [80]}}}}")
    assert found.sets == {"web": ["web-1", "web-2", "web-3"]}
    assert found.services["web-2"].ports == {"80": 80}


@pytest.mark.parametrize("text", ["", "deploy: {replicas: '${N:-2}'}", "deploy: {}", "scale: 1"])
def test_one_with_one_container_is_a_service_and_a_set_of_itself(tmp_path: Path, text: str) -> None:
    found = system(tmp_path, f"services: {{web: {{{text}}}}}")
    assert (list(found.services), found.sets) == (["web"], {"web": ["web"]})


def test_what_runs_counts_more_than_what_the_file_says(tmp_path: Path) -> None:
    text = "services: {web: {expose: [80]}, db: {deploy: {replicas: 2}}}"
    found = system(tmp_path, text, web=["web-1", "web-2"], db=["db"], included=["included"])
    assert found.sets == {"web": ["web-1", "web-2"], "db": ["db"], "included": ["included"]}
    assert found.services["web-2"].ports == {"80": 80}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "has no services, so it is no compose file"),
        ("services: []", "has no services, so it is no compose file"),
        ("web: {image: nothing}", "has no services, so it is no compose file"),
        ("services: {web: [}", "is not YAML: while parsing"),
        ("include: [other.yml]", r"includes other files.*`docker compose -f compose.yml config > resolved.yml`"),
        ("services: {web: {scale: 2}, web-1: {}}", "web-1 names a service and a replica of another"),
    ],
)
def test_what_is_no_compose_file(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(NotACompose, match=what):
        system(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotACompose, match=r"nope\.yml cannot be read: No such file"):
        own_system(tmp_path / "nope.yml", ComposeProject(compose="nope.yml", project="notes"))


@pytest.mark.parametrize("text", ["profiles: [debug]", "scale: 0", "deploy: {replicas: 0}"])
def test_what_a_project_is_whole_without_is_left_out_where_it_is_not_up(tmp_path: Path, text: str) -> None:
    file = f"services: {{web: {{}}, db: {{}}, spare: {{{text}}}}}"
    assert list(system(tmp_path, file).services) == ["web", "db", "spare"]
    assert list(system(tmp_path, file, web=["web"]).services) == ["web", "db"]
    assert list(system(tmp_path, file, web=["web"], spare=["spare"]).services) == ["web", "db", "spare"]


def test_more_containers_than_anybody_means_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("services: {web: {image: x, deploy: {replicas: 99999999999}}}")
    with pytest.raises(NotACompose, match="too many"):
        own_system(file, ComposeProject(compose="compose.yml", project="mine"))
