"""Prometheus and Alertmanager for real, over an exeat of the system tests' lab."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness.session import lab, measured  # noqa: E402,F401
