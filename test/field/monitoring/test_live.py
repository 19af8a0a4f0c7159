"""The whole chain for real: exeat, Prometheus, Alertmanager, a pager; and the dashboard's every query against it."""
import importlib.util
import re
import subprocess
import time

import pytest
import yaml
from harness.client import connect_reply, open_tunnel, read_exactly
from harness.exeat import REPOSITORY, run
from harness.wait import seconds, wait_until
from watchers import CONF, Watchers

MIB = 1 << 20
ALLOWLIST = """
serial = 1
expires = 2099-01-01T00:00:00Z
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "judge"
hosts = ["api.watch.test"]
ports = [7]
protocol = "tcp"
purpose = "api"
upload_total = "1 GiB/24h"
"""


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("api.watch.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def exeat(lab, tmp_path_factory):
    """Its list needs an approval, and has it."""
    at = tmp_path_factory.mktemp("keys")
    (at / "state").mkdir()
    assert run("keygen", at / "alice").returncode == 0
    running = lab.exeat(ALLOWLIST, policy={"state": str(at / "state"), "trusted_keys": [str(at / "alice.pub")], "audience": "test"})
    assert run("sign", "--key", at / "alice.key", "--audience", "test", running.allowlist_path).returncode == 0
    with running:
        yield running


@pytest.fixture(scope="module")
def watchers(exeat, tmp_path_factory):
    made = Watchers(tmp_path_factory.mktemp("watchers"), exeat.admin_port)
    yield made
    made.stop()


def upload(exeat, size, source=None):
    """What arrived of so much before it was cut."""
    sent = 0
    with open_tunnel(exeat, "api.watch.test:7") as s:
        try:
            while sent < size:
                s.sendall(b"x" * 65536)
                read_exactly(s, 65536)
                sent += 65536
        except (OSError, AssertionError):
            pass
    return sent


def told(watchers, alert):
    return [(path, a) for path, a in watchers.pager.told if a["labels"]["alertname"] == alert and a["status"] == "firing"]


def test_a_theft_rings_the_pager_and_the_seconds_since_its_first_byte_are_printed(exeat, watchers, measured):
    connect_reply(exeat, "nobody.watch.test:443")
    wait_until(lambda: watchers.query('exeat_budget_exceeded_total{action="cut",purpose="api"} == 0'), 60, "the series is there at 0")
    began = time.monotonic()
    sent = upload(exeat, 80 * MIB)
    cut = time.monotonic() - began
    path, alert = wait_until(lambda: told(watchers, "ExeatTunnelCut"), 120, "the pager rings")[0]
    measured(f"a theft was cut after {sent / MIB:.1f} MiB and {cut:.1f} s; the pager rang {time.monotonic() - began:.1f} s after the first byte (scrapes and rules each second)")
    assert path == "/pager" and alert["labels"]["severity"] == "critical" and alert["labels"]["cluster"] == "research"
    assert sent <= 64 * MIB


def test_a_tampered_list_rings_the_pager(exeat, watchers):
    wait_until(lambda: watchers.query('exeat_policy_reloads_total{result="unapproved"} == 0'), 60, "the series is there at 0")
    exeat.write_allowlist(ALLOWLIST.replace("api.watch.test", "evil.watch.test"))
    path, alert = wait_until(lambda: told(watchers, "ExeatPolicyTampered"), 120, "the pager rings")[0]
    assert path == "/pager" and alert["labels"]["result"] == "unapproved"
    assert connect_reply(exeat, "evil.watch.test:7").reason == "not_allowed"
    exeat.write_allowlist(ALLOWLIST)


def test_every_metric_that_rules_and_dashboard_name_is_there(exeat):
    page = exeat.fetch("/metrics")[1]
    there = set(re.findall(r"^# TYPE (\w+)", page, re.M))
    wanted = set()
    for file in (CONF / "exeat.rules.yml", REPOSITORY / "conf/grafana/dashboard.py"):
        wanted |= {re.sub(r"_bucket$", "", name) for name in re.findall(r"(?<!:)\b(exeat_\w+|process_\w+)\b(?!:)", file.read_text())}
    recorded = {"exeat_upload_counted_bytes", "exeat_upload_bytes", "exeat_denied"}
    assert wanted - there - recorded == set()


def test_promtool_finds_nothing_wrong_with_the_page(exeat):
    done = subprocess.run(["promtool", "check", "metrics"], input=exeat.fetch("/metrics")[1], capture_output=True, text=True, timeout=seconds(60), check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def dashboard():
    spec = importlib.util.spec_from_file_location("dashboard", REPOSITORY / "conf/grafana/dashboard.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_dashboard_is_what_its_source_makes():
    assert (REPOSITORY / "conf/grafana/exeat.json").read_text() == dashboard().text()


def test_no_panel_that_analysts_were_promised_is_missing():
    titles = {p["title"] for p in dashboard().panels()}
    assert {"Top uploaders", "Budget used", "Upload by entry", "Direction", "Anomalies", "Actions", "Denials by reason", "Probers", "Tunnels", "Tunnel duration, p99",
            "How unusual is the cluster's upload", "Traffic that no client's series has", "Allowlists in force", "Age of the last good load", "DNS", "Blind spots"} <= titles


def test_no_panel_is_empty(exeat, watchers):
    for n in range(6):
        connect_reply(exeat, f"n{n}.watch.test:443")
    queries = [(p["title"], t["expr"].replace("$cluster", ".*")) for p in dashboard().panels() for t in p.get("targets", [])]
    assert len(queries) > 20
    for title, query in queries:
        wait_until(lambda query=query: watchers.query(query), 120, f"{title}: {query} has an answer")


def test_the_rules_evaluate_without_an_error(watchers):
    wanted = sum(len(g["rules"]) for g in yaml.safe_load((CONF / "exeat.rules.yml").read_text())["groups"])

    def evaluated():
        rules = [r for g in watchers.ask("rules")["groups"] for r in g["rules"]]
        return len(rules) == wanted and all(r["health"] != "unknown" for r in rules) and rules

    assert [(r["name"], r.get("lastError")) for r in wait_until(evaluated, 60) if r["health"] != "ok"] == []
