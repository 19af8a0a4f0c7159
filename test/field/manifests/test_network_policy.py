"""The evaluator itself, on policies small enough to be judged by eye."""
import pytest
from network_policy import Cluster, Outside, Pod, selects

A, B = Pod("a", (("app", "x"),)), Pod("b", (("app", "y"),), (("web", (8080, "TCP")),))
WORLD = Outside("198.51.100.1")


def policy(namespace="a", selector=None, **spec):
    return {"kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": namespace}, "spec": {"podSelector": selector or {}, **spec}}


def cluster(*policies):
    return Cluster(list(policies), {"a": {"team": "one"}, "b": {"team": "two"}})


def test_without_a_policy_everything_passes():
    assert cluster().may(A, B, 80) and cluster().may(A, WORLD, 53, "UDP")


def test_a_policy_without_rules_refuses_in_the_directions_that_it_names():
    out = cluster(policy(policyTypes=["Egress"]))
    assert not out.may(A, WORLD, 443) and out.may(B, A, 443) and out.may(B, WORLD, 443)
    both = cluster(policy(policyTypes=["Ingress", "Egress"]))
    assert not both.may(A, B, 1) and not both.may(B, A, 1)


def test_policies_without_types_hold_ingress_and_egress_only_with_egress_rules():
    assert cluster(policy()).may(A, WORLD, 443) and not cluster(policy()).may(B, A, 1)
    assert not cluster(policy(egress=[])).may(A, WORLD, 443)


def test_policies_add_up():
    nothing, https = policy(policyTypes=["Egress"]), policy(policyTypes=["Egress"], egress=[{"ports": [{"port": 443}]}])
    assert cluster(nothing, https).may(A, WORLD, 443) and not cluster(nothing, https).may(A, WORLD, 80)


def test_both_ends_must_agree():
    sends, takes = policy(policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {"matchLabels": {"team": "two"}}}]}]), policy("b", policyTypes=["Ingress"])
    assert cluster(sends).may(A, B, 1) and not cluster(sends, takes).may(A, B, 1)


def test_a_pod_selector_alone_is_of_the_same_namespace_and_both_selectors_of_one_peer_must_match():
    rule = lambda peer: cluster(policy(policyTypes=["Egress"], egress=[{"to": [peer]}]))
    other = {"podSelector": {"matchLabels": {"app": "y"}}}
    assert not rule(other).may(A, B, 1) and rule(other).may(A, Pod("a", (("app", "y"),)), 1)
    assert rule({"namespaceSelector": {}, **other}).may(A, B, 1)
    assert not rule({"namespaceSelector": {"matchLabels": {"team": "one"}}, **other}).may(A, B, 1)


def test_a_block_has_holes():
    block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["198.51.100.0/24"]}}
    open_to = cluster(policy(policyTypes=["Egress"], egress=[{"to": [block]}]))
    assert not open_to.may(A, WORLD, 1) and open_to.may(A, Outside("198.51.101.1"), 1) and not open_to.may(A, Outside("2001:db8::1"), 1)


@pytest.mark.parametrize("port, protocol, passes", [(8080, "TCP", True), (8080, "UDP", False), (80, "TCP", False)])
def test_a_named_port_is_the_receivers(port, protocol, passes):
    named = cluster(policy(policyTypes=["Egress"], egress=[{"ports": [{"port": "web"}]}]))
    assert named.may(A, B, port, protocol) is passes and not named.may(A, WORLD, port, protocol)


def test_ports_have_ranges_and_tcp_as_default():
    ranged = cluster(policy(policyTypes=["Egress"], egress=[{"ports": [{"port": 10, "endPort": 12}, {"protocol": "UDP"}]}]))
    assert ranged.may(A, WORLD, 12) and not ranged.may(A, WORLD, 13) and ranged.may(A, WORLD, 13, "UDP")


def test_a_pod_on_the_nodes_network_is_held_by_nothing():
    assert cluster(policy(policyTypes=["Egress"])).may(Pod("a", host_network=True), WORLD, 443)


def test_expressions_select():
    one = lambda operator, *values: selects({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}, (("k", "v"),))
    assert one("In", "v") and not one("In", "w") and one("NotIn", "w") and one("Exists") and not one("DoesNotExist")
