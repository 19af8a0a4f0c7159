"""What others have published and these tests hold the manifests against: installed once, below build/, each at one version."""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
THERE = HERE.parents[2] / "build" / "published"
PYTHON = ["kubernetes-validate==1.37.0", "cel-python==0.5.0"]
NODE = ["@kubernetes-models/prometheus-operator@6.0.0"]
KUBERNETES = "1.34"  # what the manifests are written for


def _ran(argv, cwd):
    """None, or why it did not come to its end."""
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=180, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no word"])[-1]


def _installed(where, wanted, argv):
    """Whole or not at all: into a fresh directory that gets its name at the end."""
    stamp = where / "installed.txt"
    if stamp.exists() and stamp.read_text().split() == wanted:
        return None
    unfinished = where.with_name(f"{where.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    failed = _ran(argv(unfinished), unfinished)
    if failed is None:
        (unfinished / "installed.txt").write_text("\n".join(wanted))
        shutil.rmtree(where, ignore_errors=True)
        unfinished.rename(where)
    shutil.rmtree(unfinished, ignore_errors=True)
    return failed


@functools.lru_cache(None)
def _python():
    return _installed(THERE / "python", PYTHON, lambda at: [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(at), *PYTHON])


@functools.lru_cache(None)
def _node():
    if not shutil.which("npm"):
        return "npm is not installed"
    return _installed(THERE / "node", NODE, lambda at: ["npm", "install", "--prefix", str(at), "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *NODE])


def python_or_skip():
    """Where they lie."""
    failed = _python()
    if failed:
        pytest.skip(f"skipped: {', '.join(PYTHON)} cannot be had from PyPI: {failed}")
    return THERE / "python"


def node_or_skip():
    failed = _node()
    if failed:
        pytest.skip(f"skipped: {', '.join(NODE)} cannot be had from npm: {failed}")
    return THERE / "node"
