"""The pages of section 7 have every verdict, metric, detector and audit field that there is, as the binary has them."""
import http.client
import json
import re
import socket
import subprocess
import time

import pytest
from test_manual import EXEAT, TOLD, TOP

SOURCE = {f.name.split(".")[0].removeprefix("exeat-"): f.read_text() for f in (TOP / "src/manual").glob("*.md")}
CONFIG = """
[[listen]]
mode = "proxy"
address = "127.0.0.1:{proxy}"
[admin]
address = "127.0.0.1:{admin}"
[policy]
allowlist = "allowlist.toml"
[audit]
path = "audit.jsonl"
[sandbox]
root = "allow"
"""
ALLOWLIST = """
[groups.here]
sources = ["127.0.0.0/8"]
[[private_link]]
name = "nowhere"
hosts = ["nowhere.test"]
addresses = ["127.0.0.1"]
protocol = "http"
ports = [9]
owner = "tests"
reason = "a connection that is refused"
upload_total = "1 MiB/1h"
expires = 2099-01-01T00:00:00Z
"""


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def fetched(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": path.split("/")[2]} if path.startswith("http") else {})
    return connection.getresponse().read().decode()


def until(wanted, process):
    for _ in range(600):
        try:
            if got := wanted():
                return got
        except OSError:
            pass
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError("it did not come within a minute")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """/metrics and the audit log of an exeat that has refused one request and failed at another."""
    at = tmp_path_factory.mktemp("served")
    proxy, admin = free_ports(2)
    (at / "exeat.toml").write_text(CONFIG.format(proxy=proxy, admin=admin))
    (at / "allowlist.toml").write_text(ALLOWLIST)
    process = subprocess.Popen([EXEAT, "serve", "--config", "exeat.toml"], cwd=at, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until(lambda: fetched(admin, "/readyz").startswith("ready"), process)
        assert "not_allowed" in fetched(proxy, "http://example.com/") and "connect_failure" in fetched(proxy, "http://nowhere.test:9/")
        metrics = until(lambda: (page := fetched(admin, "/metrics")) if 'exeat_client_denied_total{client="here/127.0.0.1"} 2' in (page := fetched(admin, "/metrics")) else None, process)
    finally:
        process.terminate()
        process.wait(60)
    return metrics, [json.loads(line) for line in (at / "audit.jsonl").read_text().splitlines()]


# ---- verdicts ----

def test_every_verdict_has_its_section_with_status_and_sentence():
    sections = re.findall(r"^### `(\w+)` \((\d+)\)\n\n(.*?)\n(?=\n|\Z)(.*?)(?=\n##|\Z)", SOURCE["verdicts"], re.M | re.S)
    written = {word: (int(status), " ".join(sentence.split()), rest) for word, status, sentence, rest in sections}
    assert len(sections) == len(written)
    assert {word: said[:2] for word, said in written.items()} == \
        {v["word"]: (v["status"], v["sentence"][0].upper() + v["sentence"][1:] + ".") for v in TOLD["verdicts"]}
    for word, (_, _, rest) in written.items():
        assert word == "allowed" or ("- The pod's owner: " in rest and "- The operator: " in rest), word


def test_what_report_mode_lets_through_is_what_the_page_says():
    sentence = re.search(r"Report mode lets through (.*?) only", SOURCE["verdicts"], re.S)[1]
    assert set(re.findall(r"`(\w+)`", sentence)) == {v["word"] for v in TOLD["verdicts"] if v["reportable"]}


def test_the_alerts_are_those_that_are_sent():
    assert {int(n) for n in re.findall(r"^\| `\w+` \((\d+)\) \|", SOURCE["verdicts"], re.M)} == {v["alert"] for v in TOLD["verdicts"] if v["alert"]}


def test_every_way_that_a_tunnel_ends_is_named(served):
    causes = re.findall(r'^exeat_tunnels_closed_total\{cause="(\w+)"\}', served[0], re.M)
    assert len(causes) > 10 and set(causes) - set(re.findall(r"`(\w+)`", SOURCE["verdicts"])) == set()


# ---- metrics ----

def test_every_metric_has_its_row_with_its_labels(served):
    rows = re.findall(r"^\| `(exeat_\w+)(?:\{([\w,]+)\})?` \|", SOURCE["metrics"], re.M)
    documented = {name: set(labels.split(",")) - {""} for name, labels in rows}
    assert len(rows) == len(documented)
    types = dict(re.findall(r"^# TYPE (exeat_\w+) (\w+)$", served[0], re.M))
    assert set(documented) == set(types)
    for name, labels in re.findall(r"^(exeat_\w+)(?:\{(.*)\})? ", served[0], re.M):
        family = name if name in types else re.sub(r"_(bucket|count|sum)$", "", name)
        assert set(re.findall(r'(\w+)="', labels)) - {"le"} == documented[family], family


def test_every_other_metric_is_named(served):
    assert {n for n in re.findall(r"^# TYPE (process_\w+) ", served[0], re.M)} - set(re.findall(r"`(\w+)`", SOURCE["metrics"])) == set()


# ---- detectors ----

def test_every_detector_has_its_row():
    facts = re.findall(r'\{"(\w+)", severity::', (TOP / "include/exeat/detect/detector.hpp").read_text())
    table = SOURCE["detection"].split("| detector | finds |")[1].split("\n\n")[0]
    rows = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")]
    assert len(facts) > 10 and sorted(rows) == sorted(facts)


# ---- the audit log ----

def test_every_field_and_event_of_the_log_is_named(served):
    named = set(re.findall(r"[\w@.]+", " ".join(re.findall(r"`([^`]*)`", SOURCE["evidence"]))))
    lines = served[1]
    assert {"start", "deny", "checkpoint", "stop"} <= {line["event.action"] for line in lines} <= named
    fields = {field for line in lines for field in line}
    for source in (TOP / "src/ops").rglob("*.cpp"):
        if source.name in ("audit_line.cpp", "checkpoint_text.cpp"):
            fields |= set(re.findall(r'[,{(]"([a-z@]+[a-z0-9_]*(?:\.[a-z0-9_]+)+)":', source.read_text()))
    assert fields - named == set()


# ---- versions ----

def test_the_changelogs_last_version_is_this_one():
    version, _ = re.search(r"^exeat \(([\d.]+)\) (\w+);", (TOP / "conf/debian/changelog").read_text(), re.M).groups()
    assert version == TOLD["version"] == re.search(r"version: '([\d.]+)'", (TOP / "meson.build").read_text())[1]
