"""The engine for runs on Docker, and the look whether anything is left there: those of the Docker tests."""

from tests.docker.conftest import engine, nothing_left_on_engine

__all__ = ["engine", "nothing_left_on_engine"]
