"""The probe in a sandbox of gVisor's: its own kernel and its own TCP/IP, on the pod's link."""
import json
import os
import shutil
import subprocess

from gateway import PROBE, told
from harness.wait import seconds


def why_not():
    """None where runsc runs a sandbox, else the reason."""
    if not shutil.which("runsc"):
        return "runsc is not installed"
    tried = subprocess.run(["runsc", *_FLAGS, "--network=none", "do", "true"], capture_output=True, text=True, timeout=60, check=False)
    return None if tried.returncode == 0 else f"runsc runs nothing here: {(tried.stderr.strip().splitlines() or ['no word'])[-1]}"


_FLAGS = ["--platform=ptrace", "--ignore-cgroups"]
# Debian's runsc (2022) takes a namespace for the machine's own when it sees this file; kernels from 6.4 on show it in every namespace.
_HIDE = "mount -t tmpfs none /proc/sys/net/core && exec \"$@\""


def _bundle(where, pod, argv, capabilities):
    """An OCI bundle: the machine's files, read-only; the pod's network namespace; a user who is nobody."""
    sets = {name: capabilities for name in ("bounding", "effective", "permitted")}
    user = 0 if capabilities else 65534
    config = {
        "ociVersion": "1.0.0", "hostname": "pod", "root": {"path": "/", "readonly": True},
        "process": {"user": {"uid": user, "gid": user}, "args": argv, "env": ["PATH=/usr/bin:/bin"], "cwd": "/", "capabilities": sets, "noNewPrivileges": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")] + [{"type": "network", "path": pod.path}]},
    }
    where.mkdir()
    (where / "config.json").write_text(json.dumps(config))
    return where


def probe(gateway, side, *arguments, capabilities=(), wait=0.5):
    """As Gateway.probe(). The sandbox takes the link's addresses away with it: the pod is good for this once."""
    name = f"pod-{side.link}-{os.getpid()}"
    argv = ["/usr/bin/python3", *gateway.probe_arguments(wait, *arguments)]
    bundle = _bundle(gateway.lab.directory / name, side.pod, argv, list(capabilities))
    runsc = ["runsc", "--root", str(bundle / "state"), *_FLAGS, "--network=sandbox", *(["--net-raw"] if capabilities else []), "run", "-bundle", str(bundle), name]
    return told(side.pod.command("unshare", "-m", "sh", "-c", _HIDE, "sh", *runsc, input=PROBE.read_text(), check=False, timeout=seconds(280)))
