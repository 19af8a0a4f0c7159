#!/usr/bin/env python3
"""The benchmark of exeat beside its peers; `./dev bench` calls it. bench/README.md says how to read what it prints."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from driver.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
