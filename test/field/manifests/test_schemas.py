"""Every manifest against the schemas that Kubernetes and the Prometheus operator have published."""
import json
import os
import shutil
import subprocess
import sys

import published
import pytest
import yaml
from kustomize import CONF, OVERLAYS, documents, overlay

OPERATOR = "monitoring.coreos.com/v1"
FILES = sorted(p for p in CONF.rglob("*.yaml") if p.name != "kustomization.yaml")


def of_kubernetes(resources):
    return [r for r in resources if r["apiVersion"] != OPERATOR]


_VALIDATE = """
import json, sys
import kubernetes_validate
for each in json.load(sys.stdin):
    try:
        kubernetes_validate.validate(each, sys.argv[1], strict=True)
    except Exception as e:
        print(each["kind"], each["metadata"]["name"], str(e).splitlines()[0])
"""


@pytest.fixture(scope="module")
def wrong():
    """What kubernetes-validate finds wrong; in a process of its own, as its libraries are newer than those that pytest has loaded."""
    where = published.python_or_skip()

    def run(resources):
        done = subprocess.run([sys.executable, "-c", _VALIDATE, published.KUBERNETES], input=json.dumps(resources), capture_output=True, text=True, timeout=120,
                              check=True, env={**os.environ, "PYTHONPATH": str(where)})
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_resource_of_an_overlay_is_what_kubernetes_reads(wrong, name):
    resources = of_kubernetes(overlay(name))
    assert len(resources) > 15 and wrong(resources) == []


def test_every_file_is_what_kubernetes_reads(wrong):
    assert len(FILES) > 8 and wrong([each for path in FILES for each in of_kubernetes(documents(path))]) == []


def test_the_validator_finds_a_key_that_does_not_exist_and_a_wrong_type(wrong):
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}}
    said = wrong([{**policy, "spec": {"podSelectors": {}}}, {**policy, "spec": {"podSelector": {}, "policyTypes": "Egress"}}])
    assert len(said) == 2 and "podSelectors" in said[0] and "Egress" in said[1]


_CHECK = """
import { ServiceMonitor, PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { readFileSync } from "node:fs";
const kinds = { ServiceMonitor, PrometheusRule };
for (const each of JSON.parse(readFileSync(0))) new kinds[each.kind](each).validate();
"""


def operator_says(resources):
    where = published.node_or_skip()
    return subprocess.run(["node", "--input-type=module", "-e", _CHECK], cwd=where, input=json.dumps(resources), capture_output=True, text=True, timeout=120, check=False)


def test_what_the_prometheus_operator_reads_is_of_its_schema():
    resources = [r for r in overlay("proxy") if r["apiVersion"] == OPERATOR]
    assert {r["kind"] for r in resources} == {"ServiceMonitor", "PrometheusRule"}
    said = operator_says(resources)
    assert said.returncode == 0, said.stderr
    resources[0]["spec"] = {"endpoints": "admin"}
    assert operator_says(resources).returncode != 0, "and the schema finds what is wrong"


def _comparable(resources):
    return sorted((json.dumps(r, sort_keys=True) for r in resources), key=lambda text: (json.loads(text)["kind"], json.loads(text)["metadata"]["name"], text))


@pytest.mark.parametrize("name", OVERLAYS)
def test_kubectl_renders_the_same(name):
    """That our own reading of kustomize, which the other tests stand on, is kustomize's."""
    if not shutil.which("kubectl"):
        pytest.skip("skipped: kubectl is not installed; our own reading of the overlays is not held against it")
    done = subprocess.run(["kubectl", "kustomize", str(CONF / "overlays" / name)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert _comparable(yaml.safe_load_all(done.stdout)) == _comparable(overlay(name))
