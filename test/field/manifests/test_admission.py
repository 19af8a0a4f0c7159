"""The admission policies' own CEL, on pods that are well and on pods that would get out."""
import copy

import pytest
from admission import Admission, subject
from kustomize import overlay

RESEARCH = {"metadata": {"name": "research", "labels": {"way-out": "exeat"}}}
SANDBOXED = {"metadata": {"name": "risky", "labels": {"way-out": "exeat", "sandbox": "gvisor"}}}
ELSEWHERE = {"metadata": {"name": "kube-system", "labels": {"team": "platform"}}}
CREATE = {"operation": "CREATE", "resource": "pods", "userInfo": {"username": "ada", "groups": ["researchers"]}}
WELL = {"metadata": {"name": "train"}, "spec": {"containers": [{"name": "a", "securityContext": {"capabilities": {"drop": ["ALL"]}}}]}}


@pytest.fixture(scope="module")
def admission():
    return Admission(overlay("proxy"))


def pod(**spec):
    return {"metadata": {"name": "p"}, "spec": {**copy.deepcopy(WELL["spec"]), **spec}}


def container(**more):
    return {"name": "c", "securityContext": {"capabilities": {"drop": ["ALL"]}, **more.pop("securityContext", {})}, **more}


def capabilities(**which):
    return container(securityContext={"capabilities": {"drop": ["ALL"], **which}})


GOOD = {
    "the least": WELL,
    "with volumes that are not the node's": pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "persistentVolumeClaim": {"claimName": "w"}}]),
    "an init container": pod(initContainers=[container()]),
    "NET_BIND_SERVICE": pod(containers=[capabilities(add=["NET_BIND_SERVICE"])]),
    "NET_RAW alone dropped": pod(containers=[capabilities(drop=["NET_RAW"])]),
    "said no": pod(hostNetwork=False, hostPID=False, hostIPC=False, containers=[container(securityContext={"privileged": False, "capabilities": {"drop": ["ALL"]}})]),
    "ports": pod(containers=[container(ports=[{"containerPort": 80}, {"containerPort": 81, "hostPort": 0}])]),
    "a harmless sysctl": pod(securityContext={"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}),
    "a debug container": pod(ephemeralContainers=[container()]),
    "every volume of the cluster's own": pod(volumes=[{"name": k, k: {}} for k in ("emptyDir", "configMap", "secret", "downwardAPI", "projected", "persistentVolumeClaim", "ephemeral")]),
    "probes and hooks of its own": pod(containers=[container(livenessProbe={"httpGet": {"port": 80, "host": ""}}, readinessProbe={"tcpSocket": {"port": 80}}, startupProbe={"grpc": {"port": 80}},
                                                             lifecycle={"preStop": {"exec": {"command": ["true"]}}, "postStart": {"httpGet": {"port": 80}}})]),
    "no Windows": pod(securityContext={"windowsOptions": {"hostProcess": False}}),
}
ASKS = {"httpGet": {"port": 443, "host": "198.51.100.1", "path": "/the-secret"}}
KNOCKS = {"tcpSocket": {"port": 443, "host": "198.51.100.1"}}
NETWORK_VOLUMES = ("nfs", "iscsi", "csi", "cephfs", "rbd", "glusterfs", "fc", "flexVolume", "azureFile", "azureDisk", "awsElasticBlockStore", "gcePersistentDisk", "cinder", "portworxVolume",
                   "quobyte", "scaleIO", "storageos", "vsphereVolume", "photonPersistentDisk", "flocker", "gitRepo", "image", "inventedTomorrow")
BAD = {
    **{f"volume {kind}": ("volumes", pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", kind: {"server": "198.51.100.1"}}])) for kind in NETWORK_VOLUMES},
    **{f"{what}: {how}": ("host of a probe or a lifecycle hook", pod(**{where: [container(), container(**field)]}))
       for where in ("containers", "initContainers", "ephemeralContainers") for how, ask in (("httpGet", ASKS), ("tcpSocket", KNOCKS))
       for what, field in {**{f"{where} {p}": {p: ask} for p in ("livenessProbe", "readinessProbe", "startupProbe")},
                           **{f"{where} {h}": {"lifecycle": {h: ask}} for h in ("postStart", "preStop")}}.items()},
    "hostProcess of the pod": ("hostProcess", pod(securityContext={"windowsOptions": {"hostProcess": True}})),
    **{f"hostProcess in {where}": ("hostProcess", pod(**{where: [container(securityContext={"windowsOptions": {"hostProcess": True}, "capabilities": {"drop": ["ALL"]}})]}))
       for where in ("containers", "initContainers", "ephemeralContainers")},

    "hostNetwork": ("hostNetwork", pod(hostNetwork=True)),
    "hostPID": ("hostPID", pod(hostPID=True)),
    "hostIPC": ("hostPID", pod(hostIPC=True)),
    "hostPath": ("hostPath", pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "hostPath": {"path": "/run"}}])),
    "privileged": ("privileged", pod(containers=[container(), container(securityContext={"privileged": True, "capabilities": {"drop": ["ALL"]}})])),
    "privileged at the start": ("privileged", pod(initContainers=[container(securityContext={"privileged": True, "capabilities": {"drop": ["ALL"]}})])),
    "privileged for debugging": ("privileged", pod(ephemeralContainers=[container(securityContext={"privileged": True, "capabilities": {"drop": ["ALL"]}})])),
    "NET_ADMIN": ("capabilities.add", pod(containers=[capabilities(add=["NET_ADMIN"])])),
    "NET_RAW": ("capabilities.add", pod(containers=[capabilities(add=["NET_BIND_SERVICE", "NET_RAW"])])),
    "NET_RAW at the start": ("capabilities.add", pod(initContainers=[capabilities(add=["NET_RAW"])])),
    "NET_ADMIN for debugging": ("capabilities.add", pod(ephemeralContainers=[capabilities(add=["NET_ADMIN"])])),
    "SYS_ADMIN": ("capabilities.add", pod(containers=[capabilities(add=["SYS_ADMIN"])])),
    "ALL": ("capabilities.add", pod(containers=[capabilities(add=["ALL"])])),
    "another spelling": ("capabilities.add", pod(containers=[capabilities(add=["CAP_NET_ADMIN"])])),
    "nothing dropped": ("capabilities.drop", pod(containers=[{"name": "c"}])),
    "something else dropped": ("capabilities.drop", pod(containers=[capabilities(drop=["CHOWN"])])),
    "nothing dropped for debugging": ("capabilities.drop", pod(ephemeralContainers=[{"name": "c"}])),
    "hostPort": ("hostPort", pod(containers=[container(ports=[{"containerPort": 80, "hostPort": 80}])])),
    "a sysctl of routing": ("sysctls", pod(securityContext={"sysctls": [{"name": "net.ipv4.conf.all.forwarding", "value": "1"}]})),
}


