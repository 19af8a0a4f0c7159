"""Every payload byte, both ways, live: exeat's numbers, the origin's and the packet capture's are the same."""
import random
import socket
import threading

import pytest
from harness.capture import Capture
from harness.client import ask, http_request, open_tls, open_tunnel, read_exactly, read_to_end
from harness.http_origin import reply
from harness.origin import echo, swallow
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[defaults]
upload = "100 GiB/1h"
[groups.lab]
sources = ["127.0.0.1"]
[groups.six]
sources = ["::1"]
[[allow]]
name = "echo"
hosts = ["echo.count.test"]
ports = [7]
protocol = "tcp"
purpose = "api"
[[allow]]
name = "sink"
hosts = ["sink.count.test"]
ports = [9]
protocol = "tcp"
[[allow]]
name = "sink6"
hosts = ["sink6.count.test"]
ports = [9]
protocol = "tcp"
[[allow]]
name = "parting"
hosts = ["parting.count.test"]
ports = [11]
protocol = "tcp"
[[allow]]
name = "late"
hosts = ["late.count.test"]
ports = [10]
protocol = "tcp"
[[allow]]
name = "web"
hosts = ["web.count.test"]
[[allow]]
name = "plain"
hosts = ["plain.count.test"]
protocol = "http"
"""
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


def late(peer):
    """Says nothing until the client has finished, and then ten megabytes."""
    while peer.recv():
        pass
    peer.send(bytes(10 * MEBIBYTE))
    peer.finish()


def parting(peer):
    """Says all that it has to say, and listens on."""
    peer.send(b"bye")
    peer.finish()
    while peer.recv():
        pass


@pytest.fixture(scope="module")
def origins(lab):
    made = {}
    for name, port, serve in (("echo", 7, echo), ("sink", 9, swallow), ("late", 10, late), ("parting", 11, parting)):
        host, _ = lab.place(f"{name}.count.test", v6=False)
        made[name] = lab.origin(host, port, serve)
    _, host = lab.place("sink6.count.test", v4=False)
    made["sink6"] = lab.origin(host, 9, swallow)
    return made


def moved(exeat, entry):
    m = exeat.metrics()
    return tuple(int(m.of("exeat_bytes_total", entry=entry, direction=d)) for d in ("upload", "download"))


def test_every_entry_and_reason_has_a_series_before_its_first_event(exeat):
    m = exeat.metrics()
    for entry, purpose in (("echo", "api"), ("web", "pull")):
        for direction in ("upload", "download"):
            assert m.has("exeat_bytes_total", entry=entry, purpose=purpose, direction=direction)
    assert {"not_allowed", "sni_mismatch", "addr_class", "overload"} <= m.label_values("exeat_denied_total", "reason")
    assert m.label_values("exeat_requests_total", "mode") == {"connect", "http", "transparent_tls", "transparent_http", "sni"}
    for name in ("build_info", "policy_info", "policy_entries", "connections_active", "tunnels_active", "audit_events_total", "tunnels_closed_total"):
        assert m.has("exeat_" + name), name
    assert m.of("exeat_policy_entries") == 7 and m.has("exeat_policy_info", serial="7", mode="enforce")


def test_bytes_are_counted_while_the_tunnel_is_open(exeat, origins):
    """K6."""
    up, down = moved(exeat, "echo")
    with open_tunnel(exeat, "echo.count.test:7") as s:
        for i in range(1, 4):
            s.sendall(bytes(1000))
            assert read_exactly(s, 1000) == bytes(1000)
            wait_until(lambda: moved(exeat, "echo") == (up + i * 1000, down + i * 1000))
        assert exeat.metric("tunnels_active", purpose="api") == 1
        wait_until(lambda: exeat.metric("tunnel_oldest_age_seconds", purpose="api") > 1)
    wait_until(lambda: exeat.metric("tunnels_active", purpose="api") == 0)


@pytest.mark.parametrize("sink", ["sink", "sink6"])
@pytest.mark.parametrize("amount", [1, 4096, 100_001, 20 * MEBIBYTE])
def test_an_upload_is_counted_as_the_origin_and_the_wire_saw_it(exeat, origins, tmp_path, amount, sink):
    """K7."""
    origins[sink].clear()
    before = moved(exeat, sink)
    with Capture(tmp_path / "pcap", "port 9") as seen:
        with open_tunnel(exeat, f"{sink}.count.test:9") as s:
            s.sendall(random.Random(amount).randbytes(amount))
        wait_until(lambda: origins[sink].peers and origins[sink].peers[0].closed)
        seen.stop()
    assert origins[sink].received_bytes == amount == seen.bytes_to(9)
    wait_until(lambda: moved(exeat, sink) == (before[0] + amount, before[1]), what="the counters agree")


def test_a_hundred_megabytes_both_ways_at_once_arrive_whole_and_counted(lab, exeat, origins, tmp_path):
    amount = 100 * 1000 * 1000
    block = random.Random(7).randbytes(1_000_000)
    before = moved(exeat, "echo")
    origins["echo"].clear()
    good = []

    def receive(s):
        good.append(all(read_exactly(s, len(block)) == block for _ in range(amount // len(block))) and read_to_end(s) == b"")

    with Capture(tmp_path / "pcap", "tcp port 7") as seen:
        with open_tunnel(exeat, "echo.count.test:7", timeout=60) as s:
            receiver = threading.Thread(target=receive, args=(s,))
            receiver.start()
            for _ in range(amount // len(block)):
                s.sendall(block)
            s.shutdown(socket.SHUT_WR)
            receiver.join()
        seen.stop()
    assert good == [True]
    assert origins["echo"].received_bytes == origins["echo"].sent_bytes == amount
    assert (seen.bytes_to(7), seen.bytes_from(7)) == (amount, amount)
    wait_until(lambda: moved(exeat, "echo") == (before[0] + amount, before[1] + amount))


def test_after_the_clients_fin_ten_megabytes_still_come(exeat, origins):
    """M4."""
    before = moved(exeat, "late")
    with open_tunnel(exeat, "late.count.test:10") as s:
        s.sendall(b"that was all")
        s.shutdown(socket.SHUT_WR)
        assert read_to_end(s) == bytes(10 * MEBIBYTE)
    wait_until(lambda: moved(exeat, "late") == (before[0] + 12, before[1] + 10 * MEBIBYTE))
    wait_until(lambda: exeat.audit(event__action="close", rule__name="late", event__reason="finished"))


def test_after_the_origins_fin_the_client_may_go_on_sending(exeat, origins):
    with open_tunnel(exeat, "parting.count.test:11") as s:
        assert read_to_end(s) == b"bye"
        s.sendall(bytes(5 * MEBIBYTE))
        s.shutdown(socket.SHUT_WR)
        wait_until(lambda: origins["parting"].peers[0].closed)
    assert origins["parting"].received_bytes == 5 * MEBIBYTE
    wait_until(lambda: moved(exeat, "parting") == (5 * MEBIBYTE, 3))


def test_under_tls_the_records_are_counted_and_not_what_they_hold(lab, exeat):
    host, _ = lab.place("web.count.test", v6=False)
    origin = lab.tls_origin("web.count.test", host=host, routes={"*": reply(b"x" * 50_000)})
    with open_tls(exeat, lab.authority, "web.count.test:443") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: web.count.test\r\nConnection: close\r\n\r\n")
        assert len(read_to_end(s)) > 50_000
    wait_until(lambda: origin.peers[0].closed)
    wait_until(lambda: moved(exeat, "web") == (origin.received_bytes, origin.sent_bytes))


def test_plain_http_counts_what_went_to_and_came_from_the_origin(lab, exeat, tmp_path):
    host, _ = lab.place("plain.count.test", v6=False)
    origin = lab.http_origin(host, routes={"*": reply(b"y" * 123_456)})
    with Capture(tmp_path / "pcap", f"tcp port 80 and host {host}") as seen:
        with exeat.connect() as s:
            for n in range(3):
                assert ask(s, http_request("POST", f"http://plain.count.test/{n}", ["Content-Length: 70000"], bytes(70000))).status == 200
        wait_until(lambda: origin.peers[0].closed)
        seen.stop()
    wait_until(lambda: moved(exeat, "plain") == (origin.received_bytes, origin.sent_bytes))
    assert (seen.bytes_to(80), seen.bytes_from(80)) == (origin.received_bytes, origin.sent_bytes)


def test_a_client_that_moves_a_mebibyte_has_a_series_of_its_own(exeat, origins):
    with open_tunnel(exeat, "sink.count.test:9") as s:
        s.sendall(bytes(2 * MEBIBYTE))
    wait_until(lambda: exeat.metric("client_bytes_total", client="lab/127.0.0.1", direction="upload", purpose="pull") >= 2 * MEBIBYTE)


def test_clients_together_have_what_entries_together_have(exeat, origins):
    def sums():
        m = exeat.metrics()
        return [m.of(name, direction=d) for name in ("exeat_bytes_total", "exeat_client_bytes_total") for d in ("upload", "download")]

    wait_until(lambda: (s := sums())[0:2] == s[2:4] and s[0] > 0)


def test_the_audit_log_adds_up_to_the_counters(exeat):
    exeat.settled()
    closes = exeat.audit(event__action="close")
    m = exeat.metrics()
    assert sum(c["source.bytes"] for c in closes) == m.of("exeat_bytes_total", direction="upload")
    assert sum(c["destination.bytes"] for c in closes) == m.of("exeat_bytes_total", direction="download")
    assert len(closes) == m.of("exeat_tunnels_closed_total") == m.of("exeat_requests_total", decision="allowed")


def test_a_long_transfer_writes_progress_lines(exeat):
    wait_until(lambda: exeat.audit(event__action="progress"), what="more than 64 MiB went through one tunnel")


def test_connections_are_counted_by_listener_and_return_to_none(exeat):
    label = f"proxy 127.0.0.1:{exeat.proxy_port}"
    total = exeat.metric("connections_total", listener=label)
    held = [exeat.connect() for _ in range(5)]
    wait_until(lambda: exeat.metric("connections_active", listener=label) == 5)
    assert exeat.metric("worker_connections_active") == 5
    for s in held:
        s.close()
    wait_until(lambda: exeat.metric("connections_active", listener=label) == 0)
    assert exeat.metric("connections_total", listener=label) == total + 5


def test_histograms_are_filled(exeat):
    m = exeat.metrics()
    for name in ("tunnel_duration_seconds", "tunnel_upload_bytes", "decision_duration_seconds", "setup_duration_seconds", "upstream_connect_duration_seconds",
                 "resolver_query_duration_seconds"):
        assert m.of(f"exeat_{name}_count") > 0, name
        assert m.of(f"exeat_{name}_bucket", le="+Inf") == m.of(f"exeat_{name}_count"), name
    assert m.of("process_open_fds") > 5 and m.of("process_resident_memory_bytes") > 1e6


def test_the_metrics_page_is_the_text_format_and_well_formed(exeat):
    status, text = exeat.fetch("/metrics")
    assert status == 200 and text.endswith("\n")
    typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")}
    assert typed == helped
    for line in text.splitlines():
        if not line.startswith("#"):
            name = line.split("{")[0].split(" ")[0]
            assert name in typed or name.rsplit("_", 1)[0] in typed, line
