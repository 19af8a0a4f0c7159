"""Detectors at work: what they find is a metric, a line and a score, and those that are told to cut do."""
import pytest
from harness.client import alive, connect_reply, gone, open_tunnel, read_exactly
from harness.exeat import run
from harness.wait import wait_until

ALLOWLIST = """
serial = 1
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.detect.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "other"
hosts = ["other.detect.test"]
ports = [7]
protocol = "tcp"
"""
DETECTORS = ["upload_budget", "pull_upload", "drip", "direction_flip", "first_seen", "long_tunnel", "beacon", "denied_burst", "name_mismatch",
             "name_channel", "fan_out", "uniform_chunks", "collusion"]


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("echo.detect.test", "other.detect.test", v6=False)
    return lab.origin(host, 7)


def found(exeat, detector, action="observe"):
    return exeat.metric("anomalies_total", detector=detector, action=action)


def settings(running, text):
    running.config_path.write_text(running.config_path.read_text() + text)
    return running


def probe(exeat, count=4, source=None):
    for n in range(count):
        connect_reply(exeat, f"door{n}.detect.test:443", source=source)


def test_every_detector_has_its_series_from_the_start_and_every_table_its_size(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        for name in DETECTORS:
            assert found(exeat, name) == found(exeat, name, "cut") == 0
        for table in ("upload_budgets", "drip", "direction", "hosts", "denials", "names", "chunks", "scores"):
            assert exeat.metric("detector_capacity", table=table) > exeat.metric("detector_entries", table=table) >= 0
            assert exeat.metric("detector_evictions_total", table=table) == 0


def test_who_tries_door_after_door_is_found_counted_told_and_scored(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        probe(exeat, 3)
        wait_until(lambda: len(exeat.audit(event__action="deny")) == 3)  # a line is written once the detectors have seen what it tells
        assert found(exeat, "denied_burst") == 0
        probe(exeat, 6)  # three known ones and three new ones
        line = wait_until(lambda: exeat.audit(event__action="anomaly"))[0]
        assert line["event.kind"] == "alert" and line["event.reason"] == line["exeat.detector.name"] == "denied_burst"
        assert line["threat.technique.id"] == "T1046" and line["exeat.detector.action"] == "observe" and line["source.ip"] == "127.0.0.1"
        assert line["exeat.detector.value"] >= line["exeat.detector.threshold"] == 99 and line["event.risk_score"] == 20
        assert found(exeat, "denied_burst") == 1
        for _ in range(100):
            connect_reply(exeat, "door0.detect.test:443")
        wait_until(lambda: exeat.metric("client_anomaly_score", client="lab/127.0.0.1") >= 15)
        assert connect_reply(exeat, "echo.detect.test:7").status == 200, "it is observed and no more"


def test_a_detector_that_cuts_shuts_the_client_out_and_nobody_else(lab):
    running = settings(lab.exeat(ALLOWLIST), '[detect.denied_burst]\naction = "cut"\n')
    with running as exeat:
        with open_tunnel(exeat, "echo.detect.test:7") as s, open_tunnel(exeat, "other.detect.test:7") as t:
            assert alive(s) and alive(t)
            wait_until(lambda: len(exeat.audit(event__action="open")) == 2)  # what two workers tell within a moment is read in any order
            probe(exeat)
            assert gone(s) and gone(t)
        exeat.caught_up()
        assert connect_reply(exeat, "echo.detect.test:7").reason == "anomaly"
        assert connect_reply(exeat, "echo.detect.test:7", source="127.0.0.5").status == 200
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="anomaly") == 2)
        assert found(exeat, "denied_burst", "cut") == 1 and found(exeat, "denied_burst") == 0
        assert exeat.metric("denied_total", reason="anomaly", group="lab") == 1


def test_much_at_once_at_one_entry_fills_the_drip_bucket_and_shuts_out_of_that_entry_alone(lab):
    running = settings(lab.exeat(ALLOWLIST), '[detect.drip]\naction = "cut"\nthreshold = 1000000\n')
    with running as exeat:
        with open_tunnel(exeat, "echo.detect.test:7") as s:
            for _ in range(20):
                s.sendall(b"x" * 100_000)
                read_exactly(s, 100_000)
        wait_until(lambda: found(exeat, "drip", "cut") == 1)
        wait_until(lambda: connect_reply(exeat, "echo.detect.test:7").reason == "anomaly")
        assert connect_reply(exeat, "other.detect.test:7").status == 200


