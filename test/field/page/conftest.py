"""The status page in a real browser, over an exeat of the system tests' lab."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness.session import lab  # noqa: E402,F401
