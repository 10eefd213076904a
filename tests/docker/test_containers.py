"""Containers are found by compose's labels, under the names that experiments use."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.errors import FaultError, UsageError
from chaos.targets.docker.containers import Project, check_offered
from chaos.targets.docker.engine import connect
from tests.docker.small_project import SmallProject

pytestmark = pytest.mark.docker


@pytest.fixture
def project(small: SmallProject) -> Project:
    return Project(connect(), small.name)


def test_a_service_has_its_own_name_and_replicas_are_numbered(small: SmallProject, project: Project) -> None:
    edge = small.add("edge")
    small.add("web", 2)
    first = small.add("web", 1, up=False)
    small.add("web", 3, one_off=True)
    assert project.names() == {"edge": ["edge"], "web": ["web-1", "web-2"]}
    assert project.running() == {"edge": True, "web-1": False, "web-2": True}
    assert project.container("edge")["Id"] == edge
    assert project.container("web-1")["Id"] == first


def test_the_last_replica_is_still_known_by_its_number(small: SmallProject, project: Project) -> None:
    small.add("web", 1)
    second = small.add("web", 2)
    project.container("web-1")
    small.client.api.remove_container(project.container("web-1")["Id"], force=True)
    assert project.container("web-2")["Id"] == project.container("web")["Id"] == second


def test_a_name_that_means_no_container_is_an_error(small: SmallProject, project: Project) -> None:
    small.add("edge", up=False)
    with pytest.raises(UsageError, match="did you mean 'edge'"):
        project.container("edgy")


def test_the_only_one_keeps_its_name_when_its_service_is_scaled_up(small: SmallProject, project: Project) -> None:
    first = small.add("web", 1)
    assert project.container("web")["Id"] == first
    small.add("web", 2, up=False)
    assert project.container("web")["Id"] == first, "what was done to it must be undone there"
    assert Project(connect(), small.name).container("web")["Id"] == first, "by another process as well"


def test_a_project_that_is_not_there_has_no_names(engine: Any) -> None:
    absent = Project(connect(), "chaos-test-absent")
    assert absent.names() == {}
    with pytest.raises(UsageError, match="no container of a compose project called chaos-test-absent"):
        absent.container("web")


def test_a_service_called_like_a_replica_is_refused(small: SmallProject, project: Project) -> None:
    for service, number in (("web", 1), ("web", 2), ("web-1", 1)):
        small.add(service, number, up=False)
    with pytest.raises(UsageError, match="web-1 is the name of a service and of a container"):
        project.names()


def test_a_container_made_anew_is_found_and_a_removed_one_is_said_to_be_removed(
    small: SmallProject, project: Project
) -> None:
    first = small.add("web")
    small.add("edge")
    assert project.container("web")["Id"] == first
    small.client.api.remove_container(first, force=True)
    assert project.find("web") is None
    with pytest.raises(FaultError, match="removed"):
        project.container("web")
    assert small.add("web") == project.container("web")["Id"] != first


def test_only_a_label_offers_a_container(small: SmallProject, project: Project) -> None:
    small.add("web", up=False)
    small.add("bank", up=False, allowed=False)
    check_offered(project, "web", project.container("web"), owned=False)
    check_offered(project, "bank", project.container("bank"), owned=True)
    with pytest.raises(UsageError, match="is not offered for faults"):
        check_offered(project, "bank", project.container("bank"), owned=False)
