"""The image's file system, as the Containerfile makes it: exeat serves from it as the manifests run it, and takes the list that the kubelet swaps in."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from kustomize import CONF

sys.path.append(str(CONF.parents[1] / "test" / "system"))
from harness.fake_admin import FakeAdmin, client, status  # noqa: E402
from harness.tmux import Tmux  # noqa: E402
from harness.wait import seconds, wait_until  # noqa: E402

BINARY = os.environ.get("EXEAT_BIN", str(CONF.parents[1] / "build" / "exeat"))
BASE = CONF / "base"


def swap_in(policy, generation, allowlist):
    """What the kubelet does with a ConfigMap: a new directory, and the link `..data` renamed to it."""
    new = policy / f"..{generation}"
    new.mkdir()
    (new / "allowlist.toml").write_text(allowlist)
    (policy / "..new").symlink_to(new.name)
    (policy / "..new").rename(policy / "..data")


@pytest.fixture
def root(tmp_path):
    at = tmp_path / "root"
    subprocess.run([CONF / "image-root.sh", BINARY, at], check=True, timeout=60)
    swap_in(at / "etc/exeat/policy", 1, (BASE / "allowlist.toml").read_text())
    (at / "etc/exeat/policy/allowlist.toml").symlink_to("..data/allowlist.toml")
    shutil.copy(BASE / "exeat.toml", at / "etc/exeat/exeat.toml")
    (at / "etc/resolv.conf").write_text("nameserver 10.96.0.10\n")  # the kubelet's
    return at


def inside(root, *more):
    """In a pod's network: a namespace of its own with loopback alone."""
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", "chroot", "--userspec=64128:64128", str(root), *more]


def test_in_the_image_is_exeat_and_nothing_else_to_run(root):
    programs = [p for p in root.rglob("*") if p.is_file() and os.access(p, os.X_OK) and ".so" not in p.name]
    assert sorted(p.name for p in programs) == ["exeat", "exeatd"]
    text = (CONF / "Containerfile").read_text()
    assert re.search(r"^USER 64128:64128$", text, re.M) and text.count("FROM scratch") == 1


def test_in_the_image_the_config_and_the_list_are_well(root):
    done = subprocess.run(inside(root, "/usr/bin/exeat", "check", "--elsewhere", "--config", "/etc/exeat/exeat.toml"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "2 expectations met" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["xterm", "xterm-256color", "screen", "screen-256color", "tmux", "tmux-256color", "linux", "vt220"])
def test_in_the_image_top_knows_the_usual_terminals(root, kind):
    with FakeAdmin(status(clients=[client("somebody", 10)])) as admin, \
            Tmux("chroot", "--userspec=64128:64128", root, "/usr/bin/exeat", "top", "--admin", admin.url, TERM=kind) as terminal:
        terminal.shows("somebody", "q quit")
        assert terminal.state("alternate_on") == ("0" if kind in ("linux", "vt220") else "1")
        terminal.press("q")
        assert terminal.status() == 0


def ask(pid, path):
    done = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "curl", "-sS", f"http://127.0.0.1:9464{path}"], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def test_from_the_image_it_serves_and_takes_what_the_kubelet_swaps_in(root):
    said = root.parent / "said"
    with said.open("wb") as log:
        process = subprocess.Popen(inside(root, "/usr/bin/exeat", "serve", "--config", "/etc/exeat/exeat.toml", "--log", "json"), stdout=subprocess.DEVNULL, stderr=log)
    try:
        wait_until(lambda: "ready" in ask(process.pid, "/readyz"), what=f"it is ready: {said.read_text()}")
        swap_in(root / "etc/exeat/policy", 2, (BASE / "allowlist.toml").read_text().replace("serial = 1", "serial = 2"))
        wait_until(lambda: 'serial="2"' in ask(process.pid, "/metrics"), what="the list that was swapped in is in force")
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(seconds(60)) == 0, said.read_text()
    assert (root / "var/lib/exeat/uploads").stat().st_size > 0, "its accounts are kept where the replica's volume is mounted"
