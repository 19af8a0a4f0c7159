"""Whom the policies of conf/kubernetes let reach whom. Addresses and pods as a hostile tenant would try them."""
import itertools

import pytest
from kustomize import OVERLAYS, overlay, workload
from network_policy import Cluster, Outside, Pod

LABEL = "app.kubernetes.io/name"
PUBLIC = [Outside(a) for a in ("1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111")]
INTERNAL = [Outside(a) for a in ("10.96.0.1", "10.0.0.4", "172.16.5.5", "192.168.1.1", "100.64.3.3", "127.0.0.1", "fd00::1", "fe80::1")]
METADATA = [Outside(a) for a in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254")]
PORTS = [(22, "TCP"), (53, "TCP"), (53, "UDP"), (80, "TCP"), (123, "UDP"), (443, "TCP"), (443, "UDP"), (443, "SCTP"), (853, "TCP"), (3128, "TCP"), (6443, "TCP"), (9464, "TCP")]


def pod_of(resources, name):
    """A pod as its Deployment or StatefulSet makes it."""
    its = workload(resources, name)["spec"]["template"]
    ports = tuple((p["name"], (p["containerPort"], p.get("protocol", "TCP"))) for c in its["spec"]["containers"] for p in c["ports"])
    return Pod("egress", tuple(its["metadata"]["labels"].items()), ports)


class Here:
    def __init__(self, name):
        resources = overlay(name)
        self.cluster = Cluster(resources, {"kube-system": {}, "monitoring": {}, "other": {}})
        self.exeat, self.resolver = pod_of(resources, "exeat"), pod_of(resources, "resolver")
        self.researcher = Pod("research", (("app", "train"), (LABEL, "exeat"), ("k8s-app", "kube-dns")))  # labels are anybody's to set
        self.dns = Pod("kube-system", (("k8s-app", "kube-dns"),))
        self.prometheus = Pod("monitoring", ((LABEL, "prometheus"),))
        self.neighbour, self.stranger = Pod("research", (("app", "other"),)), Pod("other", (("app", "x"),))
        self.may = self.cluster.may


@pytest.fixture(params=OVERLAYS)
def here(request):
    return Here(request.param)


def test_a_research_pod_reaches_exeat_and_its_resolver(here):
    assert here.may(here.researcher, here.exeat, 3128)
    assert here.may(here.researcher, here.resolver, 5353, "UDP") and here.may(here.researcher, here.resolver, 5353)


def test_a_research_pod_reaches_nothing_else(here):
    everybody = [*PUBLIC, *INTERNAL, *METADATA, here.dns, here.prometheus, here.neighbour, here.stranger]
    reached = [(to, port) for to, port in itertools.product(everybody, PORTS) if here.may(here.researcher, to, *port)]
    assert reached == []
    beside = [port for port in PORTS if here.may(here.researcher, here.resolver, *port)]
    assert beside == [] and [port for port in PORTS if here.may(here.researcher, here.exeat, *port)] == [(3128, "TCP")]


def test_exeat_reaches_the_world_by_tcp_on_the_allowlists_ports_alone(here):
    for to, port in itertools.product(PUBLIC, PORTS):
        assert here.may(here.exeat, to, *port) is (port in ((80, "TCP"), (443, "TCP"))), (to, port)


def test_exeat_reaches_neither_the_cluster_nor_the_metadata_service(here):
    pods = [here.stranger, here.researcher, here.prometheus, here.exeat, here.resolver]
    assert [(to, port) for to, port in itertools.product([*INTERNAL, *METADATA, *pods], PORTS) if here.may(here.exeat, to, *port)] == []


def test_exeat_asks_the_clusters_dns(here):
    assert here.may(here.exeat, here.dns, 53, "UDP") and here.may(here.exeat, here.dns, 53) and not here.may(here.exeat, here.dns, 443)


def test_the_resolver_asks_nobody(here):
    everybody = [*PUBLIC, *INTERNAL, *METADATA, here.dns, here.exeat, here.researcher, here.stranger]
    assert [(to, port) for to, port in itertools.product(everybody, PORTS) if here.may(here.resolver, to, *port)] == []


def test_only_research_reaches_exeat_and_only_prometheus_its_admin_page(here):
    assert not any(here.may(who, here.exeat, port) for who in (here.stranger, here.dns, Outside("10.0.0.4")) for port in (3128, 8443, 9464))
    assert here.may(here.prometheus, here.exeat, 9464) and not here.may(here.prometheus, here.exeat, 3128)
    assert not here.may(Pod("monitoring", (("app", "x"),)), here.exeat, 9464) and not here.may(here.researcher, here.exeat, 9464)


def test_nobody_reaches_a_research_pod(here):
    assert not any(here.may(who, here.researcher, *port) for who in (here.stranger, here.neighbour, here.exeat, here.prometheus) for port in PORTS)


def test_the_sni_overlay_opens_its_port_and_no_other():
    here = Here("sni")
    assert here.may(here.researcher, here.exeat, 8443) and not here.may(here.stranger, here.exeat, 8443)
    assert not Here("proxy").may(here.researcher, Here("proxy").exeat, 8443)


def test_a_pod_on_the_nodes_network_would_get_round_all_of_it(here):
    """Why the admission policy must stand beside: NetworkPolicy does not hold such a pod."""
    assert here.may(Pod("research", host_network=True), PUBLIC[0], 443)


@pytest.mark.parametrize("name, what", [("nothing", "research"), ("exeat-and-its-resolver", "research"), ("exeat", "egress"), ("resolver", "egress"), ("nothing", "egress")])
def test_each_policy_is_needed(name, what):
    """Without it, something of the above changes: a policy that does nothing would be believed in."""
    resources = overlay("proxy")
    whole, here = Here("proxy"), Here("proxy")
    here.cluster.policies = [p for p in here.cluster.policies if (p["metadata"]["name"], p["metadata"]["namespace"]) != (name, what)]
    newcomer = Pod("egress", (("app", "debug"),))
    pods = [here.researcher, here.exeat, here.resolver, here.stranger, newcomer]
    ends = [*pods, *PUBLIC, here.dns]
    probes = [(a, b, port) for a in pods for b in ends for port in [*PORTS, (5353, "UDP")] if a != b]
    assert any(here.cluster.may(a, b, *p) != whole.cluster.may(a, b, *p) for a, b, p in probes) and resources
