import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness.session import lab, measured  # noqa: E402,F401


@pytest.fixture(scope="session")
def echo4(lab):
    """The IPv4 address of an echo on port 7."""
    host, _ = lab.addresses()
    lab.origin(host, 7)
    return host


@pytest.fixture(scope="session")
def echo6(lab):
    _, host = lab.addresses()
    lab.origin(host, 7)
    return host
