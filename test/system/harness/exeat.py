"""The real binary: its two files, its ports, its numbers, its log, and a clean end."""
import collections
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

from .metrics import Metrics
from .wait import seconds, wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("EXEAT_BIN", str(REPOSITORY / "build" / "exeat"))
DAEMON = str(pathlib.Path(BINARY).with_name("exeatd"))  # what serves; alone of a sanitized build
_SANITIZER = re.compile(r"(Address|Thread|Leak|Memory)Sanitizer|runtime error:")
_ports = itertools.count(3000)  # below what the kernel gives to clients (topology.py); nobody else is in this namespace


def free_port():
    return next(_ports)


def run(*argv, within=60, **options):
    """exeat VERB …, to its end."""
    return subprocess.run([BINARY, *map(str, argv)], capture_output=True, text=True, timeout=seconds(within), check=False, **options)


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else str(value)


def table(header, values):
    return "\n".join([header, *(f"{k} = {toml(v)}" for k, v in values.items())]) + "\n"


# A test that is a crowd behind one address says how large it may be; then nothing else about a client's pace is in its way.
CROWD = {f"{what}_per_second": 1_000_000 for what in ("connections", "requests", "refusals", "log_lines")}


class Exeat:
    """`limits`, `audit`, `dns`, `policy`, `kubernetes`: what differs from the tests' defaults in those tables. `listen`: more [[listen]] tables.
    `before`: a command that starts exeat, such as prlimit. `sockets`: passed to it as systemd would (systemd.py)."""

    def __init__(self, directory, allowlist, dns_server, *, listen=(), limits=None, audit=None, dns=None, policy=None, before=(), arguments=(), allowlist_path=None,
                 sandbox=None, kubernetes=None, sockets=None, proxy_port=None, admin_port=None):
        self.directory = pathlib.Path(directory)
        self.proxy_port, self.admin_port = proxy_port or free_port(), admin_port or free_port()
        self.sockets = sockets
        self.allowlist_path = pathlib.Path(allowlist_path or self.directory / "allowlist.toml")
        self.audit_path = pathlib.Path((audit or {}).get("path", self.directory / "audit.jsonl"))
        if allowlist is not None:
            self.allowlist_path.write_text(allowlist)
        self.config_path = self.directory / "exeat.toml"
        listeners = [{"mode": "proxy", "address": f"127.0.0.1:{self.proxy_port}"}, {"mode": "proxy", "address": f"[::1]:{self.proxy_port}"}, *listen]
        self.config_path.write_text("\n".join([
            *(table("[[listen]]", each) for each in listeners),
            table("[admin]", {"address": f"127.0.0.1:{self.admin_port}"}),
            table("[policy]", {"allowlist": str(self.allowlist_path), **(policy or {})}),
            table("[dns]", {"servers": [dns_server.address], "timeout": "2s", **(dns or {})}),
            table("[audit]", {"path": str(self.audit_path), **(audit or {})}),
            table("[limits]", {"workers": 2, "drain_timeout": "1s", **(CROWD if "connections_per_source" in (limits or {}) else {}), **(limits or {})}),
            table("[sandbox]", {"root": "allow", **(sandbox or {})}),
            *([table("[kubernetes]", kubernetes)] if kubernetes else []),
        ]))
        self._argv = [*before, BINARY, "serve", "--config", str(self.config_path), *arguments]
        self.process = None

    # ---- life ----

    def start(self):
        self.start_unready()
        wait_until(self._ready_or_dead, 60, "exeat is ready")
        assert self.process.poll() is None, f"exeat ended with {self.process.returncode}:\n{self.log()}"
        return self

    def start_unready(self):
        """Returns when it listens, whether it will serve or not."""
        self._stderr = open(self.directory / "stderr", "wb")
        self.process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._stderr,
                                        **(self.sockets.passed() if self.sockets else {}))
        wait_until(self._answers_or_dead, 60, "exeat answers")

    def _answers_or_dead(self):
        if self.process.poll() is not None:
            return True
        try:
            return self.fetch("/readyz")
        except OSError:
            return False

    def _ready_or_dead(self):
        answer = self._answers_or_dead()
        return answer is True or (answer and answer[0] == 200)

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within=60):
        return self.process.wait(seconds(within))

    def stop(self):
        """The clean end that every test's exeat comes to."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"exeat does not end after SIGTERM:\n{self.log()}") from None
        finally:
            self._stderr.close()
        assert not _SANITIZER.search(self.log()), self.log()
        assert code == 0, f"exit code {code}:\n{self.log()}"
        if self.audit_path.exists():
            verified = run("verify", "--audit", self.audit_path, within=600)
            assert verified.returncode == 0, verified.stderr

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # ---- what it says ----

    def log(self):
        return (self.directory / "stderr").read_text(errors="replace")

    def fetch(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=seconds(30))
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, text = self.fetch("/metrics")
        assert status == 200, text
        return Metrics(text)

    def metric(self, name, **labels):
        return self.metrics().of("exeat_" + name, **labels)

    def audit(self, since=0, checkpoints=False, **fields):
        """The whole lines of the audit log as dictionaries, those that carry `fields` (a dot is written __). Checkpoints come by the clock:
        only whoever asks for them has them."""
        if not self.audit_path.exists():
            return []
        wanted = {k.replace("__", "."): v for k, v in fields.items()}
        whole = self.audit_path.read_bytes().split(b"\n")[:-1]
        lines = [json.loads(line) for line in whole]
        wants_all = checkpoints or wanted.get("event.action") == "checkpoint"
        lines = [line for line in lines if wants_all or line["event.action"] != "checkpoint"][since:]
        return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]

    def settled(self):
        """Waits until nothing is open any more and all of it is logged; returns the number of lines."""
        wait_until(lambda: self.metric("connections_active") == 0, what="no connection is open")
        return wait_until(self._all_logged, what="every request that was counted is logged and closed, and every denial stands in a line")

    def _all_logged(self):
        lines = self.audit()
        count = collections.Counter()
        opened = {line["event.id"] for line in lines if line["event.action"] == "open"}
        for line in lines:
            n = line.get("exeat.audit.stands_for", 1)
            count[line["event.action"]] += n
            if line["event.action"] == "close" and line["event.id"] not in opened:  # exchanges that are summed have no line for their beginning
                count["open"] += n
        m = self.metrics()
        whole = count["open"] == count["close"] == m.of("exeat_requests_total", decision="allowed") and count["deny"] == m.of("exeat_denied_total")
        return len(lines) if whole else None

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        rollup = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Rss:\s+(\d+) kB", rollup, re.M)[1]) * 1024

    # ---- the allowlist ----

    def write_allowlist(self, text):
        """As editors and `mv` do it: whole, by rename."""
        new = self.allowlist_path.with_suffix(".new")
        new.write_text(text)
        new.rename(self.allowlist_path)

    def reload(self, text, result="ok"):
        """Writes the list and waits until it has been taken, by every worker, or refused."""
        before = self.metric("policy_reloads_total", result=result)
        self.write_allowlist(text)
        wait_until(lambda: self.metric("policy_reloads_total", result=result) > before, 60, f"a reload: {result}")
        if result == "ok":
            if "hosts_file" not in text and not self.allowlist_path.with_suffix(".d").exists():  # these are part of the hash
                sha256 = hashlib.sha256(text.encode()).hexdigest()
                wait_until(lambda: self.metrics().has("exeat_policy_info", sha256=sha256), what="the list in force is the one that was written")
            self.caught_up()

    def caught_up(self):
        """Waits until each worker has done all that it had been told to do: the page of tunnels is made by each of them in its turn."""
        def all_answered():
            status, page = self.fetch("/api/tunnels?size=1")
            return status == 200 and json.loads(page)["complete"]

        wait_until(all_answered, what="every worker answers")

    # ---- the ways in ----

    @property
    def url(self):
        return f"http://127.0.0.1:{self.proxy_port}"

    def connect(self, host="127.0.0.1", port=None, timeout=30, source=None):
        s = socket.create_connection((host, port or self.proxy_port), timeout=seconds(timeout), source_address=source and (source, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s
