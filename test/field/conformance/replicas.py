"""Three replicas of exeat behind one address, as a Service has it:

    pod ──p0── balancer (dnat to one of three; this namespace) ──r1,r2,r3── replicas, which leave by the balancer's w0

and a load that says for each connection what its client saw."""
import collections
import pathlib
import socket
import tempfile
import threading
import time

from harness.client import connect_request, read_exactly, take_head
from harness.dns import DnsServer
from harness.exeat import Exeat
from harness.netns import Namespace
from harness.wait import seconds, wait_until

ADDRESS, PORT = "10.96.0.128", 3128
SPREAD = {"each connection": "numgen inc mod", "each client": "jhash ip saddr mod"}
ALLOWLIST = """
serial = 1
[groups.pods]
sources = ["10.42.0.0/16"]
[[allow]]
name = "echo"
hosts = ["echo.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "wide"
hosts = ["*.w.test"]
protocol = "http"
names = 6  # half of them count as used where a process does not know what was before it
"""


class Replica(Exeat):
    """exeat in a namespace of its own; what a test asks it, it asks from inside there."""

    def __init__(self, namespace, directory, dns, n):
        listen = [{"mode": "proxy", "address": f"10.61.{n}.2:{PORT}"}]
        super().__init__(directory, ALLOWLIST, dns, listen=listen, before=("nsenter", f"--net={namespace.path}"))
        self.namespace, self.n = namespace, n

    def fetch(self, path, method="GET"):
        return self.namespace.run(lambda: super(Replica, self).fetch(path, method))

    def kill(self):
        self.process.kill()
        self.wait()


class Replicas:
    def __init__(self, gateway, count=3):
        self.gateway, self.inside = gateway, gateway.inside
        self.all = [self._replica(n) for n in range(1, count + 1)]
        gateway.world.ip("route add 10.60.0.0/14 via 10.200.0.1")

    def _replica(self, n):
        namespace = Namespace.new()
        self.gateway.lab.topology._join(self.inside, f"r{n}", namespace, "eth0", f"10.61.{n}", f"fd00:61:{n}:")
        namespace.ip(f"route add default via 10.61.{n}.1")
        dns = DnsServer(f"10.61.{n}.1")
        dns.table = self.gateway.lab.dns.table
        directory = pathlib.Path(tempfile.mkdtemp(f"-replica{n}", dir=self.gateway.lab.directory))
        return Replica(namespace, directory, dns, n)

    def balance(self, by, among):
        """What kube-proxy does with the pods that are ready."""
        map_ = ", ".join(f"{i} : 10.61.{replica.n}.2" for i, replica in enumerate(among))
        self.inside.nft(f"""
table ip balancer {{}}
delete table ip balancer
table ip balancer {{
  chain prerouting {{ type nat hook prerouting priority dstnat; ip daddr {ADDRESS} tcp dport {PORT} dnat to {SPREAD[by]} {len(among)} map {{ {map_} }}; }}
}}""")

    def __enter__(self):
        for each in self.all:
            each.start()
        return self

    def __exit__(self, *_):
        self.inside.nft("table ip balancer {}\ndelete table ip balancer")
        self.gateway.world.ip("route del 10.60.0.0/14")
        for each in self.all:
            if each.process.poll() is None:
                each.stop()
            self.inside.ip(f"link del r{each.n}")


def dial(pod, source=None):
    s = pod.socket(socket.AF_INET)
    s.settimeout(seconds(30))
    if source:
        s.bind((source, 0))
    s.connect((ADDRESS, PORT))
    return s


def tunnel(pod):
    s = dial(pod)
    try:
        s.sendall(connect_request("echo.test:7"))
        head = take_head(s)
        assert head.startswith(b"HTTP/1.1 200 "), head
        return s
    except BaseException:
        s.close()
        raise


class Load:
    """`held` tunnels that echo all the time, and `dialling` clients that make one short tunnel after the other. Every client notes what it saw,
    by the phase that it was in."""

    CHUNK = b"x" * 1024

    def __init__(self, pod, held, dialling):
        self.pod, self.phase, self._over = pod, "all up", threading.Event()
        self.cut, self.short, self.errors = [], collections.Counter(), collections.Counter()
        self._lock, self._held = threading.Lock(), [tunnel(pod) for _ in range(held)]
        work = [lambda s=s: self._hold(s) for s in self._held] + [self._dial_on] * dialling
        self._threads = [threading.Thread(target=each, daemon=True) for each in work]
        for each in self._threads:
            each.start()

    def _echoed(self, s):
        s.sendall(self.CHUNK)
        if read_exactly(s, len(self.CHUNK)) != self.CHUNK:
            raise ConnectionError("the tunnel ended")

    def _hold(self, s):
        try:
            while not self._over.wait(0.02):
                self._echoed(s)
        except OSError as e:
            with self._lock:
                self.cut.append((self.phase, type(e).__name__))
        finally:
            s.close()

    def _dial_on(self):
        while not self._over.wait(0.005):
            phase, began, error = self.phase, time.monotonic(), None
            try:
                with tunnel(self.pod) as s:
                    self._echoed(s)
            except (OSError, AssertionError) as e:
                error = type(e).__name__
            with self._lock:
                phase = phase if phase == self.phase else "between"  # of both, so of neither
                self.short[phase, "failed" if error else "well"] += 1
                if error:
                    self.errors[phase, error, "at once" if time.monotonic() - began < 10 else "after a wait"] += 1

    def wait_for(self, phase, count):
        """Until so many short tunnels of a phase have had their outcome."""
        self.phase = phase
        wait_until(lambda: sum(self.short[phase, how] for how in ("well", "failed")) >= count, 120, f"{phase}: {count} short tunnels")

    def end(self):
        self._over.set()
        for each in self._threads:
            each.join(seconds(60))
