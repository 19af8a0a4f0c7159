"""Where the clients are: a pod that reaches exeat and nothing else, one origin for the hosts that are allowed and one for those that are not."""
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
from dataclasses import dataclass

import fakes
import pytest
import registries
from harness.exeat import free_port, table
from harness.wait import seconds, wait_until

GATEWAY, SOURCES = "10.44.0.1", ["10.44.0.0/24"]
CACHE = registries.CACHE
METHODS = (b"CONNECT ", b"GET ", b"HEAD ", b"POST ")
FIRST_LINE = re.compile(rb"(?:" + b"|".join(METHODS) + rb")\S+(?= HTTP/1)")


class Wire:
    """The request lines that the pod sends to exeat, as they stand on the wire."""

    def __init__(self, link):
        self.lines, self._begun = [], {}  # source port -> the beginning of a line whose rest is in a later segment
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.bind((link, 0))
        threading.Thread(target=self._read, daemon=True).start()

    def sent(self, text, since):
        """Waits for a line with this text: what the kernel hands out of a link comes a little later than what it delivers."""
        return wait_until(lambda: any(text in line for line in self.lines[since:]), 10, f"{text!r} is on the wire, and not only {self.lines[since:]}")

    def _read(self):
        while True:
            frame = self._socket.recv(65536)
            if len(frame) > 54 and frame[12:14] == b"\x08\x00" and frame[23] == 6:
                size = struct.unpack_from("!H", frame, 16)[0]
                self._segment(struct.unpack_from("!H", frame, 34)[0], frame[34 + (frame[46] >> 4) * 4 : 14 + size])

    def _segment(self, port, data):
        if not data:
            return
        text = self._begun.pop(port, b"") + data
        if line := FIRST_LINE.match(text):
            self.lines.append(line[0].decode("latin-1"))
        elif len(text) < 4096 and any(text.startswith(m) or m.startswith(text) for m in METHODS):
            self._begun[port] = text


@dataclass
class Outcome:
    code: int
    out: str  # what it printed, on stdout and on stderr


class Place:
    def __init__(self, lab, directory, missing):
        self.lab, self.directory, self.missing = lab, directory, missing
        self.pod = lab.topology.new_pod("c0", "10.44.0", "fd00:44:")
        # Nothing is forwarded for the pod. That a client hears so at once spares it the wait for a DNS server that cannot answer.
        self.pod.ip("route add unreachable default metric 1", "route del default via 10.44.0.1", "-6 route del default", "-6 route add unreachable default metric 1")
        self.wire = Wire("c0")
        self.port = free_port()
        self.authority = lab.authority.file
        self.allowed, self.refused = self._origins("*.allowed.test"), self._origins("*.refused.test")

    @property
    def proxy(self):
        return f"http://{GATEWAY}:{self.port}"

    def _origins(self, pattern):
        """An origin for TLS and one for plain HTTP at one address."""
        host, _ = self.lab.addresses()
        routes = {"*": fakes.converse}
        return host, self.lab.tls_origin(pattern, host=host, routes=routes), self.lab.http_origin(host, routes=routes)

    # ---- hosts ----

    def host(self, name, way, allowed):
        """A name of its own for each case; it is in the DNS, allowed or not: one that leaks finds an origin."""
        host = f"{name}-{way}.{'allowed' if allowed else 'refused'}.test"
        self.lab.dns.set(host, (self.allowed if allowed else self.refused)[0])
        return host

    def requests_of(self, host):
        """What the origins were asked under this name."""
        return [r for origin in self.allowed[1:] for peer in list(origin.peers) for r in peer.__dict__.get("requests", []) if r.field("host").split(":")[0] == host]

    def untouched(self):
        return not any(origin.peers for origin in self.refused[1:])

    def serve(self, tls=(), http=(), port=None, entry=None, **options):
        """An exeat that the pod reaches, with an entry for TLS and one for plain HTTP. `entry`: more keys of the former."""
        groups = table("[groups.pods]", {"sources": SOURCES})
        entries = [table("[[allow]]", {"name": name, "hosts": list(hosts), "protocol": name, **more})
                   for name, hosts, more in (("tls", tls, entry or {}), ("http", http, {})) if hosts]
        listen = [{"mode": "proxy", "address": f"{GATEWAY}:{port or self.port}"}]
        return self.lab.exeat("\n".join(["serial = 7", groups, *entries]), listen=listen, **options)

    # ---- running a client ----

    def need(self, *what):
        """Skips what cannot be had: a set of the registries', or a program of Debian's."""
        for name in what:
            reason = self.missing.get(name) or (None if name in registries.SETS or shutil.which(name) else "it is not installed")
            if reason:
                pytest.skip(f"skipped: {name}: {reason}")

    def environment(self):
        """As a pod's: proxy variables, and the authority by each of the names that clients know. Nothing of this machine's settings."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        proxies = {name: self.proxy for name in ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY")}
        authority = {name: self.authority for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO")}
        return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                "GIT_TERMINAL_PROMPT": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(CACHE / "python/site"), "NODE_PATH": str(CACHE / "node/node_modules"),
                **proxies, **authority}

    def run(self, *argv, environment=None, within=60):
        try:
            done = self.pod.command(*map(str, argv), check=False, timeout=seconds(within), env={**self.environment(), **(environment or {})}, errors="replace",
                                    cwd=str(self.directory), stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"{argv[0]} does not end: {e.stdout!r} {e.stderr!r}") from None
        return Outcome(done.returncode, done.stdout + done.stderr)

    def fresh(self, name):
        """A directory of its own."""
        at = self.directory / name
        shutil.rmtree(at, ignore_errors=True)
        at.mkdir()
        return at

    def java_properties(self):
        """The JVM reads neither the proxy variables nor a PEM file."""
        store = self.directory / "authority.p12"
        if not store.exists():
            made = subprocess.run([registries.JDK / "keytool", "-importcert", "-noprompt", "-alias", "tests", "-file", self.authority, "-keystore", str(store), "-storepass", "changeit"],
                                  capture_output=True, text=True, check=False, timeout=60)
            assert made.returncode == 0, made.stdout
        proxies = [f"-D{scheme}.proxy{what}={value}" for scheme in ("http", "https") for what, value in (("Host", GATEWAY), ("Port", self.port))]
        return [*proxies, f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]

    def logged(self, exeat, host, action):
        """Waits for a line of the audit log about this host."""
        return wait_until(lambda: exeat.audit(destination__domain=host, event__action=action), 15, f"the audit log has {action} of {host}")
