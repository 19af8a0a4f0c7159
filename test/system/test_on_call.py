"""What the person on call goes by: signals that come too early, and numbers that say what this process was started with."""
import hashlib
import json
import pathlib
import re
import signal
import subprocess

import pytest
from harness.client import connect_reply, open_tunnel
from harness.exeat import run
from harness.wait import wait_until

LIST = """
serial = 7
expires = 2999-01-01T00:00:00Z
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "many"
hosts_file = "names.txt"
"""


def blocked(pid):
    try:
        mask = re.search(r"^SigBlk:\s+(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return set()
    return {s for s in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM) if int(mask[1], 16) >> (s - 1) & 1}


@pytest.mark.parametrize("early", [signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_during_the_first_load_is_kept_until_it_can_be_obeyed(lab, early):
    exeat = lab.exeat(LIST)
    (exeat.allowlist_path.parent / "names.txt").write_text("".join(f"n{n}.signal.test\n" for n in range(200_000)))
    log = open(exeat.directory / "stderr", "wb")
    exeat._stderr = log
    exeat.process = subprocess.Popen(exeat._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    wait_until(lambda: early in blocked(exeat.pid) or exeat.process.poll() is not None, what="it begins to read its files")
    for _ in range(3):
        exeat.signal(early)
    wait_until(exeat._ready_or_dead, 60, "it serves")
    assert exeat.process.poll() is None, f"ended by {exeat.process.returncode}"
    wait_until(lambda: not blocked(exeat.pid), what="signals are heard")
    if early == signal.SIGHUP:
        wait_until(lambda: exeat.metric("policy_reloads_total", result="ok") == 1, what="the reload that was asked for")
    before = exeat.audit_path.rename(exeat.directory / "audit.jsonl.1")
    exeat.signal(signal.SIGUSR1)
    wait_until(exeat.audit_path.exists, what="the log is reopened as ever")
    exeat.stop()
    assert run("verify", "--audit", before, "--audit", exeat.audit_path).returncode == 0


def test_sigterm_ends_the_first_load(lab):
    exeat = lab.exeat(LIST)
    (exeat.allowlist_path.parent / "names.txt").write_text("".join(f"n{n}.signal.test\n" for n in range(200_000)))
    process = subprocess.Popen(exeat._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: signal.SIGHUP in blocked(process.pid), what="it begins to read its files")
    assert signal.SIGTERM not in blocked(process.pid)
    process.terminate()
    assert process.wait(60) in (-signal.SIGTERM, 0)


def test_the_metrics_say_what_it_was_started_with(lab, tmp_path):
    (tmp_path / "state").mkdir()
    for name in ("alice", "bob", "carol"):
        assert run("keygen", tmp_path / name).returncode == 0
    exeat = lab.exeat(LIST.replace('hosts_file = "names.txt"', 'hosts = ["a.test"]'),
                      policy={"state": str(tmp_path / "state"), "trusted_keys": [str(tmp_path / f"{n}.pub") for n in ("alice", "bob", "carol")], "approvals": 2, "audience": "test"})
    for name in ("alice", "bob"):
        assert run("sign", "--key", tmp_path / f"{name}.key", "--audience", "test", exeat.allowlist_path).returncode == 0
    with exeat:
        m = exeat.metrics()
        assert (m.of("exeat_policy_approvals_required"), m.of("exeat_policy_trusted_keys")) == (2, 3)
        written = exeat.config_path.read_bytes()
        assert m.has("exeat_config_info", sha256=hashlib.sha256(written).hexdigest())
        exeat.config_path.write_bytes(written + b"# for the next start\n")
        assert exeat.metrics().has("exeat_config_info", sha256=hashlib.sha256(written).hexdigest()), "of what was read, not of what lies there now"
        assert m.of("exeat_ready") == 1


def test_ready_is_what_readyz_says(lab):
    with lab.exeat(LIST.replace('hosts_file = "names.txt"', 'hosts = ["a.test"]'), limits={"drain_timeout": "30s"}) as exeat:
        with exeat.connect() as held:
            wait_until(lambda: exeat.metric("connections_active") == 1)
            assert exeat.metric("ready") == 1 and held
            exeat.signal(signal.SIGTERM)
            wait_until(lambda: exeat.fetch("/readyz")[0] == 503)
            assert exeat.metric("ready") == 0


def test_the_first_refusal_in_one_of_many_groups_rises_from_a_series_that_was_there(lab):
    """With more than 16 groups exeat_denied_total has no series at 0: what is first refused there is no increase to Prometheus."""
    groups = "".join(f'[groups.g{n}]\nsources = ["127.0.0.{n}"]\n' for n in range(1, 41))
    with lab.exeat(f'serial = 1\n{groups}[[allow]]\nname = "a"\nhosts = ["a.first.test"]\n') as exeat:
        m = exeat.metrics()
        assert not m.has("exeat_denied_total", reason="not_allowed", group="g1")
        assert m.has("exeat_denied_reasons_total", reason="sni_mismatch") and m.of("exeat_denied_reasons_total") == 0
        assert connect_reply(exeat, "b.first.test:443").reason == "not_allowed"
        m = exeat.metrics()
        assert m.of("exeat_denied_reasons_total", reason="not_allowed") == m.of("exeat_denied_total", group="g1") == 1
        assert m.of("exeat_denied_reasons_total") == m.of("exeat_denied_total")


WHO = """
serial = 7
expires = 2999-01-01T00:00:00Z
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "served"
hosts = ["who.call.test"]
ports = [7]
protocol = "tcp"
owner = "evaluation"
ticket = "NET-41"
[[deny]]
name = "never"
hosts = ["*.never.call.test"]
owner = "security"
reason = "tests"
ticket = "SEC-9"
"""


@pytest.fixture(scope="module")
def origin(lab):
    host, _ = lab.place("who.call.test", v6=False)
    return lab.origin(host, 7)


def test_the_log_says_who_approved_and_who_answers_for_the_entry(lab, origin, tmp_path):
    (tmp_path / "state").mkdir()
    for name in ("alice", "bob"):
        assert run("keygen", tmp_path / name).returncode == 0
    keys = [str(tmp_path / f"{n}.pub") for n in ("alice", "bob")]
    exeat = lab.exeat(WHO, policy={"state": str(tmp_path / "state"), "trusted_keys": keys, "approvals": 1, "audience": "test"})
    sign = lambda name: run("sign", "--key", tmp_path / f"{name}.key", "--audience", "test", exeat.allowlist_path)
    assert sign("alice").returncode == 0
    with exeat:
        started = wait_until(lambda: exeat.audit(event__action="start"))[0]
        assert started["exeat.policy.approver_names"] == ["alice"] and started["exeat.policy.file"] == str(exeat.allowlist_path)
        assert re.fullmatch("[0-9a-f]{16}", started["exeat.policy.approved_by"][0]) and started["exeat.policy.serial"] == 7
        open_tunnel(exeat, "who.call.test:7").close()
        assert connect_reply(exeat, "a.never.call.test:443").reason == "denied_by_rule"
        said = lambda action: [(l["exeat.rule.owner"], l["exeat.rule.ticket"]) for l in exeat.audit(event__action=action)]
        wait_until(lambda: said("open") == [("evaluation", "NET-41")] and said("deny") == [("security", "SEC-9")])
        exeat.allowlist_path.write_text(WHO.replace("serial = 7", "serial = 8").replace("NET-41", "NET-42"))
        assert sign("bob").returncode == 0
        taken = wait_until(lambda: exeat.audit(event__action="reload", event__outcome="success"))[0]
        assert taken["exeat.policy.approver_names"] == ["bob"] and taken["exeat.policy.serial"] == 8
        wait_until(lambda: open_tunnel(exeat, "who.call.test:7").close() or said("open")[-1] == ("evaluation", "NET-42"))
        assert said("open")[0] == ("evaluation", "NET-41")


def test_from_a_finding_to_its_client_entry_and_lines(lab, origin):
    with lab.exeat(WHO) as exeat:
        for n in range(6):
            connect_reply(exeat, f"door{n}.call.test:443", source="127.0.0.8")
        status = lambda: json.loads(exeat.fetch("/api/status")[1])
        found = wait_until(lambda: status()["anomalies"]["recent"])[0]
        assert (found["client"], found["client_name"], found["detector"]) == ("127.0.0.8", "lab/127.0.0.8", "denied_burst")
        assert found["sentence"] == "4 different refused hosts in a row, with hardly an allowed one between; four in a row are a finding"
        assert found["what_to_do"].startswith("look at the refused hosts")
        line = wait_until(lambda: exeat.audit(event__action="anomaly"))[0]
        assert (line["exeat.group"], line["destination.domain"], line["event.id"]) == ("lab", found["host"], found["request"])
        wait_until(lambda: len(exeat.audit(event__action="deny")) == 6)
        shown = subprocess.run(["sh", "-c", found["log"]], capture_output=True, text=True, check=True).stdout.splitlines()
        assert [json.loads(l)["event.action"] for l in shown].count("deny") == 6 and any("denied_burst" in l for l in shown)
        assert exeat.metrics().has("exeat_finding_timestamp_seconds", client="lab/127.0.0.8", detector="denied_burst", severity="warning")


def test_one_name_for_one_client(lab, origin):
    with lab.exeat(WHO) as exeat, open_tunnel(exeat, "who.call.test:7", source="127.0.0.9") as s:
        s.sendall(b"?")

        def tunnels(client):
            status, text = exeat.fetch(f"/api/tunnels?client={client}")
            return status, [t["client_name"] for t in json.loads(text)["tunnels"]] if status == 200 else text
        wait_until(lambda: exeat.metrics().has("exeat_client_bytes_total", client="lab/127.0.0.9"))
        for spelling in ("127.0.0.9", "lab/127.0.0.9"):
            wait_until(lambda: tunnels(spelling) == (200, ["lab/127.0.0.9"]))
        assert tunnels("127.0.0.10") == tunnels("lab/127.0.0.10") == (200, [])
        assert tunnels("other/127.0.0.9")[0] == 400
