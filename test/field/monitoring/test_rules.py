"""What is shipped for Prometheus, held against its own tools."""
import re
import subprocess

import yaml
from harness.exeat import REPOSITORY
from harness.wait import seconds

CONF = REPOSITORY / "conf/prometheus"
RULES = yaml.safe_load((CONF / "exeat.rules.yml").read_text())
TESTS = sorted(CONF.glob("*.rules.test.yml"))
ALERTS = {r["alert"]: r for g in RULES["groups"] for r in g["rules"] if "alert" in r}


def ran(*argv, **more):
    done = subprocess.run(argv, cwd=CONF, capture_output=True, text=True, timeout=seconds(120), check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules_and_the_configuration():
    ran("promtool", "check", "rules", "exeat.rules.yml")
    ran("promtool", "check", "config", "prometheus.yml")


def test_alertmanager_takes_the_routes():
    ran("amtool", "check-config", "alertmanager.yml")


def test_every_alert_fires_when_it_should_and_is_quiet_just_below():
    ran("promtool", "test", "rules", *(t.name for t in TESTS))


def test_every_alert_has_both_tests_and_everything_that_who_is_woken_needs():
    named = {t["name"].partition(":")[0] for file in TESTS for t in yaml.safe_load(file.read_text())["tests"]}  # "… fires: in that case"
    assert named == {f"{a} {what}" for a in ALERTS for what in ("fires", "stays quiet")}
    sections = set(re.findall(r"^### (\w+)$", (CONF / "README.md").read_text(), re.M))
    assert sections == set(ALERTS)
    for name, alert in ALERTS.items():
        assert alert["labels"]["severity"] in ("critical", "warning", "info"), name
        assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}, name
        assert alert["annotations"]["runbook_url"] == f"README.md#{name.lower()}"


def test_no_alert_that_analysts_were_promised_is_missing():
    promised = {"upload over budget across replicas": "UploadOverBudget", "a tunnel was cut": "TunnelCut", "a direction flipped": "DirectionFlip", "a name did not match": "NameMismatch",
                "a burst of denials": "DeniedBurst", "a tunnel is open too long": "TunnelTooLong", "many at once": "FleetShift", "a drip over replicas": "UploadUnusual", "replicas enforce different lists": "PolicyDrift",
                "a reload fails": "ReloadFailing", "whom to ask for names is not known": "ResolversUnknown", "the list is about to expire": "PolicyExpires", "a grant is about to expire": "GrantExpires", "report mode is on": "ReportMode",
                "audit events are lost": "AuditLoss", "a scrape fails: you are blind": "Down", "a detector's table is full": "DetectorSaturated",
                "a critical detector found something": "CriticalAnomaly", "a replica is gone from discovery": "ReplicasGone", "it restarts again and again": "Restarting",
                "it is not ready": "NotReady", "fewer approvals are required": "ApprovalsLowered", "who may approve has changed": "TrustedKeysChanged",
                "replicas were started differently": "ConfigDrift", "it was started differently": "ConfigChanged"}
    assert {what for what, name in promised.items() if f"Exeat{name}" not in ALERTS} == set()


def test_the_clusters_shift_is_measured_in_robust_deviations():
    """D5: the median absolute deviation, scaled to a standard deviation, of a day; it is recorded before it is compared."""
    recorded = {r["record"]: r["expr"] for g in RULES["groups"] for r in g["rules"] if "record" in r}
    assert "quantile_over_time(0.5" in recorded["cluster:exeat_upload_bytes:median1d"] and "1.4826" in recorded["cluster:exeat_upload_bytes:z"]
    assert ALERTS["ExeatFleetShift"]["expr"] == "cluster:exeat_upload_bytes:z > 6"


def test_every_critical_detector_is_a_critical_alert_and_every_other_a_warning():
    facts = dict(re.findall(r'\{"(\w+)", severity::(\w+),', (REPOSITORY / "include/exeat/detect/detector.hpp").read_text()))
    assert len(facts) > 10 and set(facts.values()) == {"critical", "warning", "info"}
    for severity, name in (("critical", "ExeatCriticalAnomaly"), ("warning", "ExeatAnomaly")):
        assert ALERTS[name]["labels"]["severity"] == severity and f'severity="{severity}"' in ALERTS[name]["expr"]


def test_both_exeats_of_a_machine_are_scraped():
    scraped = {t for job in yaml.safe_load((CONF / "prometheus.yml").read_text())["scrape_configs"] for each in job["static_configs"] for t in each["targets"]}
    unit = (REPOSITORY / "systemd/exeat@.service").read_text()
    assert {f"127.0.0.1:{port}" for port in (9464, re.search(r"--admin 127\.0\.0\.1:(\d+)", unit)[1])} == scraped
