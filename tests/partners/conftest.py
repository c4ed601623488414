"""Two things to talk to: the demonstration coalition with its oracle, and a node of one's own that the tests may change."""

from pathlib import Path

import pytest

from coalition import Coalition
from own_node import OwnNode


@pytest.fixture(scope="session")
def coalition(tmp_path_factory):
    running = Coalition(tmp_path_factory.mktemp("coalition"))
    yield running
    # `demo` ends with 0 only if every node held exactly what the oracle says.
    assert running.process.end() == 0, running.process.said()


@pytest.fixture
def own_node(tmp_path: Path):
    running = OwnNode(tmp_path)
    yield running
    assert running.end() == 0, running.said()
