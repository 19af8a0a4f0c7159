"""Pods that come and go fifty times a second on a /26. Each asks through its address while it lives; whatever exeat logs of a connection names the pod
that made it, and a pod that is gone has no tunnel left. EXEAT_CHURN: for how many seconds (the issue's proof: 300)."""
import itertools
import os
import random
import threading
import time

from harness.client import connect_request, take_head
from harness.pods import ECHO, Pods, allowlist, known, origins, pods, serve  # noqa: F401: fixtures
from harness.wait import wait_until

SECONDS = float(os.environ.get("EXEAT_CHURN", "8"))
PER_SECOND = 50
ADDRESSES = [f"127.0.8.{n}" for n in range(1, 63)]
REST = 0.3  # an address is not given away again before the API server has said that its pod is gone


class Cluster:
    """Writes the API server's events. `free`: addresses by when they may be used again."""

    def __init__(self, file: Pods):
        self.file, self.free, self.live = file, [(0.0, a) for a in ADDRESSES], {}
        self.ids = itertools.count()

    def begin(self):
        since, address = self.free[0]
        if since > time.monotonic():
            return None
        self.free.pop(0)
        n = next(self.ids)
        pod = {"metadata": {"uid": f"uid-{n}", "namespace": "training", "name": f"trainer-{n}"}, "spec": {"serviceAccountName": random.choice(["trainer", "other"])},
               "status": {"phase": "Running", "podIP": address}}
        self.live[pod["metadata"]["uid"]] = pod
        return pod

    def end(self, pod):
        del self.live[pod["metadata"]["uid"]]
        self.file.append(("DELETED", pod))
        self.free.append((time.monotonic() + REST, pod["status"]["podIP"]))


def ask(exeat, pod, made):
    """One connection of a pod, which notes what the log must say of it."""
    address = pod["status"]["podIP"]
    with exeat.connect(source=address) as s:
        made[(address, s.getsockname()[1])] = pod["metadata"]["uid"]
        s.sendall(connect_request(ECHO))
        return take_head(s).split(b" ", 2)[1] == b"200"


def test_no_connection_is_ever_that_of_another_pod(serve, pods):
    groups = '[groups.pods]\nnamespaces = ["training"]\ninstances = 100000\n'
    made, refused, failures = {}, [], []
    with serve(allowlist(groups), wait="5s") as exeat:
        known(exeat, 0)
        cluster, end = Cluster(pods), time.monotonic() + SECONDS

        def live(pod):
            try:
                early = threading.Thread(target=lambda: ask(exeat, pod, made) or refused.append(pod))  # before the API server names it
                early.start()
                time.sleep(0.05)
                cluster.file.append(("ADDED", pod))
                early.join()
                for _ in range(3):
                    if not ask(exeat, pod, made):
                        refused.append(pod)
                cluster.end(pod)
            except Exception as e:  # noqa: BLE001: told below
                failures.append(e)

        running = []
        while time.monotonic() < end:
            pod = cluster.begin()
            if pod:
                running.append(threading.Thread(target=live, args=(pod,)))
                running[-1].start()
            time.sleep(1 / PER_SECOND)
        for t in running:
            t.join()
        assert not failures and not refused
        known(exeat, 0)
        wait_until(lambda: exeat.metric("connections_active") == 0, what="all connections have ended")
        exeat.settled()
        named = {(line["source.ip"], line["source.port"]): line["kubernetes.pod.uid"] for line in exeat.audit(**{"event.action": "open"})}
        assert named == made
        assert len(made) >= SECONDS * 20  # it was a crowd
        print(f"measured: {len(made)} connections of {next(cluster.ids)} pods in {SECONDS:.0f} s, each of its own pod")
