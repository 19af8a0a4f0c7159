import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
for folder in (TOP / "bench", TOP / "test/system", TOP / "test/attack/oracles"):
    sys.path.insert(0, str(folder))
from driver import wheel  # noqa: E402

wheel.fetch()  # before the lab, which leaves the machine's network
from harness.session import lab, measured  # noqa: E402,F401
