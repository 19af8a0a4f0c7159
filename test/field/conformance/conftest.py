"""In a network namespace of its own, like the system tests, and with their harness: this namespace is the gateway."""
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]
from harness import netns  # noqa: E402

netns.enter_new()
for variable in [v for v in os.environ if v.lower().endswith("_proxy")]:
    del os.environ[variable]

from gateway import Gateway  # noqa: E402


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    made = Gateway(tmp_path_factory.mktemp("gateway"))
    yield made
    made.close()