@pytest.mark.parametrize("what", GOOD)
def test_a_pod_that_stays_inside_is_admitted(admission, what):
    assert admission.ask(CREATE, RESEARCH, GOOD[what]).messages == []


@pytest.mark.parametrize("what", BAD)
def test_a_pod_that_would_get_out_is_refused_with_the_one_reason(admission, what):
    reason, bad = BAD[what]
    assert {subject(m) for m in admission.ask(CREATE, RESEARCH, bad).messages} == {reason}


def test_an_update_and_a_debug_container_are_asked_too(admission):
    bad = BAD["NET_ADMIN for debugging"][1]
    for request in ({**CREATE, "operation": "UPDATE"}, {**CREATE, "operation": "UPDATE", "resource": "pods/ephemeralcontainers"}):
        assert not admission.ask(request, RESEARCH, bad, WELL).allowed


def test_other_namespaces_are_let_alone(admission):
    assert all(admission.ask(CREATE, ELSEWHERE, bad).allowed for _, bad in BAD.values())


def test_exeats_own_pods_would_be_admitted(admission):
    for each in (r for r in overlay("sni") if r["kind"] in ("Deployment", "StatefulSet")):
        assert admission.ask(CREATE, RESEARCH, each["spec"]["template"]).messages == []


def test_a_namespace_with_a_sandbox_takes_pods_under_it_alone(admission):
    assert {subject(m) for m in admission.ask(CREATE, SANDBOXED, WELL).messages} == {"runtimeClassName"}
    assert not admission.ask(CREATE, SANDBOXED, pod(runtimeClassName="runc")).allowed
    assert admission.ask(CREATE, SANDBOXED, pod(runtimeClassName="gvisor")).allowed and admission.ask(CREATE, RESEARCH, pod(runtimeClassName="gvisor")).allowed


OPERATIONS = pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])


@OPERATIONS
@pytest.mark.parametrize("group, resource", [("networking.k8s.io", "networkpolicies"), ("cilium.io", "ciliumnetworkpolicies"), ("projectcalico.org", "networkpolicies"),
                                             ("crd.projectcalico.org", "networkpolicies"), ("crd.antrea.io", "networkpolicies")])
