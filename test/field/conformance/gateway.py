"""The lab of the system tests with a router's rules: `pod` behind redirect.nft, `pod2` behind tproxy.nft, as they lie in conf/nftables.
Forwarding is on and the internet answers everybody, so it is the rules alone that hold."""
import contextlib
import itertools
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile

from harness.exeat import free_port
from harness.lab import Lab
from harness.wait import seconds, wait_until
from internet import MARK, Everybody, Tap

HERE = pathlib.Path(__file__).resolve().parent
CONF = HERE.parents[2] / "conf" / "nftables"
PROBE = HERE / "probe.py"
ALLOWLIST = """
serial = 1
[groups.pods]
sources = ["10.42.0.0/16", "10.43.0.0/16", "10.44.0.0/16", "fd00:42::/64", "fd00:43::/64", "fd00:44::/32"]
[[allow]]
name = "site"
hosts = ["site.test"]
[[allow]]
name = "plain"
hosts = ["plain.test"]
protocol = "http"
"""

LONG = bool(os.environ.get("EXEAT_LONG"))  # all pairs, not only one of each: test/field/conformance/run
AS_A_PODS_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs")


def told(done):
    """Of a probe that has come to its end: its exit code, and what it says of each."""
    assert done.returncode in (0, 1), done.stderr
    every = [json.loads(each) for each in done.stdout.splitlines()]
    return done.returncode, {each["probe"]: (each["verdict"], each["what"]) for each in every}


class Side:
    """One pod, the rules in front of it, and the gateway's addresses there."""

    def __init__(self, via, pod, link, four, six, transparent_port=None):
        self.via, self.pod, self.link, self.four, self.six = via, pod, link, four, six
        self.transparent_port = transparent_port or free_port()
        self.table = f"exeat_{via}"

    def rules(self, proxy_port):
        """The file of conf/nftables with only its variables changed."""
        own = {"pods_interface": f'"{self.link}"', "pods_4": f"{{ {self.four}/24 }}", "pods_6": f"{{ {self.six}/64 }}",
               "transparent_port": str(self.transparent_port), "proxy_port": str(proxy_port)}
        text = (CONF / f"{self.via}.nft").read_text()
        for name, value in own.items():
            text, found = re.subn(rf"^define {name} .*$", f"define {name} = {value}", text, flags=re.M)
            assert found == 1, f"{self.via}.nft has no variable {name}"
        return text


