"""The network namespace of the benchmark: proxies on 127.0.0.1, the origin on public addresses that nothing real can be reached at, and
a DNS server that knows a handful of names. Everything in it may be called again by its name by any proxy that reads /etc/hosts."""
import ctypes
import json
import os
import pathlib
import subprocess
import sys

from .process import LOAD_CORE, end, pinned

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "system"))
from harness import hello, netns  # noqa: E402
from harness.dns import DnsServer  # noqa: E402

NET = "93.184.216"
ECHO, SINK, SOURCE, WEB = (f"{role}.bench.test" for role in ("echo", "sink", "source", "web"))
DENIED = "denied.bench.test"  # it has an address, so that a proxy that asks for it would be seen to
ADDRESSES = {name: f"{NET}.{n}" for n, name in enumerate((ECHO, SINK, SOURCE, WEB, DENIED), 1)}
TLS, FILTERED, HTTP = 443, 8443, 80

_NEW_MOUNTS = 0x00020000
NO_MOUNTS = "the benchmark cannot have an /etc/hosts of its own here"


def enter():
    """Moves this process into namespaces of its own, before it makes a thread or a socket."""
    netns.enter_new()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare: the benchmark needs root")
    try:
        command("mount", "--make-rprivate", "/")
    except subprocess.CalledProcessError as failed:  # in a chroot "/" is no mount
        sys.exit(f"{NO_MOUNTS}: {failed.stderr.decode().strip()}")
    command("ip", "link", "set", "lo", "up")
    # local without being an address of an interface: exeat takes the latter for its own and refuses it
    command("ip", "route", "add", "local", f"{NET}.0/24", "dev", "lo")
    for name, value in (("ipv4/ip_local_port_range", "1024 65000"), ("ipv4/tcp_tw_reuse", "1"), ("ipv4/tcp_tw_reuse_delay", "100"),
                        ("core/somaxconn", "8192"), ("ipv4/tcp_max_syn_backlog", "8192")):
        path = pathlib.Path("/proc/sys/net", name)
        if path.exists():
            path.write_text(value)
    # what the proxies listen on is not given to clients
    pathlib.Path("/proc/sys/net/ipv4/ip_local_reserved_ports").write_text("3100-3199,4100-4199,5100-5199,6100-6199,7100-7199,8100-8199,9100-9199,10100-10199,11100-11199")
    for variable in [v for v in os.environ if v.lower().endswith("_proxy")]:
        del os.environ[variable]


def command(*argv):
    subprocess.run(argv, check=True, capture_output=True)


class Lab:
    def __init__(self, directory, programs):
        self.directory, self.programs = pathlib.Path(directory), pathlib.Path(programs)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o777)  # a peer may give up root before it opens its log
        self.dns = DnsServer()
        for name, address in ADDRESSES.items():
            self.dns.set(name, address)
        self._hosts_file()
        roles = [(r, n, TLS) for r, n in (("echo", ECHO), ("sink", SINK), ("source", SOURCE))] + [("http", WEB, HTTP)]
        roles += [(f"tunnel_{r}", n, FILTERED) for r, n in (("echo", ECHO), ("sink", SINK), ("source", SOURCE))]
        self._origin = pinned([self.programs / "origin", *(f"{r}={ADDRESSES[n]}:{p}" for r, n, p in roles)], {LOAD_CORE}, stdout=subprocess.PIPE)
        if self._origin.stdout.readline() != b"ready\n":
            raise RuntimeError("the origin did not start")

    def _hosts_file(self):
        self.hosts = self.directory / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in ADDRESSES.items()))
        command("mount", "--bind", str(self.hosts), "/etc/hosts")

    def hello(self, name):
        """The file of a genuine ClientHello that names `name`."""
        path = self.directory / f"{name}.hello"
        if not path.exists():
            path.write_bytes(hello.genuine(name))
        return path

    def load(self, way, work, *, at_once, seconds, warm=0.2, pids=()):
        """One run of the load generator: what it printed."""
        done = pinned(self.load_command(way, work, at_once, seconds, warm, pids), {LOAD_CORE}, stdout=subprocess.PIPE, text=True)
        try:
            out, _ = done.communicate(timeout=seconds + warm + 60)
        except subprocess.TimeoutExpired:
            done.kill()
            raise
        if done.returncode != 0:
            raise RuntimeError(f"load {work} against port {way.port} ended with status {done.returncode}")
        return json.loads(out)

    def load_command(self, way, work, at_once, seconds=1, warm=0.2, pids=()):
        argv = [self.programs / "load", "--work", work, "--to", f"127.0.0.1:{way.port}", "--name", way.name, "--hello", self.hello(way.host),
                "--at-once", at_once, "--seconds", seconds, "--warm", warm]
        return argv + (["--sni"] if way.sni else []) + (["--cpu-of", ",".join(map(str, pids))] if pids else [])

    def close(self):
        end(self._origin)
