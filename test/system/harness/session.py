"""One lab for a whole pytest session: what the conftest.py of each folder of tests imports before anything else. Puts the test process into a
network namespace of its own before it makes a thread or a socket."""
import os

import pytest

from . import netns

netns.enter_new()
for variable in [v for v in os.environ if v.lower().endswith("_proxy")]:
    del os.environ[variable]  # the proxy of the machine that the tests run on is none of theirs

from .lab import Lab  # noqa: E402


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


@pytest.fixture
def measured(capsys):
    """Tells a figure that somebody wants to know of a test that passes: test/run.py shows such lines."""
    def tell(text):
        with capsys.disabled():
            print(f"\nmeasured: {text}", flush=True)
    return tell
