"""What one test session shares: the namespaces, the DNS server, the authority; and what tests make in it."""
import itertools

from .certificates import Authority
from .dns import DnsServer
from .exeat import Exeat
from .http_origin import HttpOrigin
from .origin import Origin, echo
from .topology import Topology, public4, public6
from .wait import wait_until


class Lab:
    def __init__(self, directory):
        self.directory = directory
        self.topology = Topology()
        self.dns = DnsServer()
        self.authority = Authority(directory / "ca")
        self.origins = []
        self._instances, self._hosts = itertools.count(1), itertools.count(1)

    def exeat(self, allowlist, **options):
        """Not started yet: use it in a `with`."""
        at = self.directory / f"exeat{next(self._instances)}"
        at.mkdir()
        return Exeat(at, allowlist, self.dns, **options)

    def addresses(self):
        """A public IPv4 and IPv6 address that no one else in this session uses."""
        n = next(self._hosts)
        assert n < 255
        return public4(n), public6(n)

    def place(self, *names, v4=True, v6=True, **options):
        """Gives each name the same fresh public addresses in the DNS; returns (v4, v6)."""
        four, six = self.addresses()
        for name in names:
            self.dns.set(name, *([four] if v4 else []), *([six] if v6 else []), **options)
        return four, six

    def _keep(self, origin):
        self.origins.append(origin)
        return origin

    def tls_origin(self, *names, host, port=443, routes=None):
        context = self.authority.server_context(*names)
        return self._keep(HttpOrigin(self.topology.world, routes, host, port, context))

    def http_origin(self, host, port=80, routes=None):
        return self._keep(HttpOrigin(self.topology.world, routes, host, port))

    def origin(self, host, port, serve=echo, context=None, buffer=None):
        return self._keep(Origin(self.topology.world, serve, host, port, context, buffer))

    def bytes_at_origins(self):
        """Of all origins together, once each has noticed that its connections have ended."""
        wait_until(lambda: all(o.at_rest() for o in self.origins), what="the origins' connections have ended")
        return sum(o.received_bytes for o in self.origins)

    def close(self):
        for origin in self.origins:
            origin.close()
