"""What a real Alertmanager silences, with the routes that are shipped: the warnings about a client that is worse already, and nothing else."""
import datetime
import json
import subprocess
import urllib.request

import pytest
from harness.exeat import free_port
from harness.wait import seconds, wait_until
from watchers import CONF, NO_PROXY, Pager


def alert(name, severity, **labels):
    return {"alertname": name, "severity": severity, **labels}


CLIENT, OTHER = {"client": "lab/10.0.0.1"}, {"client": "lab/10.0.0.2"}
WORSE = [alert("ExeatUploadOverBudget", "critical", cluster="a", window="1h", **CLIENT), alert("ExeatUploadOverBudget", "critical", window="1h", **CLIENT)]
CRITICAL = [alert("ExeatNameMismatch", "critical", reason="ech"), alert("ExeatNameMismatch", "critical", reason="ech", cluster="a"),
            alert("ExeatCriticalAnomaly", "critical", cluster="a", detector="collusion"), alert("ExeatDown", "critical", cluster="a", instance="10.0.0.9:9464", job="exeat"),
            alert("ExeatDown", "critical", instance="10.0.0.9:9464", job="exeat-admin"), alert("ExeatTunnelCut", "critical", cluster="a", purpose="api", action="cut")]
SILENT = [alert("ExeatUploadNearBudget", "warning", cluster="a", window="1h", **CLIENT), alert("ExeatDeniedBurst", "warning", **CLIENT)]
HEARD = [*(alert(name, "warning", **where, **more) for where in ({}, {"cluster": "a"}) for name, more in (
    ("ExeatAnomaly", {"detector": "drip"}), ("ExeatFleetShift", {}), ("ExeatUploadUnusual", OTHER), ("ExeatDeniedBurst", OTHER), ("ExeatReloadFailing", {"instance": "10.0.0.9:9464"}),
    ("ExeatSnapshotStale", {"instance": "10.0.0.8:9464"}), ("ExeatTunnelTooLong", {"purpose": "pull"}))),
    alert("ExeatDeniedBurst", "warning", cluster="b", **CLIENT), alert("ExeatPolicyDrift", "critical", cluster="a"), alert("ExeatGrantExpires", "info", cluster="a", entry="e")]


class Manager:
    def __init__(self, at):
        self.pager, self.port = Pager(), free_port()
        routes = (CONF / "alertmanager.yml").read_text().replace("127.0.0.1:9095", f"127.0.0.1:{self.pager.port}").replace("group_wait: 10s", "group_wait: 1s")
        (at / "alertmanager.yml").write_text(routes)
        self.log = open(at / "log", "wb")
        self.process = subprocess.Popen(["prometheus-alertmanager", f"--config.file={at}/alertmanager.yml", f"--storage.path={at}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                                         "--cluster.listen-address="], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until(self.ready, 60, "alertmanager answers")

    def call(self, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body and json.dumps(body).encode(), {"Content-Type": "application/json"})
        with NO_PROXY.open(request, timeout=seconds(30)) as reply:
            return reply.read()

    def ready(self):
        try:
            return self.call("/-/ready")
        except OSError:
            assert self.process.poll() is None, "it ended"
            return None

    def raise_all(self, labels):
        ends = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
        self.call("/api/v2/alerts", [{"labels": each, "annotations": {"summary": "x"}, "endsAt": ends} for each in labels])

    def states(self):
        """What is known of each alert: the numbers of those that inhibit it."""
        return {tuple(sorted(a["labels"].items())): len(a["status"]["inhibitedBy"]) for a in json.loads(self.call("/api/v2/alerts"))}

    def stop(self):
        self.process.terminate()
        self.process.wait(seconds(60))
        self.log.close()
        self.pager.server.shutdown()


@pytest.fixture(scope="module")
def manager(lab, tmp_path_factory):
    made = Manager(tmp_path_factory.mktemp("alertmanager"))
    made.raise_all([*WORSE, *CRITICAL])
    wait_until(lambda: len(made.pager.told) >= len(WORSE) + len(CRITICAL), 60, "the pager rings for each")
    made.raise_all([*SILENT, *HEARD])
    yield made
    made.stop()


def test_a_critical_alert_silences_the_warnings_about_its_own_client_and_no_other_alert(manager):
    key = lambda labels: tuple(sorted(labels.items()))
    heard = lambda: {key(a["labels"]) for _, a in manager.pager.told if a["status"] == "firing"}
    wait_until(lambda: {key(a) for a in HEARD} <= heard(), 120, "everybody else is heard of")
    states = manager.states()
    assert all(states[key(a)] == 1 for a in SILENT) and {a["alertname"] for a in SILENT} == {"ExeatUploadNearBudget", "ExeatDeniedBurst"}
    assert {k for k, by in states.items() if by} == {key(a) for a in SILENT}
    assert not heard() & {key(a) for a in SILENT}


def test_what_is_critical_rings_the_pager_and_what_is_not_does_not(manager):
    at = {path: {a["labels"]["severity"] for p, a in manager.pager.told if p == path} for path in ("/pager", "/soc", "/network")}
    assert at == {"/pager": {"critical"}, "/soc": {"warning"}, "/network": {"info"}}