class Gateway:
    def __init__(self, directory):
        self.lab = Lab(directory)
        at = self.lab.topology
        self.inside, self.world = at.inside, at.world
        self.redirect = Side("redirect", at.pod, "p0", "10.42.0.1", "fd00:42::1")
        self.tproxy = Side("tproxy", at.pod2, "q0", "10.43.0.1", "fd00:43::1")
        self.sides = {"redirect": self.redirect, "tproxy": self.tproxy}
        self._more, self._for_all = itertools.count(1), tempfile.TemporaryDirectory()
        self._open_the_world()
        self.everybody, self.tap = Everybody(self.world), Tap(self.world, "e0")
        self.site, self.site6 = self.lab.place("site.test")
        self.plain, _ = self.lab.place("plain.test", v6=False)
        self.site_origin = self.lab.tls_origin("site.test", host="::")  # by both addresses
        self.lab.http_origin(self.plain)
        self.inside.command(str(CONF / "tproxy-routes.sh"))
        self._resolvers = [self._closed_resolver(side) for side in self.sides.values()]

    def _open_the_world(self):
        """A router forwards, and the world has every address there is and knows the way back."""
        for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            self.inside.sysctl(name, 1)
        for name in ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"):
            self.inside.sysctl(name, 0)  # one pod asks here what a day's pods ask elsewhere: each refusal is to be told, not every second's first
        self.world.ip("route add local default dev lo table main", "-6 route add local default dev lo table main",  # in `local` it would win over the way back
                      "route add 10.40.0.0/13 via 10.200.0.1", "-6 route add fd00:40::/28 via fd00:200::1")
        for side in self.sides.values():
            side.pod.sysctl("ipv4/ping_group_range", "0 2147483647")

    def _closed_resolver(self, side):
        """dnsmasq with the file of conf/nftables, on the pods' side."""
        config = self.lab.directory / f"dnsmasq-{side.via}.conf"
        config.write_text((CONF / "dnsmasq.conf").read_text().replace("interface=pods0", f"interface={side.link}"))
        config.chmod(0o644)
        return self.inside.start("dnsmasq", "--keep-in-foreground", "--user=root", "--pid-file", f"--conf-file={config}", stderr=subprocess.DEVNULL)

    @contextlib.contextmanager
    def exeat(self):
        """exeat with a proxy port for both pods and a transparent port for each, behind the rules."""
        listen = [{"mode": "transparent", "via": side.via, "address": f"{host}:{side.transparent_port}"} for side in self.sides.values() for host in ("0.0.0.0", "[::]")]
        proxy_port = free_port()
        listen += [{"mode": "proxy", "address": f"{side.four}:{proxy_port}"} for side in self.sides.values()]
        running = self.lab.exeat(ALLOWLIST, listen=listen, limits={"hello_timeout": "1s", "head_timeout": "1s"}).start()
        running.for_pods = proxy_port
        try:
            for side in self.sides.values():
                self.inside.nft(side.rules(proxy_port))
            yield running
        finally:
            if running.process.poll() is None:
                running.stop()

    @staticmethod
    def kill(exeat):
        """As a crash has it: no drain, no goodbye."""
        exeat.process.kill()
        exeat.wait()

    def open_fence(self):
        """Takes the rules away: what a forgotten fence looks like."""
        for side in self.sides.values():
            self.inside.nft(f"table inet {side.table}\ndelete table inet {side.table}")

    def new_pod(self, via):
        """One more pod, that may be spoiled, behind the rules of `via` in place of the usual one."""
        n = next(self._more)
        pod = self.lab.topology.new_pod(f"g{n}", f"10.44.{n}", f"fd00:44:{n}:")
        return Side(via, pod, f"g{n}", f"10.44.{n}.1", f"fd00:44:{n}::1", self.sides[via].transparent_port)

    def probe(self, side, *arguments, wait=0.4, prefix=AS_A_PODS_USER):
        """The probe as a pod runs it: without privileges, from its standard input. Returns (exit code, {probe: (verdict, words)})."""
        argv = [*prefix, sys.executable, *self.probe_arguments(wait, *arguments)]
        return told(side.pod.command(*argv, input=PROBE.read_text(), check=False, timeout=seconds(400)))

    def probe_arguments(self, wait, *arguments):
        return ["-", "--json", "--wait", str(seconds(wait)), "--cafile", self.authority_for_all(), *map(str, arguments)]

    def authority_for_all(self):
        """The authority's certificate where a pod's user may read it: pytest shuts the directory above its own to all others, again with every run."""
        there = pathlib.Path(self._for_all.name) / "authority.pem"
        if not there.exists():
            there.write_text(pathlib.Path(self.lab.authority.file).read_text())
            there.chmod(0o644)
            there.parent.chmod(0o755)
        return str(there)

    def counters(self, side):
        listed = json.loads(self.inside.command("nft", "-j", "list", "counters", "table", "inet", side.table).stdout)
        return {each["counter"]["name"]: each["counter"]["packets"] for each in listed["nftables"] if "counter" in each}

    def left(self):
        """What came out into the world since `tap.forget()`, but for the way to what the allowlist names."""
        approved = {("tcp", self.site, 443), ("tcp", self.site6, 443), ("tcp", self.plain, 80)}
        return self.tap.seen() - approved

    def close(self):
        for resolver in self._resolvers:
            resolver.terminate()
            resolver.wait(seconds(60))
        self.everybody.close()
        self._for_all.cleanup()
        self.lab.close()


def settled(tap):
    """Once nothing new comes: a frame of our own goes by the link to the world, and what the tap has seen when that has come is, twice, the same."""
    last, now = None, tap.seen()
    while now != last:
        number = next(_marks)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
            s.bind(("w0", 0))
            s.send(b"\xff" * 6 + bytes(6) + struct.pack("!HQ", MARK, number) + bytes(38))
        wait_until(lambda: tap.marked >= number, what="the tap has seen what was sent before")  # noqa: B023
        last, now = now, tap.seen()
    return now


_marks = itertools.count(1)
