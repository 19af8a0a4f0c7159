"""What one file promises to another: the drain to the grace period, the rules to the metrics, the image to the binary."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from kustomize import CONF, OVERLAYS, documents, named, overlay, workload

REPOSITORY = CONF.parents[1]
BINARY = os.environ.get("EXEAT_BIN", str(REPOSITORY / "build" / "exeat"))


@pytest.fixture(params=OVERLAYS)
def resources(request):
    return overlay(request.param)


@pytest.fixture
def exeat(resources):
    return workload(resources, "exeat")["spec"]


@pytest.fixture
def config(resources):
    return tomllib.loads(named(resources, "ConfigMap", "exeat-config")["data"]["exeat.toml"])


def container(deployment):
    return deployment["template"]["spec"]["containers"][0]


def test_the_drain_fits_into_the_grace_period(exeat, config):
    """SIGTERM comes after preStop; what the kubelet kills after the grace period was not drained."""
    sleep = container(exeat)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = int(re.fullmatch(r"(\d+)s", config["limits"]["drain_timeout"])[1])
    assert sleep + drain + 5 <= exeat["template"]["spec"]["terminationGracePeriodSeconds"] <= sleep + drain + 30
    ready = container(exeat)["readinessProbe"]
    assert sleep > ready["periodSeconds"] * ready["failureThreshold"]


def test_one_replica_may_go_and_one_still_serves(resources, exeat):
    budget = named(resources, "PodDisruptionBudget", "exeat")["spec"]
    assert exeat["replicas"] >= 2 and budget["maxUnavailable"] < exeat["replicas"]
    assert exeat["updateStrategy"] == {"type": "RollingUpdate"}, "one after the other, each once the one before is ready"
    labels = exeat["template"]["metadata"]["labels"]
    for each in [budget["selector"], *(s["labelSelector"] for s in exeat["template"]["spec"]["topologySpreadConstraints"])]:
        assert each["matchLabels"].items() <= labels.items()
    assert "kubernetes.io/hostname" in {s["topologyKey"] for s in exeat["template"]["spec"]["topologySpreadConstraints"]}


@pytest.mark.parametrize("name", ["exeat", "resolver"])
def test_the_pods_keep_to_restricted_pod_security(resources, name):
    spec = workload(resources, name)["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert spec["automountServiceAccountToken"] is False
    for each in spec["containers"]:
        its = each["securityContext"]
        assert its["readOnlyRootFilesystem"] and its["allowPrivilegeEscalation"] is False and its["capabilities"]["drop"] == ["ALL"]
        assert set(its["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"} and each["resources"]["limits"]["memory"]


def test_the_list_is_mounted_as_a_directory_and_the_config_points_into_it(exeat, config):
    """A subPath would never change: the kubelet swaps the link `..data` of whole directories."""
    mounts = {m["name"]: m for m in container(exeat)["volumeMounts"]}
    assert "subPath" not in mounts["policy"] and mounts["policy"]["readOnly"]
    assert pathlib.PurePath(config["policy"]["allowlist"]).parent == pathlib.PurePath(mounts["policy"]["mountPath"])
    sources = next(v for v in exeat["template"]["spec"]["volumes"] if v["name"] == "policy")["projected"]["sources"]
    assert {"configMap": {"name": "exeat-policy"}} in sources and any(s.get("secret", {}).get("optional") for s in sources)


def test_ports_and_probes_are_what_the_config_listens_on(resources, exeat, config):
    listening = {int(each["address"].rsplit(":", 1)[1]) for each in [*config["listen"], config["admin"]]}
    ports = {p["name"]: p["containerPort"] for p in container(exeat)["ports"]}
    assert set(ports.values()) == listening
    offered = [p["targetPort"] for r in resources if r["kind"] == "Service" and r["metadata"]["name"].startswith("exeat") for p in r["spec"]["ports"]]
    assert sorted(offered) == sorted(ports)
    probes = {name: container(exeat)[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {p["port"] for p in probes.values()} == {"admin"} and probes["readinessProbe"]["path"] == "/readyz" and probes["livenessProbe"]["path"] == "/healthz"


def test_the_resolver_forwards_to_nobody_and_names_exeats_address(resources):
    corefile = named(resources, "ConfigMap", "resolver")["data"]["Corefile"]
    assert named(resources, "Service", "exeat")["spec"]["clusterIP"] in corefile
    assert set(re.findall(r"^    (\w+)", corefile, re.M)) <= {"errors", "health", "hosts", "template"}, "no forward, no kubernetes, no fallthrough to either"
    assert "fallthrough" not in corefile


def test_exeat_accepts_the_config_and_the_list(resources, tmp_path):
    for name in ("exeat-config", "exeat-policy"):
        for file, text in named(resources, "ConfigMap", name)["data"].items():
            (tmp_path / file).write_text(text.replace("/etc/exeat/policy/", f"{tmp_path}/"))
    done = subprocess.run([BINARY, "check", "--strict", "--elsewhere", "--config", tmp_path / "exeat.toml"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules():
    return next(r for r in documents(CONF / "monitoring" / "rules.yaml"))["spec"]


def test_promtool_reads_the_rules(tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("skipped: promtool is not installed")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules()))
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_those_of_conf_prometheus():
    """One source: what is changed there is made again here."""
    made = subprocess.run([sys.executable, CONF / "monitoring" / "rules.py"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert (CONF / "monitoring" / "rules.yaml").read_text() == made
    assert rules() == {"groups": yaml.safe_load((REPOSITORY / "conf/prometheus/exeat.rules.yml").read_text())["groups"]}


def test_the_rules_look_for_the_job_that_the_operator_makes(resources):
    """It is called after the Service, unless the ServiceMonitor says otherwise."""
    monitor = named(resources, "ServiceMonitor", "exeat")["spec"]
    service = named(resources, "Service", "exeat-admin")
    assert "jobLabel" not in monitor and monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    asked = {job for group in rules()["groups"] for rule in group["rules"] for job in re.findall(r'job=~"([^"]*)"', rule["expr"])}
    assert asked and all(re.fullmatch(job, service["metadata"]["name"]) and re.fullmatch(job, "exeat") for job in asked)
    assert not any('job="' in rule["expr"] for group in rules()["groups"] for rule in group["rules"])


def test_the_rules_name_metrics_that_exeat_has():
    source = "\n".join(p.read_text() for p in (REPOSITORY / "src" / "ops").rglob("*.cpp"))
    for group in rules()["groups"]:
        for rule in group["rules"]:
            for metric in re.findall(r"(?<!:)\bexeat_([a-z_]+)\b(?!:)", rule["expr"]):
                assert f'"{metric}"' in source, f"{rule.get('alert') or rule['record']} asks for exeat_{metric}"
            if "alert" in rule:
                assert rule["labels"]["severity"] in ("critical", "warning", "info") and {"summary", "runbook_url"} <= set(rule["annotations"])


def test_what_a_replica_knows_outlives_its_pod(exeat, config):
    """On an emptyDir a replaced pod would begin with the first serial, fresh budgets and detectors that know nobody."""
    claims = {c["metadata"]["name"]: c["spec"] for c in exeat["volumeClaimTemplates"]}
    mount = {m["mountPath"]: m["name"] for m in container(exeat)["volumeMounts"]}[config["policy"]["state"]]
    assert claims[mount]["accessModes"] == ["ReadWriteOncePod"] and mount not in {v["name"] for v in exeat["template"]["spec"]["volumes"]}
    assert set(exeat["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    assert exeat["template"]["spec"]["securityContext"]["fsGroup"] == exeat["template"]["spec"]["securityContext"]["runAsGroup"]


def test_the_replicas_are_named_by_a_headless_service_that_selects_them(resources, exeat):
    service = named(resources, "Service", exeat["serviceName"])["spec"]
    assert service["clusterIP"] == "None" and service["selector"].items() <= exeat["template"]["metadata"]["labels"].items()


def test_memory_is_enough_for_the_connections_and_the_workers(exeat, config):
    """What a connection and a worker take at the worst, so that the kernel does not end a pod that is merely full."""
    mebibytes = lambda text: int(re.fullmatch(r"(\d+)([MG])i", text)[1]) * (1024 if text.endswith("Gi") else 1)
    limits, its = config["limits"], container(exeat)["resources"]
    assert limits["workers"] >= int(its["requests"]["cpu"]) >= 1, "what is asked for is used"
    assert limits["connections"] * 48 / 1024 + limits["workers"] * 64 + 256 <= mebibytes(its["limits"]["memory"])
    assert "cpu" not in its["limits"] and mebibytes(its["requests"]["memory"]) <= mebibytes(its["limits"]["memory"])