def test_an_entry_whose_name_came_after_all_counter_slots_were_used_is_seen_and_shut_out_alone(lab):
    """Six thousand names over three reloads; what comes after them shares a metric label, and nothing else."""
    def crowd(generation):
        return "".join(f'[[allow]]\nname = "g{generation}-{i}"\nhosts = ["h{i}.g{generation}.crowd.test"]\n' for i in range(1_990))

    with settings(lab.exeat(ALLOWLIST), '[detect.drip]\naction = "cut"\nthreshold = 1000000\n') as exeat:
        for generation in range(3):
            exeat.reload(ALLOWLIST.replace("serial = 1", f"serial = {generation + 2}") + crowd(generation))
        exeat.reload(ALLOWLIST.replace("serial = 1", "serial = 9").replace('"raw"', '"late-raw"').replace('"other"', '"late-other"'))
        with open_tunnel(exeat, "echo.detect.test:7") as s, open_tunnel(exeat, "other.detect.test:7") as t:
            for _ in range(20):
                s.sendall(b"x" * 100_000)
                read_exactly(s, 100_000)
            s.close()
            wait_until(lambda: found(exeat, "drip", "cut") == 1)
            wait_until(lambda: connect_reply(exeat, "echo.detect.test:7").reason == "anomaly")
            assert alive(t), "another entry without a slot is another entry"
        assert connect_reply(exeat, "other.detect.test:7").status == 200
        exeat.settled()
        assert exeat.audit(event__action="anomaly")[0]["rule.name"] == "late-raw"
        opened = [line["rule.name"] for line in exeat.audit(event__action="open")]
        assert sorted(opened) == ["late-other", "late-other", "late-raw"]


def keeping_state(lab, directory):
    return settings(lab.exeat(ALLOWLIST, policy={"state": str(directory)}), "[detect.drip]\nthreshold = 1000000\n")


def drips(exeat, octets):
    before = len(exeat.audit(event__action="close"))
    with open_tunnel(exeat, "echo.detect.test:7") as s:
        s.sendall(b"x" * octets)
        read_exactly(s, octets)
    wait_until(lambda: len(exeat.audit(event__action="close")) == before + 1)  # and the detectors have seen it


def test_what_the_detectors_know_outlives_the_process(lab, tmp_path):
    with keeping_state(lab, tmp_path) as exeat:
        drips(exeat, 600_000)
        exeat.stop()
        assert (tmp_path / "detectors").stat().st_mode & 0o777 == 0o600
        exeat.start()
        assert found(exeat, "drip") == 0
        drips(exeat, 600_000)
        wait_until(lambda: found(exeat, "drip") == 1)
        exeat.stop()
        (tmp_path / "detectors").write_bytes(b"exeat-detectors-2\n damaged")
        exeat.start()
        assert "what the detectors know cannot be read" in exeat.log() and "damaged" in exeat.log()
        drips(exeat, 600_000)
        assert found(exeat, "drip") == 0


def test_of_two_processes_the_second_begins_with_what_the_first_wrote_last(lab, tmp_path):
    with keeping_state(lab, tmp_path) as first:
        drips(first, 600_000)
        first.stop()
        first.start()
        with keeping_state(lab, tmp_path) as second:
            assert "another process writes what the detectors know" in second.log()
            drips(second, 600_000)
            wait_until(lambda: found(second, "drip") == 1)


@pytest.mark.parametrize("text, place, says", [
    ('[detect.drip]\naction = "stop"\n', ":2:", "observe"),
    ('[detect.drop]\naction = "cut"\n', ":1:", "drip"),
    ('[detect.drip]\nthreshold = 0\n', ":2:", "from 1 to"),
    ('[detect.name_mismatch]\nthreshold = 5\n', ":2:", "has no threshold"),
    ('[detect.upload_budget]\naction = "cut"\n', ":2:", "on_budget"),
    ('[detect.uniform_chunks]\nthreshold = 129\n', ":2:", "at most 128"),
])
def test_wrong_settings_are_told_with_their_place(lab, text, place, says):
    running = lab.exeat(ALLOWLIST)
    before = running.config_path.read_text()
    running.config_path.write_text(before + text)
    done = run("serve", "--config", running.config_path)
    line = before.count("\n") + int(place.strip(":"))
    assert done.returncode == 1 and f"exeat.toml:{line}:" in done.stderr and says in done.stderr, done.stderr
