"""May this pod reach that address? The semantics of networking.k8s.io/v1 NetworkPolicy, for the tests alone."""
import dataclasses
import ipaddress


@dataclasses.dataclass(frozen=True)
class Pod:
    """`ports` are the names that its containers give to theirs."""
    namespace: str
    labels: tuple = ()
    ports: tuple = ()
    address: str = "10.244.0.9"
    host_network: bool = False


@dataclasses.dataclass(frozen=True)
class Outside:
    """An address that is no pod's."""
    address: str


def selects(selector, labels):
    """An empty selector selects everything; no selector at all (None) is the caller's to know."""
    labels = dict(labels)
    wanted = all(labels.get(k) == v for k, v in (selector.get("matchLabels") or {}).items())
    return wanted and all(_expression(each, labels) for each in selector.get("matchExpressions") or [])


def _expression(each, labels):
    key, values = each["key"], each.get("values") or []
    return {"In": labels.get(key) in values, "NotIn": labels.get(key) not in values,
            "Exists": key in labels, "DoesNotExist": key not in labels}[each["operator"]]


def _types(spec):
    """Policies without policyTypes hold ingress, and egress when they have egress rules."""
    return spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])


class Cluster:
    """`namespaces`: name -> labels. Every namespace bears its own name as kubernetes.io/metadata.name."""

    def __init__(self, resources, namespaces=()):
        self.policies = [r for r in resources if r["kind"] == "NetworkPolicy"]
        self.namespaces = {r["metadata"]["name"]: dict(r["metadata"].get("labels") or {}) for r in resources if r["kind"] == "Namespace"}
        self.namespaces.update(namespaces)
        for name, labels in self.namespaces.items():
            labels["kubernetes.io/metadata.name"] = name

    def may(self, source, to, port, protocol="TCP"):
        """Both ends must let it pass; an end that no policy selects lets everything pass."""
        return self._out(source, to, port, protocol) and self._in(source, to, port, protocol)

    def _out(self, source, to, port, protocol):
        return self._passes("Egress", "egress", "to", source, to, to, port, protocol)

    def _in(self, source, to, port, protocol):
        return self._passes("Ingress", "ingress", "from", to, source, to, port, protocol)

    def _passes(self, kind, rules, peers, held, other, to, port, protocol):
        if isinstance(held, Outside) or held.host_network:
            return True  # no policy holds what is outside of the pod network
        holding = [p["spec"] for p in self.policies if p["metadata"]["namespace"] == held.namespace
                   and kind in _types(p["spec"]) and selects(p["spec"]["podSelector"], held.labels)]
        if not holding:
            return True
        namespace = held.namespace
        return any(self._rule(rule, peers, namespace, other, to, port, protocol) for spec in holding for rule in spec.get(rules) or [])

    def _rule(self, rule, peers, namespace, other, to, port, protocol):
        """No list of peers is everybody; no list of ports is every port."""
        who, where = rule.get(peers), rule.get("ports")
        return ((not who or any(self._peer(p, namespace, other) for p in who))
                and (not where or any(_port(p, to, port, protocol) for p in where)))

    def _peer(self, peer, namespace, other):
        if "ipBlock" in peer:
            return _block(peer["ipBlock"], ipaddress.ip_address(other.address))
        if isinstance(other, Outside) or other.host_network:
            return False
        if "namespaceSelector" in peer:
            inside = selects(peer["namespaceSelector"], self.namespaces.get(other.namespace, {}))
        else:
            inside = other.namespace == namespace
        return inside and selects(peer.get("podSelector") or {}, other.labels)


def _block(block, address):
    network = ipaddress.ip_network(block["cidr"])
    return address.version == network.version and address in network and not any(address in ipaddress.ip_network(e) for e in block.get("except") or [])


def _port(wanted, to, port, protocol):
    if wanted.get("protocol", "TCP") != protocol:
        return False
    named = wanted.get("port")
    if named is None:
        return True
    if isinstance(named, str):  # the name of a container's port at the receiving end
        return dict(getattr(to, "ports", ())).get(named) == (port, protocol)
    return named <= port <= wanted.get("endPort", named)
