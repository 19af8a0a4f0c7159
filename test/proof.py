#!/usr/bin/env python3
"""proof.py [NAME]: what takes too long for ./dev test. Runs one proof, shows its output and keeps it in build/proof/NAME.txt, under the revision and the
moment; exit 1 where it fails. Without a name, it lists them."""
import filecmp
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
KEPT = TOP / "build/proof"


def dev(*argv):
    return lambda: [(TOP, ["./dev", *argv])]


def same_package_twice():
    """Two clones at two places, compiled from nothing."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="exeat-proof-"))
    for name in ("a", "somewhere-else"):
        yield TOP, ["git", "clone", "-q", "--no-local", str(TOP), str(place / name)]
        yield place / name, ["env", "CCACHE_DISABLE=1", "./dev", "deb"]
    yield TOP, [sys.executable, __file__, "--compare", str(place)]
    yield TOP, ["rm", "-rf", str(place)]


def compare(place):
    one, two = sorted(pathlib.Path(place).glob("*/build/exeat_*.deb"))
    same = filecmp.cmp(one, two, shallow=False)
    print(f"{one.name}: {'the same bytes' if same else 'other bytes'} at two places, {one.stat().st_size} of them")
    return not same


PROOFS = {
    "deb": ("two builds of the Debian package, at two places, have the same bytes; some ten minutes", same_package_twice),
    "soak": ("an hour of all traffic and trouble, with a flooding and a framing client", dev("soak", "60")),
    "quiet": ("an hour of honest work under the shipped alerts: none fires", dev("quiet", "60")),
    "fuzz": ("five minutes for each fuzzer and oracle", dev("fuzz", "300")),
    "sanitized": ("the red team under AddressSanitizer, and a thousand reloads under load under ThreadSanitizer", dev("test", "asan-redteam", "tsan")),
    "detection": ("a hundred seeds of thefts and of honest work", dev("detection", "100", "10")),
}


def run(name):
    KEPT.mkdir(parents=True, exist_ok=True)
    revision = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    with (KEPT / f"{name}.txt").open("w") as kept:
        kept.write(f"{name}: revision {revision}, {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n")
        for place, argv in PROOFS[name][1]():
            with subprocess.Popen(argv, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ) as process:
                for line in process.stdout:
                    kept.write(line)
                    print(line, end="", flush=True)
            if process.returncode:
                kept.write(f"failed: {' '.join(argv)}\n")
                return print(f"failed: {' '.join(argv)}") or 1
    print(f"kept in {KEPT.relative_to(TOP)}/{name}.txt")
    return 0


def main():
    if sys.argv[1:2] == ["--compare"]:
        return compare(sys.argv[2])
    if len(sys.argv) != 2 or sys.argv[1] not in PROOFS:
        for name, (what, _) in PROOFS.items():
            print(f"{name:12} {what}")
        return len(sys.argv) > 1 and 2
    return run(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
