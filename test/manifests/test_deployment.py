"""What one file promises to another: the drain to the grace period, the rules to the metrics, the image to the binary."""
import os
import pathlib
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from kustomize import CONF, OVERLAYS, documents, named, overlay

REPOSITORY = CONF.parents[1]
BINARY = os.environ.get("EXEAT_BIN", str(REPOSITORY / "build" / "exeat"))


@pytest.fixture(params=OVERLAYS)
def resources(request):
    return overlay(request.param)


@pytest.fixture
def exeat(resources):
    return named(resources, "Deployment", "exeat")["spec"]


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
    assert exeat["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    labels = exeat["template"]["metadata"]["labels"]
    for each in [budget["selector"], *(s["labelSelector"] for s in exeat["template"]["spec"]["topologySpreadConstraints"])]:
        assert each["matchLabels"].items() <= labels.items()
    assert "kubernetes.io/hostname" in {s["topologyKey"] for s in exeat["template"]["spec"]["topologySpreadConstraints"]}


@pytest.mark.parametrize("name", ["exeat", "resolver"])
def test_the_pods_keep_to_restricted_pod_security(resources, name):
    spec = named(resources, "Deployment", name)["spec"]["template"]["spec"]
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
    done = subprocess.run([BINARY, "check", "--strict", "--config", tmp_path / "exeat.toml"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules():
    return next(r for r in documents(CONF / "monitoring" / "rules.yaml"))["spec"]


def test_promtool_reads_the_rules(tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("skipped: promtool is not installed")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules()))
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_name_metrics_that_exeat_has():
    source = "\n".join(p.read_text() for p in (REPOSITORY / "src" / "ops").glob("*.cpp"))
    for group in rules()["groups"]:
        for rule in group["rules"]:
            for metric in re.findall(r"\bexeat_([a-z_]+)", rule["expr"]):
                assert f'"{metric}"' in source, f"{rule.get('alert') or rule['record']} asks for exeat_{metric}"
            if "alert" in rule:
                assert rule["labels"]["severity"] in ("critical", "warning") and {"summary", "runbook"} <= set(rule["annotations"])
