"""The harness itself, without exeat: an oracle that cannot fail proves nothing."""
import random
import socket
import struct

import pytest
from harness import hello as tls
from harness.capture import Capture
from harness.client import Reply, read_exactly, read_to_end
from harness.dns import encode_name
from harness.metrics import Metrics
from harness.origin import echo
from harness.wait import wait_until


def question(lab, name, kind, tcp=False):
    packet = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + encode_name(name) + struct.pack("!HH", kind, 1)
    host, port = lab.dns.address.split(":")
    with socket.socket(type=socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        s.connect((host, int(port)))
        s.send(struct.pack("!H", len(packet)) + packet if tcp else packet)
        return s.recv(4096)[2 if tcp else 0 :]


def test_the_dns_server_answers_from_its_table_and_remembers_every_question(lab):
    lab.dns.set("known.test", "93.184.216.250", "2606:2800:220:1::fa")
    mark = lab.dns.mark()
    assert question(lab, "known.test", 1).endswith(socket.inet_aton("93.184.216.250"))
    assert question(lab, "known.test", 28, tcp=True).endswith(socket.inet_pton(socket.AF_INET6, "2606:2800:220:1::fa"))
    assert question(lab, "unknown.test", 1)[3] & 15 == 3
    assert lab.dns.queries[mark:] == [("known.test", "A", "udp"), ("known.test", "AAAA", "tcp"), ("unknown.test", "A", "udp")]


def test_the_dns_server_can_fail_truncate_and_follow_names(lab):
    lab.dns.set("fails.test", behave="servfail")
    lab.dns.set("long.test", "93.184.216.250", behave="truncate")
    lab.dns.set("alias.test", cname="known.test")
    lab.dns.set("known.test", "93.184.216.250")
    assert question(lab, "fails.test", 1)[3] & 15 == 2
    assert question(lab, "long.test", 1)[2] & 2
    assert not question(lab, "long.test", 1, tcp=True)[2] & 2
    assert struct.unpack_from("!H", question(lab, "alias.test", 1), 6)[0] == 2


@pytest.mark.parametrize("version", [4, 6])
def test_an_origin_in_the_world_remembers_every_byte_and_the_watch_every_address(lab, version):
    host = lab.addresses()[0 if version == 4 else 1]
    origin = lab.origin(host, 7, echo)
    lab.topology.forget_dialled()
    with socket.create_connection((host, 7), timeout=30) as s:
        s.sendall(b"abc" * 1000)
        assert read_exactly(s, 3000) == b"abc" * 1000
        s.shutdown(socket.SHUT_WR)
        assert read_to_end(s) == b""
    assert lab.topology.dialled() == {(host, 7)}
    assert origin.received_bytes == origin.sent_bytes == 3000
    assert bytes(origin.peers[0].received) == b"abc" * 1000 and origin.peers[0].ended


def test_nothing_leaves_for_the_real_network(lab):
    with socket.socket() as s:
        s.settimeout(1)
        with pytest.raises(OSError):
            s.connect(("1.1.1.1", 53))


def test_a_tls_origin_speaks_http_and_counts_what_is_on_the_wire(lab):
    host, _ = lab.addresses()
    origin = lab.tls_origin("self.test", host=host)
    with socket.create_connection((host, 443), timeout=30) as raw:
        with lab.authority.client_context().wrap_socket(raw, server_hostname="self.test") as s:
            s.sendall(b"POST /x HTTP/1.1\r\nHost: self.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            assert Reply(s).body == b"hello from the origin\n"
    assert origin.requests[0].body == b"abc" and origin.requests[0].wire == b"3\r\nabc\r\n0\r\n\r\n"
    assert bytes(origin.peers[0].received[:1]) == b"\x16" and origin.received_bytes > 500


def test_a_capture_counts_the_payload_that_the_origin_got(lab, tmp_path):
    host, _ = lab.addresses()
    origin = lab.origin(host, 7, echo)
    data = random.Random(1).randbytes(3_000_000)
    with Capture(tmp_path / "pcap", f"tcp port 7 and host {host}") as seen:
        with socket.create_connection((host, 7), timeout=30) as s:
            s.sendall(data[:1_000_000])
            assert read_exactly(s, 1_000_000) == data[:1_000_000]
        wait_until(lambda: origin.peers[0].closed)
        seen.stop()
    assert seen.bytes_to(7) == seen.bytes_from(7) == 1_000_000


def test_a_hello_taken_apart_and_put_together_is_the_same():
    genuine = tls.genuine("same.test")
    assert tls.record(tls.Hello(genuine).message()) == genuine
    assert b"same.test" in genuine and b"same.test" not in tls.genuine(None)
    assert len(tls.post_quantum("same.test")) > 1600


def test_metrics_are_read_with_their_labels():
    m = Metrics('# HELP a b\na{x="1",y="q\\"r"} 2\na{x="2",y=""} 3\nb 4.5\n')
    assert m.of("a") == 5 and m.of("a", x="1") == 2 and m.of("b") == 4.5 and m.of("c") == 0
    assert m.label_values("a", "y") == {'q"r', ""}
