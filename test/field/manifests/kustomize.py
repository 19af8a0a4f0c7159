"""Renders conf/kubernetes as `kubectl apply -k` would, as far as these files use kustomize; what they do not use is an error here.
Where kubectl is at hand, a test holds this against it."""
import copy
import functools
import pathlib

import yaml

CONF = pathlib.Path(__file__).resolve().parents[3] / "conf" / "kubernetes"
OVERLAYS = sorted(each.name for each in (CONF / "overlays").iterdir())
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "generatorOptions", "configMapGenerator", "images", "replicas", "patches"}
_CLUSTER_WIDE = {"Namespace", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


def documents(path):
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def named(resources, kind, name, namespace=None):
    found = [r for r in resources if r["kind"] == kind and r["metadata"]["name"] == name and namespace in (None, r["metadata"].get("namespace"))]
    assert len(found) == 1, f"{len(found)} of {kind}/{name}"
    return found[0]


def workload(resources, name):
    """The Deployment or StatefulSet of that name."""
    found = [r for r in resources if r["kind"] in ("Deployment", "StatefulSet") and r["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {name}"
    return found[0]


def _point(at, path):
    *way, last = [p.replace("~1", "/").replace("~0", "~") for p in path.split("/")[1:]]
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at, last


def _json_patch(resource, operations):
    """RFC 6902, of which only `add` is used."""
    for each in operations:
        assert each["op"] == "add", each
        at, last = _point(resource, each["path"])
        if isinstance(at, list):
            at.append(each["value"]) if last == "-" else at.insert(int(last), each["value"])
        else:
            at[last] = each["value"]


def _config_map(directory, spec, resources):
    data = {name: (directory / name).read_text() for name in spec["files"]}
    if spec.get("behavior") == "merge":
        named(resources, "ConfigMap", spec["name"], spec["namespace"])["data"].update(data)
        return
    resources.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": spec["name"], "namespace": spec["namespace"]}, "data": data})


def _containers(resources):
    for r in resources:
        spec = r.get("spec", {}).get("template", {}).get("spec", {})
        yield from spec.get("containers", []) + spec.get("initContainers", [])


def _apply(directory, its, resources):
    for each in its.get("configMapGenerator", []):
        assert its["generatorOptions"] == {"disableNameSuffixHash": True}, "a name with a hash ends every tunnel at each change"
        _config_map(directory, each, resources)
    for each in its.get("images", []):
        for container in _containers(resources):
            if container["image"] == each["name"]:
                container["image"] = f"{each['newName']}:{each['newTag']}"
    for each in its.get("replicas", []):
        workload(resources, each["name"])["spec"]["replicas"] = each["count"]
    for each in its.get("patches", []):
        _json_patch(named(resources, each["target"]["kind"], each["target"]["name"]), yaml.safe_load(each["patch"]))
    if "namespace" in its:
        for r in resources:
            if r["kind"] not in _CLUSTER_WIDE:
                r["metadata"]["namespace"] = its["namespace"]


def _rendered(directory):
    its = yaml.safe_load((directory / "kustomization.yaml").read_text())
    assert set(its) <= _KNOWN, set(its) - _KNOWN
    resources = []
    for each in its.get("resources", []):
        path = directory / each
        resources += _rendered(path.resolve()) if path.is_dir() else documents(path)
    _apply(directory, its, resources)
    return resources


@functools.lru_cache(None)
def _overlay(name):
    return _rendered(CONF / "overlays" / name)


def overlay(name):
    return copy.deepcopy(_overlay(name))
