"""In a network namespace of its own, like the system tests, and with their harness."""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]
from harness import netns  # noqa: E402

netns.enter_new()
for variable in [v for v in os.environ if v.lower().endswith("_proxy")]:
    del os.environ[variable]
