import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import pytest  # noqa: E402
from harness.exeat import REPOSITORY  # noqa: E402
from machine import CannotBoot, Machine  # noqa: E402


@pytest.fixture(scope="session")
def package():
    """The Debian package of what is built."""
    done = subprocess.run([REPOSITORY / "conf/debian/build", REPOSITORY / "build"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return pathlib.Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def machine(package, tmp_path_factory):
    """One for all tests, which go from the installation to the purge in the order of the file."""
    try:
        made = Machine(package, tmp_path_factory.mktemp("machine"))
    except CannotBoot as why:
        pytest.skip(f"skipped: {why}")
    yield made
    made.close()