def test_only_network_engineers_touch_the_fence(admission, operation, group, resource):
    request = {**CREATE, "operation": operation, "group": group, "resource": resource}
    engineer = {**request, "userInfo": {"username": "grace", "groups": ["egress:network-engineers"]}}
    controller = {**request, "userInfo": {"username": "system:serviceaccount:kube-system:namespace-controller", "groups": ["system:serviceaccounts"]}}
    policy = {"metadata": {"name": "mine"}, "spec": {}}
    assert not admission.ask(request, RESEARCH, policy, policy).allowed
    assert admission.ask(engineer, RESEARCH, policy, policy).allowed and admission.ask(controller, RESEARCH, policy, policy).allowed
    assert admission.ask(request, ELSEWHERE, policy, policy).allowed


@OPERATIONS
@pytest.mark.parametrize("group, resource", [("policy.networking.k8s.io", "adminnetworkpolicies"), ("policy.networking.k8s.io", "baselineadminnetworkpolicies"),
                                             ("policy.networking.k8s.io", "clusternetworkpolicies"), ("cilium.io", "ciliumclusterwidenetworkpolicies"),
                                             ("crd.projectcalico.org", "globalnetworkpolicies"), ("crd.antrea.io", "clusternetworkpolicies")])
def test_nobody_else_makes_a_policy_that_overrules_the_fence(admission, operation, group, resource):
    """These are of no namespace, so that none is asked for its labels."""
    request = {**CREATE, "operation": operation, "group": group, "resource": resource}
    nowhere, policy = {"metadata": {"name": ""}}, {"metadata": {"name": "let-all-out"}, "spec": {}}
    assert not admission.ask(request, nowhere, policy, policy).allowed
    assert admission.ask({**request, "userInfo": {"username": "grace", "groups": ["egress:network-engineers"]}}, nowhere, policy, policy).allowed


LEVEL = "pod-security.kubernetes.io/enforce"
NAMESPACE_WRITES = pytest.mark.parametrize("resource", ["namespaces", "namespaces/status", "namespaces/finalize"])


def labelled(**labels):
    named = {k.replace("_", "-"): v for k, v in labels.items() if k != "level"} | ({LEVEL: labels["level"]} if "level" in labels else {})
    return {"metadata": {"name": "research", **({"labels": named} if named else {})}}


@NAMESPACE_WRITES
def test_a_namespaces_labels_of_the_fence_are_kept(admission, resource):
    request = {**CREATE, "operation": "UPDATE", "resource": resource}
    fenced = labelled(way_out="exeat", sandbox="gvisor")
    for after in (labelled(), labelled(way_out="exeat"), labelled(sandbox="gvisor"), labelled(way_out="direct", sandbox="gvisor")):
        assert not admission.ask(request, fenced, after, fenced).allowed
    assert admission.ask(request, fenced, labelled(way_out="exeat", sandbox="gvisor", team="x"), fenced).allowed
    assert admission.ask(request, labelled(), labelled(team="x"), labelled()).allowed
    assert not admission.ask(request, labelled(), fenced, labelled()).allowed, "nor is anybody made a client by their own hand"
    assert admission.ask({**request, "userInfo": {"username": "grace", "groups": ["egress:network-engineers"]}}, fenced, labelled(), fenced).allowed


@NAMESPACE_WRITES
def test_a_fenced_namespaces_pod_security_is_kept_and_others_are_their_own(admission, resource):
    request = {**CREATE, "operation": "UPDATE", "resource": resource}
    fenced = labelled(way_out="exeat", level="restricted")
    for after in (labelled(way_out="exeat"), labelled(way_out="exeat", level="privileged"), labelled(way_out="exeat", level="baseline")):
        assert {m.split(" of ")[0] for m in admission.ask(request, fenced, after, fenced).messages} == {"the labels pod-security.kubernetes.io/*"}
    for more in ("enforce-version", "audit", "audit-version", "warn", "warn-version"):
        after = labelled(way_out="exeat", level="restricted")
        after["metadata"]["labels"][f"pod-security.kubernetes.io/{more}"] = "v1.20"
        assert not admission.ask(request, fenced, after, fenced).allowed, more
    assert admission.ask(request, fenced, labelled(way_out="exeat", level="restricted", team="x"), fenced).allowed
    assert admission.ask(request, labelled(), labelled(level="privileged"), labelled(level="restricted")).allowed
    assert admission.ask({**request, "userInfo": {"username": "root", "groups": ["system:masters"]}}, fenced, labelled(way_out="exeat", level="privileged"), fenced).allowed


def test_a_new_namespace_is_no_clients_unless_network_engineers_make_it(admission):
    request = {**CREATE, "resource": "namespaces"}
    assert admission.ask(request, labelled(), labelled(team="x", level="privileged")).allowed and admission.ask(request, labelled(), labelled()).allowed
    mine = labelled(way_out="exeat", level="privileged")
    assert not admission.ask(request, mine, mine).allowed
    assert admission.ask({**request, "userInfo": {"username": "grace", "groups": ["egress:network-engineers"]}}, mine, mine).allowed
