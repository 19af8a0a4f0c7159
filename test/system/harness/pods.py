"""A cluster as exeat sees it: a file of pods, kept as its writer must; and an exeat that reads it. Addresses of NETWORK are the pods' here, and a
client binds to the address of its pod. A test file takes the fixtures by importing them."""
import json
import os
import pathlib
import uuid

import pytest

from .client import connect_reply, open_tunnel
from .exeat import run
from .origin import swallow
from .wait import wait_until

BOOKMARK = '{"type":"BOOKMARK"}\n'
KIB = 1 << 10
NETWORK = "127.0.8.0/24"
HERE, THERE = "127.0.8.7", "127.0.8.8"
ECHO, SINK = "echo.pods.test:7", "sink.pods.test:9"


class Pods:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.all = {}  # UID -> pod, as the API server writes it
        self.write()

    def start(self, address, account="training/trainer", name=None, phase="Running", **more):
        """A new pod at this address; returns its UID. `more`: of its spec."""
        space, service_account = account.split("/")
        uid = str(uuid.uuid4())
        self.all[uid] = {
            "metadata": {"uid": uid, "namespace": space, "name": name or f"{service_account}-{uid[:8]}"},
            "spec": {"serviceAccountName": service_account, **more},
            "status": {"phase": phase, "podIP": address, "podIPs": [{"ip": address}]},
        }
        self.write()
        return uid

    def end(self, *uids):
        for uid in uids:
            del self.all[uid]
        self.write()

    def change(self, uid, phase):
        self.all[uid]["status"]["phase"] = phase
        self.write()

    def write(self, text=None):
        new = self.path.with_suffix(".new")
        new.write_text(text if text is not None else "".join(json.dumps(pod) + "\n" for pod in self.all.values()) + BOOKMARK)
        os.replace(new, self.path)

    def append(self, *events):
        """Watch events, (type, pod)."""
        with self.path.open("a") as file:
            file.write("".join(json.dumps({"type": kind, "object": pod}) + "\n" for kind, pod in events))


def allowlist(groups=None, entries="", serial=7):
    return f"serial = {serial}\n" + (groups or """
[groups.trainers]
service_accounts = ["training/trainer"]
[groups.evals]
namespaces = ["evals"]
[groups.vms]
sources = ["127.0.9.0/24", "127.0.0.1/32"]
""") + """
[[allow]]
name = "echo"
hosts = ["echo.pods.test"]
ports = [7]
protocol = "tcp"
""" + entries


def sink(more, groups=""):
    return f'[[allow]]\nname = "sink"\nhosts = ["sink.pods.test"]\nports = [9]\nprotocol = "tcp"\n{groups}\n{more}\n'


@pytest.fixture(scope="module")
def origins(lab):
    host, _ = lab.place("echo.pods.test", v6=False)
    echo = lab.origin(host, 7)
    host, _ = lab.place("sink.pods.test", v6=False)
    return echo, lab.origin(host, 9, swallow)


@pytest.fixture
def pods(tmp_path):
    return Pods(tmp_path / "pods.jsonl")


@pytest.fixture
def serve(lab, pods, origins, tmp_path):
    state = tmp_path / "state"
    state.mkdir()

    def start(text=None, **kubernetes):
        made = lab.exeat(text or allowlist(), policy={"state": str(state)},
                         kubernetes={"networks": [NETWORK], "pods_file": str(pods.path), "wait": "300ms", **kubernetes})
        if not any(state.iterdir()):  # nothing was ever sent: budgets begin whole
            assert run("state", "init", "--config", made.config_path).returncode == 0
        return made
    return start


def verdict(exeat, source, target=ECHO):
    return connect_reply(exeat, target, source=source).reason


def known(exeat, n):
    wait_until(lambda: exeat.metric("pods_known") == n, what=f"{n} pods are known")
    exeat.caught_up()


def echoes(s):
    s.sendall(b"ping")
    return s.recv(4) == b"ping"


def sent_before_cut(exeat, source, target=SINK, most=4 << 20):
    """How many bytes a tunnel takes before it is cut."""
    with open_tunnel(exeat, target, source=source) as s:
        moved = 0
        try:
            while moved < most:
                moved += s.send(b"x" * 4096)
        except OSError:
            pass
    exeat.settled()
    return moved


def uploaded(exeat, entry="sink"):
    exeat.settled()
    return sum(line["source.bytes"] for line in exeat.audit(**{"event.action": "close", "rule.name": entry}))
