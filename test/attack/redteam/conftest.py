import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness.session import lab  # noqa: E402,F401

import table  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    line = table.write()
    if line:
        terminalreporter.write_line(line)
